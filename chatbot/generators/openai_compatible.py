"""Any server that speaks OpenAI's chat interface: vLLM, llama-server, Ollama, a hosted model. Knows no prompts."""

import math
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import closing

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from chatbot.errors import GenerationError, ModelLoadError, PromptTooLongError
from chatbot.generators.contract import Cancelled, Message, Sampling, check_room
from chatbot.generators.plain_text import chat
from chatbot.generators.pump import Pump

_LISTED_TOKENS = 20  # the interface reports no more; a word beyond them has a probability below 1/20
_TEMPLATE_TOKENS = 8  # what chat templates put around a message, roughly


class OpenAIGenerator:
    """A model behind a server. The server applies the chat template; what repeats is up to it."""

    def __init__(
        self, base_url: str, model: str, api_key: str = "", context_tokens: int = 4096, timeout_seconds: float = 120.0
    ) -> None:
        """Connect nothing yet. Raises ModelLoadError without an address or a model's name."""
        if not base_url or not model:
            raise ModelLoadError("the engine openai needs base_url and the model's name on that server")
        self.name = model
        self.context_tokens = context_tokens
        self._base_url = base_url
        self._pump = Pump("openai")
        # No connection is kept: servers close idle ones, and a request may meet one just closing.
        http = openai.DefaultAsyncHttpxClient(
            base_url=base_url, timeout=timeout_seconds, limits=httpx2.Limits(max_keepalive_connections=0)
        )
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=timeout_seconds, max_retries=0, http_client=http
        )

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None = None
    ) -> Iterator[str]:
        """As the contract says; the length is checked by estimate here, and exactly by the server."""
        self._check_room(messages, sampling)
        return self._read(messages, sampling, cancelled)

    def _read(self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None) -> Iterator[str]:
        with closing(self._complete(messages, sampling, None, cancelled)) as chunks:
            for chunk in chunks:
                text = chunk.choices[0].delta.content if chunk.choices else None
                if text:
                    yield text

    def next_word_probabilities(
        self, messages: Sequence[Message], words: Sequence[str], cancelled: Cancelled | None = None
    ) -> tuple[float, ...]:
        """As the contract says, from the 20 likeliest tokens. The server's tokenizer is unknown, so two words are taken
        to share their first token if one begins with the other, or if one listed token begins both.
        """
        _check_words(words)
        self._check_room(messages, Sampling(max_new_tokens=1))
        likely: dict[str, float] = {}
        for chunk in self._complete(messages, Sampling(max_new_tokens=1), _LISTED_TOKENS, cancelled):
            likely |= _listed(chunk)
        return word_probabilities(words, likely)

    def count_tokens(self, text: str) -> int:
        """Return an estimate, rather too many than too few: the interface has no tokenizer.

        A character outside ASCII counts as one token, three ASCII characters as one.
        """
        wide = sum(not character.isascii() for character in text)
        return wide + math.ceil((len(text) - wide) / 3)

    def warm_up(self, messages: Sequence[Message]) -> None:
        """See Generator.warm_up."""
        for _ in self.stream(messages, Sampling(max_new_tokens=1)):
            pass

    def close(self) -> None:
        """See Generator.close."""
        if not self._pump.closed:
            self._pump.call(self._client.close())
            self._pump.close()

    def _check_room(self, messages: Sequence[Message], sampling: Sampling) -> None:
        tokens = sum(self.count_tokens(message.text) + _TEMPLATE_TOKENS for message in messages)
        check_room(tokens, sampling, self.context_tokens)

    def _complete(
        self, messages: Sequence[Message], sampling: Sampling, listed: int | None, cancelled: Cancelled | None
    ) -> Generator[ChatCompletionChunk]:
        if self._pump.closed:
            raise GenerationError("this model is closed: open it again")
        try:
            yield from self._pump.stream(lambda: self._chunks(messages, sampling, listed), cancelled)
        except openai.APITimeoutError as error:
            raise GenerationError(f"{self._base_url}: no answer in time; is the server overloaded?") from error
        except openai.APIConnectionError as error:
            raise GenerationError(f"{self._base_url}: cannot reach the server; is it running?") from error
        except openai.APIError as error:
            said = " ".join(error.message.split())
            kind = PromptTooLongError if "context" in said and "exceed" in said else GenerationError
            raise kind(f"{self._base_url}: the server refused ({said})") from error

    async def _chunks(
        self, messages: Sequence[Message], sampling: Sampling, listed: int | None
    ) -> AsyncGenerator[ChatCompletionChunk]:
        turns: list[ChatCompletionMessageParam] = chat(messages)  # type: ignore[assignment]  # same keys, wider type
        answer = await self._client.chat.completions.create(
            model=self.name, messages=turns, stream=True, max_tokens=sampling.max_new_tokens,
            temperature=sampling.temperature, seed=sampling.seed,
            logprobs=listed is not None or openai.omit, top_logprobs=openai.omit if listed is None else listed,
        )  # fmt: skip
        async with answer:
            async for chunk in answer:
                yield chunk


def _listed(chunk: ChatCompletionChunk) -> dict[str, float]:
    logprobs = chunk.choices[0].logprobs if chunk.choices else None
    places = (logprobs.content if logprobs else None) or []
    return {entry.token: math.exp(entry.logprob) for place in places for entry in place.top_logprobs}


def word_probabilities(words: Sequence[str], likely: dict[str, float]) -> tuple[float, ...]:
    """Return for each word the probability of the likeliest listed token that it begins with, or 0 without one.

    Raises ValueError if one token begins two words.
    """
    begins = [[token for token in likely if token and word.startswith(token.strip() or "\n")] for word in words]
    chosen = [max(tokens, key=lambda token: likely[token]) if tokens else None for tokens in begins]
    named = [token for token in chosen if token is not None]
    if len(set(named)) < len(named):
        raise ValueError(f"two of {words!r} begin with the same token")
    return tuple(0.0 if token is None else min(1.0, likely[token]) for token in chosen)


def _check_words(words: Sequence[str]) -> None:
    if not words or "" in words:
        raise ValueError(f"expected words, none of them empty: {words!r}")
    if any(a.startswith(b) for i, a in enumerate(words) for j, b in enumerate(words) if i != j):
        raise ValueError(f"one of {words!r} begins with another")
