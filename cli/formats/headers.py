r"""Where the header of a table is, and how its columns are separated.

    sep=;
    Expenses of 2026

    Input;Output;when

The header is the first line that has the columns that are wanted, and the delimiter is the one with which it
has them. Blank lines, titles and a line for Excel may stand above it. That is no guess: one from the look of
the rows, as the csv module and clevercsv make it, was measured and is wrong more often (see docs/faq.md).
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_icl.cli import encodings
from edge_icl.cli.formats import pairs
from edge_icl.cli.formats.format import Columns, listed
from edge_icl.cli.formats.records import QUOTE, Dialect, Lines, Record
from edge_icl.cli.given import MARK, is_unicode
from edge_icl.cli.tables import cut, one_line
from edge_icl.errors import InputError

MOST_ABOVE = 50
"""Lines that may stand above a header, at most."""

OTHERS = ",;|"
"""Delimiters that are told of where a format has but one."""

LONGEST = 20
"""Lines of a header, whose cells may hold line breaks, at most."""

SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
"""A first line that tells Excel the delimiter."""

HIDDEN = dict.fromkeys(map(ord, "\ufeff\u200b\u00ad"))
"""Characters that a name may hold without anybody seeing them."""

MOST_SEEN, SHOWN = 12, 40
"""How many cells of a table without the columns are shown, and in how many columns of a terminal each."""

Reader = Callable[[Lines, Dialect], Record | None]


class Header(NamedTuple):
    """A header that has the columns that are wanted.

    Attributes:
        record: the row that it is.
        above: what stands above it.
        dialect: how its cells, and those of the rows below it, are separated.
        places: where the columns are that are wanted, and there.
        names: of all columns, without what a person does not see.
    """

    record: Record
    above: str
    dialect: Dialect
    places: dict[str, int]
    names: tuple[str, ...]

    def comes_again(self, record: Record, name: str) -> bool:
        """Tell whether a row is the header once more, as where files were put together; so is a line for Excel.

        Raises:
            InputError: it is, with its columns in another order.
        """
        if not record.cells or _plain(record.cells[0]) not in self.names:
            return SEPARATOR.fullmatch(record.text) is not None
        names, cells = self.names, [_plain(cell) for cell in record.cells]
        while cells and not cells[-1]:
            cells.pop()
        if cells and sorted(cells) == sorted(filter(None, names)) and (*cells,) != names[: len(cells)]:
            raise InputError(
                f"{name} has another header on line {record.line}, with its columns in another order",
                "give what is below it as a file of its own",
            )
        return len(cells) > max(self.places.values(), default=0) and (*cells,) == names[: len(cells)]


def find(lines: Lines, name: str, columns: Columns, delimiters: str, read: Reader) -> Header | None:
    """Return the header of a table; None for a file without any text.

    Args:
        lines: of the file; those below the header are left.
        name: of the file, for errors.
        columns: which ones are wanted.
        delimiters: those that the format may have, the usual first.
        read: returns the next record.

    Raises:
        InputError: there is none, or one of the columns is there more than once.
    """
    above: list[str] = []
    seen: list[str] = []
    lines.longest = LONGEST
    while len(above) < MOST_ABOVE and (line := lines.begin()):
        lines.back(to=0)
        told = SEPARATOR.fullmatch(line.removeprefix(MARK))
        if told and not "".join(above).strip():
            delimiters = told[1]
        elif line.strip():
            if found := _header(lines, columns, delimiters, read):
                lines.longest = sys.maxsize
                _refuse_rows(above, found, name)
                return found._replace(above="".join(above))
            seen.append(line)
        lines.begin()
        above.append(line)
    if not seen:
        return None
    raise _missing(name, columns, delimiters, seen)


def _refuse_rows(above: Sequence[str], found: Header, name: str) -> None:
    """Refuse a table with rows above its header, such as one that was sorted together with it.

    Raises:
        InputError: a line there has as many cells as the header, and none of them is empty.
    """
    width = len(found.names)
    for number, line in enumerate(above, 1):
        cells = next(csv.reader([line], delimiter=found.dialect.delimiter), [])
        if width > 1 and len(cells) == width and all(map(str.strip, cells)):
            raise InputError(
                f"line {number} of {name} stands above the header and looks like a row ({one_line(line)})",
                "put the header first; if the line is a title, remove it",
            )


def places(header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Return where columns are in a header; capitals and white space count only where they must.

    Raises:
        InputError: one is there more than once.
    """
    found = {}
    for name in names:
        at = [i for i, cell in enumerate(header) if cell == name]
        at = at or [i for i, cell in enumerate(header) if _plain(cell) == _plain(name)]
        if len(at) > 1:
            raise InputError(
                f"there are {len(at)} columns {name} ({listed(header[i] for i in at)})",
                "give them different names",
            )
        if at:
            found[name] = at[0]
    return found


def _header(lines: Lines, columns: Columns, delimiters: str, read: Reader) -> Header | None:
    """Return the header that the next line is; None, and the line is left, if it is none."""
    tried = [Dialect(delimiter, spaced) for delimiter in delimiters for spaced in (False, True)]
    for same in (str, _plain):
        for dialect in tried:
            record = read(lines, dialect)
            assert record is not None
            cells = [same(cell) for cell in record.cells]
            spaced = all(cell.startswith(" ") for cell in record.cells[1:]) and len(cells) > 1
            found = _wanted(columns, cells, same)
            if found is not None and not (same is _plain and spaced):
                wanted = places(record.cells, (*found, *columns.optional))
                return Header(record, "", dialect, wanted, tuple(map(_plain, record.cells)))
            lines.back(to=0)
    return None


def _wanted(columns: Columns, cells: Sequence[str], same: Callable[[str], str]) -> Sequence[str] | None:
    """Return the columns that are read of a table with this header; None if it lacks one."""
    if columns.known is not None and (found := columns.known(cells)) is not None:
        return found
    return columns.required if {same(name) for name in columns.required} <= {*cells} else None


def _plain(name: str) -> str:
    """Return the name of a column without what a person does not see."""
    return " ".join(name.translate(HIDDEN).split()).casefold()


def _missing(name: str, columns: Columns, delimiters: str, seen: Sequence[str]) -> InputError:
    """Return what is told of a table in whose first lines the columns are not."""
    if not is_unicode(seen) and (looks := encodings.advice(seen)):
        return InputError(f"the header of {name} is not UTF-8", looks)
    delimiter = max(delimiters, key=seen[0].count)
    cells = [cell.strip().strip(QUOTE) for cell in seen[0].removeprefix(MARK).split(delimiter)]
    there = {_plain(cell) for cell in cells}
    column = next((one for one in columns.required if _plain(one) not in there), columns.required[0])
    shown = [cut(one_line(cell), SHOWN) for cell in cells[:MOST_SEEN]]
    options = pairs.likely(cells, questions=len(columns.required) == 1)
    header = delimiter.join(columns.required)
    other = next((one for one in OTHERS if {*columns.required} <= {*map(_plain, seen[0].split(one))}), None)
    hint = f"name its columns: {options}; if it has no header, put a line above the rows: {header}"
    if len(delimiters) == 1 and other:
        hint = f"its columns are separated by {other!r}: read it with --format csv"
    return InputError(f"{name} has no column {column} (it has {listed(shown)})", hint)
