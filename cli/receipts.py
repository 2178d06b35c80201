"""Receipts that a command is given: files of other devices, or of earlier days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.cli import given
from edge_icl.errors import InputError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge_icl.memory import Memory


class Receipts:
    """Receipts of stores that have the seed of the one that a command works on.

    Args:
        files: of them.

    Attributes:
        said: their content; what is signed is so to the byte.

    Raises:
        InputError: one cannot be read.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = [*files]
        self.said = [given.whole(file, most=given.MOST_OF_A_RECEIPT) for file in self._files]

    def __bool__(self) -> bool:
        return bool(self.said)

    def ids(self, memory: Memory) -> list[str]:
        """Return the ids that they name, sorted.

        Raises:
            InputError: one is no receipt, or one of a store with another seed; it says which.
            SignatureError: one was changed after it was signed; it says which.
        """
        from edge_icl.changes.forgetting import named_by

        found: set[str] = set()
        for file, content in zip(self._files, self.said, strict=True):
            try:
                found.update(id.hex() for id in named_by(content, memory.settings))
            except (InputError, SignatureError) as error:
                raise type(error)(f"{file}: {error.message}", error.hint) from None
        return sorted(found)
