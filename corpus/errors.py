"""The errors a user may see. Each message is one line: what went wrong, where, what to do."""


class WenceError(Exception):
    """Something in the world, not in the code, is in the way. `str(error)` is one line for the user."""


class ConfigError(WenceError):
    """A setting is unknown or out of range: names its key, its value and what is allowed."""


class MissingDependencyError(WenceError):
    """An optional library is not installed: names the library and how to install it."""


class CorpusError(WenceError):
    """A file or the library cannot be used as asked."""


class UnsupportedFormatError(CorpusError):
    """No reader takes this kind of file."""


class UnreadableDocumentError(CorpusError):
    """The kind is known, but this file gives no text: broken, empty, encrypted or a scan."""


class LibraryError(CorpusError):
    """The data folder cannot be read or written: locked, read-only, full or of another version."""
