"""Joins the lines of a paragraph that a page or a narrow text file broke. Knows no formats."""

import re
from collections.abc import Iterable
from unicodedata import east_asian_width

# What opens a paragraph whatever stands above it: a bullet, or a number as lists and laws write it.
_OPENERS = re.compile(
    r"[•●▪■◆◇○※★☆]|[-–—*]\s|\[\d{1,3}\]|"
    r"[（(][一二三四五六七八九十]{1,3}[）)]|"
    r"[一二三四五六七八九十]{1,3}、|"
    r"第[一二三四五六七八九十百零\d]{1,5}[章节条编篇]\s"
)
# A number may as well begin a line in mid-sentence ("3.4 公顷"), so it opens one only after a sentence's end.
_NUMBERS = re.compile(r"[（(]?\d{1,3}[.、．）)]|\d{1,3}(\.\d{1,3})+\s")
_SENTENCE_END = re.compile(r"[。！？!?.;；：:][”’」』）)\"']*$")
_FIRST_WORD = re.compile(r"[^\s\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+|\S")

CELL_BORDER = " | "  # between the cells of a table row, which is one block
_OF_NO_SCRIPT = "“”‘’—…·"


def opens_paragraph(line: str, above: str = "") -> bool:
    """True if the line, below the line `above`, begins as list entries, headings or articles do (一、 • 1.2)."""
    return bool(_OPENERS.match(line) or (_NUMBERS.match(line) and (not above or ends_sentence(above))))


def ends_sentence(line: str) -> bool:
    """True if the line ends in closing punctuation."""
    return _SENTENCE_END.search(line.rstrip()) is not None


def first_word(line: str) -> str:
    """What a typesetter could not have broken: one Chinese character, or a word of another script."""
    found = _FIRST_WORD.match(line.lstrip())
    return found[0] if found else ""


def is_wide(character: str) -> bool:
    """True for characters set without spaces between them: Chinese and full-width ones."""
    return east_asian_width(character) in "WF"


def glue(before: str, after: str) -> str:
    """What belongs between two lines of one paragraph: nothing next to a Chinese character, else a space.

    Quotation marks and dashes are of no script, so the character behind them decides. A hyphen holds on
    to what follows ("800-" and "171").
    """
    if len(before) > 1 and before[-1] == "-" and not before[-2].isspace():
        return ""
    edges = before.rstrip(_OF_NO_SCRIPT)[-1:] + after.lstrip(_OF_NO_SCRIPT)[:1]
    return "" if not before or not after or any(is_wide(edge) for edge in edges) else " "


def join_lines(lines: Iterable[str]) -> str:
    """One string of the lines, stripped, glued as their script asks. Empty lines are passed over."""
    text = ""
    for line in (stripped for line in lines if (stripped := line.strip())):
        text += glue(text, line) + line
    return text


def width(text: str) -> int:
    """Columns of a terminal that the text fills: two for a Chinese character, one for others."""
    return sum(2 if is_wide(character) else 1 for character in text)
