"""Work inside a library of C code, done so that Ctrl-C ends it and leaves nothing half done.

Python hears Ctrl-C in the main thread only, between any two of its steps: also in a callback that C code has
called, through which no exception can pass, and in the middle of an import, half of which is left then. So
such work is done in a thread of its own, where no KeyboardInterrupt comes, and the thread that wants it
waits, where one may come at any time. No signal handler is needed for that: a program has its own.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_GLANCE = 0.1
"""Seconds after which the thread that waits wakes up: on Windows, Ctrl-C does not interrupt a longer wait."""


def _nothing(*_: object) -> None:
    """Do nothing."""


class Work(Generic[T]):
    """A piece of work, for `run`.

    Args:
        do: the work, called in another thread.
        stop: asks the work to end early; called from the thread that waits, when that is interrupted.
        discard: takes what the work returned after all, when `run` was interrupted and cannot return it.
    """

    def __init__(
        self,
        do: Callable[[], T],
        *,
        stop: Callable[[], object] = _nothing,
        discard: Callable[[T], object] = _nothing,
    ) -> None:
        self._do = do
        self._stop = stop
        self._discard = discard
        self._begun = threading.Lock()  # taken by the thread that does the work, or that calls it off
        self._over = threading.Event()
        self._reports: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._results: list[T] = []
        self._error: BaseException | None = None

    def tell(self, report: Callable[[], object]) -> None:
        """Have the thread that waits call `report`; to be called by the work. What it raises ends the work."""
        self._reports.put(report)

    def run(self) -> T:
        """Do the work and return its result; no thread is left then.

        Raises:
            BaseException: what the work, a report or a signal handler raised.
        """
        thread = threading.Thread(target=self._thread, name="edge-icl-work", daemon=True)
        try:
            thread.start()
            self._wait()
            thread.join()
            if self._error is not None:
                raise self._error  # noqa: TRY301 - raised here, what interrupts it is handled in the same way
            return self._results[0]  # within the block: from here on it is the caller's
        except BaseException:
            self._end()
            raise

    def _thread(self) -> None:
        """Do the work, unless it was called off."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._results.append(self._do())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error
        finally:
            self._over.set()
            self._reports.put(_nothing)

    def _wait(self) -> None:
        """Pass on what the work tells, until it is over."""
        while not (self._over.is_set() and self._reports.empty()):
            try:
                report = self._reports.get(timeout=_GLANCE)
            except Empty:
                continue
            report()

    def _end(self) -> None:
        """Stop the work and see it out, however often that is interrupted."""
        if self._begun.acquire(blocking=False):
            return  # the thread has not come to it, and never will
        if self._error is None:
            self._stop()
        while not self._over.is_set():
            try:
                self._over.wait()
            except BaseException:  # noqa: BLE001, S112 - the first interrupt is already being raised
                continue
        while self._results:
            self._discard(self._results.pop())


def run(work: Callable[[], T], *, stop: Callable[[], object] = _nothing) -> T:
    """Return work(), done in another thread; this thread can be interrupted, and then waits until it has ended.

    Args:
        work: called in another thread.
        stop: asks it to end early.

    Raises:
        BaseException: what the work or a signal handler raised.
    """
    return Work(work, stop=stop).run()
