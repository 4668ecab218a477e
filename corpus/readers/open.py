"""A path to its raw blocks: chooses the reader by the file's name and checks that its first bytes agree."""

from pathlib import Path

from corpus.errors import UnreadableDocumentError, UnsupportedFormatError
from corpus.types import RawDocument

MAX_FILE_BYTES = 200_000_000
MAX_TEXT_FILE_BYTES = 20_000_000  # of text, Markdown and HTML: a thousand pages are some 3,000,000

SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown", ".html", ".htm", ".docx", ".pdf"})
_TEXT_SUFFIXES = SUFFIXES - {".docx", ".pdf"}

_FIRST_BYTES = 1_024
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or password-protected Office file"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF text"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3\x00", "a database"),
)
_UTF_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_HTML_STARTS = (b"<!doctype html", b"<html")


def read_file(path: Path) -> RawDocument:
    """The blocks of a file, in reading order. `path` stands in every message as it is given.

    Raises UnsupportedFormatError if no reader takes files of this name, and UnreadableDocumentError if the file
    is missing, empty, too large, not what its name says, or has no text to give.
    """
    return read_bytes(load(path), path)


def load(path: Path) -> bytes:
    """The file's bytes. Its name and size are checked first; errors as for `read_file`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnsupportedFormatError(_unsupported(path, suffix))
    limit = MAX_TEXT_FILE_BYTES if suffix in _TEXT_SUFFIXES else MAX_FILE_BYTES
    try:
        if not path.is_file():
            raise UnreadableDocumentError(f"{path}: {'no file' if path.exists() else 'does not exist'}; check the path")
        if (size := path.stat().st_size) > limit:
            raise UnreadableDocumentError(f"{path}: {size:,} bytes, but at most {limit:,} are read; split the file")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocumentError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from error


def read_bytes(content: bytes, path: Path) -> RawDocument:
    """As `read_file`, for the bytes of a file once loaded: so that a hash is of the very bytes that were read."""
    suffix = path.suffix.lower()
    _check_kind(content, path, suffix)
    raw = _read(content, str(path), suffix)
    if not any(block.text.strip() for block in raw.blocks):
        raise UnreadableDocumentError(f"{path}: holds no text; open it and see whether anything is in it")
    return raw


def _read(content: bytes, name: str, suffix: str) -> RawDocument:
    match suffix:
        case ".txt" | ".text":
            from corpus.readers.text import read_text

            return read_text(content, name)
        case ".md" | ".markdown":
            from corpus.readers.markdown import read_markdown

            return read_markdown(content, name)
        case ".html" | ".htm":
            from corpus.readers.html import read_html

            return read_html(content, name)
        case ".docx":
            from corpus.readers.docx import read_docx

            return read_docx(content, name)
        case ".pdf":
            from corpus.readers.pdf import read_pdf

            return read_pdf(content, name)
        case _:
            raise UnsupportedFormatError(_unsupported(name, suffix))


def _unsupported(path: Path | str, suffix: str) -> str:
    saved_as = {".doc": ".docx", ".wps": ".docx", ".rtf": ".docx", ".xls": ".pdf", ".xlsx": ".pdf"}.get(suffix)
    if saved_as:
        return f"{path}: {suffix} files are not read; save it as {saved_as}"
    return f"{path}: no reader for this kind of file; those read are {', '.join(sorted(SUFFIXES))}"


def _check_kind(content: bytes, path: Path, suffix: str) -> None:
    if not content:
        raise UnreadableDocumentError(f"{path}: is empty (0 bytes); get the file again")
    kind = _kind(content)
    expected = {".pdf": "a PDF", ".docx": "a zip archive"}.get(suffix)
    if suffix == ".docx" and kind == "an old or password-protected Office file":
        raise UnreadableDocumentError(f"{path}: needs a password, or is an old .doc; save it anew as .docx without one")
    if kind not in ({expected} if expected else {"text", "HTML"}):
        raise UnreadableDocumentError(f"{path}: named {suffix}, but its content is {kind}; check the file")


def _kind(content: bytes) -> str:
    """What the first bytes say the file is, whatever its name."""
    start = content[:_FIRST_BYTES]
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            return kind
    if b"%PDF-" in start:  # a few bytes may stand before it, and readers allow for that
        return "a PDF"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_HTML_STARTS):
        return "HTML"
    has_mark = start.startswith(_UTF_MARKS)
    return "binary data" if b"\x00" in content and not has_mark else "text"
