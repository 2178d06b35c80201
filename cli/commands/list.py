"""`edge-icl list`: the examples."""

from __future__ import annotations

import sys
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from edge_icl.cli import tables
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.wanted import filter_options, unknown
from edge_icl.search.filters import Filters
from edge_icl.store.snapshot import SHORTEST_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.cli.session import Session
    from edge_icl.results import Held


@click.command(
    "list",
    cls=Command,
    epilog=examples("edge-icl list --tag 2026 --limit 20", "edge-icl list --output travel --match uber"),
)
@filter_options
@click.option("--limit", type=click.IntRange(0, sys.maxsize), metavar="N", help="Only the first N.")
@click.pass_obj
@taking(Filters)
def list_(session: Session, filters: Filters, *, limit: int | None) -> None:
    """List the examples, in the order of their ids; the order in which they came is not kept.

    With filters, those that fit all of them. On a terminal ids are shortened and texts cut to the width; piped,
    both are whole, with tabs between id, output and input.
    """
    output = session.output
    with session.open() as memory:
        empty, every = len(memory) == 0, memory.examples()
        told = None if filters.output is None else unknown(session, memory, filters.output)
    short: dict[str, str] = {}
    if output.terminal and not output.verbose:
        every, short = _shortened(every)
    found = filters.fitting(every)
    if output.json:
        output.documents(one.as_json() for one in islice(found, limit))
        return
    first = next(found, None)
    if first is None:
        output.note("the store is empty" if empty else "; ".join(told or ["no example fits"]))
        return
    found = chain([first], found)
    if limit != 0:
        rows = ((short.get(one.id, one.id), one.output, one.input) for one in islice(found, limit))
        output.table(("id", "output", "input"), rows)
    if output.terminal and (left := sum(1 for _ in found)):
        output.note(f"{left:,} more")


def _shortened(examples: Iterator[Held]) -> tuple[Iterator[Held], dict[str, str]]:
    """Return the examples again, and the short id of each."""
    every = list(examples)
    ids = [one.id for one in every]
    return iter(every), dict(zip(ids, tables.short_ids(ids, shortest=SHORTEST_ID), strict=True))
