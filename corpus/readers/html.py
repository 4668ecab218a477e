"""HTML to blocks: the main text, its headings, list entries and table rows.

Knows no styles beyond an element's own `hidden` and `display:none`, and runs no scripts.
"""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.errors import UnreadableDocumentError
from corpus.readers.encoding import decode, decode_as
from corpus.readers.lines import CELL_BORDER, join_lines
from corpus.types import Block, RawDocument

MAX_HTML_DEPTH = 1_000  # the parser's time grows with the square of the depth

_NOT_TEXT = (
    "script, style, noscript, template, nav, footer, aside, iframe, object, svg, select, button, dialog, rt, rp, "
    "[hidden], [aria-hidden=true]"
)
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_CHARSET_WITHIN_BYTES = 4_096
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"<(/?)(\w{1,20})[^<>]*?(/?)>")
_NEVER_NESTED = re.compile(
    "p|li|br|hr|img|input|meta|link|col|tr|td|th|dd|dt|option|area|base|embed|source|wbr|param|track", re.IGNORECASE
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = re.compile(
    "address|article|blockquote|body|br|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|form|h[1-6]|"
    "header|hr|li|main|ol|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)


def read_html(content: bytes, name: str) -> RawDocument:
    """The blocks of the page's main text; the title is that of <title>, else of the first <h1>.

    A table row is one block, `cell | cell`; a cell over several rows is repeated in each. A table that holds
    another one, or has one column, only lays the page out: it is read as plain text.
    Raises UnreadableDocumentError if it is nested deeper than any page is, or of no known encoding.
    """
    text, warnings = _decoded(content, name)
    if _depth(text) > MAX_HTML_DEPTH:
        raise UnreadableDocumentError(f"{name}: nested more than {MAX_HTML_DEPTH} elements deep; save the page anew")
    parser = LexborHTMLParser(text)
    return RawDocument(tuple(_blocks(parser)), _title(parser), warnings=warnings)


def html_blocks(markup: str) -> tuple[Block, ...]:
    """The blocks of a piece of markup, as where Markdown holds a <table>. None if nested too deeply."""
    return tuple(_blocks(LexborHTMLParser(markup))) if _depth(markup) <= MAX_HTML_DEPTH else ()


def _decoded(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    named = _CHARSET.search(content[:_CHARSET_WITHIN_BYTES])
    has_mark = content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    return decode_as(content, named[1].decode("ascii"), name) if named and not has_mark else decode(content, name)


def _depth(markup: str) -> int:
    """The deepest nesting of elements that must be closed."""
    depth = deepest = 0
    for closing, tag, empty in _TAG.findall(markup):
        if not _NEVER_NESTED.fullmatch(tag) and not empty:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _title(parser: LexborHTMLParser) -> str | None:
    for selector in ("head title", "h1"):
        node = parser.css_first(selector)
        if node is not None and (title := " ".join(node.text().split())):
            return title
    return None


def _blocks(parser: LexborHTMLParser) -> Iterator[Block]:
    """Of the one <main>, else the one <article>, else the body."""
    hidden = {node.mem_id for node in parser.css(_NOT_TEXT)}
    hidden |= {node.mem_id for node in parser.css("[style]") if _HIDING.search(node.attributes.get("style") or "")}
    for selector in ("main", "article"):
        if len(found := parser.css(selector)) == 1:
            blocks = list(_flow(found[0], hidden))
            if blocks:
                yield from blocks
                return
    if parser.body is not None:
        yield from _flow(parser.body, hidden)


@dataclass(slots=True)
class _Paragraph:
    """What the walk has gathered since the last block's edge."""

    pieces: list[str] = field(default_factory=list)
    marker: str = ""  # of a list entry, until its first text
    level: int = 0
    counters: list[int | None] = field(default_factory=list)  # next number of each open list; None for bullets

    def enter(self, node: LexborNode) -> None:
        """Take note of a heading, a list or its next entry."""
        tag = node.tag or ""
        self.level = _HEADINGS.get(tag, self.level)
        if tag in {"ol", "ul"}:
            self.counters.append(_count(node, "start") if tag == "ol" else None)
        elif tag == "li":
            number = self.counters.pop() if self.counters else None
            self.marker = "- " if number is None else f"{number}. "
            self.counters.append(None if number is None else number + 1)

    def leave(self, tag: str) -> None:
        """Take note of a heading's or a list's end."""
        self.level = 0 if tag in _HEADINGS else self.level
        if tag in {"ol", "ul"} and self.counters:
            self.counters.pop()

    def take(self) -> Iterator[Block]:
        """The block gathered so far, if there is any text, and a fresh start."""
        text = join_lines(_BLANKS.sub(" ", line) for line in "".join(self.pieces).split("\n"))
        self.pieces = []
        if text:
            yield Block(self.marker + text, self.level)
            self.marker = ""


def _flow(root: LexborNode, hidden: Set[int]) -> Iterator[Block]:
    paragraph = _Paragraph()
    for node, entering in _walk(root, hidden):
        tag = node.tag or ""
        if node.is_text_node:
            paragraph.pieces.append(node.text_content or "")
        elif _is_grid(node):
            if entering:
                yield from paragraph.take()
                yield from _rows(node, hidden)
        elif _BLOCKS.fullmatch(tag):
            yield from paragraph.take()
            if entering:
                paragraph.enter(node)
            else:
                paragraph.leave(tag)
    yield from paragraph.take()


def _walk(root: LexborNode, hidden: Set[int]) -> Iterator[tuple[LexborNode, bool]]:
    """Each visible node, and True on entering it, False on leaving. Stops at hidden nodes and tables of cells."""
    waiting = [(root, True)]
    while waiting:
        node, entering = waiting.pop()
        if node.mem_id in hidden:
            continue
        yield node, entering
        if entering and not node.is_text_node and not _is_grid(node):
            waiting.append((node, False))
            waiting += [(child, True) for child in reversed(list(node.iter(include_text=True)))]


def _is_grid(node: LexborNode) -> bool:
    """True for a table of rows and columns that holds no further table."""
    return (
        node.tag == "table"
        and len(node.css("table")) == 1  # itself
        and node.css_first("td + td, th + td, th + th, td + th") is not None
    )


def _rows(table: LexborNode, hidden: Set[int]) -> Iterator[Block]:
    for caption in table.css("caption"):
        yield from _flow(caption, hidden)
    carried: dict[int, tuple[int, str]] = {}  # column -> rows still to fill, text
    for row in table.css("tr"):
        if row.mem_id not in hidden:
            cells = _cells(row, hidden, carried)
            if any(cells):
                yield Block(CELL_BORDER.join(cells))


def _cells(row: LexborNode, hidden: Set[int], carried: dict[int, tuple[int, str]]) -> list[str]:
    """The row's texts from left to right, with those carried down from above; `carried` is brought up to date."""
    shown: list[str] = []
    column = 0
    for cell in (child for child in row.iter() if child.tag in {"td", "th"} and child.mem_id not in hidden):
        column = _carry(shown, column, carried)
        text = join_lines(block.text for block in _flow(cell, hidden))
        shown.append(text)
        if (rows := _count(cell, "rowspan")) > 1:
            carried[column] = (rows - 1, text)
        column += _count(cell, "colspan")
    _carry(shown, column, carried)
    return shown


def _carry(shown: list[str], column: int, carried: dict[int, tuple[int, str]]) -> int:
    """Show what is carried down into `column` and those next to it; the first column left free."""
    while column in carried:
        rows, text = carried.pop(column)
        shown.append(text)
        if rows > 1:
            carried[column] = (rows - 1, text)
        column += 1
    return column


def _count(node: LexborNode, attribute: str) -> int:
    """A number from 1 that the markup gives; 1 if it gives none, or nonsense."""
    value = node.attributes.get(attribute) or "1"
    return max(1, int(value)) if value.isdecimal() and len(value) < 6 else 1
