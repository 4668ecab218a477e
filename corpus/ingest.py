"""Paths to documents in the library. Idempotent: a file whose bytes are known is not read again.

Yields events as it goes and draws nothing. One bad file never stops the others.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from corpus.assemble import assemble
from corpus.errors import CorpusError, LibraryError, UnreadableDocumentError, UnsupportedFormatError
from corpus.library import Library, Source
from corpus.metadata import choose_title, language, read_metadata
from corpus.readers.open import SUFFIXES, load, read_bytes
from corpus.sections import sections
from corpus.types import Document

Outcome = Literal["added", "updated", "unchanged", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class FileDone:
    """What became of one file. `reason` is set if it failed or was skipped, `doc_id` if it is in the library."""

    path: str
    outcome: Outcome
    done: int  # files finished so far, this one included
    total: int
    doc_id: str | None = None
    title: str | None = None
    chars: int = 0
    warnings: tuple[str, ...] = ()
    reason: str | None = None


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to ingest: those named, and all below folders, sorted; hidden ones in folders are left out.

    CorpusError if a path does not exist or the folders hold no file of a known kind.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CorpusError(f"{path} does not exist; check the path")
        found.extend(_below(path) if path.is_dir() else [path])
    if not any(path.suffix.lower() in SUFFIXES for path in found) and all(path.is_dir() for path in paths):
        where = ", ".join(str(path) for path in paths)
        raise CorpusError(f"no readable file in {where}; Wence reads {', '.join(sorted(SUFFIXES))}")
    return list(dict.fromkeys(found))


def ingest(library: Library, paths: Sequence[Path], collection: str) -> Iterator[FileDone]:
    """Bring files into the library, yielding an event for each. LibraryError if the library cannot be written."""
    files = find_files(paths)
    named = {path for path in paths if not path.is_dir()}
    for done, path in enumerate(files, start=1):
        try:
            yield _ingest_file(library, path, collection, done, len(files))
        except LibraryError:
            raise
        except CorpusError as error:
            skip = isinstance(error, UnsupportedFormatError) and path not in named
            yield FileDone(str(path), "skipped" if skip else "failed", done, len(files), reason=str(error))


def read_document(content: bytes, path: Path, sha256: str) -> tuple[Document, tuple[str, ...]]:
    """Return the document of a file's bytes and its reader's warnings. CorpusError says why there is none."""
    raw = read_bytes(content, path)
    assembled = assemble(raw)
    if not assembled.text:
        raise UnreadableDocumentError(f"{path}: no text in this file; is it a scan or empty?")
    title = choose_title(raw.title, assembled.text, path)
    document = Document(
        title=title,
        text=assembled.text,
        lang=language(assembled.text),
        source=str(path),
        sha256=sha256,
        meta=read_metadata(title, assembled.text),
        pages=assembled.pages,
        sections=sections(assembled.text, assembled.headings),
    )
    return document, raw.warnings


def _below(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _ingest_file(library: Library, path: Path, collection: str, done: int, total: int) -> FileDone:
    content = load(path)
    sha256 = hashlib.sha256(content).hexdigest()
    where = path.absolute()
    before = library.source(collection, str(where))
    if before and before.sha256 == sha256:
        return FileDone(str(path), "unchanged", done, total, doc_id=before.doc_id)
    outcome: Outcome = "updated" if before else "added"
    twin = library.source_with(sha256)
    if twin:
        library.point(Source(collection, str(where), sha256, twin.doc_id))
        return FileDone(str(path), outcome, done, total, doc_id=twin.doc_id)
    document, warnings = read_document(content, where, sha256)
    _keep_original(library.home.originals / f"{sha256}{path.suffix.lower()}", content)
    library.add(document, Source(collection, str(where), sha256, document.doc_id), warnings)
    return FileDone(
        str(path), outcome, done, total, document.doc_id, document.title, len(document.text), tuple(warnings)
    )


def _keep_original(final: Path, content: bytes) -> None:
    """Write the file's bytes under their hash; a kill leaves at most a `.part` that the next copy overwrites."""
    if final.exists():
        return
    part = final.with_suffix(".part")
    try:
        final.parent.mkdir(exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(final)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LibraryError(
            f"no copy could be kept in {final.parent} ({error.strerror}): free some disk space, then run this again"
        ) from error
