"""`edge-icl export`: all examples as JSON lines, as a table, or as conversations."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_icl.cli import messages, private
from edge_icl.cli.command import Command, examples
from edge_icl.cli.spreadsheets import guarded
from edge_icl.cli.tables import counted
from edge_icl.cli.teaching import ENCODER, VECTOR, tags_cell
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.cli.session import Session
    from edge_icl.encode.vector import Vector
    from edge_icl.results import Held

    Record = dict[str, Any]

FORMATS = ("jsonl", "csv", "tsv", "messages")
FIELDS = ("id", "input", "output", "tags", "source")
TABLES = ("csv", "tsv")
USUAL = ("input", "output", "tags", "source")
TEXTS = ("input", "output")
SHOWN = 30
"""Characters of a text that an error shows."""


def _fields(_ctx: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Return the names of fields."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    if set(names) - set(FIELDS) or len(set(names)) < len(names):
        raise click.BadParameter(f"name some of {', '.join(FIELDS)}, each once")
    return names


@click.command(
    cls=Command,
    epilog=examples(
        "edge-icl export --vectors --file backup.jsonl", "edge-icl export --fields output,input --file x.csv"
    ),
)
@click.option(
    "--file", type=click.Path(path_type=Path), metavar="F", help="Write to this new file, not to stdout."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="What to write.  [default: what the file's name ends in, or else jsonl]",
)
@click.option(
    "--fields",
    callback=_fields,
    metavar="NAMES",
    help=f"Which fields, parted by commas: some of {', '.join(FIELDS)}.  [default: all but id]",
)
@click.option(
    "--safe",
    is_flag=True,
    help="In a table, put an apostrophe before cells that a spreadsheet would run; --safe of add takes it off.",
)
@click.option("--vectors", is_flag=True, help="Also write each example's vector and its encoder's digest.")
@click.pass_obj
def export(
    session: Session,
    file: Path | None,
    kind: str | None,
    fields: tuple[str, ...] | None,
    safe: bool,
    vectors: bool,
) -> None:
    """Write all examples, in a form that `edge-icl add` and `edge-icl import` read.

    jsonl is one JSON object a line; csv and tsv are tables with a header; messages is one conversation a line,
    in the OpenAI messages format, of a question and its answer, and has no other field unless --fields names
    it. A text that begins with = + - or @ is a formula to a spreadsheet: give --safe where one will open the
    table. --vectors keeps what the encoder has made of each input, so that an import need not make it again.

    A file is made readable for nobody else. It is a copy that `forget` does not know of.
    """
    kind = kind or _format_of(file)
    if safe and kind not in TABLES:
        raise click.UsageError(f"--safe is for spreadsheets: it goes with --format {' or '.join(TABLES)}")
    names = fields or (TEXTS if kind == "messages" else USUAL)
    if vectors:
        names = (*names, VECTOR, ENCODER)
    with session.open() as memory:
        lines = _lines((_record(held, vector) for held, vector in memory.export()), kind, names, safe=safe)
        if file is None:
            for line in lines:
                if isinstance(line, str):
                    session.output.line(line)
                else:
                    session.output.document(line)
            return
        count = -1 if kind in TABLES else 0  # a header is no example
        with private.writing(file, store=memory.path) as target:
            for line in lines:
                target.write((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n")
                count += 1
    if session.output.json:
        session.output.document({"exported": count, "file": str(file)})
    else:
        session.output.line(f"wrote {counted(count)} to {file}")


def _format_of(file: Path | None) -> str:
    """Return the format that a file's name tells of; JSON lines for every other name."""
    ending = "" if file is None else file.suffix.lstrip(".").lower()
    return ending if ending in TABLES else "jsonl"


def _record(held: Held, vector: Vector) -> Record:
    """Return all that can be written of an example; without tags and source where there are none."""
    return {**held.as_json(), VECTOR: vector.text(), ENCODER: vector.encoder}


def _lines(records: Iterable[Record], kind: str, names: Sequence[str], *, safe: bool) -> Iterator[str | Record]:
    """Yield what is written, a line each: texts for a table, objects for JSON.

    Raises:
        InputError: a table without quotes cannot hold a text.
    """
    if kind in TABLES:
        yield _row(names, kind, safe=safe)
    for one in records:
        if kind in TABLES:
            cells = {**one, "tags": tags_cell(tuple(one.get("tags", ())))}
            yield _row([cells.get(name, "") for name in names], kind, safe=safe)
        elif kind == "messages":
            kept = {name: one[name] for name in names if name in one and name not in TEXTS}
            yield {messages.FIELD: messages.messages(one["input"], one["output"]), **kept}
        else:
            yield {name: one[name] for name in names if name in one}


def _row(cells: Sequence[str], kind: str, *, safe: bool) -> str:
    """Return a row of a table."""
    if safe:
        cells = [guarded(cell) for cell in cells]
    if kind == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow(cells)  # so that both characters are quoted
        return text.getvalue().removesuffix("\r\n")
    for cell in cells:
        if any(c in cell for c in "\t\r\n"):
            raise InputError(
                f"a .tsv file cannot hold the line break or tab in {cell[:SHOWN]!r}", "write .csv or .jsonl"
            )
    return "\t".join(cells)
