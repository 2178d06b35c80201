"""`edge-icl stores`: the stores on this machine, each as a whole."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from edge_icl.access.paths import locate
from edge_icl.cli import completion, tables
from edge_icl.cli.command import Command, Group, examples
from edge_icl.errors import ConfirmationError, EdgeIclError
from edge_icl.runtime.home import STORE_VARIABLE, chosen_store, stores_folder

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.access.stores import StoreInfo
    from edge_icl.cli.session import Session

WAIT = 1.0
"""Seconds that a command waits for a store in use: its user is there, and can type it again."""


class _Group(Group):
    """A group that also takes the global options."""

    command_class = Command


@click.group(cls=_Group, no_args_is_help=False)
def stores() -> None:
    """List, remove and rename stores.

    A command works on the store that --store names, else on that of $EDGE_ICL_STORE, else on the store
    "default". Stores lie in one folder under their names; one that lies elsewhere is named by its path.
    """


@stores.command("list", epilog=examples("edge-icl stores list"))
@click.pass_obj
def list_(session: Session) -> None:
    """List the stores, also damaged ones, and say which one is used where none is named.

    Of an encrypted store the number of examples is not known without its passphrase.
    """
    from edge_icl.access.stores import list_stores, look

    default = locate(chosen_store())
    found = list_stores()
    if os.path.lexists(default) and default.parent != stores_folder():
        found.append(look(default))
    if session.output.json:
        session.output.documents({**one.as_json(), "default": one.path == default} for one in found)
        return
    rows = [_row(one, default=one.path == default) for one in found]
    if rows:
        session.output.table(("store", "examples", "size", "encoder", ""), rows)
        for one in found:
            if one.detail:
                session.output.note(f"{one.name}: {one.detail}")
    else:
        session.output.note(
            f"there is no store yet; to make one: {session.command_line('add', 'INPUT', 'OUTPUT')}"
        )


@stores.command(epilog=examples("edge-icl stores remove work", "edge-icl stores remove ./old-store --yes"))
@click.argument("name", metavar="NAME|PATH", shell_complete=completion.stores)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(session: Session, name: str, *, yes: bool) -> None:
    """Remove a store and wipe every file of it: examples, vectors, settings, cache.

    Of an encrypted store the key is wiped too, and its passphrase goes if the system's keyring has that: then
    no copy of the store can be opened either. On a terminal you are asked; elsewhere --yes is needed. A removal
    that is cut off goes on when you type it again. No symbolic link is followed.
    """
    from edge_icl.access.stores import look, remove_store
    from edge_icl.store import whole

    path = whole.own_path(locate(name))
    if not whole.left_in(path.parent, path.name):
        whole.refuse_foreign(path)
    before = look(path)
    if not yes:
        _confirm(session, before)
    with session.taking_away(path):
        remove_store(path, timeout=WAIT)
    if session.output.json:
        session.output.document({"removed": name, "path": str(path), "examples": before.examples})
    else:
        session.output.line(f"removed the store {path}{_held(before)}")
    _tell_variable(session, path, "there is no such store any more")


@stores.command(epilog=examples("edge-icl stores rename work office"))
@click.argument("old", metavar="OLD", shell_complete=completion.stores)
@click.argument("new", metavar="NEW", shell_complete=completion.places)
@click.pass_obj
def rename(session: Session, old: str, new: str) -> None:
    """Give a store another name, or another path on the same disk, in one step.

    Nothing in it changes, so its examples keep their ids, and an encrypted store its passphrase. A program that
    has it open, such as an assistant's, must open it again.
    """
    from edge_icl.access.stores import rename_store
    from edge_icl.store import whole

    path = whole.own_path(locate(old))
    with session.taking_away(path):
        target = rename_store(path, new, timeout=WAIT)
    if session.output.json:
        session.output.document({"renamed": old, "name": new, "path": str(target)})
    else:
        session.output.line(f"renamed the store {old} to {new}: {target}")
    _tell_variable(session, path, f"it is called {new} now")


def _row(one: StoreInfo, *, default: bool) -> tuple[str, ...]:
    """Return a store as a row of the table."""
    notes = {"default": default, "encrypted": one.encrypted, str(one.state): bool(one.detail)}
    return (
        one.name,
        "" if one.examples is None else f"{one.examples:,}",
        tables.size(one.bytes),
        one.encoder or "",
        ", ".join(note for note, holds in notes.items() if holds),
    )


def _confirm(session: Session, store: StoreInfo) -> None:
    """Return if the store may be removed.

    Raises:
        ConfirmationError: the user did not say so, or there is no terminal to ask on.
    """
    if not session.output.can_ask:
        raise ConfirmationError(
            f"removing the store {store.path} must be confirmed, and there is no terminal to ask on",
            "give --yes",
        )
    keyring = " No copy of it can be opened after that, if its passphrase is in the keyring." * store.encrypted
    if not session.output.confirm(f"remove the store {store.path} and wipe all of it{_held(store)}?{keyring}"):
        raise ConfirmationError("it was not confirmed", "nothing was removed")


def _held(store: StoreInfo) -> str:
    """Return what a store holds, after a colon, where that is known."""
    return "" if store.examples is None else f": {tables.counted(store.examples)}"


def _tell_variable(session: Session, path: Path, now: str) -> None:
    """Tell that the environment names a store that has gone."""
    try:
        named = locate(chosen_store()) == path
    except EdgeIclError:
        return
    if named and os.environ.get(STORE_VARIABLE):
        session.output.note(f"{STORE_VARIABLE} still says {shlex.quote(os.environ[STORE_VARIABLE])}: {now}")
