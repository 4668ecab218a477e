"""Runs asynchronous HTTP for threads that wait. Closing a stream closes its connection at once. Knows no engine."""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any, TypeVar

from chatbot.generators.contract import Cancelled

T = TypeVar("T")
_POLL_SECONDS = 0.05  # how late a set `cancelled` may be noticed


class Pump:
    """One event loop in one thread. A blocking read cannot be interrupted; a task in a loop can."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._loop.is_closed()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`, or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stream(self, source: Callable[[], AsyncGenerator[T]], cancelled: Cancelled | None) -> Generator[T]:
        """Yield what `source` yields, until it ends or `cancelled` is set; raise what it raises."""
        pieces: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
        work = asyncio.run_coroutine_threadsafe(_pour(source, pieces), self._loop)
        try:
            yield from _drain(pieces, work, cancelled)
        finally:
            work.cancel()

    def close(self) -> None:
        """Stop the loop and wait for its thread; calling it twice is harmless."""
        if self._loop.is_closed():
            return
        self.call(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _pour(source: Callable[[], AsyncGenerator[T]], pieces: "queue.SimpleQueue[tuple[T] | None]") -> None:
    try:
        async with aclosing(source()) as items:
            async for item in items:
                pieces.put((item,))
    finally:
        pieces.put(None)


def _drain(
    pieces: "queue.SimpleQueue[tuple[T] | None]", work: "Future[None]", cancelled: Cancelled | None
) -> Generator[T]:
    while cancelled is None or not cancelled.is_set():
        try:
            item = pieces.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if item is None:
            work.result()  # raises what the source raised
            return
        yield item[0]


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
