"""Prefix states by name: those used last in memory, and on the disk those that outlive the process.

    >>> states = States(memory=1 << 20)
    >>> states.put("a name", b"a state")
    >>> states.get("a name"), states.get("another")
    (b'a state', None)

A name is a digest of the tokens and of all that their evaluation depends on, so equal names mean equal states.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class StateCache(Protocol):
    """Where states outlive the process. A store implements it, and answers for the bytes that it returns."""

    def get(self, name: str) -> bytes | None:
        """Return what was put under this name, or None."""

    def put(self, name: str, data: bytes) -> None:
        """Keep data. The name is a plain digest of the tokens: no file may be called by it."""


class States:
    """The states of one store's prefixes.

    Args:
        memory: most bytes of states in memory.
        disk: where states outlive the process, if anywhere.
    """

    def __init__(self, *, memory: int, disk: StateCache | None = None) -> None:
        self._limit = memory
        self._disk = disk
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def names(self) -> list[str]:
        """Return the names of the states in memory, the one used last at the end."""
        return list(self._held)

    @property
    def size(self) -> int:
        """How many bytes of states are in memory."""
        return sum(map(len, self._held.values()))

    def get(self, name: str, *, lasting: bool = True) -> bytes | None:
        """Return a state, or None; `lasting` looks on the disk too."""
        state = self._held.get(name)
        if state is None and lasting and self._disk is not None:
            state = self._disk.get(name)
        return state

    def put(self, name: str, state: bytes, *, lasting: bool = True) -> None:
        """Keep a new state; `lasting` puts it on the disk too."""
        self.use(name, state)
        if lasting and self._disk is not None:
            self._disk.put(name, state)

    def use(self, name: str, state: bytes) -> None:
        """Keep a state in memory as the one used last; those that were not used for longest make room."""
        self._held[name] = state
        self._held.move_to_end(name)
        while self.size > self._limit:
            self._held.popitem(last=False)

    def clear(self) -> None:
        """Drop the states in memory. What is on the disk is the store's to wipe."""
        self._held.clear()
