"""Labels in a text file: the table, or the JSON lines, that `ask --out` writes.

    input,when,answer,probability,asked_model,root,encoder,examples
    Taxi downtown,Monday,travel,0.93,false,5e1f...,77aa...,0b3c... 91d2...

A row stays as it stands in the file, unless its labels change. Then its cells are written again.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from edge_icl.batch.columns import ADDED
from edge_icl.cli import encodings, private
from edge_icl.cli.formats import table
from edge_icl.cli.formats.answered import document
from edge_icl.cli.formats.tsv import TSV
from edge_icl.cli.labelled import ROWS, Block, Labels
from edge_icl.cli.spreadsheets import guarded, unguarded
from edge_icl.cli.surveys import source_of
from edge_icl.cli.tables import folded
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from edge_icl.batch.stale import Stale
    from edge_icl.cli.formats.format import Row
    from edge_icl.cli.labelled import Write
    from edge_icl.cli.questions import File

PLACES = 6
"""Of a probability, as `ask --out` writes it."""


class TextLabels(Labels):
    """Labels in a text file; see `labelled.Labels`.

    Args:
        file: where it is, and how it is read.
        safe: whether it is for spreadsheets, as --safe of ask writes it.

    Raises:
        InputError: it cannot be read, or has no rows or no column of answers.
    """

    def __init__(self, file: File, *, safe: bool = False) -> None:
        if safe and file.kind.guarded is not None:
            file = file._replace(kind=file.kind.guarded)
        first = next(file.read(header=True), None)
        if first is None:
            raise InputError(f"{file.path} has no rows", "give labels of an earlier run")
        self.column, self.recorded = "input", None
        self._file, self._safe = file, safe
        self._source = None if file.kind.header is None else source_of(file, first)
        self._names = self._source.columns if self._source else tuple(first.fields)
        self._behind = None
        if self._source and file.kind.behind is not None:
            self._behind = file.kind.behind(first.above + first.text, self._source.required)
        self._places = _added(self._names)
        if "answer" not in self._places:
            there = ", ".join(self._names)
            raise InputError(
                f"{file.path} has no column answer (it has {there})", "give labels of an earlier run"
            )

    def as_written(self, answer: str | None) -> str | None:
        """Return an answer as it stands in a file of this format."""
        if self._source is None:
            return answer
        return (folded(answer or "") if self._file.kind.name == TSV.name else answer) or None

    def total(self) -> int:
        """Return how many rows there are."""
        return self._file.total()

    def blocks(self) -> Iterator[Block]:
        """Yield all rows, in their order."""
        rows = islice(self._file.read(header=True), int(self._source is not None), None)
        while some := tuple(islice(rows, ROWS)):
            yield Block({"input": [*map(self._question, some)], **self._columns(some)}, self._file.path, some)

    def _question(self, row: Row) -> Any:
        """Return the question of a row; None where it has none."""
        try:
            return self._file.where.question(row)
        except InputError:
            return None

    def _columns(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        """Return the columns of a labelling that are there, as `stale` takes them."""
        return {name: [self._value(row, name, place) for row in rows] for name, place in self._places.items()}

    def _value(self, row: Row, name: str, place: int) -> Any:
        """Return what a row has in a column of a labelling; None where that is nothing."""
        if self._source is None:
            if row.problem:
                raise InputError(f"line {row.line} of {self._file.path}: {row.problem}", "correct it")
            return row.fields.get(self._names[place])
        cell = row.cells[place] if place < len(row.cells) and not row.problem else ""
        if self._safe:
            cell = unguarded(cell)
        return cell.split() if name == "examples" else cell or None

    @contextmanager
    def writing(self, out: Path, *, store: Path, state: Mapping[str, Any]) -> Iterator[Write]:
        """Give what writes labels of the same form; see `labelled.Labels`."""
        kind, source, count = self._file.kind, self._source, 0
        if (found := table.of_answers(out, kind)) is None or found.name != kind.name:
            named = out.with_suffix(f".{kind.endings[0]}")
            raise InputError(f"{out} would be in another format than {self._file.path}", f"name it {named}")
        encoding = source.encoding if source else encodings.UTF8
        with private.completing(out, store=store, encoding=encoding) as file:
            file.write(
                source.mark + source.header.above + source.header.text if source and source.header else ""
            )
            file.write("[\n" * kind.array)

            def write(block: Block, found: Stale) -> None:
                nonlocal count
                for index, row in enumerate(block.source):
                    labels = {name: found.table[name][index] for name in self._places}
                    text = self._object(row, labels) if source is None else self._line(row, labels)
                    file.write(",\n" * (kind.array and count > 0) + text.removesuffix("\n" * kind.array))
                    count += 1

            try:
                yield write
            except UnicodeEncodeError as error:
                hint = "write the labels in UTF-8, and name that file"
                raise InputError(f"{encoding} cannot hold an answer ({error.object!r})", hint) from None
            file.write("\n]\n" * kind.array)

    def _object(self, row: Row, labels: Mapping[str, Any]) -> str:
        """Return a row of JSON with its labels."""
        probability = labels.get("probability")
        if isinstance(probability, float):
            labels = {**labels, "probability": round(probability, PLACES)}
        return (
            document({**row.fields, **{self._names[self._places[name]]: labels[name] for name in labels}})
            + "\n"
        )

    def _line(self, row: Row, labels: Mapping[str, Any]) -> str:
        """Return a row of a table with its labels: as it stands there, if they are the same."""
        cells = [*row.cells, *[""] * (len(self._names) - len(row.cells))]
        for name, place in self._places.items():
            cell = _cell(labels[name])
            cell = folded(cell) if self._file.kind.name == TSV.name else cell
            cells[place] = guarded(cell) if self._safe else cell
        if row.problem or cells == [*row.cells]:
            return row.text
        assert self._behind is not None
        end = row.text[len(row.text.rstrip("\r\n")) :] or "\n"
        return self._behind("", cells)[1:] + end  # without the delimiter in front


def _cell(value: Any) -> str:
    """Return a label as a cell, as `ask --out` writes it."""
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: ""}[value]
    if isinstance(value, float):
        return str(round(value, PLACES))
    return " ".join(value) if isinstance(value, list) else str(value)


def _added(columns: Sequence[str]) -> dict[str, int]:
    """Return where a table has the columns of a labelling: the last one of answers, and what follows it.

    What stands before it is the user's, whatever it is called; `ask` gave its own columns other names then.
    """
    plain = [re.sub(r"_\d+$", "", name) for name in columns]
    begin = max((place for place, name in enumerate(plain) if name == "answer"), default=len(plain))
    return {name: plain.index(name, begin) for name in ADDED if name in plain[begin:]}
