"""`edge-icl doctor`: is this machine fit for edge-icl?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge_icl.access.paths import locate
from edge_icl.cli import checks, leftovers, sight
from edge_icl.cli.checks import Check, Level
from edge_icl.cli.command import Command, examples
from edge_icl.cli.tables import counted
from edge_icl.runtime.home import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.cli.session import Session

COLOURS = {Level.OK: "green", Level.NOTE: "yellow", Level.PROBLEM: "red"}
WIDEST = max(map(len, Level))


@click.command(cls=Command, epilog=examples("edge-icl doctor"))
@click.pass_obj
def doctor(session: Session) -> int:
    """Look over this machine: compiler, llama.cpp, processor, models, folders, free disk.

    Every problem comes with what to do about it, and the exit code is 1 if there is one; a note is about
    something that only takes longer, or may matter later. Nothing is fetched. Two things are done: what a
    change left in a store when it was cut off is wiped, and how the model is computed here is noted beside it.
    The store itself is for `edge-icl verify`.
    """
    output = session.output
    with output.progress() as progress:
        found = [*checks.everything(progress), *leftovers.look(session), *_encoders(session)]
    problems = sum(check.level is Level.PROBLEM for check in found)
    if output.json:
        output.document({"ok": not problems, "checks": [check.as_json() for check in found]})
        return 1 if problems else 0
    for check in found:
        output.verdict(check.level.ljust(WIDEST), f"{check.name}: {check.detail}", colour=COLOURS[check.level])
        if check.remedy:
            output.line(f"{'':{WIDEST}}  {check.remedy}")
    output.line(f"{counted(problems, 'problem')}" if problems else "everything is in order")
    return 1 if problems else 0


def _encoders(session: Session) -> Iterator[Check]:
    """Yield of each store whether its encoder reads the language of its inputs, if it does not."""
    paths = dict.fromkeys([*checks.folders_in(home() / "stores"), locate(session.store)])
    for told, remedy in sight.look(session, paths):
        yield Check("encoder", Level.NOTE, told, remedy)
