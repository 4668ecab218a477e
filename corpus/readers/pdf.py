"""PDF files with a text layer to blocks, through PDFium. Knows no OCR: a scan is refused, saying so."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from corpus.errors import UnreadableDocumentError
from corpus.readers.lines import join_lines
from corpus.readers.pdf_lines import LinedPage, read_page
from corpus.readers.pdf_paragraphs import paragraphs, without_margins
from corpus.types import Block, RawDocument

MAX_PDF_PAGES = 3_000

_PDFIUM = threading.Lock()  # PDFium is one state machine for the whole process
_END_MARK_WITHIN_BYTES = 2_048


def read_pdf(content: bytes, name: str) -> RawDocument:
    """The paragraphs of a PDF's text layer with their pages; see `paragraphs` and `without_margins` for the rules.

    Heading levels are those of the file's bookmarks, where a block's words equal a bookmark's. The title is
    the file's title property. Safe to call from several threads: they take turns.
    Raises UnreadableDocumentError for a file that needs a password, is broken, has too many pages or no text.
    """
    with _PDFIUM:
        document = _open(content, name)
        try:
            return _read(document, content, name)
        finally:
            document.close()


def _open(content: bytes, name: str) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise UnreadableDocumentError(f"{name}: needs a password; save a copy without one") from error
        raise UnreadableDocumentError(f"{name}: not a whole PDF, perhaps cut off; get the file again") from error
    if not 0 < len(document) <= MAX_PDF_PAGES:
        pages = len(document)
        document.close()
        raise UnreadableDocumentError(
            f"{name}: has {pages:,} pages, but 1 to {MAX_PDF_PAGES:,} are read; split the file"
        )
    return document


def _read(document: pdfium.PdfDocument, content: bytes, name: str) -> RawDocument:
    pages: list[LinedPage] = []
    broken: list[int] = []
    for number in range(1, len(document) + 1):
        try:
            pages.append(read_page(document, number))
        except pdfium.PdfiumError:
            pages.append(LinedPage((), 0.0))
            broken.append(number)
    if not any(page.lines for page in pages):
        raise UnreadableDocumentError(_no_text(name, broken, len(pages)))
    blocks = _with_levels(paragraphs(without_margins(pages)), _bookmarks(document))
    title = " ".join(document.get_metadata_value("Title").split()) or None
    warnings = _warnings(pages, broken, content)
    return RawDocument(tuple(blocks), title, len(pages), warnings)


def _no_text(name: str, broken: Sequence[int], pages: int) -> str:
    if len(broken) == pages:
        return f"{name}: none of its pages can be read; get the file again"
    return f"{name}: looks like a scan, no text layer; OCR is not built in yet"


def _warnings(pages: Sequence[LinedPage], broken: Sequence[int], content: bytes) -> tuple[str, ...]:
    empty = [number for number, page in enumerate(pages, 1) if not page.lines and number not in broken]
    said = []
    if broken:
        said.append(f"pages that cannot be read: {', '.join(map(str, broken))}")
    if empty:
        said.append(f"pages without text: {', '.join(map(str, empty))}")
    if b"%%EOF" not in content[-_END_MARK_WITHIN_BYTES:]:
        said.append("the file seems to be cut off")
    return tuple(said)


def _bookmarks(document: pdfium.PdfDocument) -> dict[tuple[int, str], int]:
    """(page from 1, words of a bookmark) -> its level from 1."""
    levels: dict[tuple[int, str], int] = {}
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            levels.setdefault((page + 1, _words(bookmark.get_title())), bookmark.level + 1)
    return levels


def _with_levels(blocks: Iterator[Block], levels: dict[tuple[int, str], int]) -> Iterator[Block]:
    for block in blocks:
        level = levels.pop((block.page, _words(block.text)), 0) if levels else 0
        yield replace(block, level=level) if level else block


def _words(text: str) -> str:
    """The letters alone: a bookmark may leave out numbers and blanks that the page has."""
    return "".join(character for character in join_lines(text.splitlines()) if character.isalpha()).casefold()
