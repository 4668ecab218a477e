"""Errors between a question and its answer; each message is one line for the user."""

from corpus.errors import WenceError


class ChatError(WenceError):
    """The question cannot be answered as asked."""


class QuestionError(ChatError):
    """The question is empty or too long: says which, and the limit."""


class ModelLoadError(ChatError):
    """The generator cannot be loaded: names the file or address, and what to do."""


class GenerationError(ChatError):
    """The generator failed or its server did not answer."""


class PromptTooLongError(ChatError):
    """The prompt does not fit the model's context: names both lengths in tokens."""
