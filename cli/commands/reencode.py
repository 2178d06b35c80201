"""`edge-icl reencode`: a new store of the same examples, with another encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion, passphrases, sight, tables
from edge_icl.cli.command import Command, examples
from edge_icl.cli.usage import Advised
from edge_icl.runtime.folders import bytes_in

if TYPE_CHECKING:
    from edge_icl.access.passphrases import Passphrase
    from edge_icl.cli.session import Session
    from edge_icl.results import Reencoded


@click.command(
    cls=Command, epilog=examples("edge-icl --store work reencode --encoder all-minilm-l6-v2 --into work-2")
)
@click.option(
    "--encoder",
    required=True,
    metavar="NAME",
    help="The encoder of the new store; see `edge-icl models list`.",
    shell_complete=completion.encoders,
)
@click.option(
    "--into",
    required=True,
    metavar="NAME|PATH",
    help="The new store.",
    shell_complete=completion.places,
)
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt the new store, with a passphrase; of an encrypted store it always is, with the same one.",
)
@click.option(
    "--keyring", is_flag=True, help="With --encrypt: let the system's keyring keep a random passphrase."
)
@click.pass_obj
def reencode(session: Session, encoder: str, into: str, encrypt: bool, keyring: bool) -> None:
    """Make a new store of the same examples, with the vectors of another encoder.

    The encoder decides which texts are alike, and with it how good most answers are; no store can change its
    own. The new store has the same settings otherwise, the same seed and so the same ids. It is, byte for byte,
    one that had this encoder from the beginning.

    It appears with all examples or not at all: if this is cut off, run it again. The old store is not changed.
    What you forget while you have both must be forgotten in both; the ids are the same.
    """
    if keyring and not encrypt:
        raise Advised("--keyring goes with --encrypt", f"give both: {session.line().also('--encrypt')}")
    with session.open(plain=encrypt) as memory:
        secret = _passphrase(session, encrypt=encrypt, keyring=keyring)
        with session.output.progress() as progress:
            done = memory.reencode(into, encoder, passphrase=secret, progress=progress)
        _show(session, done, into)


def _passphrase(session: Session, *, encrypt: bool, keyring: bool) -> Passphrase | None:
    """Return what encrypts the new store: what opened the old one, if it did not come from the keyring."""
    from edge_icl.access.passphrases import Keyring

    if keyring:
        return Keyring()
    same = session.given if session.found is None else session.found
    if same is None and encrypt:
        return lambda: passphrases.choose(session.output, None)
    return same


def _show(session: Session, done: Reencoded, into: str) -> None:
    """Tell what was made, how to use it, and what becomes of the old store."""
    output, size = session.output, bytes_in(done.path)
    if output.json:
        output.document({**done.as_json(), "bytes": size})
        return
    kind = "encrypted " * done.encrypted
    output.line(
        f"made the {kind}store {done.path}: {tables.counted(done.examples)}, {tables.size(size)}, "
        f"encoder {done.encoder}"
    )
    output.line(f"root {done.root}")
    if done.unread:
        output.note(sight.unknown(done.encoder, done.unread, done.examples))
    if done.cut:
        output.note(sight.too_long(done.encoder, done.cut, done.examples))
    output.note(f"to use it: {session.command_line('ask', 'QUESTION', store=into)}")
    if done.examples:
        output.note(
            "the old store is as it was; what you forget must be forgotten in both until you wipe it: "
            f"{session.command_line('forget', '--all')}"
        )
