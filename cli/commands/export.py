"""`edge-icl export`: examples, in any format that is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.cli import private
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.formats import table, writing
from edge_icl.cli.formats.how import ENCODER, VECTOR
from edge_icl.cli.tables import counted
from edge_icl.cli.wanted import filter_options, refuse_unknown
from edge_icl.errors import InputError
from edge_icl.search.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.cli.formats.format import Format, Record
    from edge_icl.cli.session import Session
    from edge_icl.encode.vector import Vector
    from edge_icl.results import Held


BESIDE = ("tags", "source")
FIELDS = ("id", "input", "output", *BESIDE)


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
        "edge-icl export --vectors --file backup.jsonl",
        "edge-icl export --fields output,input --file x.csv",
        "edge-icl export --output travel --file travel.csv",
    ),
)
@click.option(
    "--file", type=click.Path(path_type=Path), metavar="F", help="Write to this new file, not to stdout."
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(table.names(table.WRITTEN)),
    help=f"What to write: {table.explained(table.WRITTEN)}.  "
    "[default: what the file's name ends in, or else jsonl]",
)
@click.option(
    "--fields",
    callback=_fields,
    metavar="NAMES",
    help=f"Which fields, separated by commas: some of {', '.join(FIELDS)}.  [default: all but id]",
)
@click.option(
    "--safe",
    is_flag=True,
    help="In a table, put an apostrophe before cells that a spreadsheet would run; --safe of add takes it off.",
)
@click.option("--vectors", is_flag=True, help="Also write each example's vector and its encoder's digest.")
@filter_options
@click.pass_obj
@taking(Filters)
def export(
    session: Session,
    filters: Filters,
    *,
    file: Path | None,
    format_name: str | None,
    fields: tuple[str, ...] | None,
    safe: bool,
    vectors: bool,
) -> None:
    """Write all examples, or those that fit every filter, in a form that `edge-icl add` and `import` read.

    The formats of other programs have a question and its answer, and no other field unless --fields names it. A
    text that begins with = + - or @ is a formula to a spreadsheet: give --safe if one will open the table.
    --vectors keeps what the encoder has made of each input, so that an import need not make it again. Parquet
    needs pyarrow: pip install 'edge-icl[parquet]'.

    No other user can read the file. It is a copy that `forget` does not know of.
    """
    chosen = _format(file, format_name, safe=safe)
    names = (fields or chosen.fields) + ((VECTOR, ENCODER) if vectors else ())
    if file is None and chosen.save is not None:
        raise click.UsageError(f"{chosen.name} is no text: write it to a file, --file F.{chosen.name}")
    lost: Counter[str] = Counter()
    with session.open() as memory:
        refuse_unknown(
            session, memory, filters.output, so="nothing was written, and a file is named with --file"
        )
        records = _records(memory.export(**asdict(filters)), names, lost)
        if file is None:
            _print(session, chosen, names, records)
        else:
            with private.writing(file, store=memory.path) as target:
                count = writing.write(target, chosen, records, names)
    if file is not None and session.output.json:
        session.output.document({"exported": count, "file": str(file)})
    elif file is not None:
        session.output.line(f"wrote {counted(count)} to {file}")
    if fields is None:
        _tell_lost(session, names, lost)


def _format(file: Path | None, name: str | None, *, safe: bool) -> Format:
    """Return the format to write.

    Raises:
        click.UsageError: the file's name says another one, or no spreadsheet opens it and `safe` is true.
    """
    try:
        found = table.of_new_file(file, name)
    except InputError as error:
        raise click.UsageError(f"{error.message}: {error.hint}") from None
    if not safe:
        return found
    if found.guarded is None:
        those = " or ".join(table.names(table.GUARDED))
        raise click.UsageError(f"--safe is for spreadsheets: it goes with --format {those}")
    return found.guarded


def _records(
    examples: Iterable[tuple[Held, Vector]], names: Sequence[str], lost: Counter[str]
) -> Iterator[Record]:
    """Yield what is known of each example, and count what of it is not among the names."""
    for held, vector in examples:
        record = held.as_json()
        lost.update(name for name in BESIDE if record.get(name) and name not in names)
        yield {**record, VECTOR: vector.text(), ENCODER: vector.encoder}


def _print(session: Session, kind: Format, names: Sequence[str], records: Iterable[Record]) -> None:
    """Print examples in a format.

    Raises:
        InputError: it cannot hold a text.
    """
    lines = writing.lines(kind, records, names)
    if kind.array:
        session.output.array(lines)
        return
    for line in lines:
        if isinstance(line, str):
            session.output.line(line)
        else:
            session.output.document(line)


def _tell_lost(session: Session, names: Sequence[str], lost: Counter[str]) -> None:
    """Tell what was not written, and how it would be."""
    if lost:
        left = ", ".join(f"the {name} of {counted(lost[name])}" for name in BESIDE if lost[name])
        both = ",".join([*(name for name in FIELDS if name in names), *filter(lost.get, BESIDE)])
        session.output.note(f"left out: {left}; --fields {both} writes that too")
