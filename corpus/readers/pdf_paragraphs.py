"""Lines of PDF pages to paragraphs: what repeats on every page goes, what runs on is joined. Knows no PDFium."""

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from corpus.readers.lines import ends_sentence, first_word, glue, opens_paragraph
from corpus.readers.pdf_lines import Line, LinedPage
from corpus.types import Block

# Running heads and page numbers stand wholly within this share of the page's height, above or below.
_MARGIN_SHARE = 0.1
_SAME_HEIGHT_POINTS = 3.0
_PAGE_NUMBER = re.compile(
    r"[-–—―—·.\s]*(?:第\s*)?(?:\d{1,3}|[ivxlcdm]{1,7})(?:\s*页)?(?:\s*(?:/|of|，?\s*共)\s*\d{1,4}(?:\s*页)?)?[-–—―·.\s]*|"
    r"[-–—―]\s*\d{1,4}\s*[-–—―]|page\s+\d{1,4}(?:\s+of\s+\d{1,4})?",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")

_SIZE_TOLERANCE = 0.2  # of the larger: digits and Chinese of one line come from two fonts
_PITCH_TOLERANCE = 1.3  # times the usual distance of two lines
_TITLE_SIZE = 1.25  # times the usual size
_MIN_FULL_EMS = 10  # a line shorter than this is a name or a cell, not a line of a paragraph
_SAME_LEFT_EMS = 0.5
_MAX_INDENT_EMS = 4
_COLUMN_EMS = 6
_FIRST_LINE_INDENT_EMS = (1.4, 2.6)  # the usual two characters

_LEADERS = re.compile(r"\.{5,}|(?:\. ){4,}|…{2,}|·{5,}")  # of a table of contents

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_WORD_AT_END = re.compile(r"[A-Za-z]+$")
_WORD_AT_START = re.compile(r"[A-Za-z]+")


class _Usual(NamedTuple):
    pitch: float  # the median distance from a line to the one right below it, in line sizes
    size: float  # the median size of lines


class _Hyphens(NamedTuple):
    words: Counter[str]  # in small letters, as found within lines
    break_words: bool  # a hyphen at a line's end more often breaks a word than belongs to it


def without_margins(pages: Sequence[LinedPage]) -> list[list[Line]]:
    """The lines of each page without running heads, running feet and bare page numbers.

    A line goes if it stands wholly in the upper or lower tenth of the page and either is nothing but a
    page number, or stands at the same height with the same words (digits aside) on two further pages;
    on one further page, where there are no more than three.
    """
    seen: Counter[tuple[str, int]] = Counter()
    for page in pages:
        seen.update({key for line in page.lines if _in_margin(line, page.height) for key in _keys(line)})
    enough = 2 if len(pages) <= 3 else 3
    return [
        [line for line in page.lines if not (_in_margin(line, page.height) and _runs_through(line, seen, enough))]
        for page in pages
    ]


def _in_margin(line: Line, height: float) -> bool:
    return line.bottom >= (1 - _MARGIN_SHARE) * height or line.top <= _MARGIN_SHARE * height


def _keys(line: Line) -> tuple[tuple[str, int], ...]:
    """What two running heads have in common: their words, and one of two rungs of a ladder of heights."""
    words = _DIGITS.sub("#", "".join(line.text.split()))
    rung = int(line.bottom // _SAME_HEIGHT_POINTS)
    return (words, rung), (words, rung + 1)


def _runs_through(line: Line, seen: Counter[tuple[str, int]], enough: int) -> bool:
    return _PAGE_NUMBER.fullmatch(line.text) is not None or any(seen[key] >= enough for key in _keys(line))


def paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[Block]:
    """One block for each paragraph, in order; one that runs over a page's end is one block with its page breaks.

    A line runs on to the next one if that stands right below in the same size and at the left edge, and its
    first word would not have fitted above. Over a page's end, only in mid-sentence. Lines with gaps as between
    cells are left alone. Centred lines in one size, larger than the text, are one title.
    """
    hyphens, usual = _hyphens(pages), _usual(pages)
    paragraph: list[Line] = []
    edges: dict[int, Sequence[Line]] = {lines[0].page: lines for lines in pages if lines}
    for line in (line for lines in pages for line in lines):
        if paragraph and not _runs_on(paragraph, line, edges[paragraph[-1].page], usual):
            yield _block(paragraph, hyphens)
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield _block(paragraph, hyphens)


def _usual(pages: Sequence[Sequence[Line]]) -> _Usual:
    sizes = [line.size for lines in pages for line in lines]
    steps = [
        (above.bottom - below.bottom) / above.size
        for lines in pages
        for above, below in pairwise(lines)
        if 0.5 < (above.bottom - below.bottom) / above.size < 2.5
    ]
    return _Usual(statistics.median(steps or [1.2]), statistics.median(sizes or [0.0]))


def _runs_on(paragraph: Sequence[Line], line: Line, page: Sequence[Line], usual: _Usual) -> bool:
    """True if `line` goes on with `paragraph`, whose last line stands among the lines of `page`."""
    above = paragraph[-1]
    turns_page = line.page != above.page
    if above.has_gaps or line.has_gaps or opens_paragraph(line.text, "" if turns_page else above.text):
        return False
    if _LEADERS.search(above.text):
        return False
    if abs(above.size - line.size) > _SIZE_TOLERANCE * max(above.size, line.size):
        return False
    if _continues_title(above, line, usual):
        return True
    if not (above.hyphenated or _is_full(above, line, page)):
        return False
    if turns_page:
        return not ends_sentence(above.text) and abs(line.left - above.left) <= _MAX_INDENT_EMS * above.size
    step = above.bottom - line.bottom
    return 0 < step <= _PITCH_TOLERANCE * usual.pitch * above.size and _keeps_left(paragraph, line, page)


def _continues_title(above: Line, line: Line, usual: _Usual) -> bool:
    """True for two lines in one size, larger than the text, one below the other around one axis."""
    is_large = min(above.size, line.size) >= _TITLE_SIZE * usual.size
    shift = (above.left + above.right - line.left - line.right) / 2
    is_centred = abs(shift) <= _SAME_LEFT_EMS * line.size and abs(above.left - line.left) > _SAME_LEFT_EMS * line.size
    return is_large and is_centred and line.page == above.page and 0 < above.bottom - line.bottom <= 2 * line.size


def _is_full(above: Line, line: Line, page: Sequence[Line]) -> bool:
    """True if the first word of `line` would have left the column that `above` stands in."""
    reach = _COLUMN_EMS * above.size
    column = (other for other in page if not other.has_gaps and abs(other.left - above.left) <= reach)
    edge = max((other.right for other in column), default=above.right)
    word = (1 + len(first_word(line.text))) / len(line.text) * (line.right - line.left)  # with its space
    is_long = above.right - above.left >= _MIN_FULL_EMS * above.size
    return is_long and above.right + word > edge - 0.5 * above.size


def _keeps_left(paragraph: Sequence[Line], line: Line, page: Sequence[Line]) -> bool:
    """True if `line` starts where a further line of the paragraph does: at the edge, or hanging below a list entry."""
    above = paragraph[-1]
    shift = (line.left - above.left) / above.size
    if len(paragraph) > 1:
        return abs(shift) <= _SAME_LEFT_EMS
    if abs(shift) <= _SAME_LEFT_EMS:
        return not _is_indented(line, page)
    return -_MAX_INDENT_EMS <= shift < 0 or (shift <= _MAX_INDENT_EMS and opens_paragraph(above.text))


def _is_indented(line: Line, page: Sequence[Line]) -> bool:
    """True if other lines of the page start about two characters further left, so that this is a first line."""
    least, most = (line.left - ems * line.size for ems in _FIRST_LINE_INDENT_EMS)
    return any(most <= other.left <= least and not other.has_gaps for other in page)


def _block(lines: Sequence[Line], hyphens: _Hyphens) -> Block:
    text = lines[0].text
    breaks: list[tuple[int, int]] = []
    for above, line in pairwise(lines):
        text += _seam(text, line.text, hyphens) if above.hyphenated else glue(text, line.text)
        if line.page != above.page:
            breaks.append((len(text), line.page))
        text += line.text
    text += "-" if lines[-1].hyphenated else ""
    return Block(text, page=lines[0].page, page_breaks=tuple(breaks))


def _hyphens(pages: Sequence[Sequence[Line]]) -> _Hyphens:
    """How the document writes its words, and whether its line ends break more words than compounds."""
    words = Counter(word.lower() for lines in pages for line in lines for word in _WORD.findall(line.text))
    seams = [
        _uses(above.text, line.text, words) for lines in pages for above, line in pairwise(lines) if above.hyphenated
    ]
    compounds = sum(halves > whole for whole, halves in seams)
    return _Hyphens(words, compounds <= sum(whole > halves for whole, halves in seams))


def _uses(before: str, after: str, words: Counter[str]) -> tuple[int, int]:
    """How often the document has the word across the seam whole, and how often with its hyphen, in mid-line."""
    head, tail = _WORD_AT_END.search(before), _WORD_AT_START.match(after)
    if not head or not tail:
        return 0, 0
    return words[(head[0] + tail[0]).lower()], words[f"{head[0]}-{tail[0]}".lower()]


def _seam(before: str, after: str, hyphens: _Hyphens) -> str:
    """What stands for a hyphen at a line's end: nothing if it only broke the word, else the hyphen.

    The document decides, by how it writes the word in mid-line; where it never does, by what most of its
    hyphens at line ends are. In addresses, before capitals and beside digits the hyphen stays.
    """
    is_word = before[-1:].islower() and after[:1].islower() and "/" not in before.split()[-1]
    whole, halves = _uses(before, after, hyphens.words)
    breaks = whole > halves or (whole == halves and hyphens.break_words)
    return "" if is_word and breaks else "-"
