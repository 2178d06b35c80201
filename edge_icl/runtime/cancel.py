"""Stopping a question from another thread.

llama.cpp looks at the flag between two steps of an evaluation, hundreds of times a token. It reads the flag
from memory, for which it does not need Python's lock: a callback into Python would wait for every other thread
of the program.
"""

from __future__ import annotations

import ctypes
import threading
from weakref import WeakSet

from edge_icl.errors import AskCancelledError
from edge_icl.runtime.bound import Bound


class Cancel(Bound):
    """Stops the questions that it was given to, for good. Safe to use from several threads.

        >>> cancel = Cancel()
        >>> cancel.set()  # from any thread, at any time
        >>> with Memory.open("work") as memory:
        ...     memory.ask("Taxi downtown", cancel=cancel)
        Traceback (most recent call last):
        edge_icl.errors.AskCancelledError: the question was cancelled

    Args:
        parent: when this is set, so is the new one.
    """

    instead = "cancel the question in the process that asks it"

    def __init__(self, parent: Cancel | None = None) -> None:
        self._flag = ctypes.create_string_buffer(2)  # a C string: empty until it is set
        self._lock = threading.Lock()
        self._children: WeakSet[Cancel] = WeakSet()
        if parent is not None:
            parent.pass_on(self)

    def set(self) -> None:
        """Stop, within a token. Calling it again does nothing."""
        self._flag[0] = b"\1"
        with self._lock:
            children = list(self._children)
        for child in children:
            child.set()

    def pass_on(self, child: Cancel) -> None:
        """Set a child when this is set, or at once if it is."""
        with self._lock:
            self._children.add(child)
        if self.is_set():
            child.set()

    def is_set(self) -> bool:
        """Return whether it was set."""
        return self._flag[0] != b"\0"

    def check(self) -> None:
        """Raise if it was set.

        Raises:
            AskCancelledError: it was.
        """
        if self.is_set():
            raise AskCancelledError("the question was cancelled")

    @property
    def address(self) -> int:
        """Where a C string begins that is empty until this is set; valid as long as this object lives."""
        return ctypes.addressof(self._flag)
