"""What a file teaches: the options that say how it is read, and what its examples get in addition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from edge_icl.cli import encodings
from edge_icl.cli.formats import examples, table
from edge_icl.cli.formats.how import How
from edge_icl.cli.lesson import Lesson
from edge_icl.cli.options import having
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from edge_icl.answer.lengths import Lengths
    from edge_icl.cli.formats.format import Format
    from edge_icl.cli.formats.layout import Turns
    from edge_icl.example import Example
    from edge_icl.runtime.progress import Progress

F = TypeVar("F", bound="Callable[..., None]")


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What the options say of a file of examples; see `file_options`."""

    format_name: str | None
    input_field: str | None
    output_field: str | None
    tags_field: str
    source_field: str
    encoding: str | None
    turns: Turns
    safe: bool
    skip_bad: bool

    def how(self, file: str) -> How:
        """Return how a file is read.

        Raises:
            click.UsageError: see `format_of`; or options do not go together.
        """
        how = How(
            self.format_of(file),
            self.input_field,
            self.output_field,
            self.tags_field,
            self.source_field,
            turns=self.turns,
            skip_bad=self.skip_bad,
            encoding=self.encoding,
        )
        if how.named and how.kind.layout is not None:
            raise click.UsageError(
                f"--format {how.kind.layout.name} says where a row has its input and its output: "
                "leave out --input-field and --output-field"
            )
        return how

    def format_of(self, file: str) -> Format:
        """Return the format of the file.

        Raises:
            click.UsageError: the file's name does not tell, or it is no table and `safe` is true.
        """
        found = format_of(file, self.format_name, table.EXAMPLES)
        if not self.safe:
            return found
        if found.guarded is None:
            raise click.UsageError(f"--safe is for tables: {table.endings(table.GUARDED, last='and')}")
        return found.guarded


def format_of(file: str, name: str | None, allowed: Sequence[Format]) -> Format:
    """Return the format of a file that is read; see `table.of_file`.

    Raises:
        click.UsageError: neither its name nor an option tells.
    """
    try:
        return table.of_file(file, name, allowed)
    except InputError as error:
        raise click.UsageError(f"{error.message}: {error.hint}") from None


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
            help="What the file is, or what its rows look like, whatever its name.  [default: found out]",
        ),
        _found_out("--input-field", "input", "Where a row has its input."),
        _found_out("--output-field", "output", "Where a row has its output."),
        _named("--tags-field", "tags", "Where a row may have tags."),
        _named("--source-field", "source", "Where a row may have its source."),
        encodings.OPTION,
        click.option(
            "--turns",
            type=click.Choice(("last", "all")),
            default="last",
            show_default=True,
            help="Of a conversation, the last question and its answer, or each with what came before it.",
        ),
        click.option(
            "--safe",
            is_flag=True,
            help="Take off the apostrophes that `edge-icl export --safe` has put in a table.",
        ),
        click.option(
            "--skip-bad", is_flag=True, help="Leave bad rows out, and list them, instead of adding nothing."
        ),
    ]
    return having(options)(command)


def _named(option: str, default: str, text: str) -> Callable[[F], F]:
    """Return an option that names a field."""
    return click.option(option, metavar="NAME", default=default, show_default=True, help=text)


def _found_out(option: str, usual: str, text: str) -> Callable[[F], F]:
    """Return an option that names a field which a row may show by itself."""
    return click.option(option, metavar="NAME", help=f"{text}  [default: {usual}, or as a known format has it]")


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
        click.UsageError: see `FileOptions.how`.
        InputError: the file cannot be read, has no good row, or has a bad one that must not be skipped.
    """
    lesson = Lesson(allowed=allowed)

    def finish(example: Example) -> Example:
        if labels.tags or labels.source is not None:
            example = example.changed(tags=[*example.tags, *labels.tags], source=labels.source)
        lengths.check(example)
        example = lesson.trim(example) if strip else example
        lesson.check(example)
        return example

    try:
        found = examples.taught(file, options.how(file), finish=finish, progress=progress)
    except InputError as error:
        if not lesson.refused:
            raise
        raise InputError(error.message, f"{error.hint}; without --strict-labels new labels are taken") from None
    lesson.examples, lesson.vectors = [*found.examples], [*found.vectors]
    lesson.bad, lesson.longer = found.bad, found.shortened
    lesson.read_as, lesson.notes = found.format, found.notes
    return lesson
