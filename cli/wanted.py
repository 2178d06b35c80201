"""Which examples a command line means: those with some ids, those that fit some filters, or all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from edge_icl.errors import ExampleNotFoundError, StoreDamagedError
from edge_icl.example import Example
from edge_icl.results import Held

if TYPE_CHECKING:
    from edge_icl.memory import Memory


class Illegible(Held):
    """An example whose text is damaged. Its id is all that can be told of it, and enough to forget it."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"id": self.id, "damaged": True}


_ILLEGIBLE = Example.create("(its text is damaged)", "?")
"""What is shown in its place."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which examples are meant; several filters mean those that fit all of them."""

    ids: tuple[str, ...]
    match: str | None
    source: str | None
    tag: str | None
    like: str | None
    min_similarity: float | None
    everything: bool

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            click.UsageError: it is not said which examples, or in more than one way.
        """
        filtered = any(given is not None for given in (self.match, self.source, self.tag, self.like))
        if bool(self.ids) + filtered + self.everything != 1:
            raise click.UsageError("give ids, or filters, or --all")
        if self.min_similarity is not None and self.like is None:
            raise click.UsageError("--min-similarity goes with --like")

    def find(self, memory: Memory) -> list[Held]:
        """Return the examples that are meant, each once.

        Raises:
            ExampleNotFoundError: there are none, or not one of an id.
            AmbiguousIdError: several ids begin with the digits of one.
        """
        if self.ids:
            found = list({one.id: one for one in (_get(memory, id) for id in self.ids)}.values())
        elif self.everything:
            found = _all(memory)
        else:
            found = memory.find(
                match=self.match,
                source=self.source,
                tag=self.tag,
                like=self.like,
                min_similarity=self.min_similarity,
            )
        if not found:
            why = "the store is empty" if self.everything else "no example fits"
            raise ExampleNotFoundError(f"{why}: nothing was forgotten", "`edge-icl list` shows what is there")
        return found


def _get(memory: Memory, id: str) -> Held:
    """Return the example whose id begins so, also one that cannot be read."""
    try:
        return memory.get(id)
    except StoreDamagedError:
        meant = [one for one in memory.ids() if one.startswith(id.strip().lower())]
        if len(meant) != 1:
            raise
        return Illegible(meant[0], _ILLEGIBLE)


def _all(memory: Memory) -> list[Held]:
    """Return all examples, also those that cannot be read."""
    try:
        return list(memory.examples())
    except StoreDamagedError:
        return [_get(memory, id) for id in memory.ids()]
