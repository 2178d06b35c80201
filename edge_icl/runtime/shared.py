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
    """Things by their names, each one there as long as somebody uses it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry[T]] = {}
        fork.renewed(self)

    def renew(self) -> None:
        """Begin anew in a forked process, with nothing."""
        fork.leave(self._entries)
        self._lock = threading.Lock()
        self._entries = {}

    def borrow(self, key: Hashable, load: Callable[[], T]) -> T:
        """Return the thing of this name; call `give_back` once for each time.

        Args:
            key: its name.
            load: makes it, if nobody uses it yet; others who want it wait meanwhile. What it raises is raised.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            entry.users += 1
        try:
            with entry.lock:
                if entry.value is None:
                    entry.value = load()
                return entry.value
        except BaseException:
            self.give_back(key)
            raise

    def give_back(self, key: Hashable) -> None:
        """Say that a thing is no longer used by one of those who borrowed it; the last one closes it."""
        with self._lock:
            entry = self._entries[key]
            entry.users -= 1
            if entry.users:
                return
            del self._entries[key]
        if entry.value is not None:
            entry.value.close()
