"""The examples of a file: which field is what, and what becomes of rows that are no examples.

    >>> found = edge_icl.read("sharegpt.jsonl")
    >>> found.notes
    ('read as ShareGPT: 1 conversation',)
    >>> memory.add_many(found).added
    1

A row of an export may bring its vector, and then the encoder need not make it again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from os import fspath
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.cli import encodings
from edge_icl.cli.formats import layouts, pairs, table, values
from edge_icl.cli.formats.format import Fields, listed
from edge_icl.cli.formats.how import ENCODER, VECTOR, How
from edge_icl.cli.formats.reading import read as read_rows
from edge_icl.cli.given import STDIN
from edge_icl.cli.tables import counted
from edge_icl.encode.vector import Vector
from edge_icl.errors import InputError
from edge_icl.example import Example
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from edge_icl.cli.formats.format import Format, Row
    from edge_icl.cli.formats.layout import Layout, Turns

MOST_TOLD = 3
"""Bad rows that an error names at most."""


class BadRow(NamedTuple):
    """A row that is no example.

    Attributes:
        line: where it begins, from 1; of Parquet its number.
        reason: why it is none.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class FileExamples:
    """The examples of a file, as `read` returns them; iterating over it gives these.

    Attributes:
        examples: in the order of the file.
        format: what its rows were read as, such as "ShareGPT"; "" where they have an input and an output.
        notes: what a user should know of how it was read, each a sentence: its format, and what was left out.
        bad: the rows that are no examples, where they were to be skipped.
        shortened: how many conversations had earlier turns, which were left out.
        vectors: for each example the one that came with it, or None; `Memory.add_many` takes them.
    """

    examples: tuple[Example, ...]
    format: str = ""
    notes: tuple[str, ...] = ()
    bad: tuple[BadRow, ...] = ()
    shortened: int = 0
    vectors: tuple[Vector | None, ...] = ()

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)

    def __len__(self) -> int:
        return len(self.examples)


@dataclass(slots=True)
class _Found:
    """What was found in a file so far."""

    examples: list[Example] = field(default_factory=list)
    vectors: list[Vector | None] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    shortened: int = 0
    read_as: Counter[Layout] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)
    table: bool = False

    def take(self, row: Row, how: How, finish: Callable[[Example], Example]) -> None:
        """Take a row in.

        Raises:
            InputError: it is a bad one.
        """
        if row.problem:
            raise InputError(row.problem)
        layout = how.layout(row.fields)
        if layout is None:
            self.unknown = self.unknown or row.fields
            names = how.fields
            missing = names.output if names.input in row.fields else names.input
            raise InputError(f"there is no field {missing} (it has {listed(row.fields)})")
        said = layout.said(row.fields, how.turns)
        taken = [finish(_example(how.kind, pair, row, how.fields)) for pair in said.pairs]
        vector = _vector(row) if len(taken) == 1 else None
        self.examples.extend(taken)
        self.vectors.extend([vector] * len(taken))
        self.read_as[layout] += 1
        self.shortened += said.questions > 1 and how.turns == "last" and bool(taken)
        plainly = how.named or layout is layouts.plain(how.fields.input, how.fields.output)
        beside = [f"the field {name}" for name in layouts.left_out(row.fields, layout, plainly=plainly)]
        self.left.update((what, layout.noun) for what in (*said.left, *beside))

    def notes(self, how: How) -> tuple[str, ...]:
        """Return what a user should know of how the file was read."""
        told = []
        if self.titles(how):
            read_as = [f"{one.title}: {counted(count, one.noun)}" for one, count in self.read_as.items()]
            told.append(f"read as {'; '.join(read_as)}")
        if self.shortened:
            what = counted(self.shortened, "conversation")
            told.append(
                f"of {what} with earlier turns only the last question and answer was taken; "
                "--turns all teaches each"
            )
        told += [f"left out: {what} in {counted(count, noun)}" for (what, noun), count in self.left.items()]
        return tuple(told)

    def titles(self, how: How) -> str:
        """Return as what the rows were read; "" where that is what the user says, or our own format."""
        plain = layouts.plain(how.fields.input, how.fields.output)
        return "" if not {*self.read_as} - {plain} else ", ".join(one.title for one in self.read_as)

    def leave(self, row: Row, reason: str) -> None:
        """Note a bad row."""
        self.bad.append(BadRow(row.line, reason))
        if row.odd:
            self.odd[len(self.bad) - 1] = row.odd
        self.table |= pairs.is_table(row.fields)

    def refuse(self, name: str, how: How) -> None:
        """Raise if the file is not fit to be taught; tell beside a bad row what it looks like.

        Raises:
            InputError: it is not.
        """
        bad, odd = self.bad, [*self.odd.values()]
        mixed = any(not one.input.isascii() or not one.output.isascii() for one in self.examples)
        looks = encodings.advice(odd, read_as=how.encoding, mixed=mixed) if odd else ""
        if looks and how.skip_bad and self.examples:
            line, reason = bad[min(self.odd)]
            bad[min(self.odd)] = BadRow(line, f"{reason}; {looks}")
        if bad and not (how.skip_bad and self.examples):
            told = "; ".join(f"line {line}: {reason}" for line, reason in bad[:MOST_TOLD])
            more = f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
            hint = looks or self._advice(how)
            raise InputError(f"{name} has {counted(len(bad), 'bad row')} ({told}{more})", hint)
        if not self.examples and self.left:
            left = "; ".join(f"{what} in {counted(count, noun)}" for (what, noun), count in self.left.items())
            raise InputError(f"{name} holds no examples (left out: {left})", "give a file of examples")
        if not self.examples:
            raise InputError(f"{name} holds no examples", "give one JSON object a line, or a header and rows")

    def _advice(self, how: How) -> str:
        """Return what to do with a file that has bad rows."""
        if self.examples:
            return "correct them, or leave them out with --skip-bad"
        if self.table:
            return "give one object for each example, as to_json(orient='records') of pandas does"
        if self.unknown:
            return pairs.naming(self.unknown)
        return "none of its rows can be used" if how.skip_bad else "correct them"


