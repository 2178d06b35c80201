"""`edge-icl export`: all examples as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edge_icl.cli import private
from edge_icl.cli.session import Command, Session, examples
from edge_icl.cli.tables import counted


@click.command(cls=Command, epilog=examples("edge-icl export --file backup.jsonl"))
@click.option(
    "--file", type=click.Path(path_type=Path), metavar="F", help="Write to this new file, not to stdout."
)
@click.pass_obj
def export(session: Session, file: Path | None) -> None:
    """Write all examples as JSON lines, which `edge-icl add` reads.

    A file is made readable for nobody else. It is a copy that `forget` does not know of.
    """
    with session.open() as memory:
        if file is None:
            for one in memory.examples():
                session.output.document(one.as_json())
            return
        count = 0
        with private.writing(file, store=memory.path) as target:
            for count, one in enumerate(memory.examples(), start=1):  # noqa: B007 - the last count is wanted
                target.write(json.dumps(one.as_json(), ensure_ascii=False) + "\n")
    if session.output.json:
        session.output.document({"exported": count, "file": str(file)})
    else:
        session.output.line(f"wrote {counted(count)} to {file}")
