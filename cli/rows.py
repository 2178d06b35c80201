"""Files of examples and of questions, row by row, each with its line number.

    train.jsonl   {"input": "Uber to the airport", "output": "travel"}
    train.csv     a header, then one row a record, quoted as spreadsheets do; parted by , ; | or tabs
    train.tsv     likewise with tabs, without any quoting
    questions.txt one question a line

A row that cannot be read is given with the reason, so that whoever reads the file decides what happens then.
A byte order mark is skipped; anything that is not UTF-8 is a bad row, not a guess.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from edge_icl.cli import given
from edge_icl.cli.tables import counted
from edge_icl.errors import InputError
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STDIN = "-"
TABLES: dict[str, dict[str, Any]] = {
    "csv": {"strict": True},
    "tsv": {"delimiter": "\t", "quoting": csv.QUOTE_NONE},
}
"""How the csv module reads each kind of table."""

DELIMITERS = ",;\t|"
"""What may part the columns of a .csv file: spreadsheets write what the user's language has."""


TOLD_EACH = 1000
"""Rows from one word about progress to the next."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: where it begins, from 1.
        fields: what it holds, by name; empty for a bad row.
        problem: why it is a bad row; empty for a good one.
    """

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    def __getitem__(self, name: str) -> Any:
        """Return a field.

        Raises:
            InputError: there is none of this name, or the row is bad.
        """
        if self.problem:
            raise InputError(self.problem)
        if name not in self.fields:
            raise InputError(f"there is no field {name} (it has {_listed(self.fields)})")
        return self.fields[name]


def format_of(file: str, given: str | None, allowed: Sequence[str]) -> str:
    """Return the format of a file: as given, or as its name ends; JSON lines for stdin.

    Raises:
        click.UsageError: the name ends in nothing known.
    """
    ending = "jsonl" if file == STDIN else Path(file).suffix.lstrip(".").lower()
    if given is None and ending not in allowed:
        names = ", ".join(f".{name}" for name in allowed)
        raise click.UsageError(f"{file} ends in none of {names}: say what it is with --format")
    return given or ending


