"""The only code that changes characters. It runs before any offset exists, and never after.

Knows no formats and no documents: text in, text out.
"""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")

# Controls; soft hyphen; zero-width and bidi characters; variation selectors, which only choose a
# glyph; byte order mark; annotation marks; noncharacters; the whole tag block.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]+"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"  # blanks other than the plain space and tab
_BLANKS = re.compile(f"[ \t{_WIDE}]+")
_INDENT = re.compile(f"^[ \t]*[{_WIDE}][ \t{_WIDE}]*", re.MULTILINE)
_BLANK_LINES = re.compile("\n{3,}")


def normalize(text: str) -> str:
    """The text as it is stored: `\\n` line ends, nothing unseen, NFC, plain single blanks.

    Idempotent. Not NFKC: full-width digits and letters stay as printed. A run of blanks that holds a
    no-break or ideographic space becomes one space, or nothing at a line's start, where it is an
    indent ("　　各位代表" gives "各位代表"). Runs of plain spaces and tabs stay, save at a line's end.
    Of several blank lines one is left, of those at either end none. A lone surrogate becomes U+FFFD.
    """
    text = _mend_surrogates(_LINE_ENDS.sub("\n", text))
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", text))
    text = _BLANKS.sub(_one_blank, _INDENT.sub("", text))
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def fold(text: str) -> str:
    """A copy for matching: NFKC and casefold, so that "ＧＤＰ１２％" and "gdp12%" are equal.

    It may be longer or shorter than `text` ("㎡" gives "m2", "ß" gives "ss"), so an offset into the
    copy is no offset into the text.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _mend_surrogates(text: str) -> str:
    """Surrogate pairs joined to the character they stand for, lone ones replaced."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _one_blank(run: re.Match[str]) -> str:
    """Plain runs as they are: a text file aligns its columns with them."""
    return run[0] if not run[0].strip(" \t") else " "
