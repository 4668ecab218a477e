"""Settings from `wence.toml` in the data folder; environment variables such as WENCE_CHATBOT__ENGINE come first.

An unknown key or a value out of bounds is a ConfigError with the key's path, the value and what is allowed.
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from corpus.errors import ConfigError

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class IndexSettings(BaseModel):
    """What becomes a vector, and how."""

    model_config = _FROZEN
    embedder: str = Field(
        "default", description="`default`, `hash` (no model), or any sentence-transformers folder or hub name"
    )
    threads: int = Field(0, ge=0, le=256, description="batches of documents embedded at once; 0 is one per core")


class ChatbotSettings(BaseModel):
    """What reads the evidence, and how much of it."""

    model_config = _FROZEN
    engine: Literal["auto", "openvino", "llama.cpp", "transformers", "openai"] = Field(
        "auto",
        description="what runs the generator; `auto` takes the faster of openvino and llama.cpp for the processor",
    )
    model: str = Field("default", description="`default`, a GGUF file, a transformers model, or a server's model name")
    base_url: str = Field("", description="address of an OpenAI-compatible server, for the engine `openai`")
    api_key: str = Field("", description="its key; better given as WENCE_CHATBOT__API_KEY")
    threads: int = Field(0, ge=0, le=256, description="threads of the generator; 0 takes all cores")
    parallel: int = Field(4, ge=1, le=64, description="questions answered at the same time")
    context_tokens: int = Field(4096, ge=512, le=131072, description="prompt and reply together")
    hits: int = Field(10, ge=1, le=100, description="passages searched for a question")
    evidence_tokens: int = Field(280, ge=50, le=8000, description="most tokens of evidence the model reads")
    max_new_tokens: int = Field(256, ge=16, le=4096, description="longest answer")
    question_chars: int = Field(1000, ge=10, le=20000, description="longest question")
    min_answerable: float = Field(
        0.58, ge=0, le=1, description="below this probability that the evidence holds the answer, Wence refuses"
    )


class Settings(BaseSettings):
    """All settings, frozen."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="WENCE_", env_nested_delimiter="__")
    index: IndexSettings = IndexSettings()
    chatbot: ChatbotSettings = ChatbotSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then what `load_settings` read from the file."""
        return env_settings, init_settings


def load_settings(path: Path) -> Settings:
    """Return the settings; `path` need not exist. ConfigError names file, key, value and what is allowed."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return Settings(**values)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{path} or a WENCE_ variable: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown setting {key}; check its spelling"
    return f"{key} = {problem['input']!r}: {problem['msg']}"
