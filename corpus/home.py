"""The data folder: where everything that is not code lives. Knows paths, opens nothing."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from corpus.errors import LibraryError


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder's layout."""

    root: Path

    @property
    def library(self) -> Path:
        """Documents, chunks and vectors: the truth."""
        return self.root / "library.db"

    @property
    def originals(self) -> Path:
        """Source files by SHA-256."""
        return self.root / "originals"

    @property
    def search(self) -> Path:
        """Search snapshots; can be deleted."""
        return self.root / "search"

    @property
    def models(self) -> Path:
        """Assembled and verified model files."""
        return self.root / "models"

    @property
    def settings(self) -> Path:
        """The settings file, if the user made one."""
        return self.root / "wence.toml"

    @property
    def writable(self) -> bool:
        """True if this process may write to the folder; asked of the system, since root ignores mode bits."""
        return os.access(self.root, os.W_OK)


def open_home(root: str | None) -> Home:
    """Return the data folder `root`, or the platform's own if None; makes it. LibraryError if that fails."""
    path = Path(root) if root else Path(platformdirs.user_data_dir("wence", appauthor=False))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"cannot use the data folder {path}: {error.strerror}; set WENCE_HOME to another") from error
    return Home(path.absolute())
