"""Vectors in, nearest ids out: the VectorStore contract."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray


class VectorStore(Protocol):
    """Vectors under string ids, searched by inner product. Ids are unique; adding a known id replaces it."""

    dim: int

    def __len__(self) -> int: ...

    def upsert(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add or replace. `vectors` has shape (len(ids), dim); ValueError otherwise, or on a repeated id."""

    def remove(self, ids: Collection[str]) -> int:
        """Remove those of `ids` that are held; return how many were."""

    def search(
        self, queries: NDArray[np.float32], k: int, among: Collection[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return for each query up to k (id, score) by falling score, ties by id; only ids in `among` if given.

        `queries` has shape (q, dim). Exact ties at the k-th place are cut by id as well.
        """

    def save(self, path: Path) -> None:
        """Write all to one file and fsync it; the caller renames."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read back what `save` wrote. The caller has verified the file's checksum."""
