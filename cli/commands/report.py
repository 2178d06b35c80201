"""`edge-icl report`: a page to look at the store in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.cli import private, tables
from edge_icl.cli.command import Command, examples
from edge_icl.cli.tables import counted

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(cls=Command, epilog=examples("edge-icl report --out memory.html"))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="F",
    help="Write the page to this new file, such as memory.html.",
)
@click.pass_obj
def report(session: Session, out: Path) -> None:
    """Write one HTML file to look at the store in a browser.

    It shows the labels with their counts, a map on which like examples lie near each other, what `edge-icl
    check` finds with the commands that correct it, and every example, with a field that searches them. It asks
    for nothing from a network, and the same store gives the same page.

    No other user can read the file. It holds all examples, not encrypted, and `forget` does not know of it.
    """
    with session.output.progress() as progress, session.open(progress=progress) as memory:
        private.refuse(out, store=memory.path)
        made = memory.report(progress=progress)
        with private.completing(out, store=memory.path) as file:
            file.write(made.html)
        encrypted = memory.encrypted
    size = len(made.html.encode())
    if session.output.json:
        fields = {"file": str(out), "bytes": size, **made.as_json(), "encrypted": False}
        session.output.document(fields)
    else:
        session.output.line(
            f"wrote {counted(made.examples)} to {out}, {tables.size(size)}: open it in a browser"
        )
    sealed = "not encrypted as the store is, and " if encrypted else ""
    session.output.note(f"{out} is a copy outside the store: {sealed}forget does not know of it")
