"""`edge-icl show`: one example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion
from edge_icl.cli.command import Command, examples

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(cls=Command, epilog=examples("edge-icl show 3f2a9c1e"))
@click.argument("id", metavar="ID", shell_complete=completion.ids)
@click.pass_obj
def show(session: Session, id: str) -> None:
    """Show one example whole. The first digits of its ID are enough, as long as no other begins so."""
    with session.open() as memory:
        one = memory.get(id)
    if session.output.json:
        session.output.document(one.as_json())
        return
    facts = [("id", one.id), ("input", one.input), ("output", one.output)]
    if one.tags:
        facts.append(("tags", ", ".join(one.tags)))
    if one.source is not None:
        facts.append(("source", one.source))
    session.output.facts(facts)
