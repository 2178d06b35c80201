"""Which examples a command line means: those with some ids, those that fit some filters, or all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_icl.cli import completion
from edge_icl.cli.options import having
from edge_icl.cli.stdin import text_or_stdin
from edge_icl.display.unseen import visible
from edge_icl.errors import ExampleNotFoundError, InputError, StoreDamagedError
from edge_icl.example import Example
from edge_icl.results import Held

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_icl.cli.receipts import Receipts
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.search.filters import Filters

F = TypeVar("F", bound="Callable[..., None]")


def filter_options(command: F) -> F:
    """Give a command the options of `Filters`: which examples it is about."""
    options = [
        click.option(
            "--match",
            metavar="TEXT",
            callback=_text,
            help="Those whose input or output holds this text as a person reads it: in upper or lower case, "
            "with any white space, and whatever invisible characters are in it; - reads it from stdin.",
        ),
        click.option(
            "--output",
            metavar="LABEL",
            callback=_text,
            help="Those with this output, to the letter; - reads it from stdin.",
            shell_complete=completion.outputs,
        ),
        click.option(
            "--source", metavar="S", help="Those from this source.", shell_complete=completion.sources
        ),
        click.option("--tag", metavar="T", help="Those with this tag.", shell_complete=completion.tags),
    ]
    return having(options)(command)


def _text(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a text that is not empty, as it was typed or from stdin.

    Raises:
        InputError: it is empty, and every example would fit, or none.
    """
    text = text_or_stdin(ctx, option, value)
    if text is not None and not text.strip():
        raise InputError("the text is empty", f"give {option.opts[0]} the text that you mean")
    return text


def refuse_unknown(session: Session, memory: Memory, label: str | None, *, so: str) -> None:
    """Refuse a label that no example has.

    Args:
        session: says how its store is named.
        memory: the store.
        label: as it was typed; None for none.
        so: what follows from it, such as "nothing was forgotten".

    Raises:
        ExampleNotFoundError: no example has it; the hint says what was meant, if that can be told.
    """
    if label is not None and (told := unknown(session, memory, label)) is not None:
        raise ExampleNotFoundError(f"{told[0]}: {so}", told[1])


def unknown(session: Session, memory: Memory, label: str) -> tuple[str, str] | None:
    """Return in words that no example has a label, and what helps; None where one has it."""
    from edge_icl.search.spelling import did_you_mean

    if memory.has_output(label):
        return None
    known = memory.outputs()
    if not known:
        return "the store is empty", ""
    meant = did_you_mean(label, known) or f"`{session.command_line('labels')}` lists them"
    return f"no example has the output {visible(label)}", meant


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
    """Which examples are meant, beside filters; several of them mean those that fit all of them."""

    ids: tuple[str, ...]
    like: str | None
    min_similarity: float | None
    everything: bool
    from_receipt: tuple[Path, ...] = ()

    def check(self, filters: Filters) -> None:
        """Refuse what cannot be meant.

        Raises:
            click.UsageError: it is not said which examples, or in more than one way.
        """
        filtered = filters.given or self.like is not None
        if bool(self.ids) + filtered + self.everything + bool(self.from_receipt) != 1:
            raise click.UsageError("give ids, or filters, or --all, or --from-receipt")
        if self.min_similarity is not None and self.like is None:
            raise click.UsageError("--min-similarity goes with --like")

    def find(self, memory: Memory, filters: Filters) -> list[Held]:
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
            found = memory.find(**asdict(filters), like=self.like, min_similarity=self.min_similarity)
        if not found:
            why = "the store is empty" if self.everything else "no example fits"
            raise ExampleNotFoundError(f"{why}: nothing was forgotten", "`edge-icl list` shows what is there")
        return found

    def find_named(self, memory: Memory, receipts: Receipts) -> list[Held]:
        """Return the examples that receipts of other stores name, those that are here.

        Raises:
            InputError: a receipt is of a store with another seed.
        """
        return [_get(memory, id) for id in receipts.ids(memory) if id in memory]


def _get(memory: Memory, id: str) -> Held:
    """Return the example whose id begins so, also one that cannot be read."""
    try:
        return memory.get(id)
    except StoreDamagedError:
        meant = [one for one in memory.ids() if one.startswith(id.strip().lower())]
        if len(meant) != 1:
            raise
        return Illegible.of(meant[0], _ILLEGIBLE)


def _all(memory: Memory) -> list[Held]:
    """Return all examples, also those that cannot be read."""
    try:
        return list(memory.examples())
    except StoreDamagedError:
        return [_get(memory, id) for id in memory.ids()]
