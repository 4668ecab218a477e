"""Runs a plain BERT sentence encoder with torch alone. Knows no prefixes, no batching policy.

It does what sentence-transformers does with the same folder, to float noise, but is there in 3 seconds of
processor time instead of 11: a command that embeds one question need not import a training library.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer


def is_plain_bert(folder: Path) -> bool:
    """True if the folder is BERT, mean pooling over all tokens and normalisation, in safetensors and tokenizer.json."""
    needed = ("model.safetensors", "tokenizer.json", "modules.json", "config.json", "sentence_bert_config.json")
    if not all((folder / name).is_file() for name in needed):
        return False
    modules = [(module["type"].rpartition(".")[2], module["path"]) for module in _read_json(folder / "modules.json")]
    if [kind for kind, _ in modules] != ["Transformer", "Pooling", "Normalize"] or modules[0][1] != "":
        return False
    limits = _read_json(folder / "sentence_bert_config.json")
    if not isinstance(limits.get("max_seq_length"), int) or limits.get("do_lower_case"):
        return False
    config = _read_json(folder / "config.json")
    plain = (config.get("model_type"), config.get("hidden_act"), config.get("position_embedding_type", "absolute"))
    return plain == ("bert", "gelu", "absolute") and _is_mean(_read_json(folder / modules[1][1] / "config.json"))


def _is_mean(pooling: dict[str, object]) -> bool:
    """True for mean pooling alone, in the old spelling (one flag a mode) or the new one."""
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value}
    old = modes == {"pooling_mode_mean_tokens"} and "pooling_mode" not in pooling
    new = not modes and pooling.get("pooling_mode") == "mean"
    return (old or new) and pooling.get("include_prompt", True) is True


class BertEncoder:
    """Texts to unit vectors, one batch at a time. Safe to call from several threads."""

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        config = _read_json(folder / "config.json")
        stored = load_file(folder / "model.safetensors")
        self._weights = {name.removeprefix("bert."): tensor.to(dtype) for name, tensor in stored.items()}
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self.dim = int(config["hidden_size"])
        self.max_tokens = int(_read_json(folder / "sentence_bert_config.json")["max_seq_length"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (len(texts), dim) for at least one text; texts beyond max_tokens are cut at their end."""
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])  # (batch, tokens)
        lengths = torch.tensor([len(row) for row in rows])
        mask = torch.arange(longest) < lengths[:, None]  # (batch, tokens)
        states = self._states(ids, None if bool(mask.all()) else mask[:, None, None, :])
        sums = (states.float() * mask[:, :, None]).sum(dim=1)
        vectors: NDArray[np.float32] = nnf.normalize(sums, dim=1).numpy()  # a mean and a sum have one direction
        return vectors

    def _states(self, ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return the last layer's states, shape (batch, tokens, dim)."""
        words = nnf.embedding(ids, self._weights["embeddings.word_embeddings.weight"])
        positions = self._weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        states = words + positions + self._weights["embeddings.token_type_embeddings.weight"][0]
        states = self._norm(states, "embeddings.LayerNorm")
        for layer in range(self._layers):
            states = self._layer(states, mask, f"encoder.layer.{layer}.")
        return states

    def _layer(self, states: torch.Tensor, mask: torch.Tensor | None, name: str) -> torch.Tensor:
        attended = self._linear(self._attention(states, mask, name), f"{name}attention.output.dense")
        states = self._norm(states + attended, f"{name}attention.output.LayerNorm")
        wide = nnf.gelu(self._linear(states, f"{name}intermediate.dense"))
        return self._norm(states + self._linear(wide, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _attention(self, states: torch.Tensor, mask: torch.Tensor | None, name: str) -> torch.Tensor:
        batch, tokens, _ = states.shape
        query, key, value = (
            self._linear(states, f"{name}attention.self.{part}").view(batch, tokens, self._heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )  # (batch, heads, tokens, dim / heads)
        mixed = nnf.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(batch, tokens, -1)

    def _linear(self, states: torch.Tensor, name: str) -> torch.Tensor:
        return nnf.linear(states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, states: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return nnf.layer_norm(states, (self.dim,), weight, bias, self._epsilon)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8"))
