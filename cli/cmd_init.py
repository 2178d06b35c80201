"""`edge-icl init`: make a store."""

from __future__ import annotations

import click

from edge_icl.cli import completion
from edge_icl.cli.session import Command, Session, examples
from edge_icl.store.settings import DEFAULT_SHOTS, SEED_BYTES

MOST_SHOTS = 65535


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


@click.command(cls=Command, epilog=examples("edge-icl --store work init --shots 16"))
@click.option(
    "--shots",
    type=click.IntRange(1, MOST_SHOTS),
    metavar="K",
    default=DEFAULT_SHOTS,
    show_default=True,
    help="How many examples the model is shown with a question.",
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
@click.option("--task", metavar="TEXT", help='What is asked of the model, such as "Classify the expense".')
@click.pass_obj
def init(session: Session, shots: int, seed: bytes | None, encoder: str | None, task: str | None) -> None:
    """Make a store, with settings of your own.

    `add` makes one by itself, so this is only for settings that differ from the usual ones. They cannot be
    changed later. With more shots the model sees more examples and takes longer for its first answer. A task
    stands at the beginning of every prompt.
    """
    from edge_icl.memory import Memory  # noqa: PLC0415 - not for --help

    with Memory.create(session.store, shots=shots, seed=seed, encoder=encoder, task=task) as memory:
        if session.output.json:
            made = {"path": str(memory.path), "shots": shots, "encoder": memory.settings.encoder}
            session.output.document({**made, "task": memory.settings.task or None, "root": memory.root})
        else:
            session.output.line(f"made the store {memory.path}")
