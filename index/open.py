"""Settings to an open embedder."""

from corpus.library import Library
from corpus.settings import Settings
from index.embed import Embedder, EmbedderSettings, open_embedder
from index.weights import DEFAULT_EMBEDDER


def open_embedder_for(library: Library, settings: Settings) -> Embedder:
    """Return the embedder that the settings name. WeightsError if its files are missing or changed."""
    model = DEFAULT_EMBEDDER.name if settings.index.embedder == "default" else settings.index.embedder
    return open_embedder(EmbedderSettings(model=model, threads=settings.index.threads), library.home.models)
