"""`edge-icl forget`: take examples back, all that are named or none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion, private
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.preview import MOST_SHOWN, Preview
from edge_icl.cli.receipts import Receipts
from edge_icl.cli.stdin import text_or_stdin
from edge_icl.cli.tables import counted
from edge_icl.cli.wanted import Wanted, filter_options, refuse_unknown
from edge_icl.errors import ConfirmationError, EdgeIclError
from edge_icl.search.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_icl.cli.preview import Rows
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Receipt


@dataclass(frozen=True, slots=True)
class Way:
    """How examples are forgotten."""

    dry_run: bool
    yes: bool
    receipt: Path | None
    sign: bool
    no_similar: bool


@click.command(
    cls=Command,
    epilog=examples(
        "edge-icl forget 3f2a9c1e",
        "edge-icl forget --source expenses.csv --dry-run",
        'edge-icl forget --output travel --match "Anna Berg"',
    ),
)
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=completion.ids)
@filter_options
@click.option(
    "--like",
    metavar="TEXT",
    callback=text_or_stdin,
    help="Those whose input is nearly this text: what the encoder does not read is compared letter by letter; "
    "- reads it from stdin.",
)
@click.option(
    "--min-similarity",
    type=click.FloatRange(-1, 1),
    metavar="X",
    help="How near, up to 1 for the same.  [default: the encoder's own; 0.9 for the default encoder]",
)
@click.option("--all", "everything", is_flag=True, help="All examples of the store.")
@click.option(
    "--from-receipt",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Those that a receipt of another device names: a store with the same seed. May be given again.",
)
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--receipt", type=click.Path(path_type=Path), metavar="FILE", help="Write a receipt.")
@click.option("--sign", is_flag=True, help="Sign the receipt with the key of your home, for others to check.")
@click.option("--no-similar", is_flag=True, help="Do not look for near copies, which reads the whole store.")
@click.pass_obj
@taking(Filters, Wanted, Way)
def forget(session: Session, filters: Filters, wanted: Wanted, way: Way) -> None:
    """Take examples back: by ID (its first digits are enough), or all that fit every filter that is given.

    Afterwards every file of the store is as if they had never been added. All of them are forgotten or, where
    one id is wrong, none. On a terminal you are shown what would go and asked; elsewhere --yes is needed. Near
    copies that are left are named, with the command that forgets them too.

    A receipt says which ids were forgotten, for `edge-icl verify --receipt`, and for --from-receipt where
    another device has a store of the same seed. A person who has it and the store can test a guess of what was
    forgotten: keep it elsewhere, or do without. With --sign it is made for others: they see who signed it and
    that nothing in it was changed, and with the store that what it names is gone.
    """
    wanted.check(filters)
    if way.sign and way.receipt is None:
        raise click.UsageError("--sign goes with --receipt")
    receipts = Receipts(wanted.from_receipt)
    with session.open() as memory:
        if way.receipt is not None:
            private.refuse(way.receipt, store=memory.path)
        refuse_unknown(session, memory, filters.output, so="nothing was forgotten")
        found = wanted.find_named(memory, receipts) if receipts else wanted.find(memory, filters)
        absent = len(receipts.ids(memory)) - len(found) if receipts else None
        if not found:
            _tell_none(session, way, absent or 0)
            return
        preview = Preview.of(session, memory, found, filters.match)
        if way.dry_run:
            preview.plan()
            _note_absent(session, absent)
            return
        rows = preview.rows()
        if not way.yes:
            _confirm(preview, rows, everything=wanted.everything)
        take = partial(memory.forget, *(one.id for one in found))
        done = _forget(memory, partial(memory.forget_from, *receipts.said) if receipts else take, way)
        if session.output.json:
            session.output.document(done.as_json() if absent is None else {**done.as_json(), "absent": absent})
        else:
            session.output.line(f"forgot {counted(len(done.ids))}")
            if way.yes:  # otherwise they have just been shown
                preview.show(rows)
            _note_absent(session, absent)
        if done.signed is not None:
            key = json.loads(done.signed)["key"]
            session.output.note(f"the receipt is signed with the key of your home, {key}")
        _show_left(session, memory, done)


def _confirm(preview: Preview, rows: Rows, *, everything: bool) -> None:
    """Return if the examples may be forgotten.

    Raises:
        ConfirmationError: the user did not say so, or there is no terminal to ask on.
    """
    what = counted(len(preview.found))
    if not preview.session.output.can_ask:
        raise ConfirmationError(
            f"forgetting {what} must be confirmed, and there is no terminal to ask on",
            f"give --yes: {preview.session.line().also('--yes')}",
        )
    everywhere = f"empty the store {preview.memory.path}: forget all of its {what}?"
    if not preview.confirm(rows, everywhere if everything else f"forget {what}?"):
        raise ConfirmationError("it was not confirmed", "nothing was forgotten")


def _note_absent(session: Session, absent: int | None) -> None:
    """Say how many of the examples that receipts name are not here."""
    if absent:
        are = "is" if absent == 1 else "are"
        session.output.note(f"{counted(absent)} that the receipts name {are} not here")


def _tell_none(session: Session, way: Way, absent: int) -> None:
    """Say that of the examples that receipts name none is here, which is no error."""
    if session.output.json:
        nothing = {"dry_run": True, "examples": []} if way.dry_run else {"forgotten": 0, "ids": []}
        session.output.document({**nothing, "absent": absent})
        return
    what = "the example" if absent == 1 else f"none of the {counted(absent)}"
    written = "" if way.receipt is None else ", so no receipt was written"
    is_here = "is not here" if absent == 1 else "is here"
    session.output.line(f"{what} that the receipts name {is_here}{written}")


def _forget(memory: Memory, take: Callable[..., Receipt], way: Way) -> Receipt:
    """Forget the examples; the file of the receipt is made first: afterwards it is too late to refuse."""
    receipt, similar = way.receipt, None if way.no_similar else memory.likeness
    if receipt is None:
        return take(similar=similar)
    done = None
    try:
        with private.writing(receipt, store=memory.path) as file:
            done = take(similar=similar, sign=way.sign)
            file.write(done.signed or json.dumps(done.as_json()) + "\n")
    except OSError as error:
        if done is None:
            raise
        raise EdgeIclError(
            f"the examples are forgotten, but {receipt} cannot be written: {error.strerror}",
            "check the store without a receipt: edge-icl verify",
            committed=True,
        ) from error
    return done


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
