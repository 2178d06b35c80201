"""What formats share that have a header, and rows of cells below it.

Tags are one cell, `2026, work`; a tag with a comma in it needs the cell to be a JSON list. A spreadsheet runs
some cells as formulas: see `spreadsheets`.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats.format import Columns, Fields, Format, Row, Taught, listed
from edge_icl.cli.given import NOT_TEXT, is_unicode
from edge_icl.cli.spreadsheets import guarded, unguarded
from edge_icl.cli.tables import counted
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge_icl.cli.formats.format import Behind

    Dialect = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """How one format has its rows and cells.

    Attributes:
        dialect: returns what the csv module must know to read a table with this header line.
        row: returns cells as a line of a table, with this delimiter where the format leaves a choice.
    """

    dialect: Callable[[str, Sequence[str]], Dialect]
    row: Callable[[Sequence[str], str], str]

    def format(self, name: str, content: str) -> Format:
        """Return the format of this name and content, and within it the one for spreadsheets."""
        plain = Format(
            name,
            content,
            (name,),
            read=self._read,
            taught=_taught,
            line=lambda record, names: self._line(_cells(record, names)),
            header=self._line,
            behind=self._behind,
        )
        safe = replace(
            plain,
            read=lambda lines, name, columns: map(_unguarded, self._read(lines, name, columns)),
            line=lambda record, names: self._line([guarded(cell) for cell in _cells(record, names)]),
        )
        return replace(plain, guarded=safe)

    def _read(self, lines: Iterator[str], name: str, columns: Columns) -> Iterator[Row]:
        """Yield the rows of a table below its header."""
        first = next(lines, "")
        dialect = self.dialect(first, columns.required)
        taken: list[str] = []
        reader = csv.reader(_noted(chain([first] if first else [], lines), taken), **dialect)
        header: list[str] | None = None
        while True:
            begin = reader.line_num + 1
            taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(begin, problem=f"it cannot be read ({error})", text="".join(taken))
                continue
            if header is None:
                header = _checked_header(name, cells, columns)
                named = chain(columns.required, columns.optional)
                wanted = {one: header.index(one) for one in named if one in header}
                if columns.header:
                    yield Row(begin, cells=tuple(cells), text="".join(taken))
            elif cells:
                row = _row(begin, cells, len(header), wanted)
                yield replace(row, cells=tuple(cells), text="".join(taken))

    def _line(self, cells: Sequence[str]) -> str:
        """Return cells as a line of a new table."""
        return self.row(cells, ",")

    def _behind(self, header: str, columns: Sequence[str]) -> Behind:
        """Return what puts cells behind a row of the table with this header line."""
        delimiter = self.dialect(header, columns).get("delimiter", ",")

        def behind(text: str, cells: Sequence[str]) -> str:
            return f"{text}{delimiter}{self.row(cells, delimiter)}"

        return behind


def _noted(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Yield lines, and note each."""
    for line in lines:
        taken.append(line)
        yield line


def _checked_header(name: str, header: list[str], columns: Columns) -> list[str]:
    """Return the header if it has the columns."""
    for column in columns.required:
        if column not in header:
            raise InputError(
                f"{name} has no column {column} (it has {listed(header)})",
                "name its columns with --input-field and --output-field",
            )
    return header


def _row(number: int, cells: list[str], width: int, wanted: dict[str, int]) -> Row:
    """Return the row that a table's cells are, with the wanted columns only."""
    if len(cells) != width:
        return Row(number, problem=f"it has {counted(len(cells), 'column')} and the header has {width}")
    if not is_unicode(cells):
        return Row(number, problem=NOT_TEXT, odd="\n".join(cells))
    return Row(number, {name: cells[place] for name, place in wanted.items()})


def _unguarded(row: Row) -> Row:
    """Return a row without the apostrophes against spreadsheets."""
    return replace(row, fields={name: unguarded(cell) for name, cell in row.fields.items()})


def _taught(row: Row, fields: Fields) -> Taught:
    """Return what cells say of an example; an empty source is none."""
    input, output = row[fields.input], row[fields.output]
    tags = _tags_of_cell(row.fields.get(fields.tags) or "")
    return Taught(input, output, tags, row.fields.get(fields.source) or None)


def _tags_of_cell(cell: str) -> object:
    """Return the tags that a cell of a table holds."""
    if cell.startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            raise InputError("its tags begin like a JSON list, but are not one") from None
    return [tag.strip() for tag in cell.split(",") if tag.strip()]


def _cells(record: dict[str, Any], names: Sequence[str]) -> list[str]:
    """Return an example as cells."""
    cells = {**record, "tags": _tags_cell(record.get("tags", []))}
    return [cells.get(name, "") for name in names]


def _tags_cell(tags: list[str]) -> str:
    """Return tags as one cell of a table."""
    cell = ", ".join(tags)
    plain = not cell.startswith("[") and _tags_of_cell(cell) == tags
    return cell if plain else json.dumps(tags, ensure_ascii=False)
