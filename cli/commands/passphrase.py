"""`edge-icl passphrase`: another passphrase for an encrypted store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import passphrases
from edge_icl.cli.command import Command, examples

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(cls=Command, epilog=examples("edge-icl --store work passphrase"))
@click.option(
    "--new-fd",
    type=click.IntRange(0),
    metavar="N",
    help=f"Read the new passphrase from this file descriptor, a line; or set {passphrases.NEW_VARIABLE}.",
)
@click.option("--keyring", is_flag=True, help="Let the system's keyring keep a random passphrase from now on.")
@click.pass_obj
def passphrase(session: Session, new_fd: int | None, keyring: bool) -> None:
    """Change the passphrase of an encrypted store.

    Only one small file changes, `key`. A person who has a copy of the old one and knows the old passphrase can
    still open the store: if that matters, export the examples and make a new store.
    """
    from edge_icl.access.passphrases import Keyring

    if keyring and new_fd is not None:
        raise click.UsageError("--new-fd and --keyring exclude each other")
    with session.open() as memory:
        if keyring:
            memory.change_passphrase(Keyring())
        else:
            given = None if new_fd is None else passphrases.read(new_fd)
            name = passphrases.NEW_VARIABLE
            memory.change_passphrase(lambda: passphrases.choose(session.output, given, name=name))
        if session.output.json:
            session.output.document({"path": str(memory.path), "keyring": keyring})
        else:
            where = "the system's keyring has the new one" if keyring else "the old one no longer opens it"
            session.output.line(f"changed the passphrase of {memory.path}; {where}")
