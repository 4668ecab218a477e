"""A local model on OpenVINO: continuous batching, kept prompt prefixes, in a process of its own. Knows no prompts."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from chatbot.errors import ModelLoadError
from chatbot.generators.contract import Cancelled, Message, Sampling, check_room, first_tokens
from chatbot.generators.openvino_client import WorkerClient
from chatbot.generators.openvino_convert import converted_folder
from chatbot.generators.openvino_worker import Line, WorkerSettings
from chatbot.generators.pieces import Pieces
from chatbot.generators.plain_text import chat, plain_text
from corpus.errors import MissingDependencyError

_PREFILL_TOKENS = 128  # a cancelled prompt stops after at most this many more tokens


class OpenVinoGenerator:
    """A GGUF file or an OpenVINO folder. A GGUF file is converted once, which takes a while and needs disk space.

    Greedy replies repeat as long as nobody else asks at the same time; a batch may round differently. Seeds are
    not promised: the engine draws for all askers from one source.
    """

    def __init__(
        self,
        model: Path,
        cache_folder: Path | None = None,
        threads: int = 0,
        context_tokens: int = 4096,
        parallel: int = 4,
    ) -> None:
        try:
            import openvino_genai as genai  # type: ignore[import-untyped]
        except ImportError as error:
            raise MissingDependencyError("openvino-genai is missing: pip install openvino-genai") from error

        folder = converted_folder(model, cache_folder)
        self.name = f"{model.stem} (openvino)"
        self.context_tokens = context_tokens
        try:
            self._tokenizer = genai.Tokenizer(str(folder))
        except RuntimeError as error:
            raise ModelLoadError(
                f"{folder}: OpenVINO cannot read its tokenizer; delete the folder to remake it"
            ) from error
        self._worker = WorkerClient(WorkerSettings(str(folder), threads, context_tokens, parallel, _PREFILL_TOKENS))

    @property
    def worker_pid(self) -> int:
        """The process that computes."""
        return self._worker.pid

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None = None
    ) -> Iterator[str]:
        """See Generator.stream."""
        tokens = self._prompt(messages)
        check_room(len(tokens), sampling, self.context_tokens)
        return self._read({
            "tokens": tokens, "max_new_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature, "seed": sampling.seed,
        }, cancelled)  # fmt: skip

    def _read(self, order: Line, cancelled: Cancelled | None) -> Iterator[str]:
        pieces = Pieces(lambda tokens: self._tokenizer.decode(tokens))
        with closing(self._worker.ask(order, cancelled)) as lines:
            for line in lines:
                piece = pieces.add(line["tokens"])
                if piece:
                    yield piece
        rest = pieces.rest()
        if rest and not (cancelled and cancelled.is_set()):
            yield rest

    def next_word_probabilities(
        self, messages: Sequence[Message], words: Sequence[str], cancelled: Cancelled | None = None
    ) -> tuple[float, ...]:
        """See Generator.next_word_probabilities."""
        firsts = first_tokens(words, self._encode)
        tokens = self._prompt(messages)
        check_room(len(tokens), Sampling(max_new_tokens=1), self.context_tokens)
        # One word after the other: the first computes the prompt, the others find it kept.
        found = [self._probability(tokens, word, first, cancelled) for word, first in zip(words, firsts, strict=True)]
        return (0.0,) * len(words) if cancelled and cancelled.is_set() else tuple(found)

    def _probability(self, tokens: list[int], word: str, first: int, cancelled: Cancelled | None) -> float:
        lines = list(self._worker.ask({"tokens": tokens, "word": word}, cancelled))
        # A likelier token that the word can begin with (没 for 没有) is not the one that was asked about.
        return float(lines[0]["probability"]) if lines and lines[0]["tokens"] == [first] else 0.0

    def count_tokens(self, text: str) -> int:
        """See Generator.count_tokens."""
        return len(self._encode(plain_text(text))) if text else 0

    def warm_up(self, messages: Sequence[Message]) -> None:
        """See Generator.warm_up."""
        for _ in self.stream(messages, Sampling(max_new_tokens=2)):
            pass
        self.next_word_probabilities(messages, ("有",))  # compiles the grammar code

    def close(self) -> None:
        """See Generator.close."""
        self._worker.close()

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        return self._encode(self._tokenizer.apply_chat_template(chat(messages), add_generation_prompt=True))

    def _encode(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False).input_ids.data[0]]
