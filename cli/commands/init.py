"""`edge-icl init`: make a store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion, passphrases
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.several import Several
from edge_icl.cli.stdin import text_or_stdin
from edge_icl.cli.usage import Advised
from edge_icl.store.manifest import AUTO, LABELS_SETTINGS
from edge_icl.store.settings import DEFAULT_SHOTS, SEED_BYTES

if TYPE_CHECKING:
    from edge_icl.access.passphrases import Passphrase
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.store.manifest import LabelsSetting

MOST_SHOTS = 65535


@dataclass(frozen=True, slots=True)
class Settings:
    """What a store is made with; None for what is usual."""

    shots: int | None
    seed: bytes | None
    encoder: str | None
    task: str | None
    labels: LabelsSetting | None


def _seed(_ctx: click.Context, _option: click.Parameter, value: str | None) -> bytes | None:
    """Return the seed that hex digits are."""
    if value is None:
        return None
    try:
        seed = bytes.fromhex(value)
    except ValueError:
        raise click.BadParameter("it is not written in hex digits") from None
    if len(seed) != SEED_BYTES:
        raise click.BadParameter(f"it has {2 * len(seed)} hex digits instead of {2 * SEED_BYTES}")
    return seed


@click.command(
    cls=Command,
    epilog=examples("edge-icl --store work init --shots 16", "edge-icl --store ./phone init --like work"),
)
@click.option(
    "--like",
    metavar="STORE",
    help="For another device: the seed, encoder and settings of a store, so that both can be merged.",
    shell_complete=completion.stores,
)
@click.option(
    "--shots",
    type=click.IntRange(1, MOST_SHOTS),
    metavar="K",
    help=f"How many examples the model is shown with a question.  [default: {DEFAULT_SHOTS}]",
)
@click.option(
    "--seed", callback=_seed, metavar="HEX", help="64 hex digits instead of random ones; for tests and audits."
)
@click.option(
    "--encoder",
    metavar="NAME",
    help="The model that compares texts; see `edge-icl models list`.",
    shell_complete=completion.encoders,
)
@click.option(
    "--task",
    metavar="TEXT",
    callback=text_or_stdin,
    help='What is asked of the model, such as "Classify the expense"; - reads it from stdin.',
)
@click.option(
    "--labels",
    type=click.Choice(LABELS_SETTINGS),
    help="Whether the outputs are labels, so that an answer is one of them, or else is written; "
    f"`edge-icl labels --set` changes it.  [default: {AUTO}]",
)
@click.option("--encrypt", is_flag=True, help="Encrypt every file of the store, with a passphrase.")
@click.option(
    "--keyring", is_flag=True, help="With --encrypt: let the system's keyring keep a random passphrase."
)
@click.pass_obj
@taking(Settings)
def init(session: Session, wanted: Settings, *, like: str | None, encrypt: bool, keyring: bool) -> None:
    """Make a store, with settings of your own.

    `add` makes one by itself, so this is only for settings that differ from the usual ones. Only --labels can
    be changed later. With more shots the model sees more examples and takes longer for its first answer. A task
    stands at the beginning of every prompt. An encrypted store cannot be opened without its passphrase: keep
    it.

    With --like it is an empty store for another device: examples have the same ids in both, and `edge-icl
    merge` brings them together. Like an encrypted store it is encrypted, with the same passphrase until you
    change it.
    """
    from edge_icl.memory import Memory

    if like is not None:
        made = _like(session, like, wanted, encrypt=encrypt, keyring=keyring)
    else:
        passphrase = _passphrase(session, encrypt=encrypt, keyring=keyring)
        made = Memory.create(session.store, **asdict(wanted), passphrase=passphrase)
    with made as memory:
        session.followed.append((memory, 0))
        if session.output.json:
            _show(session, memory)
        else:
            session.output.line(f"made the {'encrypted ' * memory.encrypted}store {memory.path}")


def _show(session: Session, memory: Memory) -> None:
    """Show as JSON what was made."""
    settings = memory.settings
    session.output.document(
        {
            "path": str(memory.path),
            "shots": settings.shots,
            "encoder": settings.encoder,
            "task": settings.task or None,
            "labels_setting": memory.labels_setting,
            "encrypted": memory.encrypted,
            "root": memory.root,
        }
    )


def _like(session: Session, like: str, wanted: Settings, *, encrypt: bool, keyring: bool) -> Memory:
    """Make a store like another one.

    Raises:
        click.UsageError: a setting is given that it has from the other one, or --keyring without --encrypt.
    """
    from edge_icl.memory import Memory

    given = [f"--{name}" for name, value in asdict(wanted).items() if value is not None]
    if given:
        takes = f"{' and '.join(given)} does not go with --like"
        raise click.UsageError(f"{takes}: the new store has the settings of {like}")
    if keyring and not encrypt:
        raise Advised("--keyring goes with --encrypt", f"give both: {session.line().also('--encrypt')}")
    several = Several(session)
    with several.open(like) as other:
        secret = several.new([other], encrypt=encrypt, keyring=keyring)
        return Memory.create(session.store, like=other, passphrase=secret)


def _passphrase(session: Session, *, encrypt: bool, keyring: bool) -> Passphrase | None:
    """Return what encrypts the store, or None for a plain one.

    Raises:
        click.UsageError: there is a passphrase and nothing to do with it.
    """
    from edge_icl.access.passphrases import Keyring

    if session.given is not None and (keyring or not encrypt):
        raise click.UsageError("--passphrase-fd goes with --encrypt, and not with --keyring")
    if keyring and not encrypt:
        raise Advised("--keyring goes with --encrypt", f"give both: {session.line().also('--encrypt')}")
    if not encrypt and session.sealed:
        raise Advised(
            f"--encrypted, or {passphrases.VARIABLE} that is set, goes with --encrypt",
            f"to make an encrypted store: {session.line().also('--encrypt')}",
        )
    if not encrypt:
        return None
    if keyring:
        return Keyring()
    return lambda: passphrases.choose(session.output, session.given)
