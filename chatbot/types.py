"""What passes between question and window: evidence, citations, answers and the events that carry them."""

from dataclasses import dataclass
from enum import StrEnum

from corpus.types import Span
from index.types import Hit


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question of the conversation and the text that answered it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One numbered sentence or row that the model may cite. `quote` is the document's text at `span`."""

    number: int  # from 1
    doc_id: str
    title: str
    span: Span
    quote: str
    headings: tuple[str, ...] = ()  # outermost first


class Support(StrEnum):
    """How far a cited span carries its sentence: figures, dates and units all there, some, or none."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker of the answer, resolved. `quote` is the document's text at `span`.

    `answer_span` is the place in `Answer.text` of the sentence that carries the marker.
    """

    marker: int
    doc_id: str
    title: str
    source: str
    page: int | None  # from 1; None where the format has no pages
    span: Span
    quote: str
    answer_span: Span
    support: Support
    reasons: tuple[str, ...] = ()  # why not wholly supported; empty if it is


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock seconds from the question, and token counts; None where it never came to that."""

    evidence_s: float
    first_token_s: float | None
    total_s: float
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer. `dangling` keeps invented markers; `unsupported` sentences are still shown, flagged."""

    question: str
    text: str
    citations: tuple[Citation, ...]
    dangling: tuple[int, ...]  # markers that name no evidence, in order of appearance
    evidence: tuple[Evidence, ...]
    hits: tuple[Hit, ...]
    abstained: bool
    reason: str | None  # why it abstained
    probability: float | None  # that the evidence holds the answer, in [0, 1]; None if not asked
    model: str
    timings: Timings


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """First event: what was found, before the model reads it."""

    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class TokenText:
    """A further piece of the model's draft, unchecked."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """Last event: the checked answer, which replaces the draft."""

    answer: Answer


Event = EvidenceFound | TokenText | AnswerReady
