r"""Records of a table: what its lines say before it is known what they mean.

    >>> lines = Lines(iter(['a,"b\n', 'c"\n', 'd\n']), "x.csv")
    >>> quoted(lines, Dialect(",")).cells, lines.number
    (['a', 'b\nc'], 2)

A cell in quotes may hold delimiters, line breaks, and quotes that are doubled; it may be of any size. The csv
module reads the same grammar. It is not used for that since it refuses long cells and takes what follows in
such a cell for rows, and since of a quote that is never closed it does not tell where it was opened.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.cli.given import MARK, MOST_OF_A_LINE
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUOTE = '"'
INSIDE = re.compile('[^"]*(?:""[^"]*)*')
"""What a cell in quotes holds on one line: up to a quote that is not doubled, or to the end."""

SPACES = re.compile(" *")
SPACED = re.compile(' +"[^"]*(?:""[^"]*)*" *')
"""Spaces, and a cell in quotes that ends on the same line: no program that knows quotes means text by that."""

BREAKS = "\r\n"
BLANK = " \r\n\x1a"
"""What is on a line without a row; the last is the end of a file of DOS."""


class Dialect(NamedTuple):
    """How the cells of a row are separated.

    Attributes:
        delimiter: one character.
        spaced: whether spaces behind it belong to it.
    """

    delimiter: str
    spaced: bool = False


class Record(NamedTuple):
    """One row.

    Attributes:
        line: where it begins, from 1.
        text: as it stands in the file, with its line break, without a byte order mark in front.
        cells: what it holds; empty for a blank line.
        problem: why it cannot be read; empty if it can.
    """

    line: int
    text: str
    cells: Sequence[str]
    problem: str = ""


class Lines:
    """The lines of a file, of which some may be put back.

    Args:
        lines: each with its line break.
        name: of the file, for errors.

    Attributes:
        number: of the line that was taken last, from 1; 0 before the first.
        taken: the lines of the record that is being read.
        longest: how many these may be; a longer one is cut off.
    """

    def __init__(self, lines: Iterator[str], name: str) -> None:
        self.number = 0
        self.taken: list[str] = []
        self.longest = sys.maxsize
        self._name = name
        self._lines = lines
        self._back: deque[str] = deque()
        self._room = MOST_OF_A_LINE

    def begin(self) -> str:
        """Return the first line of the next record; "" behind the last one."""
        self.taken.clear()
        self._room = MOST_OF_A_LINE
        return self.more()

    def more(self) -> str:
        """Return the next line of the record; "" behind the last one.

        Raises:
            InputError: the record has no end.
        """
        if len(self.taken) >= self.longest:
            return ""
        line = self._back.popleft() if self._back else next(self._lines, "")
        self._room -= len(line)
        if self._room < 0:
            raise InputError(
                f"{self._name} has a row of more than {MOST_OF_A_LINE:,} characters, from line {self.begun} on",
                "look for a quote there that is not closed",
            )
        if line:
            self.number += 1
            self.taken.append(line)
        return line

    def back(self, *, to: int) -> None:
        """Put back what was taken of the record, but for its first lines.

        Args:
            to: how many stay.
        """
        self._back.extendleft(reversed(self.taken[to:]))
        self.number -= len(self.taken) - to
        del self.taken[to:]

    @property
    def begun(self) -> int:
        """The line with which the record begins."""
        return self.number - len(self.taken) + 1

    def record(self, cells: Sequence[str], problem: str = "") -> Record:
        """Return the record that was read."""
        return Record(self.begun, "".join(self.taken).removeprefix(MARK), cells, problem)


def quoted(lines: Lines, dialect: Dialect) -> Record | None:
    """Return the next record of a table in which quotes have their meaning; None behind the last one."""
    line = lines.begin().removeprefix(MARK)
    if not line:
        return lines.record(()) if lines.taken else None
    if QUOTE not in line:
        return lines.record(_cells(line, dialect))
    cells, at = [], 0
    while True:
        at = _begin(line, at, dialect)
        if not line.startswith(QUOTE, at):
            end = line.find(dialect.delimiter, at)
            cells.append(line[at:end] if end >= 0 else line[at:].rstrip(BREAKS))
        else:
            found = inside(lines, line, at + 1)
            if found is None:
                return lines.record((), _unclosed(lines))
            cell, line, end = found
            cells.append(cell)
            end = _end(line, end)
            if line[end : end + 1].strip(BREAKS) not in {"", dialect.delimiter}:
                return lines.record((), _wrong(lines, f"'{dialect.delimiter}' expected after '{QUOTE}'"))
        if end < 0 or not line[end : end + 1].strip(BREAKS):
            return lines.record(cells)
        at = end + 1


def inside(lines: Lines, line: str, at: int) -> tuple[str, str, int] | None:
    """Return the rest of a cell in quotes, the line in which it ends, and where; None if it has no end.

    Args:
        lines: of which more are taken where the cell has some.
        line: the one with its beginning.
        at: behind the quote that opens it.
    """
    parts = []
    while True:
        match = INSIDE.match(line, at)
        assert match is not None
        parts.append(match[0])
        if match.end() < len(line):
            return "".join(parts).replace(QUOTE * 2, QUOTE), line, match.end() + 1
        line, at = lines.more(), 0
        if not line:
            return None


def _begin(line: str, at: int, dialect: Dialect) -> int:
    """Return where a cell begins: behind spaces, if these belong to the delimiter."""
    match = None if dialect.spaced else SPACED.match(line, at)
    quoted = match is not None and line[match.end() : match.end() + 1].strip(BREAKS) in {"", dialect.delimiter}
    return _end(line, at) if dialect.spaced or quoted else at


def _end(line: str, at: int) -> int:
    """Return where spaces end."""
    match = SPACES.match(line, at)
    assert match is not None
    return match.end()


def _cells(line: str, dialect: Dialect) -> list[str]:
    """Return the cells of a line without quotes."""
    line = line.rstrip(BREAKS)
    cells = line.split(dialect.delimiter) if line else []
    return [cell.lstrip(" ") for cell in cells] if dialect.spaced else cells


def _unclosed(lines: Lines) -> str:
    """Return what is wrong with a row that ends with the file."""
    if len(lines.taken) == 1:
        return "it has a quote that is never closed"
    return f"it has a quote that is never closed: lines {lines.begun} to {lines.number} cannot be read"


def _wrong(lines: Lines, why: str) -> str:
    """Return what is wrong with a row."""
    if len(lines.taken) == 1:
        return f"it cannot be read ({why})"
    return f"lines {lines.begun} to {lines.number} cannot be read, as one row ({why} on line {lines.number})"
