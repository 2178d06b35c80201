"""What formats share that have a row a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.cli.formats.format import Row
from edge_icl.cli.given import MARK, MOST_OF_A_LINE, NOT_TEXT, is_unicode
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def joined(pieces: Iterator[str], name: str) -> Iterator[str]:
    """Yield the lines that pieces are.

    Raises:
        InputError: one has no end.
    """
    held: list[str] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if piece.endswith(("\n", "\r")):
            yield "".join(held)
            held.clear()
            length = 0
        elif length >= MOST_OF_A_LINE:
            raise InputError(
                f"{name} has a line of more than {MOST_OF_A_LINE:,} characters", "give a file of examples"
            )
    if held:
        yield "".join(held)


def rows(lines: Iterator[str], parse: Callable[[str], dict[str, Any]]) -> Iterator[Row]:
    """Yield the rows that lines are; blank ones are none.

    Args:
        lines: of a file.
        parse: returns the fields of a line, or raises InputError.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(number, line.rstrip("\r\n").removeprefix(MARK), parse)


def _row(number: int, line: str, parse: Callable[[str], dict[str, Any]]) -> Row:
    """Return the row that one line is."""
    if not is_unicode([line]):
        return Row(number, problem=NOT_TEXT, odd=line)
    try:
        return Row(number, parse(line))
    except InputError as error:
        return Row(number, problem=error.message)
