"""`edge-icl forget`: take examples back, all that are named or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from edge_icl.cli import completion, private
from edge_icl.cli.command import Command, examples
from edge_icl.cli.given import text_or_stdin
from edge_icl.cli.tables import counted
from edge_icl.errors import ConfirmationError, EdgeIclError, ExampleNotFoundError, StoreDamagedError
from edge_icl.example import Example
from edge_icl.memory import NEARLY_THE_SAME
from edge_icl.results import Held
from edge_icl.search.matching import as_json, only_folded, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Receipt

MOST_SHOWN = 10
"""Examples that are shown one by one; more are counted."""


class Wanted(NamedTuple):
    """Which examples are meant; several filters mean those that fit all of them."""

    ids: tuple[str, ...]
    match: str | None
    source: str | None
    tag: str | None
    like: str | None
    min_similarity: float | None
    everything: bool

    @property
    def filtered(self) -> bool:
        """Whether a filter is given."""
        return any(given is not None for given in (self.match, self.source, self.tag, self.like))


class Illegible(Held):
    """An example whose text is damaged. Its id is all that can be told of it, and enough to forget it."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"id": self.id, "damaged": True}


_ILLEGIBLE = Example.create("(its text is damaged)", "?")
"""What is shown in its place."""


@click.command(
    cls=Command, epilog=examples("edge-icl forget 3f2a9c1e", "edge-icl forget --source expenses.csv --dry-run")
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=completion.ids)
@click.option(
    "--match",
    metavar="TEXT",
    callback=text_or_stdin,
    help="Those whose input or output holds this text as a person reads it: in upper or lower case, with any "
    "white space, and whatever invisible characters are in it; - reads it from stdin.",
)
@click.option("--source", metavar="S", help="Those from this source.", shell_complete=completion.sources)
@click.option("--tag", metavar="T", help="Those with this tag.", shell_complete=completion.tags)
@click.option(
    "--like",
    metavar="TEXT",
    callback=text_or_stdin,
    help="Those whose input is nearly this text; - reads it from stdin.",
)
@click.option(
    "--min-similarity",
    type=click.FloatRange(-1, 1),
    metavar="X",
    help=f"How near, up to 1 for the same.  [default: {NEARLY_THE_SAME}]",
)
@click.option("--all", "everything", is_flag=True, help="All examples of the store.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--receipt", type=click.Path(path_type=Path), metavar="FILE", help="Write a receipt.")
@click.option("--no-similar", is_flag=True, help="Do not look for near copies, which reads the whole store.")
@click.pass_obj
def forget(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    ids: tuple[str, ...],
    match: str | None,
    source: str | None,
    tag: str | None,
    like: str | None,
    min_similarity: float | None,
    everything: bool,
    dry_run: bool,
    yes: bool,
    receipt: Path | None,
    no_similar: bool,
) -> None:
    """Take examples back: by ID (its first digits will do), or all that fit every filter that is given.

    Afterwards every file of the store is as if they had never been added. All of them are forgotten or, where
    one id is wrong, none. On a terminal you are shown what would go and asked; elsewhere --yes is needed. Near
    copies that are left are named, with the command that forgets them too.

    A receipt says which ids were forgotten, for `edge-icl verify --receipt`. Whoever has it and the store can
    test a guess of what was forgotten: keep it elsewhere, or do without.
    """
    wanted = Wanted(ids, match, source, tag, like, min_similarity, everything)
    _check(wanted)
    with session.open() as memory:
        if receipt is not None:
            private.refuse(receipt, store=memory.path)
        found = _find(memory, wanted)
        folded = only_folded(found, match)
        if dry_run:
            _show_plan(session, memory, found, folded)
            return
        rows = _rows(session, memory, found, folded)
        _confirm(session, memory, found, rows, folded=folded, everything=everything, yes=yes)
        done = _forget(memory, found, receipt, similar=None if no_similar else NEARLY_THE_SAME)
        if session.output.json:
            session.output.document(done.as_json())
        else:
            session.output.line(f"forgot {counted(len(done.ids))}")
            if yes:  # otherwise they have just been shown
                session.output.table(_header(found), rows)
                _note_folded(session, folded)
        _show_left(session, memory, done)


def _forget(memory: Memory, found: Sequence[Held], receipt: Path | None, *, similar: float | None) -> Receipt:
    """Forget the examples; the receipt's file is made before, since it cannot be made up for afterwards."""
    ids = [one.id for one in found]
    if receipt is None:
        return memory.forget(*ids, similar=similar)
    done = None
    try:
        with private.writing(receipt, store=memory.path) as file:
            done = memory.forget(*ids, similar=similar)
            file.write(json.dumps(done.as_json()) + "\n")
    except OSError as error:
        if done is None:
            raise
        raise EdgeIclError(
            f"the examples are forgotten, but {receipt} cannot be written: {error.strerror}",
            "check the store without a receipt: edge-icl verify",
            committed=True,
        ) from error
    return done


