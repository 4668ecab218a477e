"""Text to vectors: the Embedder contract and its implementations. Nothing else turns text into a vector."""

import hashlib
import json
import os
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from index.errors import WeightsError
from index.weights import DEFAULT, DEFAULT_EMBEDDER, content_hash, embedder_folder

Precision = Literal["auto", "float32", "bfloat16"]
BATCH_TEXTS = 8
MAX_THREADS = 8  # beyond that a small model gains nothing and takes from the generator


class Embedder(Protocol):
    """Text to vectors. Rows are L2-normalised, so inner product is cosine."""

    name: str  # names model and precision; goes into the snapshot's manifest
    fingerprint: str  # changes whenever the vectors would: SHA-256 of the weights with the settings
    dim: int

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (len(texts), dim). A pure function of each text; order kept; [] gives (0, dim)."""

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As embed_documents, with the model's query instruction if it has one."""


class BatchEncoder(Protocol):
    """Runs a model over one batch. Safe to call from several threads."""

    dim: int
    max_tokens: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (len(texts), dim), for at least one text."""


@dataclass(frozen=True, slots=True)
class EmbedderSettings:
    """Which embedder, and how it runs. `model` is `default`, `hash`, a folder, or a hub name in the local cache.

    A prefix of None is the model's own: from its prompts, or `query: ` and `passage: ` for the e5 family.
    """

    model: str = DEFAULT
    precision: Precision = "auto"  # bfloat16 where the processor computes in it, else float32
    threads: int = 0  # batches of documents at a time; 0: one per core, at most MAX_THREADS
    query_prefix: str | None = None
    document_prefix: str | None = None


def open_embedder(settings: EmbedderSettings, models_dir: Path) -> Embedder:
    """Return the embedder that `settings` names. Raises WeightsError if its files are missing or changed."""
    match settings.model:
        case "hash":
            return HashEmbedder()
        case model:
            return SentenceTransformerEmbedder(embedder_folder(models_dir, model), settings)


class HashEmbedder:
    """Vectors from hashed runs of one to three characters: no model, the same on every machine.

    Texts that share characters are near each other. Case and width are not folded; a text without characters
    gets the first unit vector. Queries and documents are embedded alike.
    """

    def __init__(self, dim: int = 256) -> None:
        self.name = f"hash-{dim}"
        self.fingerprint = hashlib.sha256(f"{self.name} crc32 1-3".encode()).hexdigest()
        self.dim = dim

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (len(texts), dim); a pure function of each text, bit for bit."""
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for gram in _grams(text):
                code = zlib.crc32(gram.encode("utf-8", "surrogatepass"))
                row[(code >> 1) % self.dim] += 1 if code & 1 else -1
            if not row.any():  # no characters, or all cancelled
                row[0] = 1
        return _normalized(vectors)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As embed_documents: there is no query instruction."""
        return self.embed_documents(texts)


def _grams(text: str) -> Iterator[str]:
    for size in (1, 2, 3):
        yield from (text[start : start + size] for start in range(len(text) - size + 1))


class SentenceTransformerEmbedder:
    """Vectors from a sentence-transformers (or transformers) folder. Safe to call from several threads.

    A vector depends on its text alone up to float noise: the texts that share a batch change how much padding is
    computed and so how sums are rounded (cosine to the vector of the text alone: above 0.999999 in float32, above
    0.999 in bfloat16). Texts of more than the model's limit (512 tokens for e5, prefix included, some 750 Chinese
    characters) are cut at their end. Raises WeightsError if the folder cannot be loaded.
    """

    def __init__(self, folder: Path, settings: EmbedderSettings) -> None:
        self._encoder, precision = _open_encoder(folder, settings)
        self._query_prefix, self._document_prefix = _prefixes(folder, settings)
        self._threads = settings.threads or min(os.cpu_count() or 1, MAX_THREADS)
        self.dim = self._encoder.dim
        model = DEFAULT_EMBEDDER.name if settings.model == DEFAULT else settings.model
        self.name = f"{model}:{precision}"
        made_by = (content_hash(folder), precision, self._query_prefix, self._document_prefix, self._encoder.max_tokens)
        self.fingerprint = hashlib.sha256(json.dumps(made_by).encode()).hexdigest()

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (len(texts), dim), order kept; [] gives (0, dim)."""
        return self._embed([self._document_prefix + text for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As embed_documents, with the query prefix."""
        return self._embed([self._query_prefix + text for text in texts])

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed in batches of texts of like length, so that little padding is computed; keep the order."""
        cleaned = [text.encode("utf-8", "replace").decode() for text in texts]  # lone surrogates have no UTF-8
        # UTF-8 bytes follow tokens in Chinese and English alike (about 0.22 a byte); characters do not.
        order = sorted(range(len(texts)), key=lambda place: len(cleaned[place].encode()))
        vectors = np.empty((len(texts), self.dim), np.float32)
        batches = [order[start : start + BATCH_TEXTS] for start in range(0, len(order), BATCH_TEXTS)]
        for places, rows in zip(batches, self._encode_all(cleaned, batches), strict=True):
            vectors[places] = rows
        return _normalized(vectors)

    def _encode_all(self, texts: Sequence[str], batches: Sequence[Sequence[int]]) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors of each batch in order; one batch is encoded by the caller's own thread."""
        if len(batches) <= 1:
            yield from (self._encoder.encode([texts[place] for place in places]) for places in batches)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(lambda places: self._encoder.encode([texts[place] for place in places]), batches)


class LibraryEncoder:
    """Any model that sentence-transformers can load from a folder."""

    def __init__(self, folder: Path, dtype_name: str) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the libraries are first imported
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        model_options = {"dtype": getattr(torch, dtype_name)}
        self._model = SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, model_kwargs=model_options
        ).eval()
        self._no_gradients = torch.inference_mode
        self._tokenizing = threading.Lock()  # a tokenizer refuses a second thread while it sets its padding
        self.dim = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 0)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (len(texts), dim), for at least one text."""
        with self._tokenizing:
            features = self._model.preprocess(list(texts))
        with self._no_gradients():
            vectors = self._model(features)["sentence_embedding"]
        return _normalized(vectors.float().numpy())


def _open_encoder(folder: Path, settings: EmbedderSettings) -> tuple[BatchEncoder, str]:
    """Return the encoder and the precision it runs in: torch alone for a plain BERT, else the library."""
    import torch

    from index.bert import BertEncoder, is_plain_bert

    # One thread a batch, several batches at once: threads that share one small matrix product wait for each other
    # at every layer, and beside a busy generator that made one question take ten times as long.
    torch.set_num_threads(1)
    precision = _precision(settings.precision)
    try:
        light = is_plain_bert(folder)
        encoder = BertEncoder(folder, getattr(torch, precision)) if light else LibraryEncoder(folder, precision)
        encoder.encode(["上海"])  # a missing or misshapen weight shows here, and the first question finds it warm
    except (OSError, ValueError, LookupError, RuntimeError, SafetensorError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise WeightsError(f"the embedder in {folder} cannot be loaded ({first_line}): name another") from error
    return encoder, precision


def _precision(asked: Precision) -> str:
    """Return "bfloat16" or "float32". Emulated bfloat16 is slower than float32 and no more exact."""
    if asked != "auto":
        return asked
    import torch

    able = torch.cpu.get_capabilities()
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def _prefixes(folder: Path, settings: EmbedderSettings) -> tuple[str, str]:
    """Return the prefixes of queries and documents: asked for, else the model's prompts, else those of its family."""
    prompts = _prompts(folder)
    is_e5 = re.search(r"(^|[-_/])e5-(small|base|large)(?!.*instruct)", settings.model) is not None
    family_query, family_document = ("query: ", "passage: ") if is_e5 else ("", "")
    query = prompts.get("query", family_query)
    document = prompts.get("passage", prompts.get("document", family_document))
    asked_query, asked_document = settings.query_prefix, settings.document_prefix
    return query if asked_query is None else asked_query, document if asked_document is None else asked_document


def _prompts(folder: Path) -> dict[str, str]:
    path = folder / "config_sentence_transformers.json"
    if not path.is_file():
        return {}
    prompts = json.loads(path.read_text(encoding="utf-8")).get("prompts") or {}
    return {name: prompt for name, prompt in prompts.items() if prompt}


def _normalized(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows at length 1; none of them is zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32, copy=False)
    return unit
