"""What the server remembers of each open page: its exchanges, its language and the run under way.

The browser never sends history back: it names its session, and this is looked up. Nothing is stored on disk.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from chatbot.generate import Cancelled
from chatbot.render_source import Opened
from chatbot.ui.exchange import Exchange, State
from chatbot.ui.texts import EN, Texts

MAX_CONVERSATIONS = 500


@dataclass(slots=True, eq=False)
class Conversation:
    """One page's exchanges; the last one may still be running. Changed only by the handlers."""

    exchanges: tuple[Exchange, ...] = ()
    texts: Texts = EN
    cancelled: Cancelled | None = None  # of the run that was begun and has not ended
    taken: bool = False  # True once that run has started
    opened: Opened | None = None  # the place beside the chat
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, question: str) -> bool:
        """Add a running exchange; False, and nothing added, while another one runs."""
        with self.lock:
            if self.cancelled is not None:
                return False
            self.exchanges = (*self.exchanges, Exchange(question))
            self.cancelled, self.taken = Cancelled(), False
            return True

    def take(self) -> Cancelled | None:
        """Return the begun run's Cancelled to the one caller that is to run it; None to any other."""
        with self.lock:
            if self.cancelled is None or self.taken:
                return None
            self.taken = True
            return self.cancelled

    def update(self, exchange: Exchange, run: Cancelled) -> bool:
        """Replace the last exchange on behalf of `run`; False if the conversation has gone on without it."""
        with self.lock:
            if self.cancelled is not run:
                return False
            self.exchanges = (*self.exchanges[:-1], exchange)
            return True

    def end(self, run: Cancelled) -> None:
        """Make room for the next question, if `run` is still the one under way."""
        with self.lock:
            if self.cancelled is run:
                self.cancelled = None

    def retract(self, run: Cancelled) -> str | None:
        """End `run`, forget its exchange and return the question; None if the conversation has gone on without it."""
        with self.lock:
            if self.cancelled is not run:
                return None
            question = self.exchanges[-1].question
            self.exchanges, self.cancelled = self.exchanges[:-1], None
            return question

    def drop_last(self) -> str:
        """Forget the last exchange and return its question; "" if there is none or one is running."""
        with self.lock:
            if self.cancelled is not None or not self.exchanges:
                return ""
            question = self.exchanges[-1].question
            self.exchanges = self.exchanges[:-1]
            return question

    def clear(self) -> None:
        """Cancel the run, if any, and forget every exchange."""
        with self.lock:
            if self.cancelled is not None:
                self.cancelled.set()
            self.exchanges, self.cancelled, self.opened = (), None, None

    def cancel(self) -> None:
        """Ask the run under way, if any, to stop; one that still waits for its turn is stopped here."""
        with self.lock:
            if self.cancelled is None:
                return
            self.cancelled.set()
            if not self.taken:
                stopped = replace(self.exchanges[-1], state=State.STOPPED)
                self.exchanges, self.cancelled = (*self.exchanges[:-1], stopped), None


class Conversations:
    """Conversations by session; the one longest unused is forgotten when there are too many."""

    def __init__(self, capacity: int = MAX_CONVERSATIONS) -> None:
        self._capacity = capacity
        self._by_session: OrderedDict[str, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, session: str) -> Conversation:
        """Return the session's conversation, a new one if there is none; "" is never remembered."""
        with self._lock:
            conversation = self._by_session.pop(session, None) or Conversation()
            if session:
                self._by_session[session] = conversation
            while len(self._by_session) > self._capacity:
                self._by_session.popitem(last=False)[1].cancel()
            return conversation
