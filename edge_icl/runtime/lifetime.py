"""Who is at work in an open store, so that closing it can stop them and leave nothing running."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_icl.errors import AskCancelledError, StoreBusyError, StoreClosedError
from edge_icl.runtime import arguments, fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.runtime.cancel import Cancel
    from edge_icl.runtime.progress import Progress


class Lifetime:
    """From the opening of a store to its closing. Safe to use from several threads.

    Args:
        path: the store's directory, for messages.

    Attributes:
        path: as given.
        closed: whether the store has been closed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._change = threading.Condition()
        self._working: list[tuple[int, Cancel | None]] = []
        self.closed = False
        fork.renewed(self)

    def renew(self) -> None:
        """Start again in a forked process, where no other thread is at work."""
        me = threading.get_ident()
        self._change = threading.Condition()
        self._working = [one for one in self._working if one[0] == me]

    @contextmanager
    def at_work(self, cancel: Cancel | None = None) -> Iterator[None]:
        """Count this thread among those at work.

        Args:
            cancel: what closing the store sets, to end the work.

        Raises:
            StoreClosedError: the store is closed, or was closed during the work, which was cancelled.
        """
        one = (threading.get_ident(), cancel)
        with self._change:
            self.check()
            self._working.append(one)
        try:
            yield
        except AskCancelledError:
            self.check()
            raise
        finally:
            with self._change:
                self._working.remove(one)
                self._change.notify_all()

    def check(self) -> None:
        """Raise if the store has been closed.

        Raises:
            StoreClosedError: it has.
        """
        if self.closed:
            raise StoreClosedError(f"the store {self.path} is closed", "open it again")

    def heeded_by(self, progress: Progress) -> Progress:
        """Return a progress callback that also ends the work when the store is closed.

        Raises:
            InputError: it cannot be called.
        """
        arguments.told(progress)

        def told(stage: str, done: int, total: int) -> None:
            self.check()
            progress(stage, done, total)

        return told

    def close(self) -> None:
        """Refuse new work, cancel what can be cancelled, and wait until no thread is at work.

        Raises:
            StoreBusyError: this thread is itself at work in the store, as a progress callback is.
        """
        me = threading.get_ident()
        with self._change:
            if any(thread == me for thread, _ in self._working):
                raise StoreBusyError(f"{self.path} is at work in this thread", "close it after the call")
            self.closed = True
            for _, cancel in self._working:
                if cancel is not None:
                    cancel.set()
            self._change.wait_for(lambda: not self._working)
