"""Threads for what takes time, and a queue through which they reach Tk: Tk itself belongs to one thread."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from edge_icl import EdgeIclError

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable

T = TypeVar("T")

PERIOD = 15
"""Milliseconds between two looks at the queue: a frame or so."""


class Background:
    """Runs work in threads, and what follows in Tk's thread.

    Args:
        root: Tk's window.
        failed: shows an error.
    """

    def __init__(self, root: tk.Tk, failed: Callable[[EdgeIclError], object]) -> None:
        self._root = root
        self._failed = failed
        self._pool = ThreadPoolExecutor(4, "desktop")
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._deliver()

    def do(self, work: Callable[[], T], then: Callable[[T], object]) -> None:
        """Run work in a thread; then call a function with its result in Tk's thread, or show the error."""

        def run() -> None:
            try:
                result = work()
            except EdgeIclError as error:
                self.tell(self._failed, error)
            else:
                self.tell(then, result)

        # Any other error is a mistake in this program: Tk's thread raises it, and Tk reports it.
        self._pool.submit(run).add_done_callback(lambda future: self.tell(future.result))

    def tell(self, call: Callable[..., object], *arguments: object) -> None:
        """Have Tk's thread call a function; from any thread."""
        self._calls.put(partial(call, *arguments))

    def close(self) -> None:
        """Return when no thread is left; what they still had to tell is not told."""
        self._root.after_cancel(self._timer)
        self._pool.shutdown(cancel_futures=True)

    def _deliver(self) -> None:
        """Make the calls that have come."""
        self._timer = self._root.after(PERIOD, self._deliver)
        while not self._calls.empty():
            self._calls.get()()
