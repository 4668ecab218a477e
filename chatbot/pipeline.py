"""A question to a checked answer, as a stream of events. The one place where the parts of an answer meet.

question -> hits -> evidence -> (is the answer there?) -> draft -> citations -> checked answer
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chatbot.answerable import answer_probability, missing_names
from chatbot.cite import Locate, Resolved, resolve
from chatbot.errors import QuestionError
from chatbot.evidence import choose_evidence
from chatbot.generate import Cancelled, Generator, Message, Sampling
from chatbot.history import standalone
from chatbot.prompt import Lang, answer_messages, gate_messages, prompt_lang, refusal, refusal_reason
from chatbot.types import Answer, AnswerReady, Event, Evidence, EvidenceFound, Timings, TokenText, Turn
from corpus.settings import ChatbotSettings
from corpus.types import Document, Span
from index.live import LiveSearcher
from index.search import Searcher
from index.types import Hit


@dataclass(frozen=True, slots=True)
class _Found:
    """A question with what was found for it."""

    question: str  # as it was typed
    standalone: str  # as it was searched
    lang: Lang
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    searcher: Searcher


class Chatbot:
    """Answers questions over one library. Safe to share between threads; each call is one asker."""

    def __init__(self, searcher: LiveSearcher, generator: Generator, settings: ChatbotSettings) -> None:
        self._searcher = searcher
        self._generator = generator
        self._settings = settings

    def stream(
        self, question: str, history: Sequence[Turn] = (), cancelled: Cancelled | None = None
    ) -> Iterator[Event]:
        """Yield EvidenceFound, then TokenText for each piece of the draft, then AnswerReady with the checked answer.

        The checked text replaces the draft. A refusal has no TokenText. A cancelled stream ends without AnswerReady.
        Raises QuestionError for an empty or too long question, before anything is done.
        """
        clock = _Clock()
        found = self._find(self._checked_question(question), history)
        clock.mark_evidence()
        yield EvidenceFound(found.hits, found.evidence)
        cancelled = cancelled or Cancelled()
        missing = missing_names(found.standalone, found.evidence)
        if missing:
            yield AnswerReady(self._refuse(found, missing, None, clock))
            return
        probability = answer_probability(self._generator, found.standalone, found.evidence, found.lang, cancelled)
        if cancelled.is_set():
            return
        if probability < self._settings.min_answerable:
            yield AnswerReady(self._refuse(found, (), probability, clock))
            return
        pieces: list[str] = []
        messages = answer_messages(found.standalone, found.evidence, found.lang)
        for piece in self._generator.stream(messages, Sampling(self._settings.max_new_tokens), cancelled):
            clock.mark_token()
            pieces.append(piece)
            yield TokenText(piece)
        if not cancelled.is_set():
            yield AnswerReady(self._finish(found, "".join(pieces), probability, clock))

    def answer(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Return the checked answer: the last event of `stream`."""
        *_, last = self.stream(question, history)
        if not isinstance(last, AnswerReady):
            raise TypeError(f"the stream ended with {type(last).__name__}")
        return last.answer

    def document(self, doc_id: str) -> Document:
        """Return a document of the library; LibraryError names an unknown id."""
        return self._searcher.current().document(doc_id)

    def warm_up(self) -> None:
        """Do what makes the first question as fast as later ones."""
        searcher = self._searcher.current()
        for question in ("全年目标是什么？", "What is the target?"):
            searcher.search(question)
            self._generator.warm_up(answer_messages(question, (), prompt_lang(question)))

    def close(self) -> None:
        """Free the generator's memory and threads."""
        self._generator.close()

    def _checked_question(self, question: str) -> str:
        bare = question.strip()
        if not bare:
            raise QuestionError("the question is empty; type a question · 问题是空的，请输入问题")
        most = self._settings.question_chars
        if len(bare) > most:
            raise QuestionError(
                f"the question has {len(bare)} characters, at most {most} are allowed; shorten it · "
                f"问题有{len(bare)}字，最多{most}字，请缩短"
            )
        return bare

    def _find(self, question: str, history: Sequence[Turn]) -> _Found:
        searcher = self._searcher.current()
        whole = standalone(question, history)
        hits = searcher.search(whole, self._settings.hits)
        evidence = choose_evidence(whole, hits, self._settings.evidence_tokens, self._generator.count_tokens)
        return _Found(question, whole, prompt_lang(question), tuple(hits), evidence, searcher)

    def _refuse(self, found: _Found, missing: Sequence[str], probability: float | None, clock: "_Clock") -> Answer:
        text = Resolved(refusal(found.lang), (), ())
        read = () if missing else gate_messages(found.standalone, found.evidence, found.lang)
        answer = self._compose(found, text, probability, clock.timings(self._count(read), 0))
        return replace(answer, abstained=True, reason=refusal_reason(found.lang, missing))

    def _finish(self, found: _Found, draft: str, probability: float, clock: "_Clock") -> Answer:
        around = [line for item in found.evidence for line in (item.title, *item.headings)]
        text = resolve(draft, found.evidence, _locator(found.searcher), list(dict.fromkeys(around)), found.lang)
        prompt = answer_messages(found.standalone, found.evidence, found.lang)
        timings = clock.timings(self._count(prompt), self._generator.count_tokens(draft))
        return self._compose(found, text, probability, timings)

    def _count(self, messages: Sequence[Message]) -> int:
        return sum(self._generator.count_tokens(message.text) for message in messages)

    def _compose(self, found: _Found, text: Resolved, probability: float | None, timings: Timings) -> Answer:
        return Answer(
            question=found.question,
            text=text.text,
            citations=text.citations,
            dangling=text.dangling,
            evidence=found.evidence,
            hits=found.hits,
            abstained=False,
            reason=None,
            probability=probability,
            model=self._generator.name,
            timings=timings,
        )


class _Clock:
    """Seconds since the question."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._evidence = 0.0
        self._first_token: float | None = None

    def mark_evidence(self) -> None:
        self._evidence = self._now()

    def mark_token(self) -> None:
        if self._first_token is None:
            self._first_token = self._now()

    def timings(self, prompt_tokens: int, completion_tokens: int) -> Timings:
        return Timings(self._evidence, self._first_token, self._now(), prompt_tokens, completion_tokens)

    def _now(self) -> float:
        return time.perf_counter() - self._start


def _locator(searcher: Searcher) -> Locate:
    """Where a span of a document stands: its source and the page it begins on."""

    def locate(doc_id: str, span: Span) -> tuple[str, int | None]:
        document = searcher.document(doc_id)
        starts = [page.number for page in document.pages if page.span.start <= span.start]
        return document.source, starts[-1] if starts else None

    return locate
