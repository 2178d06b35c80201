"""Threads that do what a loop must not wait for, and callbacks that come back into the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from edge_icl.errors import StoreClosedError
from edge_icl.runtime import arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_icl.runtime.cancel import Cancel
    from edge_icl.runtime.progress import Progress

T = TypeVar("T")


class Threads:
    """The threads of one open store.

    Attributes:
        closed: whether they have ended.
    """

    def __init__(self) -> None:
        self.closed = False
        self._pool = ThreadPoolExecutor(thread_name_prefix="edge-icl")

    async def begin(self, work: Callable[[], T]) -> T:
        """Run work that opens the store, in the first of the threads; without a store there are none."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            self._pool.shutdown()
            raise

    async def run(self, work: Callable[[], T], path: Path, cancel: Cancel | None = None) -> T:
        """Run work in a thread; a task that is cancelled meanwhile waits for its end.

        Args:
            work: what is to be done.
            path: of the store.
            cancel: is set when the task that waits is cancelled.

        Raises:
            StoreClosedError: the store is closed.
        """
        if self.closed:
            raise StoreClosedError(f"the store {path} is closed", "open it again")
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if cancel is not None:
                cancel.set()
            future.add_done_callback(lambda done: done.exception())  # else asyncio warns of it
            await asyncio.wait([future])
            raise

    async def end(self, close: Callable[[], None]) -> None:
        """Close the store; no thread is left when it returns. Calling it again does nothing."""
        if not self.closed:
            self.closed = True
            with ThreadPoolExecutor(1) as closer:  # the threads of the pool may all be at work
                await asyncio.get_running_loop().run_in_executor(closer, close)
            self._pool.shutdown()


def in_loop(progress: Progress, cancel: Cancel | None = None) -> Progress:
    """Return a callback for other threads that has the loop call `progress`, and ends cancelled work."""
    loop = asyncio.get_running_loop()
    arguments.told(progress)

    def told(stage: str, done: int, total: int) -> None:
        if cancel is not None:
            cancel.check()
        loop.call_soon_threadsafe(progress, stage, done, total)

    return told
