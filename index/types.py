"""What search returns."""

from dataclasses import dataclass

from corpus.types import Chunk


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk with its score (higher is better) and rank (from 1); `parts` are scores per retriever."""

    chunk: Chunk
    title: str  # of the chunk's document
    score: float
    rank: int
    parts: tuple[tuple[str, float], ...] = ()
