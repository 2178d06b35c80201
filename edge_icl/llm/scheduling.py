"""Which thread may use a model: one after another, in the order in which they asked.

    >>> lock = Scheduler()
    >>> with lock:
    ...     pass

A lock of `threading` goes to the quickest thread, and that is the one that has just released it: an answer of a
thousand tokens would keep every other question waiting until its end.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_icl.runtime import fork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.runtime.cancel import Cancel

_POLL = 0.02  # seconds between two looks at a cancel while waiting: too short to be noticed


class Scheduler:
    """A lock that is acquired in order; the thread that holds it may acquire it again."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._queue: deque[object] = deque()
        self._holder: int | None = None
        self._depth = 0
        fork.renewed(self)

    def renew(self) -> None:
        """Begin again in a forked process, where no other thread waits or comes back."""
        self._change = threading.Condition()
        self._queue.clear()
        if self._holder != threading.get_ident():
            self._holder, self._depth = None, 0

    def __enter__(self) -> None:
        self._acquire(None)

    def __exit__(self, *_: object) -> None:
        self._release()

    @contextmanager
    def acquired(self, cancel: Cancel | None) -> Iterator[None]:
        """Hold the lock, or stop waiting for it when `cancel` is set.

        Raises:
            AskCancelledError: it was set.
        """
        self._acquire(cancel)
        try:
            yield
        finally:
            self._release()

    def _acquire(self, cancel: Cancel | None) -> None:
        """Wait until this thread is the next."""
        with self._change:
            if self._holder != threading.get_ident():
                self._wait(cancel)
                self._holder = threading.get_ident()
            self._depth += 1

    def _wait(self, cancel: Cancel | None) -> None:
        """Wait in the queue until no thread is before this one."""
        place = object()
        self._queue.append(place)
        try:
            while self._holder is not None or self._queue[0] is not place:
                self._change.wait(None if cancel is None else _POLL)
                if cancel is not None:
                    cancel.check()
        finally:
            self._queue.remove(place)
            self._change.notify_all()

    def _release(self) -> None:
        """Wake the next thread, when this one has released the lock as often as it acquired it."""
        with self._change:
            self._depth -= 1
            if self._depth == 0:
                self._holder = None
                self._change.notify_all()
