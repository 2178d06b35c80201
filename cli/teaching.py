"""From a file's rows to examples: which field is what, and what becomes of rows that are no examples.

    {"input": "Uber to the airport", "output": "travel", "tags": ["2026"], "source": "old.csv"}
    {"messages": [{"role": "user", "content": "Taxi"}, {"role": "assistant", "content": "travel"}]}

In a table the tags are one cell, `2026, work`; a tag with a comma in it needs the cell to be a JSON list. A row
of an export may bring its vector, and then the encoder need not make it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from edge_icl.cli import messages, rows
from edge_icl.cli.spreadsheets import unguarded
from edge_icl.cli.tables import counted
from edge_icl.encode.vector import Vector
from edge_icl.errors import InputError
from edge_icl.example import Example

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_icl.answer.lengths import Lengths
    from edge_icl.runtime.progress import Progress

F = TypeVar("F", bound="Callable[..., None]")

FORMATS = ("jsonl", "csv", "tsv")
VECTOR, ENCODER = "vector", "encoder"
MOST_TOLD = 3
"""Bad rows that an error names at most."""


class Fields(NamedTuple):
    """What the parts of an example are called in a file."""

    input: str = "input"
    output: str = "output"
    tags: str = "tags"
    source: str = "source"


class Labels(NamedTuple):
    """What a file's examples get beside their texts.

    Attributes:
        tags: in addition to their own.
        source: instead of their own, if given.
    """

    tags: tuple[str, ...] = ()
    source: str | None = None


@dataclass(slots=True)
class Lesson:
    """What a file teaches.

    Attributes:
        examples: in the order of the file.
        vectors: for each the one that came with it, if any.
        bad: of each row that is no example its line and the reason.
        longer: how many conversations had more turns than the one that was taken.
    """

    examples: list[Example] = field(default_factory=list)
    vectors: list[Vector | None] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    longer: int = 0


def file_options(command: F) -> F:
    """Give a command the options that say how a file is read."""
    options = [
        click.option(
            "--format", "kind", type=click.Choice(FORMATS), help="What the file is, whatever its name."
        ),
        _named("--input-field", "input", "Where a row has its input."),
        _named("--output-field", "output", "Where a row has its output."),
        _named("--tags-field", "tags", "Where a row may have tags."),
        _named("--source-field", "source", "Where a row may have its source."),
        click.option(
            "--safe",
            is_flag=True,
            help="Take off the apostrophes that `edge-icl export --safe` has put in a table.",
        ),
        click.option(
            "--skip-bad", is_flag=True, help="Leave bad rows out, and list them, instead of adding nothing."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _named(option: str, usual: str, help: str) -> Callable[[F], F]:  # noqa: A002 - click's word
    """Return an option that names a field."""
    return click.option(option, metavar="NAME", default=usual, show_default=True, help=help)


def read(
    file: str,
    kind: str | None,
    fields: Fields,
    labels: Labels,
    lengths: Lengths,
    *,
    safe: bool,
    skip_bad: bool,
    progress: Progress,
) -> Lesson:
    """Return what a file teaches.

    Args:
        file: its path, or - for stdin.
        kind: its format; None for what its name tells.
        fields: what the parts of an example are called.
        labels: what each example gets in addition.
        lengths: refuses what is too long for the model.
        safe: a spreadsheet was to open it; see `spreadsheets`.
        skip_bad: leave bad rows out.
        progress: told about the bytes that are read.

    Raises:
        click.UsageError: the file's name does not tell its format, or it is no table and `safe` is true.
        InputError: the file cannot be read, has no good row, or has a bad one and `skip_bad` is false.
    """
    lesson = Lesson()
    kind = rows.format_of(file, kind, FORMATS)
    if safe and kind not in rows.TABLES:
        raise click.UsageError("--safe is for tables: .csv and .tsv")
    found = rows.read(
        file,
        kind,
        (fields.input, fields.output),
        optional=(fields.tags, fields.source, VECTOR, ENCODER),
        progress=progress,
    )
    for row in map(_unguarded, found) if safe else found:
        try:
            example, turns = _example(row, fields, labels, table=kind in rows.TABLES)
            vector = _vector(row)
            lengths.check(example)
        except InputError as error:
            lesson.bad.append((row.line, error.message))
        else:
            lesson.examples.append(example)
            lesson.vectors.append(vector)
            lesson.longer += turns > 1
    _refuse(file, lesson, skip_bad=skip_bad)
    return lesson


def _unguarded(row: rows.Row) -> rows.Row:
    """Return a row without the apostrophes against spreadsheets."""
    return replace(row, fields={name: unguarded(cell) for name, cell in row.fields.items()})


def tags_cell(tags: tuple[str, ...]) -> str:
    """Return tags as one cell of a table."""
    cell = ", ".join(tags)
    plain = not cell.startswith("[") and _tags_of_cell(cell) == list(tags)
    return cell if plain else json.dumps(tags, ensure_ascii=False)


def _example(row: rows.Row, fields: Fields, labels: Labels, *, table: bool) -> tuple[Example, int]:
    """Return the example that a row is, and how many turns it had."""
    turns = 1
    if messages.FIELD in row.fields and fields.input not in row.fields:
        input, output, turns = messages.pair(row[messages.FIELD])
    else:
        input, output = row[fields.input], row[fields.output]
    own, source = row.fields.get(fields.tags), row.fields.get(fields.source)
    if table:
        own, source = _tags_of_cell(own or ""), source or None
    if not isinstance(own or [], list):
        raise InputError("its tags are not a list")
    source = source if labels.source is None else labels.source
    return Example.create(input, output, tags=[*(own or []), *labels.tags], source=source), turns


def _tags_of_cell(cell: str) -> object:
    """Return the tags that a cell of a table holds."""
    if cell.startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            raise InputError("its tags begin like a JSON list and are none") from None
    return [tag.strip() for tag in cell.split(",") if tag.strip()]


def _vector(row: rows.Row) -> Vector | None:
    """Return the vector that came with a row."""
    if not row.fields.get(VECTOR):
        return None
    return Vector.from_text(row.fields.get(ENCODER), row.fields[VECTOR])


def _refuse(file: str, lesson: Lesson, *, skip_bad: bool) -> None:
    """Raise if the file is not fit to be added."""
    name, bad = "stdin" if file == rows.STDIN else file, lesson.bad
    if bad and not (skip_bad and lesson.examples):
        told = "; ".join(f"line {line}: {reason}" for line, reason in bad[:MOST_TOLD])
        more = f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
        hint = "none of its rows can be used" if skip_bad else "correct them, or leave them out with --skip-bad"
        raise InputError(f"{name} has {counted(len(bad), 'bad row')} ({told}{more})", hint)
    if not lesson.examples:
        raise InputError(f"{name} holds no examples", "give one JSON object a line, or a header and rows")
