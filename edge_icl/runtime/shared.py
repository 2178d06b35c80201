"""Models that several stores of a process use at once: loaded for the first, closed with the last.

    >>> models = Shared()
    >>> model = models.borrow("name", load)
    >>> models.give_back("name")

The largest model of a program is then in memory once, however many stores it opens.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from edge_icl.runtime import fork

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Closable(Protocol):
    """What can give its memory back."""

    def close(self) -> None:
        """Give the memory back."""


T = TypeVar("T", bound=Closable)


class _Entry(Generic[T]):
    """One thing, and how many use it or wait for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.value: T | None = None


class Shared(Generic[T]):
    """Things by their names, each kept as long as it is used. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry[T]] = {}
        fork.renewed(self)

    def renew(self) -> None:
        """Start again in a forked process, with nothing."""
        fork.leave(self._entries)
        self._lock = threading.Lock()
        self._entries = {}

    def __len__(self) -> int:
        """Return how many things are in use."""
        return len(self._entries)

    def borrow(self, name: Hashable, load: Callable[[], T]) -> T:
        """Return the thing of this name; call `give_back` once for each time.

        Args:
            name: its name.
            load: makes it, if it is not in use yet; other threads that want it wait. What it raises is raised.
        """
        with self._lock:
            entry = self._entries.setdefault(name, _Entry())
            entry.users += 1
        try:
            with entry.lock:
                if entry.value is None:
                    entry.value = load()
                return entry.value
        except BaseException:
            self.give_back(name)
            raise

    def give_back(self, name: Hashable) -> None:
        """Say that one of those who borrowed a thing no longer uses it; after the last one it is closed."""
        with self._lock:
            entry = self._entries[name]
            entry.users -= 1
            if entry.users:
                return
            del self._entries[name]
        if entry.value is not None:
            entry.value.close()
