"""The lines of a PDF page with their places on it, as PDFium's text layer gives them. Knows no paragraphs."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

_HYPHENS = frozenset("-\u00ad\u2010")
_PDFIUM_HYPHEN = "\x02"  # PDFium's sign for a hyphen at a line's end; it drops the line break after it
_NOT_A_CHARACTER = frozenset("\x00\ufffe\uffff")
_MIN_SIZE = 0.1  # points; a broken font may state none, and sizes are divided by
_CELL_GAP_EMS = 1.2  # a wider gap between two characters of a line parts two cells


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page, which counts from 1. Places are points from the page's lower left corner, upright."""

    text: str  # without a hyphen at its end
    page: int
    left: float
    right: float
    bottom: float
    top: float
    size: float  # the height of its characters' boxes, a little more than the font size
    has_gaps: bool  # it looks like a table row
    hyphenated: bool  # its last word ended in a hyphen


@dataclass(frozen=True, slots=True)
class LinedPage:
    """A page's lines in the order of the text layer, and its height in points."""

    lines: tuple[Line, ...]
    height: float


class _Character(NamedTuple):
    text: str
    left: float
    right: float
    bottom: float
    top: float


def read_page(document: pdfium.PdfDocument, number: int) -> LinedPage:
    """Page `number` (from 1). It has no lines if it has no text. Raises PdfiumError if it is broken."""
    page = document[number - 1]
    try:
        text_page = page.get_textpage()
        lines = [_line(characters, number) for characters in _runs(page, text_page)]
        return LinedPage(tuple(line for line in lines if line is not None), page.get_height())
    finally:
        page.close()  # and the text page with it


def _runs(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage) -> Iterator[list[_Character]]:
    """The characters of each line; spaces that PDFium puts in have no width."""
    size, rotation = page.get_size(), page.get_rotation()
    box = pdfium_c.FS_RECTF()
    handle = text_page.raw
    run: list[_Character] = []
    for index in range(text_page.count_chars()):
        character = chr(pdfium_c.FPDFText_GetUnicode(handle, index))
        if character in "\r\n":
            yield run
            run = []
        elif character not in _NOT_A_CHARACTER:
            pdfium_c.FPDFText_GetLooseCharBox(handle, index, box)
            run.append(_upright(character, box, size, rotation))
            if character == _PDFIUM_HYPHEN:
                yield run
                run = []
    yield run


def _upright(text: str, box: pdfium_c.FS_RECTF, size: tuple[float, float], rotation: int) -> _Character:
    """The character's box on the page as it is shown. `size` is that of the page as shown."""
    width, height = size
    match rotation:
        case 90:
            return _Character(text, box.bottom, box.top, height - box.right, height - box.left)
        case 180:
            return _Character(text, width - box.right, width - box.left, height - box.top, height - box.bottom)
        case 270:
            return _Character(text, width - box.top, width - box.bottom, box.left, box.right)
        case _:
            return _Character(text, box.left, box.right, box.bottom, box.top)


def _line(run: list[_Character], page: int) -> Line | None:
    text = "".join(character.text for character in run).strip()
    inked = [character for character in run if not character.text.isspace()]
    if not text or not inked:
        return None
    hyphenated = len(text) > 1 and (text[-1] == _PDFIUM_HYPHEN or (text[-1] in _HYPHENS and text[-2].isalpha()))
    size = max(_MIN_SIZE, statistics.median(character.top - character.bottom for character in inked))
    gap = max((b.left - a.right for a, b in pairwise(inked)), default=0.0)
    return Line(
        text=(text[:-1] if hyphenated else text).replace(_PDFIUM_HYPHEN, "-"),
        page=page,
        left=min(character.left for character in inked),
        right=max(character.right for character in inked),
        bottom=min(character.bottom for character in inked),
        top=max(character.top for character in inked),
        size=size,
        has_gaps=gap > _CELL_GAP_EMS * size,
        hyphenated=hyphenated,
    )
