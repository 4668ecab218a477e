"""What happens on each click, as plain functions of a session and plain values. Knows no gradio.

Each returns a Screen: what is to change. `begin` answers at once, so that the question appears while the run still
waits for its turn; `run` then does the work and yields after each event.
"""

import logging
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from chatbot.errors import QuestionError
from chatbot.generate import Cancelled
from chatbot.render import alert_html, exchange_html, transcript_html, welcome_html
from chatbot.render_source import Opened, empty_html, source_html, trouble_html
from chatbot.ui.conversation import Conversation, Conversations
from chatbot.ui.exchange import Asker, Exchange, Kind, State, advance, places, turns
from chatbot.ui.texts import Texts, texts_for
from corpus.errors import WenceError

_logger = logging.getLogger(__name__)
_KEY = re.compile(r"(citation|evidence|hit):(\d{1,6}):(\d{1,6})(?::(\d{1,4}):(\d{1,4}))?")


@dataclass(frozen=True, slots=True)
class Screen:
    """What changes in the window; None leaves a part as it is. All but `question` is finished HTML."""

    past: str | None = None  # the exchanges before the last
    live: str | None = None  # the last exchange, or the welcome
    source: str | None = None
    alert: str | None = None
    question: str | None = None  # the text in the question box
    busy: bool | None = None


class Handlers:
    """The window's reactions. One object serves every session; safe to call from several threads."""

    def __init__(self, asker: Asker, examples: tuple[str, ...]) -> None:
        self._asker = asker
        self._examples = examples
        self._conversations = Conversations()

    def show(self, session: str, lang: str) -> tuple[Screen, Texts]:
        """Return the whole window in this language; the run under way goes on."""
        conversation = self._conversations.of(session)
        conversation.texts = texts_for(lang)
        screen = replace(self._chat(conversation), source=self._source(conversation), alert="")
        return screen, conversation.texts

    def begin(self, session: str, question: str) -> Screen:
        """Show the question at once and empty the box; nothing changes while another question runs."""
        conversation = self._conversations.of(session)
        if not conversation.begin(question.strip()):
            return Screen()
        return replace(self._chat(conversation), question="", alert="")

    def begin_example(self, session: str, at: int) -> Screen:
        """Begin the example question `at`; nothing changes if there is none."""
        return self.begin(session, self._examples[at]) if 0 <= at < len(self._examples) else Screen()

    def begin_again(self, session: str) -> Screen:
        """Forget the last exchange and begin its question anew; nothing changes if there is none."""
        conversation = self._conversations.of(session)
        question = conversation.drop_last()
        if not question:
            return Screen()
        conversation.begin(question)
        return replace(self._chat(conversation), alert="")

    def run(self, session: str) -> Iterator[Screen]:
        """Yield the last exchange after each event of the run that was begun; nothing if there is none."""
        conversation = self._conversations.of(session)
        cancelled = conversation.take()
        if cancelled is None:
            return
        try:
            with closing(self._exchanges(conversation, cancelled)) as exchanges:
                for exchange in exchanges:
                    if not conversation.update(exchange, cancelled):
                        return
                    yield self._live(conversation)
        except QuestionError as error:
            yield self._hand_back(conversation, cancelled, str(error))
            return
        finally:
            cancelled.set()  # also when the page was closed in the middle
            conversation.end(cancelled)
        yield replace(self._live(conversation), busy=False)

    def stop(self, session: str) -> Screen:
        """Ask the session's run to stop; it then ends by itself and keeps its draft. One that waits is over at once."""
        conversation = self._conversations.of(session)
        conversation.cancel()
        return replace(self._live(conversation), busy=False) if conversation.cancelled is None else Screen()

    def refuse(self, session: str) -> Screen:
        """Say that the run never came to its turn, because too many others wait or the program failed."""
        conversation = self._conversations.of(session)
        run = conversation.cancelled
        if run is None:
            return Screen(busy=False)
        failed = replace(conversation.exchanges[-1], state=State.FAILED, failure=conversation.texts.busy)
        conversation.update(failed, run)
        conversation.end(run)
        return replace(self._live(conversation), busy=False)

    def clear(self, session: str) -> Screen:
        """Forget the conversation and stop its run."""
        conversation = self._conversations.of(session)
        conversation.clear()
        return replace(self._chat(conversation), source=self._source(conversation), alert="")

    def open(self, session: str, key: str) -> Screen:
        """Show the place that a button names; nothing changes if the key is not one of ours."""
        conversation = self._conversations.of(session)
        match = _KEY.fullmatch(key)
        if not match:
            return Screen()
        numbers = (int(digits or "0") for digits in match.groups()[1:])
        conversation.opened = Opened(Kind(match[1]), *numbers)
        return Screen(source=self._source(conversation))

    def _exchanges(self, conversation: Conversation, cancelled: Cancelled) -> Generator[Exchange]:
        """The last exchange after each event; its last state is done, stopped or failed.

        QuestionError passes through: the question goes back into the box.
        """
        exchange = conversation.exchanges[-1]
        history = turns(conversation.exchanges[:-1])
        try:
            for event in self._asker.stream(exchange.question, history, cancelled):
                exchange = advance(exchange, event)
                yield exchange
        except QuestionError:
            raise
        except WenceError as error:
            yield replace(exchange, state=State.FAILED, failure=str(error))
        except Exception:  # the one top handler: a bug must not leave the page waiting
            _logger.exception("the answer failed")
            yield replace(exchange, state=State.FAILED, failure=conversation.texts.failed)
        else:
            if exchange.answer is None:
                yield replace(exchange, state=State.STOPPED)

    def _hand_back(self, conversation: Conversation, run: Cancelled, sentence: str) -> Screen:
        """Put a question that cannot be asked back into the box, with the reason."""
        question = conversation.retract(run)
        if question is None:
            return Screen()
        return replace(self._chat(conversation), question=question, alert=alert_html(sentence))

    def _chat(self, conversation: Conversation) -> Screen:
        exchanges = conversation.exchanges
        past = transcript_html(exchanges[:-1], conversation.texts)
        return replace(self._live(conversation), past=past, busy=conversation.cancelled is not None)

    def _live(self, conversation: Conversation) -> Screen:
        exchanges = conversation.exchanges
        if not exchanges:
            return Screen(live=welcome_html(self._examples, conversation.texts))
        return Screen(live=exchange_html(exchanges[-1], len(exchanges) - 1, conversation.texts))

    def _source(self, conversation: Conversation) -> str:
        if conversation.opened is None:
            return empty_html(conversation.texts)
        try:
            return self._opened(conversation, conversation.opened)
        except WenceError as error:
            return trouble_html(str(error), conversation.texts)
        except Exception:  # as above: the panel says so instead of staying silent
            _logger.exception("the source could not be shown")
            return trouble_html(conversation.texts.failed, conversation.texts)

    def _opened(self, conversation: Conversation, opened: Opened) -> str:
        exchanges = conversation.exchanges
        found = places(exchanges[opened.exchange], opened.kind) if opened.exchange < len(exchanges) else ()
        if opened.at >= len(found):
            return trouble_html(conversation.texts.gone, conversation.texts)
        place = found[opened.at]
        document = self._asker.document(place.doc_id)
        return source_html(document, place, opened, len(found), conversation.texts)
