"""Every embedder keeps one contract; the light BERT gives what sentence-transformers gives."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import index
from corpus.home import open_home
from index.convert import E5Image, write_folder
from index.embed import Embedder, EmbedderSettings, HashEmbedder, LibraryEncoder, open_embedder
from index.errors import WeightsError
from index.weights import embedder_folder, list_models

LETTERS = "海港市政府工作报告增长年万人亿元0123456789abcdefghijklmnopqrstuvwxyz.%"
TEXTS = ("海港市增长5.5%", "a", "", "政府工作报告" * 9, "\ud800 𠮷\n", "120 buses", "a")


def layer_tensors(rng: np.random.Generator, layer: int) -> dict[str, np.ndarray]:
    """Random weights of one layer of width 32, under BERT's names."""
    shapes = {f"attention.self.{name}": (32, 32) for name in ("query", "key", "value")}
    shapes |= {"attention.output.dense": (32, 32), "intermediate.dense": (64, 32), "output.dense": (32, 64)}
    tensors = {}
    for name, shape in shapes.items():
        tensors[f"encoder.layer.{layer}.{name}.weight"] = rng.normal(0, 0.3, shape)
        tensors[f"encoder.layer.{layer}.{name}.bias"] = rng.normal(0, 0.3, shape[0])
    for name in ("attention.output", "output"):
        tensors[f"encoder.layer.{layer}.{name}.LayerNorm.weight"] = rng.normal(1, 0.1, 32)
        tensors[f"encoder.layer.{layer}.{name}.LayerNorm.bias"] = rng.normal(0, 0.1, 32)
    return tensors


def tiny_bert() -> E5Image:
    """A random two-layer BERT of width 32 that reads at most 24 tokens, one a character."""
    rng = np.random.default_rng(7)
    pieces = ("<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, "<mask>")
    tensors = {f"embeddings.LayerNorm.{name}": rng.normal(1, 0.1, 32) for name in ("weight", "bias")}
    for name, rows in (("word", len(pieces)), ("position", 24), ("token_type", 2)):
        tensors[f"embeddings.{name}_embeddings.weight"] = rng.normal(0, 1, (rows, 32))
    for layer in range(2):
        tensors |= layer_tensors(rng, layer)
    scored = tuple((piece, 0.0 if piece.startswith("<") else -2.0) for piece in pieces)
    single = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    return E5Image(32, 2, 4, 64, len(pieces), 24, 2, 1e-12, 3, scored, single)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_folder(tiny_bert(), folder)
    return folder


@pytest.fixture(scope="session")
def real_models() -> Path:
    models = open_home(os.environ.get("WENCE_HOME")).models
    if list_models(models)[1].state != "ready":
        pytest.skip("needs the default embedder: run `wence models prepare`")
    return models


@pytest.fixture(scope="session")
def embedders() -> dict[str, Embedder]:
    """Opened embedders by kind, so that each is loaded once."""
    return {}


@pytest.fixture(params=["hash", "tiny", pytest.param("real", marks=pytest.mark.model)])
def embedder(request: pytest.FixtureRequest, embedders: dict[str, Embedder]) -> Embedder:
    kind = request.param
    if kind not in embedders:
        embedders[kind] = open_kind(kind, request)
    return embedders[kind]


def open_kind(kind: str, request: pytest.FixtureRequest) -> Embedder:
    if kind == "real":
        return open_embedder(EmbedderSettings(precision="float32"), request.getfixturevalue("real_models"))
    model = "hash" if kind == "hash" else str(request.getfixturevalue("tiny_folder"))
    return open_embedder(EmbedderSettings(model, "float32"), Path("nowhere"))


def test_rows_are_unit_vectors_of_float32(embedder: Embedder) -> None:
    vectors = embedder.embed_documents(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), embedder.dim), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dim)
    assert embedder.embed_queries([]).shape == (0, embedder.dim)


