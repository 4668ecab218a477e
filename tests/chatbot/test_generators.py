"""Every engine keeps the one contract; ScriptedGenerator is the oracle. What is an engine's own comes after."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from chatbot.errors import GenerationError, ModelLoadError, PromptTooLongError
from chatbot.generate import Cancelled, Generator, GeneratorSettings, Message, Sampling, open_generator
from chatbot.generators.openai_compatible import word_probabilities
from chatbot.generators.pieces import Pieces
from chatbot.generators.plain_text import plain_text
from chatbot.generators.scripted import ScriptedGenerator
from chatbot.generators.transformers_causal import TransformersGenerator
from corpus.home import open_home
from index.errors import WeightsError
from index.weights import generator_path

CONTEXT_TOKENS = 4096
HANG_SECONDS = 240  # no claim about speed: how long a test waits before it says that an engine hangs
LONG_TEXT = "全市新建改建农村公路，完善道路养护机制。" * 60  # more than one piece of prefill in every engine
SHORT_REPLY = Sampling(max_new_tokens=24)
LONG_REPLY = Sampling(max_new_tokens=1500)
COUNT = (Message("user", "从1数到1000，每个数字占一行，不要停。"),)
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant{{ '\n' }}"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A generator, and what may be claimed of it."""

    generator: Generator
    follows_orders: bool = True  # repeats a word when asked to; random weights do not
    counts_exactly: bool = True


class CancelledAtSecondLook(Cancelled):
    """Unset when first looked at, set from then on: cancels in mid-prompt, however fast the engine is."""

    looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return self.looks > 1

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(timeout or 0)
        return self.is_set()


def repeat(word: str) -> tuple[Message, ...]:
    return (Message("user", f"请原样重复冒号后的词，不要加任何别的字：{word}"),)


def open_scripted(_request: pytest.FixtureRequest) -> Opened:
    def reply(messages: Sequence[Message]) -> str:
        return messages[-1].text.rsplit("：", 1)[-1]

    return Opened(ScriptedGenerator(reply, prefill_seconds=0.01, context_tokens=CONTEXT_TOKENS))


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A token per byte, so that most characters take several."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", bos_token="<|im_start|>")
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def tiny_model(vocabulary: int) -> LlamaForCausalLM:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=8192, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def open_tiny(_request: pytest.FixtureRequest) -> Opened:
    tokenizer = byte_tokenizer()
    model = tiny_model(len(tokenizer))
    return Opened(TransformersGenerator(model, tokenizer, "tiny", 2 * CONTEXT_TOKENS), follows_orders=False)


def open_local(request: pytest.FixtureRequest) -> Opened:
    gguf: Path = request.getfixturevalue("gguf")
    settings = GeneratorSettings(request.param, gguf, context_tokens=CONTEXT_TOKENS, parallel=2)
    return Opened(open_generator(settings))


def open_served(request: pytest.FixtureRequest) -> Opened:
    address: str = request.getfixturevalue("llama_server")
    settings = GeneratorSettings("openai", "any", base_url=f"{address}/v1", context_tokens=CONTEXT_TOKENS)
    return Opened(open_generator(settings), counts_exactly=False)


OPENERS: dict[str, Callable[[pytest.FixtureRequest], Opened]] = {
    "scripted": open_scripted,
    "transformers": open_tiny,
    "openvino": open_local,
    "llama.cpp": open_local,
    "openai": open_served,
}


@pytest.fixture(scope="session")
def gguf() -> Path:
    try:
        return generator_path(open_home(os.environ.get("WENCE_HOME")).models)
    except WeightsError as error:
        pytest.skip(f"needs the default generator: {error}")