def text_or_stdin(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return a text as it was typed or, for -, as stdin has it, without line breaks at its end.

    Raises:
        InputError: stdin is closed, holds nothing, or bytes that are no UTF-8.
    """
    if value != STDIN or ctx.resilient_parsing:  # whoever completes a line has piped nothing yet
        return value
    with _opened(STDIN, newline=None) as stream:
        text = stream.read(given.MOST_OF_A_LINE)
    if len(text) == given.MOST_OF_A_LINE:
        raise InputError("stdin holds too long a text", "pipe in the one that you mean")
    text = text.rstrip("\n")
    if not text:
        raise InputError("stdin holds no text", "pipe one in, such as: edge-icl search - < file")
    if not _is_unicode([text]):
        raise InputError("stdin is not UTF-8 text", "save it as UTF-8")
    return text


def read(
    file: str,
    kind: str,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    progress: Progress = silent,
) -> Iterator[Row]:
    """Yield the rows of a file; blank lines are none. One row is in memory at a time.

    Args:
        file: its path, or - for stdin.
        kind: "jsonl", "csv", "tsv" or "txt".
        columns: the fields that a table must have; a text's lines become the first of them.
        optional: fields that a table may have; its other columns are passed over.
        progress: told about the bytes that are read.

    Raises:
        InputError: the file cannot be read, or its header lacks a column.
    """
    size = Path(file).stat().st_size if Path(file).is_file() else 0  # nobody knows how long stdin is
    with _opened(file, newline="" if kind in TABLES else None) as text:
        table = kind in TABLES
        found = _table(file, text, kind, columns, optional) if table else _lines(file, text, kind, columns)
        for number, row in enumerate(found):
            if size and number % TOLD_EACH == 0:
                progress("read", text.buffer.tell(), size)
            yield row


def count(file: str, kind: str, columns: Sequence[str]) -> int:
    """Return how many rows a file has; 0 for one that can be read only once, such as stdin."""
    return sum(1 for _ in read(file, kind, columns)) if file != STDIN and Path(file).is_file() else 0


@contextmanager
def _opened(file: str, *, newline: str | None) -> Iterator[TextIO]:
    """Open a file or stdin; bytes that are no UTF-8 come as lone surrogates."""
    try:
        with ExitStack() as stack:
            binary = stack.enter_context(given.opened(file)) if file != STDIN else _stdin()
            text = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline=newline)
            stack.callback(text.detach)  # stdin stays open for whoever comes next
            yield text
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from error


def _stdin() -> BinaryIO:
    """Return the bytes of stdin, which is None for a process that was started without one."""
    if sys.stdin is None:
        raise InputError("stdin is closed", "give --file F")
    return sys.stdin.buffer


def _lines(file: str, text: TextIO, kind: str, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows that lines are."""
    for number, line in enumerate(given.lines(text, file), start=1):
        if line.strip():
            yield _line(number, line.rstrip("\n"), kind, columns)


def _line(number: int, line: str, kind: str, columns: Sequence[str]) -> Row:
    """Return the row that one line is."""
    if not _is_unicode([line]):
        return Row(number, problem="it is not UTF-8")
    if kind == "txt":
        return Row(number, {columns[0]: line})
    fields, problem = _json(line)
    return Row(number, fields, problem)


def _json(line: str) -> tuple[dict[str, Any], str]:
    """Return the fields of a JSON object, or why there are none."""
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        return {}, f"it is not JSON ({error.msg.lower()} at column {error.colno})"
    except RecursionError:
        return {}, "its JSON is nested too deeply"
    except ValueError:
        return {}, "it holds a number with too many digits"
    return (fields, "") if isinstance(fields, dict) else ({}, "it is not a JSON object")


def _table(
    file: str, text: TextIO, kind: str, columns: Sequence[str], optional: Sequence[str]
) -> Iterator[Row]:
    """Yield the rows of a table below its header."""
    found = given.lines(text, file)
    first = next(found, "")
    dialect = TABLES[kind] | (_dialect(first, columns) if kind == "csv" else {})
    reader = csv.reader(chain([first] if first else [], found), **dialect)
    header: list[str] | None = None
    while True:
        begin = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(begin, problem=f"it cannot be read ({error})")
            continue
        if header is None:
            header = _checked_header(file, cells, columns)
            wanted = {name: header.index(name) for name in (*columns, *optional) if name in header}
        elif cells:
            yield _cells(begin, cells, len(header), wanted)


def _dialect(header: str, columns: Sequence[str]) -> dict[str, Any]:
    """Return how the columns of a table are parted: so that its header has those that are wanted.

    That is no guess, as one from the look of the rows would be.
    """
    for delimiter, blank in product(DELIMITERS, (False, True)):
        dialect: dict[str, Any] = {"delimiter": delimiter, "skipinitialspace": blank}
        with suppress(csv.Error, StopIteration):
            if set(columns) <= set(next(csv.reader([header], strict=True, **dialect))):
                return dialect
    return {}


def _checked_header(file: str, header: list[str], columns: Sequence[str]) -> list[str]:
    """Return the header if it has the columns."""
    for name in columns:
        if name not in header:
            raise InputError(
                f"{file} has no column {name} (it has {_listed(header)})",
                "name its columns with --input-field and --output-field",
            )
    return header


def _cells(number: int, cells: list[str], width: int, wanted: dict[str, int]) -> Row:
    """Return the row that a table's cells are, with the wanted columns only."""
    if len(cells) != width:
        return Row(number, problem=f"it has {counted(len(cells), 'column')} and the header has {width}")
    if not _is_unicode(cells):
        return Row(number, problem="it is not UTF-8")
    return Row(number, {name: cells[place] for name, place in wanted.items()})


def _is_unicode(texts: Iterable[str]) -> bool:
    """Tell whether none of the texts holds a byte that was no UTF-8."""
    return not any("\udc80" <= c <= "\udcff" for text in texts if not text.isascii() for c in text)


def _listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(names) or "none"
