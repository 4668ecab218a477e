"""Vectors already paid for, in the library's file: one row per embedder and text, float16.

The key is a hash of embedder and text, so that a moved, renamed or re-cut document pays only for texts never seen.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Column, LargeBinary, MetaData, String, Table
from sqlalchemy.dialects.sqlite import insert

from corpus.library import Library
from index.embed import Embedder

BATCH = 64  # texts embedded and committed at a time: a kill loses at most so many

_tables = MetaData()
_embeddings = Table(
    "embeddings",
    _tables,
    Column("key", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float16, little-endian
)


def key_of(embedder: Embedder, text: str) -> str:
    """Return the cache key of a text under an embedder: 64 hex digits."""
    return hashlib.sha256(f"{embedder.fingerprint}\n{text}".encode()).hexdigest()


def embed_missing(library: Library, embedder: Embedder, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Embed texts not seen before, committing every batch; yield (done, total) of those, (0, total) first."""
    with library.writing() as connection:
        _tables.create_all(connection)
    text_by_key = {key_of(embedder, text): text for text in texts}
    known = _stored(library, list(text_by_key))
    missing = sorted((item for item in text_by_key.items() if item[0] not in known), key=lambda item: len(item[1]))
    yield 0, len(missing)
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        vectors = embedder.embed_documents([text for _, text in batch]).astype("<f2")  # (batch, dim)
        rows = [{"key": key, "vector": vector.tobytes()} for (key, _), vector in zip(batch, vectors, strict=True)]
        with library.writing() as connection:
            connection.execute(insert(_embeddings).on_conflict_do_nothing(), rows)
        yield min(start + BATCH, len(missing)), len(missing)


def vectors(library: Library, embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return shape (len(texts), dim), L2-normalised again after the rounding to float16. KeyError if one is missing."""
    keys = [key_of(embedder, text) for text in texts]
    stored = _stored(library, keys)
    rows = [np.frombuffer(stored[key], dtype="<f2") for key in keys]
    matrix = np.array(rows, dtype=np.float32).reshape(len(keys), embedder.dim)  # (n, dim)
    lengths = np.sqrt(np.einsum("nd,nd->n", matrix, matrix))  # (n,)
    matrix /= lengths[:, None]
    return matrix


def _stored(library: Library, keys: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with library.engine.connect() as connection:
        for start in range(0, len(keys), 500):
            query = sa.select(_embeddings).where(_embeddings.c.key.in_(keys[start : start + 500]))
            found.update((row.key, row.vector) for row in connection.execute(query))
    return found
