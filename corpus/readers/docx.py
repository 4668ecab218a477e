"""Word files (.docx) to blocks, in the order of the text. Headers, footers and notes are left out.

Knows no layout: Word files hold no pages until they are printed.
"""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import docx
from docx.document import Document as WordDocument
from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.styles.style import BaseStyle

from corpus.errors import UnreadableDocumentError
from corpus.readers.lines import CELL_BORDER, join_lines
from corpus.types import Block, RawDocument

MAX_PARTS = 10_000
MAX_UNPACKED_BYTES = 200_000_000  # of all parts; pictures are the most of it
MAX_XML_BYTES = 50_000_000  # of one XML part: it takes some ten times as much memory once parsed
MAX_RATIO = 200  # unpacked to packed size; real text packs 5 to 50 times
_RATIO_MATTERS_BYTES = 1_000_000  # below this any ratio is harmless

# What a damaged archive, part or piece of XML raises, here or within python-docx.
# lxml's XMLSyntaxError is a SyntaxError, and NotImplementedError a RuntimeError.
_BROKEN_ARCHIVE = (BadZipFile, EOFError, RuntimeError, zlib.error)
_BROKEN_PART = (OpcError, PythonDocxError, SyntaxError, AttributeError, KeyError, TypeError, ValueError)

_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_TITLE_STYLES = frozenset({"title", "标题"})
_BODY_OUTLINE_LEVEL = 9  # Word's number for "not a heading"; 0 is the highest heading

_P, _TBL, _TR, _TC = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_BOX = qn("w:txbxContent")
_NOT_CONTENT = frozenset(
    {qn("w:pPr"), qn("w:rPr"), qn("w:sdtPr"), qn("w:del"), qn("w:moveFrom"), qn("w:rt")}
    | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}  # repeats the text box beside it
)
_MARKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}


def read_docx(content: bytes, name: str) -> RawDocument:
    """The paragraphs and table rows of a Word file.

    Each paragraph's text is exact: tracked insertions are in, deletions out. Numbers that Word itself
    counts are not in the text. A row is one block, `cell | cell`; a merged cell stands once in its row and
    again in each row it spans. A text box follows its paragraph. The title is the first paragraph in
    Word's Title style, else the file's title property. Heading levels are those of styles and outlines.
    Raises UnreadableDocumentError if the file is no Word file, broken or unpacks to too much.
    """
    try:
        _check_size(content, name)
        return _read(docx.Document(BytesIO(content)))
    except _BROKEN_ARCHIVE + _BROKEN_PART as error:
        raise UnreadableDocumentError(f"{name}: not a whole Word file; open it in Word and save it anew") from error


def _read(document: WordDocument) -> RawDocument:
    blocks = tuple(_blocks(document.element.body, _style_levels(document)))
    return RawDocument(blocks, _title(document), warnings=_left_out(document))


def _check_size(content: bytes, name: str) -> None:
    """Read the archive's list of parts, and nothing of the parts, to see what it would unpack to.

    zipfile never unpacks more of a part than the list states, so the list cannot understate.
    """
    parts = ZipFile(BytesIO(content)).infolist()
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    xml = max((part.file_size for part in parts if part.filename.endswith((".xml", ".rels"))), default=0)
    too_dense = unpacked > _RATIO_MATTERS_BYTES and unpacked > MAX_RATIO * packed
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES or xml > MAX_XML_BYTES or too_dense:
        raise UnreadableDocumentError(
            f"{name}: unpacks to {unpacked:,} bytes in {len(parts):,} parts, more than is read; split the file"
        )


def _blocks(parent: BaseOxmlElement, levels: dict[str, int]) -> Iterator[Block]:
    """The blocks below an element, going into content controls and the like but not into paragraphs."""
    for child in parent.iterchildren("*"):
        if child.tag == _P:
            yield from _paragraph(child, levels)
        elif child.tag == _TBL:
            yield from _rows(child, levels)
        elif child.tag not in _NOT_CONTENT:
            yield from _blocks(child, levels)