def _check(wanted: Wanted) -> None:
    """Refuse what cannot be meant."""
    if bool(wanted.ids) + wanted.filtered + wanted.everything != 1:
        raise click.UsageError("give ids, or filters, or --all")
    if wanted.min_similarity is not None and wanted.like is None:
        raise click.UsageError("--min-similarity goes with --like")


def _find(memory: Memory, wanted: Wanted) -> list[Held]:
    """Return the examples that are meant, each once.

    Raises:
        ExampleNotFoundError: there are none, or not one of an id.
        AmbiguousIdError: an id's digits begin several.
    """
    if wanted.ids:
        found = list({one.id: one for one in (_get(memory, id) for id in wanted.ids)}.values())
    elif wanted.everything:
        found = _all(memory)
    else:
        near = NEARLY_THE_SAME if wanted.min_similarity is None else wanted.min_similarity
        found = memory.find(
            match=wanted.match, source=wanted.source, tag=wanted.tag, like=wanted.like, min_similarity=near
        )
    if not found:
        why = "the store is empty" if wanted.everything else "no example fits"
        raise ExampleNotFoundError(f"{why}: nothing was forgotten", "edge-icl list shows what is there")
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


def _confirm(
    session: Session,
    memory: Memory,
    found: Sequence[Held],
    rows: Sequence[Sequence[str]],
    *,
    folded: set[str],
    everything: bool,
    yes: bool,
) -> None:
    """Return if the examples may be forgotten.

    Raises:
        ConfirmationError: nobody said so.
    """
    if yes:
        return
    what = counted(len(found))
    if not session.output.can_ask:
        raise ConfirmationError(
            f"forgetting {what} must be confirmed, and there is no terminal to ask on", "give --yes"
        )
    session.output.list_aside(rows)
    _note_folded(session, folded)
    question = f"empty the store {memory.path}: forget all of its {what}?" if everything else f"forget {what}?"
    if not session.output.confirm(question):
        raise ConfirmationError("it was not confirmed", "nothing was forgotten")


def _rows(session: Session, memory: Memory, found: Sequence[Held], folded: set[str]) -> list[list[str]]:
    """Return the first examples as rows of a table, and a row that counts the others.

    Those that hold the text only as a person reads them come first: nobody expects them.
    """
    first = sorted(found, key=lambda one: one.id not in folded)[:MOST_SHOWN]
    rows = _shown(session, memory, first, folded)
    if len(found) > MOST_SHOWN:
        rows.append(["…", *[""] * (len(rows[0]) - 2), f"and {len(found) - MOST_SHOWN:,} more"])
    return rows


def _shown(session: Session, memory: Memory, some: Sequence[Held], folded: set[str]) -> list[list[str]]:
    """Return examples as rows of a table; where the eye was deceived, with escapes for what cannot be seen."""
    rows = session.rows(memory, some)
    for one, row in zip(some, rows, strict=True):
        if one.id in folded:
            row[-2:] = map(visible, row[-2:])
    return rows


def _note_folded(session: Session, folded: set[str]) -> None:
    """Say how many examples hold the text only as a person reads them."""
    if folded:
        one = len(folded) == 1
        session.output.note(
            f"{len(folded):,} of them {'holds' if one else 'hold'} the text only as a person reads "
            f"{'it' if one else 'them'}; what cannot be seen there is shown as \\u00a0 and the like"
        )


def _show_plan(session: Session, memory: Memory, found: Sequence[Held], folded: set[str]) -> None:
    """Show what would be forgotten."""
    output = session.output
    if output.json:
        output.document({"dry_run": True, "examples": as_json(found, folded)})
        return
    output.table(_header(found), _shown(session, memory, found, folded))
    output.note(f"{counted(len(found))} would be forgotten; nothing was changed")
    _note_folded(session, folded)


def _header(found: Sequence[Held]) -> list[str]:
    """Return the header of a table of these examples."""
    return ["id", *([] if found[0].similarity is None else ["similar"]), "output", "input"]


def _show_left(session: Session, memory: Memory, done: Receipt) -> None:
    """Show what is left that is nearly the same."""
    output = session.output
    if done.similar_error is not None:
        output.note(f"what is left that is nearly the same cannot be looked for: {done.similar_error}")
    if not done.similar:
        return
    first = done.similar[:MOST_SHOWN]
    command = session.command_line("forget", *(session.short(memory, one.id) for one in first))
    what = (
        "1 example that is left is"
        if len(done.similar) == 1
        else f"{counted(len(done.similar))} that are left are"
    )
    which = (
        "it"
        if len(done.similar) == 1
        else "them"
        if len(first) == len(done.similar)
        else f"the first {len(first)}"
    )
    output.note(f"{what} nearly the same; to forget {which} too: {command}")
    output.list_aside(session.rows(memory, first))
