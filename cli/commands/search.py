"""`edge-icl search`: the examples most similar to a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import sight
from edge_icl.cli.command import Command, examples
from edge_icl.cli.stdin import text_or_stdin

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(cls=Command, epilog=examples('edge-icl search "a ride to the airport" --limit 3'))
@click.argument("text", metavar="TEXT", callback=text_or_stdin)
@click.option(
    "--limit", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="How many."
)
@click.pass_obj
def search(session: Session, text: str, limit: int) -> None:
    """Find the examples whose inputs mean most nearly the same as TEXT, the nearest first.

    Similarity goes up to 1 for the same text; with the default encoder, two inputs say nearly the same from
    about 0.9. With - the text comes from stdin.
    """
    with session.open() as memory:
        found = memory.search(text, limit=limit)
        if session.output.json:
            for one in found:
                session.output.document(one.as_json())
        elif found:
            session.output.table(("id", "similar", "output", "input"), session.rows(memory, found))
        else:
            session.output.note("the store is empty")
        if not session.output.json:
            sight.tell_of(session, memory, [text])
