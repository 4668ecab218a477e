"""Errors of vectors, weights and snapshots; each message is one line for the user."""

from corpus.errors import WenceError


class RetrievalError(WenceError):
    """The search index cannot be used as asked."""


class IndexNotFoundError(RetrievalError):
    """There is nothing to search yet: the message says which command builds it."""


class IndexMismatchError(RetrievalError):
    """Index and settings disagree: names both sides and the command that rebuilds."""


class WeightsError(WenceError):
    """A model's files are missing, broken or changed: names the file and what to run."""
