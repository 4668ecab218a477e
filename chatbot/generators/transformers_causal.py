"""Any causal language model of transformers: for graphics cards and full precision. Knows no prompts.

Own loop instead of `generate`: the prompt goes in by pieces, so that it can be cancelled, and no thread is needed.
Nothing is kept from one prompt to the next.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.errors import GenerationError, ModelLoadError
from chatbot.generators.contract import Cancelled, Message, Sampling, check_room, first_tokens
from chatbot.generators.pieces import Pieces
from chatbot.generators.plain_text import chat, plain_text

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_PREFILL_TOKENS = 128  # a cancelled prompt stops after at most this many more tokens


def load_transformers(model: Path | str, context_tokens: int = 4096) -> "TransformersGenerator":
    """Return the model of a local folder or hub name, on the graphics card if there is one.

    Raises ModelLoadError if it cannot be loaded or has no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
        causal = AutoModelForCausalLM.from_pretrained(model, dtype="auto")
    except (OSError, ValueError) as error:
        raise ModelLoadError(f"{model}: transformers cannot load it ({str(error).splitlines()[0]})") from error
    if not tokenizer.chat_template:
        raise ModelLoadError(f"{model}: this model has no chat template; choose an instruct or chat model")
    if torch.cuda.is_available():
        torch.nn.Module.to(causal, "cuda")
    return TransformersGenerator(causal, tokenizer, Path(model).name, context_tokens)


class TransformersGenerator:
    """A loaded model. Greedy replies repeat; with a temperature, the same seed gives the same reply on one machine."""

    def __init__(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", name: str, context_tokens: int
    ) -> None:
        self.name = f"{name} (transformers)"
        self.context_tokens = context_tokens
        self._model: PreTrainedModel | None = model
        self._tokenizer = tokenizer
        self._ends = _end_tokens(model, tokenizer)

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancelled | None = None
    ) -> Iterator[str]:
        """See Generator.stream."""
        prompt = self._prompt(messages)
        check_room(len(prompt), sampling, self.context_tokens)
        return self._read(prompt, sampling, cancelled)

    def _read(self, prompt: list[int], sampling: Sampling, cancelled: Cancelled | None) -> Iterator[str]:
        pieces = Pieces(self._decode)
        for token in self._tokens(prompt, sampling, cancelled):
            piece = pieces.add([token])
            if piece:
                yield piece
        rest = pieces.rest()
        if rest and not (cancelled and cancelled.is_set()):
            yield rest

    def _tokens(self, prompt: list[int], sampling: Sampling, cancelled: Cancelled | None) -> Iterator[int]:
        reader = _Reader(self._loaded(), cancelled)
        choose = _chooser(sampling)
        logits = reader.read(prompt)
        for _ in range(sampling.max_new_tokens):
            if logits is None:
                return
            token = choose(logits)
            if token in self._ends:
                return
            yield token
            logits = reader.read([token])

    def next_word_probabilities(
        self, messages: Sequence[Message], words: Sequence[str], cancelled: Cancelled | None = None
    ) -> tuple[float, ...]:
        """See Generator.next_word_probabilities."""
        firsts = first_tokens(words, self._encode)
        prompt = self._prompt(messages)
        check_room(len(prompt), Sampling(max_new_tokens=1), self.context_tokens)
        logits = _Reader(self._loaded(), cancelled).read(prompt)
        if logits is None:
            return (0.0,) * len(words)
        probabilities = logits.double().softmax(-1)
        return tuple(float(probabilities[first]) for first in firsts)

    def count_tokens(self, text: str) -> int:
        """See Generator.count_tokens."""
        return len(self._encode(plain_text(text)))

    def warm_up(self, messages: Sequence[Message]) -> None:
        """See Generator.warm_up."""
        for _ in self.stream(messages, Sampling(max_new_tokens=1)):
            pass

    def close(self) -> None:
        """See Generator.close."""
        self._model = None

    def _loaded(self) -> "PreTrainedModel":
        if self._model is None:
            raise GenerationError("this model is closed: open it again")
        return self._model

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        text = self._tokenizer.apply_chat_template(chat(messages), tokenize=False, add_generation_prompt=True)
        return self._encode(str(text))

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))


class _Reader:
    """One prompt and its reply so far, as the model has read them."""

    def __init__(self, model: "PreTrainedModel", cancelled: Cancelled | None) -> None:
        self._model = model
        self._cancelled = cancelled
        self._past: Any = None  # the model's own cache type

    def read(self, tokens: list[int]) -> "torch.Tensor | None":
        """Return the logits after these further tokens, shape (n_vocabulary,); None once cancelled."""
        import torch

        logits = None
        for start in range(0, len(tokens), _PREFILL_TOKENS):
            if self._cancelled is not None and self._cancelled.is_set():
                return None
            piece = torch.tensor([tokens[start : start + _PREFILL_TOKENS]], device=self._model.device)
            with torch.inference_mode():  # never across a yield: the mode belongs to the thread
                output = self._model(input_ids=piece, past_key_values=self._past, use_cache=True, logits_to_keep=1)
            self._past = output.past_key_values
            logits = output.logits[0, -1].float()
        return logits


def _chooser(sampling: Sampling) -> "Callable[[torch.Tensor], int]":
    import torch

    if sampling.temperature <= 0:
        return lambda logits: int(logits.argmax())
    source = torch.Generator().manual_seed(sampling.seed)

    def draw(logits: "torch.Tensor") -> int:
        return int(torch.multinomial((logits.cpu() / sampling.temperature).softmax(-1), 1, generator=source))

    return draw


def _end_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    config = model.generation_config
    ends = config.eos_token_id if config is not None else None
    listed = ends if isinstance(ends, list) else [ends]
    return frozenset(int(end) for end in (*listed, tokenizer.eos_token_id) if end is not None)
