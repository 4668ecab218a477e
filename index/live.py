"""The searcher of a running program: catches up with the library, and follows what another process publishes."""

import logging
import threading
from collections.abc import Callable

from corpus.errors import LibraryError
from corpus.library import Library
from index.embed import Embedder
from index.errors import IndexNotFoundError
from index.search import Searcher
from index.snapshot import Embedding, build, current_name, is_current, open_snapshot

logger = logging.getLogger(__name__)


def catch_up(library: Library, embedder: Embedder, on_progress: Callable[[Embedding], None]) -> None:
    """Publish a snapshot of the library as it is now, if the current one is not.

    LibraryError if the library cannot be written or another process is writing.
    """
    if is_current(library, embedder):
        return
    with library.lock():
        for progress in build(library, embedder):
            on_progress(progress)


class LiveSearcher:
    """Hands out a Searcher over the newest published snapshot. Safe to share between threads."""

    def __init__(self, library: Library, embedder: Embedder) -> None:
        self.library = library
        self.embedder = embedder
        self._lock = threading.Lock()
        self._open: tuple[str, Searcher] | None = None

    def current(self) -> Searcher:
        """Return a searcher; IndexNotFoundError if the library is empty, IndexMismatchError as `open_snapshot`."""
        with self._lock:
            name = current_name(self.library)
            if self._open is None or name != self._open[0]:
                self._open = self._reopen()
            return self._open[1]

    def _reopen(self) -> tuple[str, Searcher]:
        if self._open is None:
            self._catch_up_if_possible()
        snapshot = open_snapshot(self.library, self.embedder)
        if not len(snapshot.vectors):
            raise IndexNotFoundError(f"the library in {self.library.home.root} is empty: run `wence ingest PATH`")
        return snapshot.name, Searcher(self.library, snapshot, self.embedder)

    def _catch_up_if_possible(self) -> None:
        """A killed ingest may have left the snapshot behind; a read-only or busy library is searched as it is."""
        if current_name(self.library) is None or not self.library.home.writable:
            return
        try:
            open_snapshot(self.library, self.embedder)  # a mismatch is for the user to decide
            catch_up(self.library, self.embedder, lambda progress: None)
        except LibraryError as error:
            logger.warning("searching an older index: %s", error)
