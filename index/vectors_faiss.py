"""FaissStore: exact inner-product search by FAISS, the default. Import this module only where the store is opened."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from index.vectors_numpy import best_hits, checked_dim, checked_queries, checked_rows, read_vectors, write_vectors


class FaissStore:
    """A VectorStore over a flat FAISS index. Strings outside, running int64 numbers inside.

    Scores are summed in float32, so they may differ from NumpyStore's in the last bits. Threads may search together;
    none may search while one changes the store.
    """

    def __init__(self, dim: int) -> None:
        """An empty store for vectors of `dim` numbers. Raises ValueError if dim < 1."""
        self.dim = checked_dim(dim)
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        self._numbers: dict[str, int] = {}
        self._ids: dict[int, str] = {}
        self._next_number = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def upsert(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add or replace; see VectorStore. Also raises ValueError on numbers that are not finite."""
        rows = checked_rows(ids, vectors, self.dim)
        if not len(rows):
            return
        self.remove(ids)
        numbers = range(self._next_number, self._next_number + len(ids))
        self._index.add_with_ids(rows, np.array(numbers, dtype=np.int64))
        self._numbers.update(zip(ids, numbers, strict=True))
        self._ids.update(zip(numbers, ids, strict=True))
        self._next_number = numbers.stop

    def remove(self, ids: Collection[str]) -> int:
        """Remove those of `ids` that are held; return how many were."""
        numbers = [self._numbers.pop(key) for key in frozenset(ids) & self._numbers.keys()]
        if numbers:
            self._index.remove_ids(np.array(numbers, dtype=np.int64))  # type: ignore[arg-type]  # stubs know C++ only
        for number in numbers:
            del self._ids[number]
        return len(numbers)

    def search(
        self, queries: NDArray[np.float32], k: int, among: Collection[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return up to k (id, score) for each query; see VectorStore. Raises ValueError on k < 1 or a wrong shape.

        Queries go to FAISS one by one. So each takes one thread; and a score is the same in any batch, and for rows
        alike: larger batches go through BLAS, which rounds by the place in the matrix.
        """
        rows = checked_queries(queries, k, self.dim)
        chosen = self._numbers.values() if among is None else self._numbers_of(among)
        if not chosen:
            return [[] for _ in rows]
        parameters = None if among is None else self._only(chosen)
        return [self._best(row, k, len(chosen), parameters) for row in rows]

    def _numbers_of(self, among: Collection[str]) -> list[int]:
        return [self._numbers[key] for key in frozenset(among) if key in self._numbers]

    def _only(self, numbers: Collection[int]) -> faiss.SearchParameters:
        bits = np.zeros(self._next_number, dtype=np.bool_)
        bits[list(numbers)] = True
        parameters = faiss.SearchParameters()  # it and the selector keep alive what they are given
        packed = np.packbits(bits, bitorder="little")
        parameters.sel = faiss.IDSelectorBitmap(packed)  # type: ignore[call-arg, arg-type]  # stubs know C++ only
        return parameters

    def _best(
        self, query: NDArray[np.float32], k: int, most: int, parameters: faiss.SearchParameters | None
    ) -> list[tuple[str, float]]:
        """The first k of `most` candidates: ask for more until what was not seen is worse than the k-th."""
        limit = min(k + 1, most)
        while True:
            found, labels = self._index.search(query[np.newaxis], limit, params=parameters)
            scores = found[0].tolist()  # falling
            if limit == most or scores[k - 1] > scores[-1]:
                return best_hits(zip((self._ids[number] for number in labels[0].tolist()), scores, strict=True), k)
            limit = min(4 * limit, most)

    def save(self, path: Path) -> None:
        """Write all to one file and fsync it; the caller renames."""
        ids = [self._ids[number] for number in faiss.vector_to_array(self._index.id_map).tolist()]
        write_vectors(path, ids, self._index.index.reconstruct_n(0, len(ids)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read back what any store saved. The caller has verified the file's checksum."""
        ids, vectors = read_vectors(path)
        store = cls(vectors.shape[1])
        store.upsert(ids, vectors)
        return store
