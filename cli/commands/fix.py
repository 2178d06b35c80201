"""`edge-icl fix`: another output for an example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.cli import completion
from edge_icl.cli.command import Command, examples
from edge_icl.cli.noticed import Corrected
from edge_icl.cli.stdin import text_or_stdin

if TYPE_CHECKING:
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Replaced


@click.command(cls=Command, epilog=examples('edge-icl ask "Taxi downtown"', "edge-icl fix 3f2a9c1e travel"))
@click.argument("id", metavar="ID", shell_complete=completion.ids)
@click.argument("output", metavar="OUTPUT", callback=text_or_stdin, shell_complete=completion.outputs)
@click.pass_obj
def fix(session: Session, id: str, output: str) -> None:
    """Correct an example: give it another OUTPUT.

    `ask` shows the ids of the examples behind an answer; the first digits of an ID are enough. The example with
    the old output is forgotten exactly, in the same step: the store never holds both, whatever happens, and
    afterwards no byte of it tells what the old output was. Input, tags and source stay.

    An example's id follows from its text, so the corrected example has a new one. With - the output comes from
    stdin. What else an example has can be changed with `edge-icl edit`.
    """
    with session.open() as memory:
        new = Corrected.of(memory, output)
        show(session, memory, memory.replace(id, output=new.output), new)


def show(session: Session, memory: Memory, done: Replaced, corrected: Corrected | None) -> None:
    """Show what was put in the place of an example, and what was noticed of its output if that is new."""
    more = {} if corrected is None else corrected.shown(session, memory, done.new)
    if session.output.json:
        session.output.document(done.as_json() | more)
    elif done.changed:
        old, new = (session.short(memory, id) for id in (done.old, done.new))
        session.output.line(f"{old} is forgotten; in its place is {new}")
        session.output.table(("id", "output", "input"), session.rows(memory, [memory.get(done.new)]))
    else:
        session.output.line(f"{session.short(memory, done.old)} stays as it is; nothing was changed")
