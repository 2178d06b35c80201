"""`edge-icl list`: the examples."""

from __future__ import annotations

import click

from edge_icl.cli import completion, tables
from edge_icl.cli.session import Command, Session, examples
from edge_icl.store.snapshot import SHORTEST_ID


@click.command("list", cls=Command, epilog=examples("edge-icl list --tag 2026 --limit 20"))
@click.option("--tag", metavar="T", help="Only those with this tag.", shell_complete=completion.tags)
@click.option("--source", metavar="S", help="Only those from this source.", shell_complete=completion.sources)
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Only the first N.")
@click.pass_obj
def list_(session: Session, tag: str | None, source: str | None, limit: int | None) -> None:
    """List the examples, in the order of their ids; the order in which they came is not kept.

    On a terminal ids are shortened, and texts cut to the width; piped, both are whole, with tabs between id,
    output and input.
    """
    from edge_icl.searching import fitting  # noqa: PLC0415 - not for --help

    output = session.output
    with session.open() as memory:
        every = list(memory.examples())
    found = fitting(every, match=None, source=source, tag=tag)
    shown = found if limit is None else found[:limit]
    if output.json:
        output.documents(one.as_json() for one in shown)
        return
    keys = [one.id for one in every]
    whole = output.verbose or not output.terminal
    short = dict(zip(keys, keys if whole else tables.short_ids(keys, shortest=SHORTEST_ID), strict=True))
    if shown:
        output.table(("id", "output", "input"), [(short[one.id], one.output, one.input) for one in shown])
    if output.terminal and len(shown) < len(found):
        output.note(f"{len(found) - len(shown):,} more")
    if not every:
        output.note("the store is empty")
    elif not found:
        output.note("no example fits")
