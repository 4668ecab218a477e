"""A GGUF model on llama.cpp, its server running inside this process. Knows no prompts.

The server is reached through a socket file in a private folder: no port is opened, and closing a request's connection
is what makes llama.cpp stop in the middle of a prompt (its in-process calls cannot be stopped before the first token).
"""

import json
import math
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from chatbot.errors import GenerationError, ModelLoadError
from chatbot.generators.contract import Cancelled, Message, Sampling, check_room, first_tokens
from chatbot.generators.plain_text import chat, plain_text
from chatbot.generators.pump import Pump
from corpus.errors import MissingDependencyError

_PREFILL_TOKENS = 128  # a cancelled prompt stops after at most this many more tokens
_LISTED_TOKENS = 1000  # a word that is not among so many likeliest tokens has a probability below 1/1000
_NO_LOG = 0  # errors come as answers too, and are raised

Fields = dict[str, Any]  # one JSON object of the server's interface


class LlamaCppGenerator:
    """A GGUF file. Greedy replies repeat while nobody else asks at the same time; a batch may round differently."""

    def __init__(self, model: Path, threads: int = 0, context_tokens: int = 4096, parallel: int = 4) -> None:
        """Load the model. Raises ModelLoadError if it cannot be."""
        if not model.is_file():
            raise ModelLoadError(f"{model}: no such model; `wence models prepare` makes the default one")
        self.name = f"{model.stem} (llama.cpp)"
        self.context_tokens = context_tokens
        self._folder = tempfile.TemporaryDirectory(prefix="wence-")  # private: only this user may enter
        address = Path(self._folder.name) / "llama.sock"
        try:
            self._server: object | None = _serve(model, address, threads, context_tokens, parallel)
        except BaseException:
            self._folder.cleanup()
            raise
        self._pump = Pump("llama.cpp")
        # No connection is kept: the server closes idle ones after seconds, and a request may meet one just closing.
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(address), limits=httpx.Limits(max_keepalive_connections=0)),
            base_url="http://llama.cpp",
            timeout=None,  # noqa: S113  # a queue of askers may be long; `cancelled` ends a wait
        )

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None = None
    ) -> Iterator[str]:
        """See Generator.stream."""
        prompt = self._prompt(messages)
        check_room(len(prompt), sampling, self.context_tokens)
        order = {
            "prompt": prompt, "n_predict": sampling.max_new_tokens,
            "temperature": sampling.temperature, "seed": sampling.seed,
        }  # fmt: skip
        return self._read(order, cancelled)

    def _read(self, order: Fields, cancelled: Cancelled | None) -> Iterator[str]:
        with closing(self._complete(order, cancelled)) as events:
            for event in events:
                if event["content"]:
                    yield event["content"]

    def next_word_probabilities(
        self, messages: Sequence[Message], words: Sequence[str], cancelled: Cancelled | None = None
    ) -> tuple[float, ...]:
        """See Generator.next_word_probabilities."""
        firsts = first_tokens(words, self._encode)
        prompt = self._prompt(messages)
        check_room(len(prompt), Sampling(max_new_tokens=1), self.context_tokens)
        order = {"prompt": prompt, "n_predict": 1, "temperature": 0, "n_probs": _LISTED_TOKENS}
        likely: dict[int, float] = {}
        for event in self._complete(order, cancelled):
            for place in event.get("completion_probabilities", []):
                likely |= {entry["id"]: entry["logprob"] for entry in place["top_logprobs"]}
        return tuple(_probability(likely.get(first)) for first in firsts)

    def count_tokens(self, text: str) -> int:
        """See Generator.count_tokens."""
        return len(self._encode(plain_text(text))) if text else 0

    def warm_up(self, messages: Sequence[Message]) -> None:
        """See Generator.warm_up."""
        for _ in self.stream(messages, Sampling(max_new_tokens=2)):
            pass

    def close(self) -> None:
        """See Generator.close."""
        if self._server is None:
            return
        self._pump.call(self._http.aclose())
        self._pump.close()
        self._server = None  # the last reference: llama.cpp stops and frees its memory
        self._folder.cleanup()

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        prompt = self._post("/apply-template", {"messages": chat(messages)})["prompt"]
        return self._tokens(prompt, special=True)

    def _encode(self, text: str) -> list[int]:
        return self._tokens(text, special=False)

    def _tokens(self, text: str, special: bool) -> list[int]:
        order = {"content": text, "add_special": special, "parse_special": special}
        return [int(token) for token in self._post("/tokenize", order)["tokens"]]

    def _post(self, path: str, order: Fields) -> Fields:
        if self._server is None:
            raise GenerationError("this model is closed: open it again")
        try:
            return _checked(self._pump.call(self._http.post(path, json=order)))
        except httpx.HTTPError as error:
            raise GenerationError(f"llama.cpp stopped answering ({error})") from error

    def _complete(self, order: Fields, cancelled: Cancelled | None) -> Generator[Fields]:
        if self._server is None:
            raise GenerationError("this model is closed: open it again")
        try:
            yield from self._pump.stream(lambda: self._events(order), cancelled)
        except httpx.HTTPError as error:
            raise GenerationError(f"llama.cpp stopped answering ({error})") from error

    async def _events(self, order: Fields) -> AsyncGenerator[Fields]:
        async with self._http.stream("POST", "/completion", json=order | {"stream": True}) as response:
            if response.is_error:
                await response.aread()
                _checked(response)
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield _event(json.loads(line.removeprefix("data: ")))


def _serve(model: Path, address: Path, threads: int, context_tokens: int, parallel: int) -> object:
    try:
        import xllamacpp  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingDependencyError("xllamacpp is missing: pip install xllamacpp") from error

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.hostnames = [str(address)]
    params.n_parallel = parallel
    params.n_ctx = context_tokens * parallel
    params.n_batch = params.n_ubatch = _PREFILL_TOKENS
    params.verbosity = _NO_LOG
    params.ui = False
    if threads:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    try:
        server: object = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelLoadError(f"{model}: llama.cpp cannot load it; run `wence models verify`") from error
    return server


def _event(event: Fields) -> Fields:
    if "error" in event:
        raise GenerationError(f"llama.cpp failed: {event['error'].get('message', event['error'])}")
    return event


def _checked(response: httpx.Response) -> Fields:
    fields: Fields = response.json()
    return _event(fields)


def _probability(logprob: float | None) -> float:
    return 0.0 if logprob is None else min(1.0, math.exp(logprob))
