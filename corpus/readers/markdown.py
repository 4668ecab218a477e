"""Markdown to blocks: headings, paragraphs, list entries, table rows. CommonMark with tables.

Knows no front matter beyond its `title:` line.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from corpus.readers.encoding import decode
from corpus.readers.html import html_blocks
from corpus.readers.lines import CELL_BORDER, join_lines
from corpus.types import Block, RawDocument

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_FRONT_TITLE = re.compile(r"^title:[ \t]*([\"']?)(.+?)\1[ \t]*$", re.MULTILINE)
_FRONT_MATTER_CHARS = 10_000


def read_markdown(content: bytes, name: str) -> RawDocument:
    """The blocks of a Markdown file; the title is its front matter's, else its first heading of level 1.

    A list entry is one block with its marker (`- ` or its number), a table row one block, `cell | cell`.
    Raises UnreadableDocumentError if its encoding is not recognised.
    """
    text, warnings = decode(content, name)
    title, body = _front_matter(text)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    blocks = tuple(_blocks(tokens))
    title = title or next((block.text for block in blocks if block.level == 1), None)
    return RawDocument(blocks, title, warnings=warnings)


def _front_matter(text: str) -> tuple[str | None, str]:
    """The title that the front matter names, and the text after it."""
    found = _FRONT_MATTER.match(text[:_FRONT_MATTER_CHARS])
    if not found:
        return None, text
    title = _FRONT_TITLE.search(found[1])
    return (title[2] if title else None), text[found.end() :]


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    marker = ""  # of a list entry, until its first text
    level = 0
    row: list[str] | None = None  # the cells so far, inside a table row
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1])
            case "heading_close":
                level = 0
            case "list_item_open":
                marker = f"{token.info}{token.markup} " if token.info else "- "
            case "list_item_close":
                marker = ""
            case "tr_open":
                row = []
            case "tr_close":
                yield from _block(CELL_BORDER.join(row or ()))
                row = None
            case "inline" if row is not None:
                row.append(_shown(token))
            case "inline" | "fence" | "code_block":
                yield from _block(_shown(token), marker, level)
                marker = ""
            case "html_block":
                yield from html_blocks(token.content)


def _block(text: str, marker: str = "", level: int = 0) -> Iterator[Block]:
    if text.strip(" |"):
        yield Block(marker + text, level)


def _shown(token: Token) -> str:
    """What a reader sees of a paragraph, heading, cell or piece of code."""
    if token.children is None:
        return token.content.rstrip("\n")
    pieces = [_piece(child) for child in token.children]
    return join_lines("".join(pieces).split("\n"))


def _piece(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"} or (token.type == "html_inline" and token.content.startswith("<br")):
        return "\n"
    return "" if token.type == "html_inline" else token.content  # an image's content is its description
