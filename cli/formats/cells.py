"""What formats share that have a header, and rows of cells below it.

Tags are one cell, `2026, work`; a tag with a comma in it needs the cell to be a JSON list. A spreadsheet runs
some cells as formulas: see `spreadsheets`.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import headers
from edge_icl.cli.formats.format import Columns, Fields, Format, Row, Taught
from edge_icl.cli.formats.records import BLANK, Lines
from edge_icl.cli.given import NOT_TEXT, is_unicode
from edge_icl.cli.spreadsheets import guarded, unguarded
from edge_icl.cli.tables import counted
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge_icl.cli.formats.format import Behind
    from edge_icl.cli.formats.headers import Header
    from edge_icl.cli.formats.records import Dialect, Record


@dataclass(frozen=True, slots=True)
class Table:
    """How one format has its rows and cells.

    Attributes:
        delimiters: those that may separate the columns, the usual first.
        record: returns the next record of a table with this dialect, whose header is so wide; None behind the
            last one. The width is None for the header itself.
        row: returns cells as a line of a table, with this delimiter.
    """

    delimiters: str
    record: Callable[[Lines, Dialect, int | None], Record | None]
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

    def _read(self, text: Iterator[str], name: str, columns: Columns) -> Iterator[Row]:
        """Yield the rows of a table below its header; where it comes again, files were put together."""
        lines = Lines(text, name)
        header = self._header(lines, name, columns)
        if header is None:
            return
        first, width = header.record, len(header.record.cells)
        if columns.header:
            yield Row(first.line, cells=tuple(first.cells), text=first.text, above=header.above)
        while record := self.record(lines, header.dialect, width):
            if record.problem or not (header.comes_again(record, name) or _is_blank(record, width)):
                yield _row(record, width, header.places, columns.required)

    def _header(self, lines: Lines, name: str, columns: Columns) -> Header | None:
        """Return the header of a table; None for an empty one."""
        return headers.find(
            lines, name, columns, self.delimiters, lambda some, dialect: self.record(some, dialect, None)
        )

    def _line(self, cells: Sequence[str]) -> str:
        """Return cells as a line of a new table."""
        return self.row(cells, self.delimiters[0])

    def _behind(self, text: str, columns: Sequence[str]) -> Behind:
        """Return what puts cells behind a row of the table with this header."""
        lines = Lines(io.StringIO(text, newline=""), "")
        header = self._header(lines, "", Columns(tuple(columns)))
        assert header is not None
        delimiter = header.dialect.delimiter

        def behind(text: str, cells: Sequence[str]) -> str:
            return f"{text}{delimiter}{self.row(cells, delimiter)}"

        return behind


def _is_blank(record: Record, width: int) -> bool:
    """Tell whether a record is no row: in a table of one column, only a line without anything is none."""
    return not record.cells or (width > 1 and not record.text.strip(BLANK))


def _row(record: Record, width: int, places: dict[str, int], required: Sequence[str]) -> Row:
    """Return the row that a record is, with the wanted columns only.

    Empty cells at its end may be missing, as programs leave them out, and there may be more of them than the
    header has. A cell that stands alone where there are several is no row: it may be a note, or half a row.
    """
    cells, problem, odd = record.cells, record.problem, ""
    if not problem and len(cells) != width:
        needed = [places[name] + 1 for name in required if name in places]
        problem = _misfit(cells, width, max([min(width, 2), *needed]))
        cells = [*cells, *[""] * (width - len(cells))]
    if not problem and not is_unicode(cells):
        problem, odd = NOT_TEXT, "\n".join(cells)
    fields = {} if problem else {name: cells[place] for name, place in places.items()}
    return Row(record.line, fields, problem, tuple(record.cells), record.text, odd)


def _misfit(cells: Sequence[str], width: int, fewest: int) -> str:
    """Return why a row with more or fewer cells than the header is bad; "" where it is not."""
    if len(cells) >= fewest and not any(cell.strip() for cell in cells[width:]):
        return ""
    return f"it has {counted(len(cells), 'column')} and the header has {width}"


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