def _paragraph(paragraph: BaseOxmlElement, levels: dict[str, int]) -> Iterator[Block]:
    boxes: list[BaseOxmlElement] = []
    text = "".join(_pieces(paragraph, boxes))
    if text.strip():
        yield Block(text, _level(paragraph, levels))
    for box in boxes:
        yield from _blocks(box, levels)


def _pieces(parent: BaseOxmlElement, boxes: list[BaseOxmlElement]) -> Iterator[str]:
    """The text below an element in order; text boxes are put aside into `boxes`."""
    for child in parent.iterchildren("*"):
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag == _BOX:
            boxes.append(child)
        elif child.tag in _MARKS:
            yield _MARKS[child.tag]
        elif child.tag not in _NOT_CONTENT:
            yield from _pieces(child, boxes)


def _rows(table: BaseOxmlElement, levels: dict[str, int]) -> Iterator[Block]:
    above: dict[int, str] = {}  # column -> text of the cell that may run on below it
    for row in table.iter(_TR):
        if next(row.iterancestors(_TBL)) is table:  # a table inside a cell belongs to that cell's text
            cells = [_cell(cell, column, above, levels) for column, cell in _columns(row)]
            if any(cells):
                yield Block(CELL_BORDER.join(cells))


def _columns(row: BaseOxmlElement) -> Iterator[tuple[int, BaseOxmlElement]]:
    """Each cell of a row with the number of its first column, from 0."""
    column = _number(row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}"), 0)
    for cell in row.iter(_TC):
        if next(cell.iterancestors(_TR)) is row:
            yield column, cell
            column += _number(cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}"), 1)


def _cell(cell: BaseOxmlElement, column: int, above: dict[int, str], levels: dict[str, int]) -> str:
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    if merge is None or merge.get(qn("w:val")) == "restart":
        above[column] = join_lines(line for block in _blocks(cell, levels) for line in block.text.split("\n"))
    return above.get(column, "")


def _number(element: BaseOxmlElement | None, default: int) -> int:
    value = None if element is None else element.get(qn("w:val"))
    return int(value) if value is not None and value.isdecimal() and len(value) < 6 else default


def _level(paragraph: BaseOxmlElement, levels: dict[str, int]) -> int:
    """The heading level of the paragraph's own outline level, else of its style; 0 if neither has one."""
    outline = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    if outline is not None:
        return (_number(outline, _BODY_OUTLINE_LEVEL) + 1) % (_BODY_OUTLINE_LEVEL + 1)
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return 0 if style is None else levels.get(style.get(qn("w:val")) or "", 0)


def _style_levels(document: WordDocument) -> dict[str, int]:
    return {style.style_id: _style_level(style) for style in document.styles}


def _style_level(style: BaseStyle) -> int:
    """Of the style or of one it is based on: by its name, else by its outline level. 0 for body text."""
    seen: set[str] = set()
    current: BaseStyle | None = style
    while current is not None and current.style_id not in seen:  # a broken file may go in circles
        seen.add(current.style_id)
        outline = current.element.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        if found := _HEADING_STYLE.match(current.name or ""):
            return int(found[1])
        if outline is not None:
            return (_number(outline, _BODY_OUTLINE_LEVEL) + 1) % (_BODY_OUTLINE_LEVEL + 1)
        current = getattr(current, "base_style", None)
    return 0


def _title(document: WordDocument) -> str | None:
    for paragraph in document.paragraphs:
        style = paragraph.style
        if style is not None and (style.name or "").lower() in _TITLE_STYLES and paragraph.text.strip():
            return join_lines(paragraph.text.split("\n"))
    return document.core_properties.title.strip() or None


def _left_out(document: WordDocument) -> tuple[str, ...]:
    """A warning if there are footnotes or endnotes, which are not read."""
    kinds = {relation.reltype.rsplit("/", 1)[-1] for relation in document.part.rels.values()}
    marks = document.element.body.iter(qn("w:footnoteReference"), qn("w:endnoteReference"))
    count = sum(1 for _ in marks) if kinds & {"footnotes", "endnotes"} else 0
    return (f"{count} footnotes or endnotes were left out",) if count else ()
