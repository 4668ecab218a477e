"""One question of the window and what has come of it so far. Pure; knows no HTML and no gradio."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from chatbot.generate import Cancelled
from chatbot.types import Answer, AnswerReady, Event, Evidence, EvidenceFound, Support, TokenText, Turn
from corpus.types import Document, Span
from index.types import Hit


class Asker(Protocol):
    """All that the window wants of the program."""

    def stream(
        self, question: str, history: tuple[Turn, ...] = (), cancelled: Cancelled | None = None
    ) -> Iterator[Event]:
        """Yield evidence, pieces of the draft, then the checked answer. A cancelled stream just ends.

        Raises QuestionError for a question that cannot be taken, and other WenceErrors for the world.
        """

    def document(self, doc_id: str) -> Document:
        """Return the document. Raises WenceError if there is none."""


class State(StrEnum):
    """How far an exchange has come."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its evidence, draft and answer, as far as they have come."""

    question: str
    state: State = State.RUNNING
    evidence: tuple[Evidence, ...] | None = None  # None before it was searched
    hits: tuple[Hit, ...] = ()
    draft: str = ""
    answer: Answer | None = None
    failure: str = ""  # one sentence for the user


class Kind(StrEnum):
    """What a place is: a citation of the answer, a passage the model read, or a chunk that was found."""

    CITATION = "citation"
    EVIDENCE = "evidence"
    HIT = "hit"


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be opened beside the chat. `quote` is the document's text at `span`."""

    number: int  # as shown: the marker, the evidence's number or the hit's rank
    doc_id: str
    title: str
    span: Span
    quote: str
    support: Support = Support.SUPPORTED
    reasons: tuple[str, ...] = ()


def advance(exchange: Exchange, event: Event) -> Exchange:
    """Return the exchange after one more event."""
    match event:
        case EvidenceFound(hits=hits, evidence=evidence):
            return replace(exchange, hits=hits, evidence=evidence)
        case TokenText(text=text):
            return replace(exchange, draft=exchange.draft + text)
        case AnswerReady(answer=answer):
            return replace(exchange, state=State.DONE, answer=answer, hits=answer.hits, evidence=answer.evidence)


def places(exchange: Exchange, kind: Kind) -> tuple[Place, ...]:
    """Return what of this kind can be opened, in the order in which it is shown."""
    match kind:
        case Kind.CITATION:
            citations = exchange.answer.citations if exchange.answer else ()
            return tuple(
                Place(one.marker, one.doc_id, one.title, one.span, one.quote, one.support, one.reasons)
                for one in citations
            )
        case Kind.EVIDENCE:
            evidence = exchange.evidence or ()
            return tuple(Place(one.number, one.doc_id, one.title, one.span, one.quote) for one in evidence)
        case Kind.HIT:
            return tuple(
                Place(one.rank, one.chunk.doc_id, one.title, one.chunk.span, one.chunk.text) for one in exchange.hits
            )


def turns(exchanges: tuple[Exchange, ...]) -> tuple[Turn, ...]:
    """Return the answered questions, oldest first: what a follow-up question may lean on."""
    return tuple(Turn(one.question, one.answer.text) for one in exchanges if one.answer)
