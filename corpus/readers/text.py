"""Plain text to blocks: a line is a paragraph, unless the whole file is wrapped to one width.

Knows no headings: plain text states none.
"""

from collections.abc import Iterator
from itertools import pairwise

from corpus.readers.encoding import decode
from corpus.readers.lines import first_word, join_lines, opens_paragraph, width
from corpus.types import Block, RawDocument

# A file counts as wrapped if its longest line has a usual width (in columns) and most lines that are
# followed by another are full: the next line's first word would not have fitted.
_WRAP_COLUMNS = range(40, 121)
_MIN_FULL_SHARE = 0.7


def read_text(content: bytes, name: str) -> RawDocument:
    """The paragraphs of a plain text file, with no title and no pages.

    Raises UnreadableDocumentError if its encoding is not recognised.
    """
    text, warnings = decode(content, name)
    lines = text.splitlines()
    columns = max((width(line.rstrip()) for line in lines), default=0)
    paragraphs = _unwrap(lines, columns) if _is_wrapped(lines, columns) else lines
    blocks = tuple(Block(paragraph) for paragraph in paragraphs if paragraph.strip())
    return RawDocument(blocks, warnings=warnings)


def _is_wrapped(lines: list[str], columns: int) -> bool:
    pairs = [(a, b) for a, b in pairwise(lines) if a.strip() and b.strip()]
    full = sum(_is_full(a, b, columns) for a, b in pairs)
    return columns in _WRAP_COLUMNS and full > 0 and full >= _MIN_FULL_SHARE * len(pairs)


def _is_full(line: str, after: str, columns: int) -> bool:
    """True if the first word of `after` would have made `line` wider than the file's longest line."""
    return width(line.rstrip()) + 1 + width(first_word(after)) > columns


def _unwrap(lines: list[str], columns: int) -> Iterator[str]:
    paragraph: list[str] = []
    for line in lines:
        if paragraph and not _runs_on(paragraph[-1], line, columns):
            yield join_lines(paragraph)
            paragraph = []
        paragraph.append(line)
    yield join_lines(paragraph)


def _runs_on(line: str, after: str, columns: int) -> bool:
    if not line.strip() or not after.strip() or opens_paragraph(after.strip(), line):
        return False
    return _is_full(line, after, columns)
