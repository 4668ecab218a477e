"""NumpyStore: exact search in plain NumPy, the oracle of tests. Also what every store shares: checks and the file.

The file is one uncompressed .npz without pickles: `ids`, a JSON list as bytes, and `vectors`, float32 of shape
(n, dim). All stores write and read it, so one can open what another saved.
"""

import json
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray


class NumpyStore:
    """A VectorStore that computes every inner product in float64 and rounds to float32: rows alike score alike.

    For tests and small libraries: a search takes time and memory for a float64 copy of all vectors.
    """

    def __init__(self, dim: int) -> None:
        """An empty store for vectors of `dim` numbers. Raises ValueError if dim < 1."""
        self.dim = checked_dim(dim)
        self._ids: list[str] = []
        self._vectors = np.empty((0, dim), dtype=np.float32)  # (n, dim), rows as in _ids

    def __len__(self) -> int:
        return len(self._ids)

    def upsert(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add or replace; see VectorStore. Also raises ValueError on numbers that are not finite."""
        rows = checked_rows(ids, vectors, self.dim)
        self.remove(ids)
        self._ids += ids
        self._vectors = np.concatenate([self._vectors, rows])

    def remove(self, ids: Collection[str]) -> int:
        """Remove those of `ids` that are held; return how many were."""
        gone = frozenset(ids)
        stays = [row for row, key in enumerate(self._ids) if key not in gone]
        removed = len(self._ids) - len(stays)
        self._ids = [self._ids[row] for row in stays]
        self._vectors = self._vectors[stays]
        return removed

    def search(
        self, queries: NDArray[np.float32], k: int, among: Collection[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return up to k (id, score) for each query; see VectorStore. Raises ValueError on k < 1 or a wrong shape."""
        chosen = None if among is None else frozenset(among)
        rows = [row for row, key in enumerate(self._ids) if chosen is None or key in chosen]
        vectors = self._vectors[rows].astype(np.float64)
        found = []
        for query in checked_queries(queries, k, self.dim):
            scores = (vectors * query).sum(axis=1).astype(np.float32)  # one row, one sum: its place changes nothing
            hits = zip((self._ids[row] for row in rows), scores.tolist(), strict=True)
            found.append(best_hits(hits, k))
        return found

    def save(self, path: Path) -> None:
        """Write all to one file and fsync it; the caller renames."""
        write_vectors(path, self._ids, self._vectors)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read back what any store saved. The caller has verified the file's checksum."""
        ids, vectors = read_vectors(path)
        store = cls(vectors.shape[1])
        store.upsert(ids, vectors)
        return store


def best_hits(hits: Iterable[tuple[str, float]], k: int) -> list[tuple[str, float]]:
    """The first k of (id, score) by falling score, ties by id."""
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]


def checked_dim(dim: int) -> int:
    """Return `dim`. Raises ValueError if it is below 1."""
    if dim < 1:
        raise ValueError(f"vectors need at least 1 number, not {dim}")
    return dim


def checked_rows(ids: Sequence[str], vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Return `vectors` as contiguous float32. Raises ValueError as VectorStore.upsert says."""
    if len(set(ids)) != len(ids):
        raise ValueError("an id comes twice in one upsert")
    return _checked(vectors, (len(ids), dim))


def checked_queries(queries: NDArray[np.float32], k: int, dim: int) -> NDArray[np.float32]:
    """Return `queries` as contiguous float32. Raises ValueError on a wrong shape, or if k < 1."""
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    return _checked(queries, (len(queries), dim))


def _checked(vectors: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    if np.shape(vectors) != shape:
        raise ValueError(f"vectors of shape {shape} are needed, not {np.shape(vectors)}")
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("a vector holds a number that is not finite")
    return rows


def write_vectors(path: Path, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Write the stores' file and fsync it. The same ids and vectors give the same bytes."""
    names = np.frombuffer(json.dumps(list(ids)).encode(), dtype=np.uint8)
    with path.open("wb") as handle:
        np.savez(handle, allow_pickle=False, ids=names, vectors=vectors)
        handle.flush()
        os.fsync(handle.fileno())


def read_vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the ids and the vectors, shape (n, dim), of a stores' file."""
    with np.load(path, allow_pickle=False) as held:
        ids: list[str] = json.loads(held["ids"].tobytes())
        return ids, held["vectors"]
