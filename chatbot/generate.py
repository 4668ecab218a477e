"""The contract of every generator, and the one function that opens them. Knows no engine until asked for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chatbot.generators.contract import Cancelled, Generator, Message, Role, Sampling

__all__ = ["Cancelled", "Engine", "Generator", "GeneratorSettings", "Message", "Role", "Sampling", "open_generator"]

Engine = Literal["openvino", "llama.cpp", "transformers", "openai", "scripted"]


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """Which engine runs which model, and with what limits."""

    engine: Engine
    model: Path | str = ""  # GGUF file, model folder, hub name, a server's model name; the text "scripted" says
    cache_folder: Path | None = None  # where openvino keeps a converted GGUF; None is beside the file
    base_url: str = ""  # openai only, such as http://127.0.0.1:8000/v1
    api_key: str = ""
    timeout_seconds: float = 120.0  # openai only: longest silence of the server
    threads: int = 0  # 0 is one per core
    context_tokens: int = 4096  # prompt and reply together
    parallel: int = 4  # askers computed at once; further ones wait


def open_generator(settings: GeneratorSettings) -> Generator:
    """Return the generator that `settings` name, loaded and ready.

    Raises ModelLoadError if the model cannot be loaded, MissingDependencyError without the engine's library.
    """
    match settings.engine:
        case "openvino":
            from chatbot.generators.openvino_cpu import OpenVinoGenerator

            return OpenVinoGenerator(
                Path(settings.model), settings.cache_folder, settings.threads, settings.context_tokens,
                settings.parallel,
            )  # fmt: skip
        case "llama.cpp":
            from chatbot.generators.llama_cpp import LlamaCppGenerator

            return LlamaCppGenerator(Path(settings.model), settings.threads, settings.context_tokens, settings.parallel)
        case "transformers":
            from chatbot.generators.transformers_causal import load_transformers

            return load_transformers(settings.model, settings.context_tokens)
        case "openai":
            from chatbot.generators.openai_compatible import OpenAIGenerator

            return OpenAIGenerator(
                settings.base_url, str(settings.model), settings.api_key, settings.context_tokens,
                settings.timeout_seconds,
            )  # fmt: skip
        case "scripted":
            from chatbot.generators.scripted import ScriptedGenerator

            return ScriptedGenerator(lambda _messages: str(settings.model), context_tokens=settings.context_tokens)