def read(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - what the option is called
    input_field: str | None = None,
    output_field: str | None = None,
    encoding: str | None = None,
    turns: Turns = "last",
    skip_bad: bool = False,
) -> FileExamples:
    """Read a file of examples, as `edge-icl add --file` does.

    Args:
        path: of the file. Its name says how it has its rows: .jsonl, .json, .csv, .tsv, .parquet.
        format: what the file is, whatever its name: "jsonl", "json", "csv", "tsv" or "parquet", or what its
            rows look like: "messages", "sharegpt", "alpaca", "dolly", "prompt-completion", "prodigy" or
            "doccano". None to find out.
        input_field: where a row has its input; None to find out.
        output_field: where a row has its output; None to find out.
        encoding: of the text, such as "cp1252"; None for UTF-8, or for what a mark at its beginning says.
        turns: of a conversation the "last" question and its answer, or "all", each with what came before it.
        skip_bad: leave out the rows that are no examples, instead of refusing the file.

    Raises:
        InputError: the file cannot be read, has no example, or a row that is none; or the arguments do not fit.
        NotInstalledError: it is Parquet, and pyarrow is not installed.
    """
    if turns not in ("last", "all"):
        raise InputError(f"the turns are {turns!r}", 'give "last" or "all"')
    if format is not None and format not in (names := table.names(table.EXAMPLES)):
        raise InputError(f"there is no format {format!r}", f"give one of {', '.join(names)}")
    file = fspath(path)
    how = How(
        table.of_file(file, format, table.EXAMPLES),
        input_field,
        output_field,
        turns=turns,
        skip_bad=skip_bad,
        encoding=None if encoding is None else encodings.codec(encoding),
    )
    return taught(file, how)


def taught(
    file: str,
    how: How,
    *,
    finish: Callable[[Example], Example] = lambda example: example,
    progress: Progress = silent,
) -> FileExamples:
    """Return the examples of a file; see `read`.

    Args:
        file: its path, or - for stdin.
        how: it is read.
        finish: returns an example as it is wanted, or raises InputError for one that is not.
        progress: told about the bytes that are read.
    """
    if how.named and how.kind.layout is not None:
        raise InputError(
            f"the format {how.kind.layout.name} says where a row has its input and its output",
            "leave out --format, or --input-field and --output-field",
        )
    found, name = _Found(), "stdin" if file == STDIN else file
    for row in read_rows(file, how.kind, how.columns, encoding=how.encoding, progress=progress):
        if row.empty:
            continue
        try:
            found.take(row, how, finish)
        except InputError as error:
            found.leave(row, error.message)
            if found.unknown and not how.skip_bad and not found.examples:
                break  # of a file with other fields no row can be used: one sentence says so
    found.refuse(name, how)
    return FileExamples(
        tuple(found.examples),
        found.titles(how),
        found.notes(how),
        tuple(found.bad),
        found.shortened,
        tuple(found.vectors),
    )


def _example(kind: Format, pair: tuple[Any, Any], row: Row, names: Fields) -> Example:
    """Return the example that a pair of a row is.

    Raises:
        InputError: it is none.
    """
    input, output = pair
    beside = {"tags": row.fields.get(names.tags), "source": row.fields.get(names.source)}
    assert kind.taught is not None
    said = kind.taught(replace(row, fields={"input": input, "output": output, **beside}), Fields())
    tags, source = said.tags or [], said.source
    if not isinstance(tags, list):
        raise InputError("its tags are not a list")
    return Example.create(
        said.input,
        said.output,
        tags=[values.text(tag, "tag") for tag in tags],
        source=None if source is None else values.text(source, "source"),
    )


def _vector(row: Row) -> Vector | None:
    """Return the vector that came with a row."""
    if not row.fields.get(VECTOR):
        return None
    return Vector.from_text(row.fields.get(ENCODER), row.fields[VECTOR])