def test_vector_depends_on_its_text_alone(embedder: Embedder) -> None:
    together = embedder.embed_documents(TEXTS)
    alone = np.concatenate([embedder.embed_documents([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=2e-6)


def test_order_is_kept_over_several_batches(embedder: Embedder) -> None:
    texts = ["增长" * (number % 7) + str(number) for number in range(40)]
    backwards = embedder.embed_documents(texts[::-1])
    np.testing.assert_allclose(embedder.embed_documents(texts), backwards[::-1], atol=2e-6)


def test_different_texts_have_different_vectors(embedder: Embedder) -> None:
    first, second = embedder.embed_documents(["海港市增长", "120 buses"])
    assert first @ second < 0.999


def test_threads_may_embed_at_once(embedder: Embedder) -> None:
    texts = [f"{number}年增长" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: embedder.embed_queries([text])[0], texts))
    np.testing.assert_allclose(np.stack(rows), embedder.embed_queries(texts), atol=2e-6)


def test_name_and_fingerprint_are_filled(embedder: Embedder) -> None:
    assert embedder.name
    assert len(embedder.fingerprint) == 64


@given(st.text())
def test_hash_embedder_takes_any_text(text: str) -> None:
    vector = HashEmbedder(16).embed_documents([text])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_hash_embedder_puts_shared_characters_near() -> None:
    question, near, far = HashEmbedder().embed_documents(["粮食总产量是多少", "粮食总产量340万吨", "bus lanes"])
    assert question @ near > question @ far + 0.3


def test_empty_text_hashes_to_the_first_unit_vector() -> None:
    assert HashEmbedder(4).embed_documents([""]).tolist() == [[1, 0, 0, 0]]


def tiny(folder: Path, **changes: str) -> Embedder:
    return open_embedder(EmbedderSettings(**{"model": str(folder), "precision": "float32", **changes}), Path("nowhere"))


def test_queries_and_documents_get_their_prefixes(tiny_folder: Path) -> None:
    with_prompts = tiny(tiny_folder)
    without = tiny(tiny_folder, query_prefix="", document_prefix="")
    expected = without.embed_documents(["query: 海港", "passage: 海港"])
    given = [with_prompts.embed_queries(["海港"])[0], with_prompts.embed_documents(["海港"])[0]]
    np.testing.assert_allclose(given, expected, atol=2e-6)


def test_text_beyond_the_limit_is_cut_at_its_end(tiny_folder: Path) -> None:
    embedder = tiny(tiny_folder, document_prefix="")
    short, long = embedder.embed_documents(["海" * 21, "海" * 21 + "港市" * 50])  # with <s>, ▁ and </s>: 24 tokens
    np.testing.assert_allclose(short, long, atol=2e-6)


@pytest.mark.parametrize(
    "changes", [{"precision": "bfloat16"}, {"query_prefix": "q: "}, {"document_prefix": "d: "}], ids=str
)
def test_fingerprint_follows_every_setting_of_the_vectors(tiny_folder: Path, changes: dict[str, str]) -> None:
    assert tiny(tiny_folder, **changes).fingerprint != tiny(tiny_folder).fingerprint


def test_fingerprint_follows_weights_and_length(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    write_folder(tiny_bert(), tmp_path / "copy")
    assert tiny(tmp_path / "copy").fingerprint == tiny(tiny_folder).fingerprint
    limits = tmp_path / "copy" / "sentence_bert_config.json"
    limits.write_text(json.dumps({"max_seq_length": 12}), encoding="utf-8")
    assert tiny(tmp_path / "copy").fingerprint != tiny(tiny_folder).fingerprint


def test_bfloat16_is_near_float32(tiny_folder: Path) -> None:
    exact = tiny(tiny_folder).embed_documents(TEXTS)
    rounded = tiny(tiny_folder, precision="bfloat16").embed_documents(TEXTS)
    assert (exact * rounded).sum(axis=1).min() > 0.99


@pytest.mark.parametrize(("able", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_precision_follows_the_processor(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, able: bool, precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able})
    assert tiny(tiny_folder, precision="auto").name.endswith(f":{precision}")


def test_broken_weights_are_one_line(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    write_folder(tiny_bert(), folder)
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match=r"cannot be loaded \(.*\): name another$"):
        tiny(folder)


LIBRARY = "ignore::DeprecationWarning"  # sentence-transformers' own imports


@pytest.mark.filterwarnings(LIBRARY)
def test_light_bert_gives_what_the_library_gives(tiny_folder: Path) -> None:
    texts = [text for text in TEXTS if text.isprintable()]
    library = LibraryEncoder(tiny_folder, "float32").encode([f"passage: {text}" for text in texts])
    np.testing.assert_allclose(tiny(tiny_folder).embed_documents(texts), library, atol=2e-6)


@pytest.mark.filterwarnings(LIBRARY)
def test_other_pooling_goes_to_the_library(tmp_path: Path) -> None:
    write_folder(tiny_bert(), tmp_path)
    pooling = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    library = LibraryEncoder(tmp_path, "float32").encode(["passage: 海港"])
    np.testing.assert_allclose(tiny(tmp_path).embed_documents(["海港"]), library, atol=2e-6)


SILENT = """
import sys
from pathlib import Path
from index.embed import LibraryEncoder
LibraryEncoder(Path(sys.argv[1]), "float32").encode(["a"])
"""


def test_loading_the_library_says_nothing(tiny_folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(index.__file__).parents[1])}
    arguments = [sys.executable, "-c", SILENT, str(tiny_folder)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.model
def test_real_model_finds_the_matching_passage(real_models: Path) -> None:
    embedder = open_embedder(EmbedderSettings(), real_models)
    question = embedder.embed_queries(["海港市2030年新建了多少所学校？"])[0]
    passages = embedder.embed_documents(
        ["海港市2030年新建学校12所。", "丘陵县集中供水率达到98%。", "Cycle lanes grew."]
    )
    assert int(np.argmax(passages @ question)) == 0


@pytest.mark.model
def test_real_folder_is_the_default(real_models: Path) -> None:
    assert embedder_folder(real_models) == real_models / "multilingual-e5-small"