@pytest.fixture(scope="session")
def llama_server(gguf: Path) -> Iterator[str]:
    """The address of a real server of another program, as far as the client can tell."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.port, params.ui, params.verbosity = str(gguf), 0, False, 0
    params.n_parallel, params.n_ctx, params.n_batch, params.n_ubatch = 2, 2 * CONTEXT_TOKENS, 128, 128
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


@pytest.fixture(
    scope="module",
    params=[
        "scripted",
        "transformers",
        *(pytest.param(e, marks=pytest.mark.model) for e in ("openvino", "llama.cpp", "openai")),
    ],
)
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    opened = OPENERS[request.param](request)
    yield opened
    opened.generator.close()
    opened.generator.close()  # harmless, says the contract


def within_patience(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, or raise what it raises; fail if it hangs."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()  # not a pool, which would wait for a thread that hangs
    return done.result(timeout=HANG_SECONDS)


def say(generator: Generator, messages: Sequence[Message], sampling: Sampling = SHORT_REPLY) -> str:
    return "".join(generator.stream(messages, sampling))


def test_it_is_a_generator(opened: Opened) -> None:
    assert isinstance(opened.generator, Generator)


@pytest.mark.parametrize("word", ["😀👍", "龘靐"])  # several tokens each, none of them a whole character
def test_pieces_are_whole_characters_and_join_to_the_reply(opened: Opened, word: str) -> None:
    if not opened.follows_orders:
        pytest.skip("random weights write broken characters; see the tests of Pieces")
    pieces = list(opened.generator.stream(repeat(word), SHORT_REPLY))
    assert "".join(pieces).strip() == word
    assert not any("\N{REPLACEMENT CHARACTER}" in piece or piece == "" for piece in pieces)


def test_a_greedy_reply_repeats(opened: Opened) -> None:
    prompt = (Message("system", "用一句话回答。"), Message("user", "水在多少摄氏度结冰？"))
    assert say(opened.generator, prompt) == say(opened.generator, prompt)


def test_no_more_tokens_than_asked_for(opened: Opened) -> None:
    if not opened.counts_exactly:
        pytest.skip("this engine only estimates tokens")
    reply = say(opened.generator, COUNT, Sampling(max_new_tokens=5))
    assert opened.generator.count_tokens(reply) <= 5 or not opened.follows_orders


def test_cancelled_between_tokens_it_ends_without_an_error(opened: Opened) -> None:
    cancelled = Cancelled()
    stream = opened.generator.stream(COUNT, LONG_REPLY, cancelled)
    next(stream)
    cancelled.set()
    assert list(stream) == []


def test_cancelled_in_mid_prompt_it_says_nothing(opened: Opened) -> None:
    prompt = (Message("user", LONG_TEXT),)
    assert list(opened.generator.stream(prompt, LONG_REPLY, CancelledAtSecondLook())) == []


def test_closed_and_cancelled_streams_free_their_slots(opened: Opened) -> None:
    for _ in range(3):  # more than run at once
        with closing(opened.generator.stream(COUNT, LONG_REPLY)) as stream:  # type: ignore[type-var]
            next(stream)
        list(opened.generator.stream((Message("user", LONG_TEXT),), LONG_REPLY, CancelledAtSecondLook()))
    assert within_patience(lambda: say(opened.generator, repeat("苹果"))) != ""


def test_askers_at_the_same_time_get_their_own_replies(opened: Opened) -> None:
    if not opened.follows_orders:
        pytest.skip("random weights repeat nothing")
    words = ["苹果", "轮船", "山脉"]
    with ThreadPoolExecutor(len(words)) as threads:
        replies = list(threads.map(lambda word: say(opened.generator, repeat(word)), words))
    assert [word in reply for word, reply in zip(words, replies, strict=True)] == [True] * 3


def test_a_prompt_too_long_is_refused_before_any_work(opened: Opened) -> None:
    with pytest.raises(PromptTooLongError, match=str(opened.generator.context_tokens)):
        opened.generator.stream((Message("user", "字" * 9000),), Sampling())


def test_prompt_and_reply_must_fit_together(opened: Opened) -> None:
    with pytest.raises(PromptTooLongError):
        opened.generator.stream(COUNT, Sampling(max_new_tokens=opened.generator.context_tokens))


def test_next_words_are_probabilities(opened: Opened) -> None:
    prompt = (Message("user", "一加一等于二，对不对？只回答“对”或“错”。"),)
    found = opened.generator.next_word_probabilities(prompt, ("对", "错"))
    assert (min(found) >= 0, sum(found) <= 1) == (True, True)


def test_the_likelier_word_has_the_higher_probability(opened: Opened) -> None:
    if not opened.follows_orders or opened.generator.name == "scripted":
        pytest.skip("knows nothing about the world")
    prompt = (Message("user", "What is 1+1? Reply with one digit."),)
    two, nine = opened.generator.next_word_probabilities(prompt, ("2", "9"))
    assert two > 0.5 > nine


def test_a_cancelled_question_about_words_gives_zeros(opened: Opened) -> None:
    cancelled = Cancelled()
    cancelled.set()
    assert opened.generator.next_word_probabilities(COUNT, ("是", "yes"), cancelled) == (0.0, 0.0)


@pytest.mark.parametrize("words", [(), ("有", ""), ("有", "有")])
def test_words_must_differ_and_not_be_empty(opened: Opened, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected words|begin"):
        opened.generator.next_word_probabilities(COUNT, words)


def test_words_that_share_a_first_token_are_refused(opened: Opened) -> None:
    with pytest.raises(ValueError, match="begin"):
        opened.generator.next_word_probabilities(COUNT, ("7", "71"))


def test_no_text_takes_no_tokens(opened: Opened) -> None:
    assert opened.generator.count_tokens("") == 0


def test_more_text_takes_more_tokens(opened: Opened) -> None:
    assert 0 < opened.generator.count_tokens("地区生产总值") < opened.generator.count_tokens("地区生产总值" * 20)


def test_a_control_token_in_a_text_is_read_as_characters(opened: Opened) -> None:
    assert opened.generator.count_tokens("<|im_end|>") > 1


def test_warming_up_changes_no_reply(opened: Opened) -> None:
    before = say(opened.generator, repeat("苹果"))
    opened.generator.warm_up(COUNT)
    assert say(opened.generator, repeat("苹果")) == before


# --- Pieces and plain text: what the engines share


@given(st.text())
def test_pieces_of_any_text_join_to_it(text: str) -> None:
    pieces = Pieces(lambda tokens: bytes(tokens).decode("utf-8", errors="replace"))
    assert "".join([*(pieces.add([byte]) for byte in text.encode()), pieces.rest()]) == text


def test_a_character_is_held_back_until_it_is_whole() -> None:
    pieces = Pieces(lambda tokens: bytes(tokens).decode("utf-8", errors="replace"))
    assert [pieces.add([byte]) for byte in "𠮷".encode()] == ["", "", "", "𠮷"]


def test_bytes_that_never_make_a_character_come_last() -> None:
    pieces = Pieces(lambda tokens: bytes(tokens).decode("utf-8", errors="replace"))
    assert (pieces.add([0x61, 0xF0]), pieces.rest()) == ("a", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    "token",
    ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<｜User｜>", "</s>", "<end_of_turn>", "[/INST]", "<<SYS>>"],
)
def test_no_control_token_survives(token: str) -> None:
    assert token not in plain_text(f"甲{token}乙<{token}")


@given(st.text(st.sampled_from("<|>/s[]INT"), max_size=30))
def test_defusing_twice_changes_nothing_more(text: str) -> None:
    assert plain_text(plain_text(text)) == plain_text(text)


@pytest.mark.parametrize("text", ["a < b | c > d", "增长[1]，见<表1>。", "x<|y"[:2], "SYS [INSTITUTE]"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


# --- ScriptedGenerator


def test_a_script_gives_its_replies_in_turn() -> None:
    generator = ScriptedGenerator(["一", "二"])
    assert [say(generator, COUNT), say(generator, COUNT)] == ["一", "二"]


def test_a_script_that_ran_out_says_so() -> None:
    with pytest.raises(GenerationError, match="only 0 replies"):
        say(ScriptedGenerator([]), COUNT)


def test_a_script_weighs_words_as_told() -> None:
    generator = ScriptedGenerator([], word_weight=lambda _messages, word: {"有": 0.7, "没有": 0.2}[word])
    assert generator.next_word_probabilities(COUNT, ("有", "没有")) == (0.7, 0.2)


# --- TransformersGenerator


@pytest.fixture(scope="module")
def tiny() -> TransformersGenerator:
    tokenizer = byte_tokenizer()
    return TransformersGenerator(tiny_model(len(tokenizer)), tokenizer, "tiny", 2 * CONTEXT_TOKENS)


def test_a_prompt_read_by_pieces_gives_the_probabilities_of_one_read_at_once(tiny: TransformersGenerator) -> None:
    text = "<|im_start|>user\n" + LONG_TEXT + "<|im_end|>\n<|im_start|>assistant\n"
    tokenizer = byte_tokenizer()
    with torch.inference_mode():
        logits = tiny_model(len(tokenizer))(torch.tensor([tokenizer.encode(text)])).logits[0, -1]
    expected = logits.softmax(-1)[tokenizer.encode("a")[0]]
    (found,) = tiny.next_word_probabilities((Message("user", LONG_TEXT),), ("a",))
    assert found == pytest.approx(float(expected), rel=1e-3)


def test_a_seed_repeats_a_sampled_reply_and_another_does_not(tiny: TransformersGenerator) -> None:
    first, again, other = (say(tiny, COUNT, Sampling(40, temperature=1.0, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_an_unloadable_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="transformers cannot load it") as caught:
        open_generator(GeneratorSettings("transformers", tmp_path))
    assert "\n" not in str(caught.value)


def test_a_saved_model_is_opened_from_its_folder(tmp_path: Path) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    tiny_model(len(tokenizer)).save_pretrained(tmp_path)
    generator = open_generator(GeneratorSettings("transformers", tmp_path))
    assert generator.name == f"{tmp_path.name} (transformers)"
    assert say(generator, COUNT, Sampling(4)) is not None


# --- OpenAIGenerator


@pytest.fixture
def free_address() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


@pytest.fixture
def silent_address() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def test_a_server_that_is_not_there_is_named(free_address: str) -> None:
    settings = GeneratorSettings("openai", "m", base_url=free_address)
    with (
        closing(open_generator(settings)) as generator,
        pytest.raises(GenerationError, match=f"^{free_address}: cannot"),
    ):
        say(generator, COUNT)


def test_a_silent_server_is_given_up(silent_address: str) -> None:
    settings = GeneratorSettings("openai", "m", base_url=silent_address, timeout_seconds=0.2)
    with closing(open_generator(settings)) as generator, pytest.raises(GenerationError, match="no answer in time"):
        say(generator, COUNT)


def test_waiting_for_a_silent_server_can_be_cancelled(silent_address: str) -> None:
    cancelled = Cancelled()
    threading.Timer(0.2, cancelled.set).start()
    with closing(open_generator(GeneratorSettings("openai", "m", base_url=silent_address))) as generator:
        assert within_patience(lambda: list(generator.stream(COUNT, Sampling(4), cancelled))) == []


def test_an_address_is_needed() -> None:
    with pytest.raises(ModelLoadError, match="base_url"):
        open_generator(GeneratorSettings("openai", "m"))


def test_a_word_has_the_probability_of_its_likeliest_listed_beginning() -> None:
    assert word_probabilities(("没有", "有"), {"没": 0.2, "没有": 0.5, "有": 0.1}) == (0.5, 0.1)


def test_a_word_beyond_the_listed_tokens_has_none() -> None:
    assert word_probabilities(("没有", "有"), {"有": 0.9}) == (0.0, 0.9)


def test_one_listed_token_that_begins_two_words_is_refused() -> None:
    with pytest.raises(ValueError, match="same token"):
        word_probabilities(("没有", "没收"), {"没": 0.9})


# --- Local engines: files that are not models, and a worker that dies


@pytest.mark.parametrize("engine", ["openvino", "llama.cpp"])
def test_a_missing_model_is_named(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"nowhere\.gguf: no such model"):
        open_generator(GeneratorSettings(engine, tmp_path / "nowhere.gguf"))


@pytest.mark.parametrize("engine", ["openvino", "llama.cpp"])
def test_a_broken_model_is_named_and_leaves_nothing(engine: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelLoadError, match=r"broken\.gguf: .* cannot"):
        open_generator(GeneratorSettings(engine, broken))
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["broken.gguf"]


@pytest.mark.model
def test_a_converted_model_is_converted_once(gguf: Path) -> None:
    from chatbot.generators.openvino_convert import converted_folder

    folder = converted_folder(gguf)
    made = (folder / "openvino_model.bin").stat().st_mtime_ns
    assert (converted_folder(gguf) / "openvino_model.bin").stat().st_mtime_ns == made


@pytest.mark.model
def test_a_dead_worker_is_an_error_not_a_hang(gguf: Path) -> None:
    from chatbot.generators.openvino_cpu import OpenVinoGenerator

    with closing(OpenVinoGenerator(gguf, context_tokens=CONTEXT_TOKENS, parallel=1)) as generator:
        stream = generator.stream(COUNT, LONG_REPLY)
        next(stream)
        os.kill(generator.worker_pid, 9)
        with pytest.raises(GenerationError, match="its process ended"):
            within_patience(lambda: list(stream))
