"""From a file's rows to examples: which field is what, and what becomes of rows that are no examples.

A row of an export may bring its vector, and then the encoder need not make it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from edge_icl.cli import encodings
from edge_icl.cli.formats import table
from edge_icl.cli.formats.format import Columns, Fields
from edge_icl.cli.formats.reading import read as read_rows
from edge_icl.cli.given import STDIN
from edge_icl.cli.lesson import Lesson
from edge_icl.cli.tables import counted
from edge_icl.encode.vector import Vector
from edge_icl.errors import InputError
from edge_icl.example import Example

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from edge_icl.answer.lengths import Lengths
    from edge_icl.cli.formats.format import Format, Row, Taught
    from edge_icl.runtime.progress import Progress

F = TypeVar("F", bound="Callable[..., None]")

VECTOR, ENCODER = "vector", "encoder"
MOST_TOLD = 3
"""Bad rows that an error names at most."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What the options say of a file of examples; see `file_options`."""

    format_name: str | None
    input_field: str
    output_field: str
    tags_field: str
    source_field: str
    encoding: str | None
    safe: bool
    skip_bad: bool

    @property
    def fields(self) -> Fields:
        """What the parts of an example are called in the file."""
        return Fields(self.input_field, self.output_field, self.tags_field, self.source_field)

    def format_of(self, file: str) -> Format:
        """Return the format of the file.

        Raises:
            click.UsageError: the file's name does not tell, or it is no table and `safe` is true.
        """
        found = table.of_file(file, self.format_name, table.EXAMPLES)
        if not self.safe:
            return found
        if found.guarded is None:
            raise click.UsageError(f"--safe is for tables: {table.endings(table.GUARDED, last='and')}")
        return found.guarded


class Labels(NamedTuple):
    """What a file's examples get beside their texts.

    Attributes:
        tags: in addition to their own.
        source: instead of their own, if given.
    """

    tags: tuple[str, ...] = ()
    source: str | None = None


def file_options(command: F) -> F:
    """Give a command the options of `FileOptions`."""
    options = [
        click.option(
            "--format",
            "format_name",
            type=click.Choice(table.names(table.EXAMPLES)),
            help="What the file is, whatever its name.",
        ),
        _named("--input-field", "input", "Where a row has its input."),
        _named("--output-field", "output", "Where a row has its output."),
        _named("--tags-field", "tags", "Where a row may have tags."),
        _named("--source-field", "source", "Where a row may have its source."),
        encodings.OPTION,
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


def _named(option: str, default: str, text: str) -> Callable[[F], F]:
    """Return an option that names a field."""
    return click.option(option, metavar="NAME", default=default, show_default=True, help=text)


def read(
    file: str,
    options: FileOptions,
    labels: Labels,
    lengths: Lengths,
    *,
    progress: Progress,
    strip: bool = True,
    allowed: Collection[str] | None = None,
) -> Lesson:
    """Return what a file teaches.

    Args:
        file: its path, or - for stdin.
        options: how it is read.
        labels: what each example gets in addition.
        lengths: refuses what is too long for the model.
        progress: told about the bytes that are read.
        strip: leave out the white space around outputs: not where a store is to be the one that was exported.
        allowed: the labels that an output must be one of; None for any output.

    Raises:
        click.UsageError: see `FileOptions.format_of`.
        InputError: the file cannot be read, has no good row, or has a bad one that must not be skipped.
    """
    lesson, kind, fields = Lesson(allowed=allowed), options.format_of(file), options.fields
    assert kind.taught is not None
    columns = Columns((fields.input, fields.output), (fields.tags, fields.source, VECTOR, ENCODER))
    odd: dict[int, str] = {}
    for row in read_rows(file, kind, columns, encoding=options.encoding, progress=progress):
        if row.empty:
            continue
        try:
            taught = kind.taught(row, fields)
            example, vector = _example(taught, labels), _vector(row)
            lengths.check(example)
            example = lesson.trim(example) if strip else example
            lesson.check(example)
        except InputError as error:
            lesson.bad.append((row.line, error.message))
            odd |= {len(lesson.bad) - 1: row.odd} if row.odd else {}
        else:
            lesson.take(example, vector)
            lesson.longer += taught.turns > 1
    mixed = any(not one.input.isascii() or not one.output.isascii() for one in lesson.examples)
    looks = encodings.advice([*odd.values()], read_as=options.encoding, mixed=mixed)
    if looks and options.skip_bad and lesson.examples:
        line, reason = lesson.bad[min(odd)]
        lesson.bad[min(odd)] = (line, f"{reason}; {looks}")
    _refuse(file, lesson, looks, skip_bad=options.skip_bad)
    return lesson


def _example(taught: Taught, labels: Labels) -> Example:
    """Return the example that a row is."""
    tags = taught.tags or []
    if not isinstance(tags, list):
        raise InputError("its tags are not a list")
    source = taught.source if labels.source is None else labels.source
    return Example.create(taught.input, taught.output, tags=[*tags, *labels.tags], source=source)


def _vector(row: Row) -> Vector | None:
    """Return the vector that came with a row."""
    if not row.fields.get(VECTOR):
        return None
    return Vector.from_text(row.fields.get(ENCODER), row.fields[VECTOR])


def _refuse(file: str, lesson: Lesson, looks: str, *, skip_bad: bool) -> None:
    """Raise if the file is not fit to be added; its hint is what the file looks like, if that is something."""
    name, bad = "stdin" if file == STDIN else file, lesson.bad
    if bad and not (skip_bad and lesson.examples):
        told = "; ".join(f"line {line}: {reason}" for line, reason in bad[:MOST_TOLD])
        more = f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
        hint = "none of its rows can be used" if skip_bad else "correct them, or leave them out with --skip-bad"
        hint = f"{looks or hint}{'; without --strict-labels new labels are taken' if lesson.refused else ''}"
        raise InputError(f"{name} has {counted(len(bad), 'bad row')} ({told}{more})", hint)
    if not lesson.examples:
        raise InputError(f"{name} holds no examples", "give one JSON object a line, or a header and rows")
