"""Settings to a chatbot that is ready to answer."""

from pathlib import Path

from chatbot.generate import Engine, Generator, GeneratorSettings, open_generator
from chatbot.pipeline import Chatbot
from corpus.errors import ConfigError
from corpus.home import Home
from corpus.library import Library
from corpus.settings import ChatbotSettings, Settings
from index.embed import Embedder
from index.live import LiveSearcher
from index.open import open_embedder_for
from index.weights import generator_path


def open_chatbot(library: Library, settings: Settings, embedder: Embedder | None = None) -> Chatbot:
    """Return the chatbot. A WenceError says what is missing: documents, an index or a model.

    `embedder` is the one that the settings name, if it is open already: a second one costs seconds and half a gigabyte.
    """
    searcher = LiveSearcher(library, embedder or open_embedder_for(library, settings))
    searcher.current()  # an empty library is found out before a large model is loaded
    return Chatbot(searcher, open_generator_for(library.home, settings.chatbot), settings.chatbot)


def open_generator_for(home: Home, settings: ChatbotSettings) -> Generator:
    """Return the generator that the settings name."""
    engine = best_engine() if settings.engine == "auto" else settings.engine
    return open_generator(
        GeneratorSettings(
            engine=engine,
            model=_model(home, engine, settings.model),
            cache_folder=home.models,
            base_url=settings.base_url,
            api_key=settings.api_key,
            threads=settings.threads,
            context_tokens=settings.context_tokens,
            parallel=settings.parallel,
        )
    )


def best_engine() -> Engine:
    """Return the faster local engine for this processor, as measured in benchmarks/README.md.

    OpenVINO reads prompts about three times as fast where the processor multiplies bytes in one instruction (VNNI or
    AMX); where it does not, both read alike and llama.cpp writes twice as fast.
    """
    import torch

    able = torch.cpu.get_capabilities()
    return "openvino" if any(able.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8")) else "llama.cpp"


def _model(home: Home, engine: Engine, model: str) -> Path | str:
    if engine in ("openvino", "llama.cpp"):
        return generator_path(home.models, model)
    if model == "default":
        raise ConfigError(f"chatbot.model: the engine {engine} needs the name of a model, not `default`")
    return model
