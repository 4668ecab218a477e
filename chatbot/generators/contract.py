"""What every generator promises, and the checks they share. Knows no engine; `chatbot.generate` is the way in."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from chatbot.errors import PromptTooLongError

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat prompt. Its text is plain text: what looks like an engine's control token is defused."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to generate. Temperature 0 is greedy: the same prompt gives the same text on the same engine."""

    max_new_tokens: int = 320
    temperature: float = 0.0
    seed: int = 0


class Cancelled(threading.Event):
    """Set by whoever no longer wants the text; a generator then stops before the next token, or during prefill."""


@runtime_checkable
class Generator(Protocol):
    """A chat model. Safe to call from several threads at once; each call is one asker."""

    name: str  # goes into Answer.model
    context_tokens: int  # prompt and reply together

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None = None
    ) -> Iterator[str]:
        """Yield the reply piece by piece; the joined pieces are the whole reply, never cut inside a character.

        Closing the iterator, or setting `cancelled`, stops the work; a cancelled stream ends without an error.
        Raises PromptTooLongError before any work, GenerationError if the engine fails.
        """

    def next_word_probabilities(
        self, messages: Sequence[Message], words: Sequence[str], cancelled: Cancelled | None = None
    ) -> tuple[float, ...]:
        """Return, per word, the probability in [0, 1] that the reply begins with it; they add up to at most 1.

        It is the model's own probability of the word's first token among all tokens, at temperature 1. An engine that
        reports only the likeliest tokens gives 0 for a word beyond them; a cancelled call gives 0 for every word.
        Words must differ from each other in their first token, and none may be empty (ValueError if not).
        """

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` takes in a message, without the chat template's own; 0 for ""."""

    def warm_up(self, messages: Sequence[Message]) -> None:
        """Do what makes the first real call as fast as later ones; `messages` share its prompt prefix."""

    def close(self) -> None:
        """Free memory and threads; calling it twice is harmless."""


def check_room(prompt_tokens: int, sampling: Sampling, context_tokens: int) -> None:
    """Raise PromptTooLongError unless the prompt and the longest reply asked for fit together."""
    if prompt_tokens + sampling.max_new_tokens > context_tokens:
        raise PromptTooLongError(
            f"the prompt takes {prompt_tokens} tokens and the reply up to {sampling.max_new_tokens}, but the model "
            f"reads {context_tokens} in all: ask with less evidence, or raise context_tokens"
        )


def first_tokens(words: Sequence[str], encode: Callable[[str], Sequence[int]]) -> tuple[int, ...]:
    """Return the first token of each word. Raises ValueError for no words, an empty word, or a shared first token."""
    if not words or "" in words:
        raise ValueError(f"expected words, none of them empty: {words!r}")
    firsts = tuple(encode(word)[0] for word in words)
    if len(set(firsts)) < len(firsts):
        raise ValueError(f"two of {words!r} begin with the same token")
    return firsts
