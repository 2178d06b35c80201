"""`edge-icl verify`: every byte of the store, compared with what it must be."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.cli import given
from edge_icl.cli.command import Command, examples
from edge_icl.cli.tables import counted
from edge_icl.store.findings import Problem

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.store.findings import Verification

DIFFERENT = 3
"""The exit code of a store that is not what it should be."""


@click.command(cls=Command, epilog=examples("edge-icl verify --deep"))
@click.option("--deep", is_flag=True, help="Also make the store again from its examples, and compare.")
@click.option(
    "--receipt",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A receipt of `forget`: check that what it names is gone, and its signature if it has one.",
)
@click.option("--key", metavar="PUBLIC", help="The public key with which the receipt must be signed.")
@click.option(
    "--root",
    metavar="ROOT",
    help="A root (the fingerprint of the whole store) that you noted: is it still the same?",
)
@click.pass_obj
def verify(session: Session, deep: bool, receipt: Path | None, key: str | None, root: str | None) -> int:
    """Check every byte of the store; the exit code is 3 if something is wrong.

    Each file must be what the store's manifest, its list of files, says, and nothing else may be there. With
    --deep the store is also made again beside it, as if nothing had ever been forgotten, and must be the same
    byte for byte.

    An older copy of a store, put in its place, is sound: only a root that you noted elsewhere tells it apart.
    Anyone can sign a receipt: only a key that you know from elsewhere, given as --key, tells who did.
    """
    from edge_icl.access import passphrases, paths, verification

    if key is not None and receipt is None:
        raise click.UsageError("--key goes with --receipt")
    claims = None if receipt is None else given.whole(receipt, most=given.MOST_OF_A_RECEIPT)
    path, passphrase = paths.locate(session.store), session.passphrase()
    session.refuse_plain()
    unlock = functools.cache(passphrases.unlocking(passphrase))  # one question is enough
    with session.output.progress() as progress:
        found = verification.verify(
            path,
            deep=deep,
            receipt=claims,
            signed_by=_copied(key),
            root=_copied(root),
            progress=progress,
            unlock=unlock,
        )
    if session.output.json:
        session.output.document(found.as_json())
    else:
        _show(session, found)
    return 0 if found.ok else DIFFERENT


def _show(session: Session, found: Verification) -> None:
    """Show what was found."""
    for difference in found.differences:
        session.output.line(str(difference))
    if not found.ok:
        wrong = [one for one in found.differences if one.problem is not Problem.UNPROVEN]
        session.output.note(
            f"the store has {counted(len(wrong), 'difference')}"
            if wrong
            else "the receipt does not hold; nothing is wrong with the store"
        )
        return
    how = "made again it is the same, byte for byte" if found.deep else "every file is what the manifest says"
    session.output.line(f"the store is sound: {counted(found.examples)}; {how}")
    session.output.line(f"root {found.root}")
    if found.moved_on is not None:
        session.output.line(_since(found))
    if found.signature is not None:
        session.output.line(f"the receipt is {found.signature}")


def _since(found: Verification) -> str:
    """Return what a receipt says of a sound store."""
    if not found.same_store:
        return (
            "what the receipt names is not here; the store has changed since, or the receipt is of another "
            "store: when it was written receipts did not name theirs"
        )
    since = "has changed since" if found.moved_on else "is as it was then"
    return f"what the receipt names is gone; the store {since}"


def _copied(digits: str | None) -> str | None:
    """Return hex digits as the program writes them, which copying from elsewhere may have changed."""
    return None if digits is None else digits.strip().lower()
