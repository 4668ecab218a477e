"""Settings to a chatbot that is ready to answer."""

from pathlib import Path

from chatbot.generate import Generator, GeneratorSettings, open_generator
from chatbot.pipeline import Chatbot
from corpus.errors import ConfigError
from corpus.home import Home
from corpus.library import Library
from corpus.settings import ChatbotSettings, Settings
from index.live import LiveSearcher
from index.open import open_embedder_for
from index.weights import generator_path


def open_chatbot(library: Library, settings: Settings) -> Chatbot:
    """Return the chatbot. A WenceError says what is missing: documents, an index or a model."""
    searcher = LiveSearcher(library, open_embedder_for(library, settings))
    searcher.current()  # an empty library is found out before a large model is loaded
    return Chatbot(searcher, open_generator_for(library.home, settings.chatbot), settings.chatbot)


def open_generator_for(home: Home, settings: ChatbotSettings) -> Generator:
    """Return the generator that the settings name."""
    return open_generator(
        GeneratorSettings(
            engine=settings.engine,
            model=_model(home, settings),
            cache_folder=home.models,
            base_url=settings.base_url,
            api_key=settings.api_key,
            threads=settings.threads,
            context_tokens=settings.context_tokens,
            parallel=settings.parallel,
        )
    )


def _model(home: Home, settings: ChatbotSettings) -> Path | str:
    if settings.engine in ("openvino", "llama.cpp"):
        return generator_path(home.models, settings.model)
    if settings.model == "default":
        raise ConfigError(f"chatbot.model: the engine {settings.engine} needs the name of a model, not `default`")
    return settings.model
