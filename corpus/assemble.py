"""Raw blocks to one text with its pages and stated headings. From here on the text never changes.

Knows no formats, and finds no headings of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.normalize import normalize
from corpus.readers.lines import join_lines
from corpus.sections import Heading
from corpus.types import Block, Page, RawDocument, Span


@dataclass(frozen=True, slots=True)
class Assembled:
    """A document's text with its places. Pages tile the text in order; there are none if the format has none.

    Headings are those that the format itself states; each spans its line, without the line end.
    """

    text: str
    pages: tuple[Page, ...]
    headings: tuple[Heading, ...]


def assemble(raw: RawDocument) -> Assembled:
    """The normalised blocks joined with one line end each; those left without text are dropped.

    A page runs from its first character to that of the next page, so a line end belongs to the page
    before it; a page without text has an empty span. A heading of several lines becomes one line.
    """
    texts: list[str] = []
    headings: list[Heading] = []
    starts: list[tuple[int, int]] = []  # (offset in the whole text, page) in order
    offset = 0
    for block in raw.blocks:
        text = _stored(block)
        if not text:
            continue
        starts += [(offset + place, page) for place, page in _page_starts(block, text)]
        if block.level:
            headings.append(Heading(Span(offset, offset + len(text)), block.level))
        texts.append(text)
        offset += len(text) + 1
    whole = "\n".join(texts)
    return Assembled(whole, _pages(starts, raw.page_count, len(whole)), tuple(headings))


def _stored(block: Block) -> str:
    text = normalize(block.text).strip()
    return join_lines(text.split("\n")) if block.level else text


def _page_starts(block: Block, text: str) -> Iterator[tuple[int, int]]:
    """Where each of the block's pages starts in its stored text.

    Normalising may shorten what stands before a page break. The characters that the part before the
    break has in common with the whole, each normalised, are those that stay before it.
    """
    place = 0
    yield place, block.page
    for at, page in block.page_breaks:
        before = normalize(block.text[:at]).strip()
        place = max(place, _shared(before, text))
        yield place, page


def _shared(before: str, text: str) -> int:
    """The number of characters at which the two begin alike."""
    return next(
        (at for at, (a, b) in enumerate(zip(before, text, strict=False)) if a != b), min(len(before), len(text))
    )


def _pages(starts: Sequence[tuple[int, int]], count: int, end: int) -> tuple[Page, ...]:
    """The pages from 1 to `count`, each up to the start of the next one. A start out of order is passed over."""
    first: dict[int, int] = {}
    latest = 0
    for offset, page in starts:
        if page > latest:
            first[page] = offset
            latest = page
    pages: list[Page] = []
    for number in range(count, 0, -1):
        start = first.get(number, end) if number > 1 else 0
        pages.append(Page(number, Span(start, end)))
        end = start
    return tuple(reversed(pages))
