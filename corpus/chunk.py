"""Document to chunks: runs of whole sentences within one section, of about equal size. Pure."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from corpus.sections import headings_at
from corpus.sentences import sentence_spans
from corpus.types import Chunk, Document, Span

CHUNKER_VERSION = "1"  # change it whenever the same document would be cut otherwise
LATIN_PER_CJK = 3  # so many Latin characters take as many tokens as one Chinese character, about


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """Sizes in Chinese characters; three Latin characters count as one."""

    most: int = 400
    least: int = 60  # a section below this joins the one after it

    def __post_init__(self) -> None:
        if not 0 <= self.least < self.most:
            raise ValueError(f"a chunk needs 0 <= least < most, not {self.least} and {self.most}")


def chunks(document: Document, size: ChunkSize | None = None) -> Iterator[Chunk]:
    """Yield chunks in order. They never overlap and together hold every character that is not white space."""
    size = size or ChunkSize()
    for run in _section_runs(document, size):
        for span in _pack(document.text, run, size):
            yield Chunk(document.doc_id, span, span.of(document.text), headings_at(document.sections, span.end - 1))


def width(text: str) -> float:
    """Return the size of `text` in Chinese characters, a Latin one counting as a third."""
    wide = sum(1 for char in text if ord(char) >= 0x2E80)
    return wide + (len(text) - wide) / LATIN_PER_CJK


def _section_runs(document: Document, size: ChunkSize) -> Iterator[list[Span]]:
    """Sentences grouped by section; a run too short to stand alone, such as a bare heading, joins the next."""
    starts = sorted(section.span.start for section in document.sections)
    waiting: list[Span] = []
    for _, group in groupby(sentence_spans(document.text), key=lambda span: _rank(starts, span)):
        waiting.extend(group)
        if _run_width(document.text, waiting) >= size.least:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _rank(starts: Sequence[int], span: Span) -> int:
    """How many sections have begun by the sentence's start."""
    return bisect_right(starts, span.start)


def _run_width(text: str, run: Sequence[Span]) -> float:
    return sum(width(span.of(text)) for span in run)


def _pack(text: str, run: Sequence[Span], size: ChunkSize) -> Iterator[Span]:
    """Cut a run into the fewest parts that fit, all of about the same width; one long sentence stays whole."""
    total = _run_width(text, run)
    parts = math.ceil(total / size.most)
    start, done, cut = run[0].start, 0.0, 1
    for here, following in zip(run, [*run[1:], None], strict=True):
        done += width(here.of(text))
        if following is None or done + width(following.of(text)) / 2 >= total * cut / parts:
            yield Span(start, here.end)
            if following is None:
                return
            start, cut = following.start, cut + 1
