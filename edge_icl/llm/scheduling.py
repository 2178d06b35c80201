"""Who may use a model: one thread after another, in the order in which they asked.

    >>> turns = Scheduler()
    >>> with turns:
    ...     pass

A lock of `threading` goes to whoever is quickest, and that is the thread that has just let go of it: an answer
of a thousand tokens would keep every other question waiting until its end.
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

_GLANCE = 0.02  # seconds between two looks at a cancel while waiting: less than anybody notices


class Scheduler:
    """A lock that is given in order; the thread that has it may take it again."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._line: deque[object] = deque()
        self._holder: int | None = None
        self._depth = 0
        fork.renewed(self)

    def renew(self) -> None:
        """Begin anew in a forked process, where no other thread waits or comes back."""
        self._change = threading.Condition()
        self._line.clear()
        if self._holder != threading.get_ident():
            self._holder, self._depth = None, 0

    def __enter__(self) -> None:
        self._take(None)

    def __exit__(self, *_: object) -> None:
        self._leave()

    @contextmanager
    def unless(self, cancel: Cancel | None) -> Iterator[None]:
        """Hold the lock, or stop waiting for it when `cancel` is set.

        Raises:
            AskCancelledError: it was set.
        """
        self._take(cancel)
        try:
            yield
        finally:
            self._leave()

    def _take(self, cancel: Cancel | None) -> None:
        """Wait for this thread's turn."""
        with self._change:
            if self._holder != threading.get_ident():
                self._wait(cancel)
                self._holder = threading.get_ident()
            self._depth += 1

    def _wait(self, cancel: Cancel | None) -> None:
        """Stand in line until nobody is before this thread."""
        place = object()
        self._line.append(place)
        try:
            while self._holder is not None or self._line[0] is not place:
                self._change.wait(None if cancel is None else _GLANCE)
                if cancel is not None:
                    cancel.check()
        finally:
            self._line.remove(place)
            self._change.notify_all()

    def _leave(self) -> None:
        """Let the next one in, when this thread has left as often as it came."""
        with self._change:
            self._depth -= 1
            if self._depth == 0:
                self._holder = None
                self._change.notify_all()
