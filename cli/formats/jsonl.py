"""JSON: an object a line, or a whole document of them.

    {"input": "Uber to the airport", "output": "travel", "tags": ["2026"], "source": "old.csv"}
    {"messages": [{"role": "user", "content": "Taxi"}, {"role": "assistant", "content": "travel"}]}

Which of the two it is shows in its first line, whatever the file is called: an array begins with a bracket, and
an object that is laid out over several lines does not end in the first. What an object is, see `layouts`.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import documents, layouts, lines, values
from edge_icl.cli.formats.format import Columns, Fields, Format, Row, Taught
from edge_icl.cli.given import MOST_OF_A_LINE
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

UNFINISHED = ("{", "[", ",", ":")
"""How a line ends that is the beginning of something that goes on in the next one."""


def read(pieces: Iterator[str], name: str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a file.

    Args:
        pieces: of lines.
        name: of the file, for errors.
        columns: which fields are wanted.

    Raises:
        InputError: the file as a whole cannot be read.
    """

    def is_row(fields: dict[str, Any]) -> bool:
        input, output = columns.required[0], columns.required[-1]
        return input in fields or bool(layouts.of(fields, input, output) or layouts.of_question(fields))

    taken: list[str] = []
    is_document = _is_document(_noted(pieces, taken), is_row)
    rest = chain(taken, pieces)
    if is_document:
        return documents.rows(rest, name, is_row)
    return lines.rows(lines.joined(rest, name), row_object)


def _noted(pieces: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Yield pieces of lines, and note each."""
    for piece in pieces:
        taken.append(piece)
        yield piece


def _is_document(pieces: Iterator[str], is_row: Callable[[dict[str, Any]], bool]) -> bool:
    """Tell from the beginning of a file whether its rows are laid out over several lines, or in one value.

    No more of it is read than is needed: another program may wait for the answer to its first line.
    """
    first = _line_of(pieces)
    if not first.startswith("{") or len(first) > MOST_OF_A_LINE:
        return first.startswith("[")
    try:
        fields = values.loads(first)
    except InputError:
        second = _line_of(pieces)
        return (
            bool(second) and not first.endswith("}") and (first.endswith(UNFINISHED) or not _is_object(second))
        )
    return (
        isinstance(fields, dict)
        and not is_row(fields)
        and any(isinstance(one, list) for one in fields.values())
    )


def _line_of(pieces: Iterator[str]) -> str:
    """Return the next line that is not blank, without the white space around it; of an array its bracket."""
    taken: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if taken or piece.strip():
            taken.append(piece if taken else piece.lstrip())
        if length > MOST_OF_A_LINE or (taken and (taken[0][0] == "[" or piece.endswith(("\n", "\r")))):
            break
    return "".join(taken).strip()


def _is_object(line: str) -> bool:
    """Tell whether a line is a JSON object."""
    try:
        return isinstance(values.loads(line), dict)
    except InputError:
        return False


def row_object(line: str) -> dict[str, Any]:
    """Return the fields of a JSON object.

    Raises:
        InputError: it is something else.
    """
    fields = values.loads(line)
    if not isinstance(fields, dict):
        raise InputError("it is not a JSON object")
    return fields


def taught(row: Row, fields: Fields) -> Taught:
    """Return what an object says of an example."""
    return Taught(
        row[fields.input], row[fields.output], row.fields.get(fields.tags), row.fields.get(fields.source)
    )


def line(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return an example as an object."""
    return {name: record[name] for name in names if name in record}


JSONL = Format(
    "jsonl", "one JSON object a line", ("jsonl", "ndjson"), read=read, pieces=True, taught=taught, line=line
)
