"""The store of a fitted classifier, open: closed with the classifier, pickled with it, copied with it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from edge_icl.access.temporary import Temporary, held
from edge_icl.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Kept:
    """An open store.

    Pickling one that has a place of its own takes its files along; of another, only where it is.

    Args:
        memory: the store; it is closed when this object is gone.
        model: the language model that it was opened with.
        place: its own place, which goes with it; None for a store that stays.
    """

    def __init__(self, memory: Memory, model: str | None, place: Temporary | None = None) -> None:
        self.memory = memory
        self.model = model
        self.place = place
        weakref.finalize(self, memory.close)

    def __reduce__(self) -> tuple[Callable[..., Kept], tuple[Any, ...]]:
        path = self.memory.path
        return (_opened, (path, self.model)) if self.place is None else (_restored, (held(path), self.model))


def _opened(path: Path, model: str | None) -> Kept:
    """Return the store at a path."""
    return Kept(Memory.open(path, create=False, model=model), model)


def _restored(files: Mapping[str, bytes], model: str | None) -> Kept:
    """Return a store with these files, in a place of its own."""
    place = Temporary(files)
    return Kept(Memory.open(place.path, create=False, model=model), model, place)
