"""What tools work with: the store, opened when one first needs it, and the changes that were shown."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge_icl.mcp.plans import Fixing, Forgetting, Plans

if TYPE_CHECKING:
    from edge_icl.mcp.returned import Returned
    from edge_icl.memory import Memory


class Opener(Protocol):
    """Opens the store."""

    def __call__(self, *, create: bool) -> Memory:
        """Open it; make it if nothing is there and `create` is true."""


class Desk:
    """One store, opened when a tool first needs it.

    Args:
        open_store: opens it.
        program: how a command on it begins, for what only the user can do in a terminal.
    """

    def __init__(self, open_store: Opener, program: str) -> None:
        self.program = program
        self.forgets = Plans[Forgetting]("forget")
        self.fixes = Plans[Fixing]("fix")
        self._open_store = open_store
        self._lock = threading.Lock()
        self._memory: Memory | None = None

    def memory(self, *, create: bool = False) -> Memory:
        """Return the store.

        Raises:
            StoreError: it cannot be opened, or is not there and `create` is false.
            ModelMissingError: it must be made, and the encoder is not on this machine.
        """
        with self._lock:
            if self._memory is None:
                self._memory = self._open_store(create=create)
            return self._memory

    def close(self) -> None:
        """Give models and memory back."""
        with self._lock:
            if self._memory is not None:
                self._memory.close()
                self._memory = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool returns.

    Attributes:
        text: for a model to read.
        fields: the same, and more, for a program.
        remarks: what a model should know of the text, where that is an answer; kept apart from it.
    """

    text: str
    fields: Returned
    remarks: str = ""
