"""Rows of questions with their answers: the table, or the JSON lines, that `ask` writes.

    input,when,answer,probability,asked_model
    Taxi downtown,Monday,travel,0.93,false

A row goes into a table of its own format as it stands in the file, with three cells behind it: its quotes, its
spaces and its line breaks are those of the user. Into another format go its cells.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.cli.encodings import UTF8
from edge_icl.cli.formats.tsv import TSV
from edge_icl.cli.spreadsheets import guarded, unguarded
from edge_icl.cli.tables import folded
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.cli.formats.format import Behind, Format, Row

ADDED = ("answer", "probability", "asked_model")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one question.

    Attributes:
        answer: its text; None where there is none, or none that is sure enough.
        probability: of the likeliest label, from 0 to 1; None where the answer was written.
        asked_model: whether the model was asked; None where the question could not be answered.
        error: why it could not be.
        doubts: what a reader of the answer should know, in a word each.
    """

    answer: str | None = None
    probability: float | None = None
    asked_model: bool | None = None
    error: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def cells(self) -> list[str]:
        """The three as cells of a table: empty where there is none."""
        asked = {True: "true", False: "false", None: ""}[self.asked_model]
        return [self.answer or "", "" if self.probability is None else str(self.probability), asked]


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a file of questions before they are asked.

    Attributes:
        kind: its format.
        columns: the names of its fields; of a table all, in their order.
        header: of a table, its header as it stands in the file.
        required: the fields that it must have.
        mark: the byte order mark before the header, if there is one: it tells Excel how a table is encoded.
        encoding: the codec of what comes after it.
    """

    kind: Format
    columns: tuple[str, ...]
    header: Row | None
    required: tuple[str, ...]
    mark: str = ""
    encoding: str = UTF8


class Sheet:
    """Rows with their answers, in one format.

    Args:
        kind: the format.
        source: where the questions come from.
        safe: whether a table is for a spreadsheet, which must not run what it reads.

    Attributes:
        added: the names of the three columns: those of ADDED, with a number where there is one of that name.

    Raises:
        InputError: the columns have no names that an object could have.
    """

    def __init__(self, kind: Format, source: Source, *, safe: bool = False) -> None:
        self.added = tuple(_free(name, source.columns) for name in ADDED)
        self._kind = kind
        self._source = source
        self._safe = safe
        self._behind: Behind | None = None
        twice = [name for name in source.columns if source.columns.count(name) > 1]
        if kind.header is None and twice:
            raise InputError(f"there are two columns {twice[0]}", "give them two names, or write .csv or .tsv")
        if source.header is not None and source.kind.name == kind.name and kind.behind is not None:
            self._behind = kind.behind(source.header.above + source.header.text, source.required)

    @property
    def as_it_was(self) -> bool:
        """Whether rows stay as they stand in the file of the questions."""
        return self._behind is not None

    def header(self) -> str:
        """Return what stands above the rows, with its line break; "" for JSON."""
        if self._kind.header is None:
            return ""
        header = self._source.header
        text, above = ("", "") if header is None else (header.text, header.above)
        line = self._line(text, self._source.columns, self.added)
        if self._behind is None:
            return line
        return self._source.mark + ("" if self._safe and _may_run(above) else above) + line

    def texts(self, rows: Iterable[tuple[Row, Result]]) -> Iterator[str]:
        """Yield all that is written: the header and the rows, or the rows as one JSON array.

        Raises:
            InputError: the format cannot hold a text.
        """
        yield "[\n" if self._kind.array else self.header()
        for i, (row, result) in enumerate(rows):
            text = self.row(row, result)
            if self._kind.array:
                text = (",\n" if i else "") + text.removesuffix("\n")
            yield text
        if self._kind.array:
            yield "\n]\n"

    def row(self, row: Row, result: Result) -> str:
        """Return a row with what became of its question, and a line break.

        Raises:
            InputError: the format cannot hold a text.
        """
        if self._kind.header is None:
            values = (result.answer, result.probability, result.asked_model)
            fields = {**self._fields(row), **dict(zip(self.added, values, strict=True))}
            return document(fields) + "\n"
        cells = (
            row.cells if self._source.header else [_cell(row.fields.get(one)) for one in self._source.columns]
        )
        missing, text = len(self._source.columns) - len(cells), row.text
        if self._behind is not None and not cells:
            missing = 0  # the row cannot be read, so it is not known how many cells it has
        if missing < 0 and not row.problem:
            cells, text = cells[:missing], ""  # those behind the last column are empty
        added = result.cells
        if self._kind.name == TSV.name:
            added = [folded(cell) for cell in added]  # it has no quotes in which a line break could stand
        return self._line(text, cells, [""] * missing + added)

    def _line(self, text: str, cells: Sequence[str], added: Sequence[str]) -> str:
        """Return a line of the table.

        Args:
            text: of the row, as it stands in the source.
            cells: of the row.
            added: what comes behind them.
        """
        safe = [guarded(unguarded(cell)) for cell in cells] if self._safe else list(cells)
        behind = [guarded(cell) for cell in added] if self._safe else list(added)
        if self._behind is None:
            assert self._kind.header is not None
            return self._kind.header([*safe, *behind]) + "\n"
        end = text[len(text.rstrip("\r\n")) :] or "\n"
        if text and safe == list(cells):
            return self._behind(text.rstrip("\r\n"), behind) + end
        return self._behind("", [*safe, *behind])[1:] + end  # without the delimiter in front

    def _fields(self, row: Row) -> dict[str, Any]:
        """Return a row as an object; of a bad one there is nothing to tell."""
        if self._source.header is None or row.problem:
            return dict(row.fields)
        missing = [""] * (len(self._source.columns) - len(row.cells))
        return dict(zip(self._source.columns, [*row.cells, *missing], strict=False))


def _may_run(above: str) -> bool:
    """Tell whether a spreadsheet might run something of what stands above a header."""
    return any(guarded(part) != part for part in re.split(r"[,|]", above))


def _free(name: str, taken: Iterable[str]) -> str:
    """Return the name, or if it is taken the first with a number that is not."""
    names, number = {*taken}, 1
    free = name
    while free in names:
        number += 1
        free = f"{name}_{number}"
    return free


def _cell(value: Any) -> str:
    """Return a field of an object as a cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def document(fields: dict[str, Any]) -> str:
    """Return an object as JSON, in UTF-8 where that can hold it: half a character must stay escaped."""
    text = json.dumps(fields, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(fields)
    return text
