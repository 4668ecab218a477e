"""A question's text to ranked hits: dense and lexical search, fused by reciprocal rank. Knows no prompts."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from corpus.library import Library
from corpus.sections import headings_at
from corpus.types import Chunk, Document, Span
from index.embed import Embedder
from index.snapshot import Snapshot
from index.types import Hit

DEPTH = 50  # candidates from each retriever
RRF_K = 60


class Searcher:
    """Search over one open snapshot. Safe to share between threads."""

    def __init__(self, library: Library, snapshot: Snapshot, embedder: Embedder) -> None:
        self._snapshot = snapshot
        self._embedder = embedder
        self.document = lru_cache(maxsize=256)(library.document)

    def search(self, query: str, k: int = 10) -> list[Hit]:
        """Return up to k hits by falling score, ties by chunk id; dense search always finds some."""
        depth = max(DEPTH, k)
        dense = self._snapshot.vectors.search(self._embedder.embed_queries([query]), depth)[0]
        lexical = self._snapshot.terms.search(query, depth)
        fused = reciprocal_rank_fusion([[name for name, _ in dense], [name for name, _ in lexical]])[:k]
        scores = {"dense": dict(dense), "bm25": dict(lexical)}
        return [self._hit(chunk_id, score, rank, scores) for rank, (chunk_id, score) in enumerate(fused, start=1)]

    def _hit(self, chunk_id: str, score: float, rank: int, scores: Mapping[str, Mapping[str, float]]) -> Hit:
        document = self.document(chunk_id.split(":")[0])
        parts = tuple((name, found[chunk_id]) for name, found in scores.items() if chunk_id in found)
        return Hit(_chunk(document, chunk_id), document.title, score, rank, parts)


def reciprocal_rank_fusion(runs: Sequence[Sequence[str]], k: int = RRF_K) -> list[tuple[str, float]]:
    """Return (id, sum over runs of 1 / (k + rank)) by falling score, ties by id; ranks from 1.

    Source: Cormack, Clarke and Buettcher 2009, with their k = 60.
    """
    scores: dict[str, float] = {}
    for run in runs:
        for rank, name in enumerate(run, start=1):
            scores[name] = scores.get(name, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _chunk(document: Document, chunk_id: str) -> Chunk:
    start, end = (int(part) for part in chunk_id.split(":")[1].split("-"))
    span = Span(start, end)
    return Chunk(document.doc_id, span, span.of(document.text), headings_at(document.sections, end - 1))
