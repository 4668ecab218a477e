"""The search snapshot: built from the library, published whole, opened verified. Knows no questions.

    search/CURRENT -> <generation>/ {vectors.npz, terms/, manifest.json}

A generation is written beside the old one, synced to disk, and becomes the current one by one atomic rename, so
that a reader sees the old index or the new one and never half of either. It is derived: deleting it loses nothing.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from corpus.chunk import CHUNKER_VERSION
from corpus.errors import LibraryError
from corpus.library import Library
from corpus.types import Chunk
from index.embed import Embedder
from index.errors import IndexMismatchError, IndexNotFoundError
from index.terms import TermIndex
from index.vector_cache import embed_missing, vectors
from index.vectors import VectorStore
from index.vectors_faiss import FaissStore

SCHEMA_VERSION = 1
REBUILD = "run `wence reindex`"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a generation, and the SHA-256 of each of its files by relative path."""

    schema: int
    embedder: str
    fingerprint: str
    chunker: str
    sequence: int  # of the library
    chunks: int
    checksums: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open generation; `name` is its folder's."""

    name: str
    manifest: Manifest
    vectors: VectorStore
    terms: TermIndex


@dataclass(frozen=True, slots=True)
class Embedding:
    """Progress of a build: chunks embedded so far, of those never embedded before."""

    done: int
    total: int


def build(library: Library, embedder: Embedder) -> Iterator[Embedding]:
    """Embed what is new, then publish a snapshot of the whole library; yields progress. The caller holds the lock."""
    library.rechunk()
    sequence = library.sequence()
    titled = list(library.chunks())
    texts = [indexed_text(title, chunk) for title, chunk in titled]
    for done, total in embed_missing(library, embedder, texts):
        yield Embedding(done, total)
    ids = [chunk.chunk_id for _, chunk in titled]
    store = FaissStore(embedder.dim)
    store.upsert(ids, vectors(library, embedder, texts))
    try:
        _publish(
            library.home.search, store, list(zip(ids, texts, strict=True)), _manifest(embedder, sequence, len(ids))
        )
    except OSError as error:
        raise LibraryError(
            f"cannot write the index in {library.home.search} ({error.strerror}): free some disk space, then {REBUILD}"
        ) from error


def open_snapshot(library: Library, embedder: Embedder) -> Snapshot:
    """Return the current generation, its files verified.

    IndexNotFoundError if there is none; IndexMismatchError if another embedder or chunker made it or a file does not
    have its checksum. It may be older than the library: `is_current` tells.
    """
    folder = _current(library.home.search)
    if folder is None:
        raise IndexNotFoundError(f"nothing to search in {library.home.root} yet: run `wence ingest PATH`")
    manifest = _read_manifest(folder)
    _compare(manifest, embedder)
    for name, expected in manifest.checksums:
        if _sha256(folder / name) != expected:
            raise IndexMismatchError(f"the search index file {folder / name} is damaged: {REBUILD}")
    return Snapshot(folder.name, manifest, FaissStore.load(folder / "vectors.npz"), TermIndex.open(folder / "terms"))


def is_current(library: Library, embedder: Embedder) -> bool:
    """Return True if the published snapshot holds the library as it is now; checks no file contents."""
    folder = _current(library.home.search)
    if folder is None:
        return False
    manifest = _read_manifest(folder)
    return (manifest.fingerprint, manifest.chunker, manifest.sequence) == (
        embedder.fingerprint,
        CHUNKER_VERSION,
        library.sequence(),
    )


def current_name(library: Library) -> str | None:
    """Return the name of the published generation, None if there is none; one small read."""
    folder = _current(library.home.search)
    return folder.name if folder else None


def indexed_text(title: str, chunk: Chunk) -> str:
    """Return what is embedded and indexed for a chunk: title and headings that it does not hold, then itself."""
    around = [line for line in (title, *chunk.headings) if line not in chunk.text]
    return "\n".join((*around, chunk.text))


def _manifest(embedder: Embedder, sequence: int, chunks: int) -> Manifest:
    return Manifest(SCHEMA_VERSION, embedder.name, embedder.fingerprint, CHUNKER_VERSION, sequence, chunks, ())


def _compare(manifest: Manifest, embedder: Embedder) -> None:
    if manifest.fingerprint != embedder.fingerprint:
        raise IndexMismatchError(
            f"the search index was made by the embedder {manifest.embedder}, the settings name {embedder.name}: "
            f"{REBUILD}, or name the old one"
        )
    if manifest.chunker != CHUNKER_VERSION:
        raise IndexMismatchError(
            f"the search index was made by chunker {manifest.chunker}, this is {CHUNKER_VERSION}: {REBUILD}"
        )


def _publish(root: Path, store: FaissStore, texts: Sequence[tuple[str, str]], manifest: Manifest) -> None:
    root.mkdir(exist_ok=True)
    before = _current(root)
    part = root / f".part-{uuid.uuid4().hex}"
    try:
        part.mkdir()
        store.save(part / "vectors.npz")
        TermIndex.build(texts, part / "terms")
        files = sorted(path for path in part.rglob("*") if path.is_file())
        checksums = [(path.relative_to(part).as_posix(), _sha256(path)) for path in files]
        _write_synced(part / "manifest.json", json.dumps({**asdict(manifest), "checksums": checksums}, indent=1))
        _sync_folder(part)
        final = root / f"{manifest.sequence:08}-{uuid.uuid4().hex[:8]}"
        part.rename(final)
        _write_synced(root / "CURRENT.part", final.name)
        (root / "CURRENT.part").replace(root / "CURRENT")
        _sync_folder(root)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    _remove_all_but(root, {final, before})


def _remove_all_but(root: Path, kept: set[Path | None]) -> None:
    """Remove older generations and what a killed build left; the one before stays for readers still opening it."""
    for path in root.iterdir():
        if path.is_dir() and path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _current(root: Path) -> Path | None:
    try:
        folder = root / (root / "CURRENT").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return folder if folder.is_dir() else None


def _read_manifest(folder: Path) -> Manifest:
    try:
        fields = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        fields["checksums"] = tuple((str(name), str(sha256)) for name, sha256 in fields["checksums"])
        manifest = Manifest(**fields)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IndexMismatchError(f"the search index's {folder / 'manifest.json'} cannot be read: {REBUILD}") from error
    if manifest.schema != SCHEMA_VERSION:
        raise IndexMismatchError(
            f"the search index has schema {manifest.schema}, this program needs {SCHEMA_VERSION}: {REBUILD}"
        )
    return manifest


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise IndexMismatchError(f"the search index file {path} cannot be read: {REBUILD}") from error


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
