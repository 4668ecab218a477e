"""Replies known beforehand: for tests and examples, and the oracle of the contract. Knows no model."""

import time
from collections.abc import Callable, Iterator, Sequence

from chatbot.errors import GenerationError
from chatbot.generators.contract import Cancelled, Message, Sampling, check_room, first_tokens


class ScriptedGenerator:
    """Says what its script says. A token is a code point; the chat template takes no tokens.

    `reply` is one function of the messages, or the replies in the order of the calls (GenerationError when they run
    out). `word_weight` gives the probability of a word; without it, all the words asked about are equally likely.
    The delays, in seconds, stand for an engine's work; cancelling interrupts them.
    """

    def __init__(
        self,
        reply: Callable[[Sequence[Message]], str] | Sequence[str],
        word_weight: Callable[[Sequence[Message], str], float] | None = None,
        prefill_seconds: float = 0.0,
        token_seconds: float = 0.0,
        context_tokens: int = 100_000,
    ) -> None:
        self.name = "scripted"
        self.context_tokens = context_tokens
        self._reply = reply if callable(reply) else _in_turn(reply)
        self._word_weight = word_weight
        self._prefill_seconds = prefill_seconds
        self._token_seconds = token_seconds

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None = None
    ) -> Iterator[str]:
        """See Generator.stream."""
        check_room(sum(self.count_tokens(message.text) for message in messages), sampling, self.context_tokens)
        return self._speak(messages, sampling, cancelled)

    def _speak(self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None) -> Iterator[str]:
        if not _wait(self._prefill_seconds, cancelled):
            return
        for character in self._reply(messages)[: sampling.max_new_tokens]:
            if not _wait(self._token_seconds, cancelled):
                return
            yield character

    def next_word_probabilities(
        self, messages: Sequence[Message], words: Sequence[str], cancelled: Cancelled | None = None
    ) -> tuple[float, ...]:
        """See Generator.next_word_probabilities."""
        first_tokens(words, lambda word: [ord(character) for character in word])
        if not _wait(self._prefill_seconds, cancelled):
            return (0.0,) * len(words)
        weigh = self._word_weight or (lambda _messages, _word: 1 / len(words))
        return tuple(weigh(messages, word) for word in words)

    def count_tokens(self, text: str) -> int:
        """See Generator.count_tokens."""
        return len(text)

    def warm_up(self, messages: Sequence[Message]) -> None:
        """Do nothing: a script is always warm."""

    def close(self) -> None:
        """Do nothing: a script holds nothing."""


def _wait(seconds: float, cancelled: Cancelled | None) -> bool:
    """Wait, and return whether the work may go on."""
    if cancelled is None:
        time.sleep(seconds)
        return True
    return not cancelled.wait(seconds)


def _in_turn(replies: Sequence[str]) -> Callable[[Sequence[Message]], str]:
    left = list(reversed(replies))

    def reply(_messages: Sequence[Message]) -> str:
        try:
            return left.pop()  # one list operation: safe from several threads
        except IndexError:
            raise GenerationError(f"the script has only {len(replies)} replies, and all are used") from None

    return reply
