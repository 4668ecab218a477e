"""What a document is, and how a place in it is named.

Offsets are half-open `[start, end)` counts of Python `str` code points in `Document.text`:
not bytes, not tokens, not UTF-16 units. They stay in Python; a browser gets finished HTML.
"""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a document's text: code points `[start, end)`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, not [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The characters of `text` at this span. Raises ValueError if the span leaves the text."""
        if self.end > len(text):
            raise ValueError(f"span [{self.start}, {self.end}) leaves a text of {len(text)} characters")
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """True if the two share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paged file. Number from 1; the span is empty for a page without text."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and all text up to the next heading of its level or above (from 1, the highest)."""

    title: str
    level: int
    span: Span  # starts at the heading's own line


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the text says plainly of its document; None where it says nothing plain."""

    issuer: str | None = None  # 发文机关
    number: str | None = None  # 发文字号, such as 国发〔2024〕12号
    date: str | None = None  # ISO 8601: YYYY-MM-DD, or YYYY-MM where no day is given
    year: int | None = None  # the year the title or the date names


@dataclass(frozen=True, slots=True)
class Document:
    """A source file's text with its structure. The text never changes once offsets exist."""

    title: str
    text: str
    lang: str  # "zh" or "en"
    source: str  # the path as it was given to ingest
    sha256: str  # of the file's bytes, 64 hex digits
    meta: Metadata = Metadata()
    pages: tuple[Page, ...] = ()
    sections: tuple[Section, ...] = ()
    doc_id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "doc_id", hashlib.sha256(self.text.encode()).hexdigest()[:16])
        spans = (*(page.span for page in self.pages), *(section.span for section in self.sections))
        if any(span.end > len(self.text) for span in spans):
            raise ValueError(f"a page or section of {self.title!r} leaves its {len(self.text)} characters")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is indexed and found: a run of whole sentences. `document.text[start:end] == text`."""

    doc_id: str
    span: Span
    text: str
    headings: tuple[str, ...] = ()  # outermost first

    def __post_init__(self) -> None:
        if len(self.text) != len(self.span):
            raise ValueError(f"{self.chunk_id} holds {len(self.text)} characters, its span {len(self.span)}")

    @property
    def chunk_id(self) -> str:
        """`doc_id:start-end`."""
        return f"{self.doc_id}:{self.span.start}-{self.span.end}"


@dataclass(frozen=True, slots=True)
class Block:
    """What a reader found: one paragraph, heading or table row, before any offset exists.

    `level` is 0 for plain text, else the heading's level as the format itself states it (from 1).
    `page` counts from 1, or is 0 where the format has no pages. It is the page the block starts on;
    `page_breaks` holds an (offset into `text`, page) for each further page the block runs on to.
    """

    text: str
    level: int = 0
    page: int = 0
    page_breaks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A reader's whole result. `title` is what the file's own properties or markup say, or None."""

    blocks: tuple[Block, ...]
    title: str | None = None
    page_count: int = 0  # 0 where the format has no pages
    warnings: tuple[str, ...] = ()
