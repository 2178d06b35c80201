r"""The questions of a file: where a row has its question, and what it is read as.

>>> where = Where(JSONL)
>>> where.question(Row(1, {"instruction": "Translate.", "input": "Good morning"}))
'Translate.\n\nGood morning'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import layouts, pairs, values
from edge_icl.cli.formats.format import Columns, listed
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.cli.formats.format import Format, Row
    from edge_icl.cli.formats.layout import Layout

FIELD = "input"


@dataclass(frozen=True, slots=True)
class Where:
    """Where the rows of a file have their questions.

    Attributes:
        kind: the file's format.
        field: where a row has its question; None if each row shows it.
    """

    kind: Format
    field: str | None = None

    @property
    def columns(self) -> Columns:
        """What is read of a table."""
        return Columns((self.field or FIELD,), known=None if self.field else self._known)

    def required(self, header: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that are read of a table with this header."""
        known = self.columns.known
        found = None if known is None else known([cell.strip().casefold() for cell in header])
        return tuple(found or (self.field or FIELD,))

    def layout(self, row: Row) -> Layout | None:
        """Return as what a row is read; None where the user names the field, or the row shows nothing."""
        if self.field is not None or row.problem:
            return None
        return self.kind.layout or layouts.of_question(row.fields)

    def question(self, row: Row) -> Any:
        """Return the question of a row, before it is checked.

        Raises:
            InputError: it has none.
        """
        layout = self.layout(row)
        if layout is None:
            return values.text(row[self.field or FIELD], "question")
        return layout.asked(row.fields)

    def refuse(self, row: Row, name: str) -> None:
        """Raise if the first row of a file has no field with a question: then no row will have one.

        Raises:
            InputError: it has none.
        """
        if row.problem or self.layout(row) is not None or (self.field or FIELD) in row.fields:
            return
        raise InputError(
            f"line {row.line} of {name} has no field {self.field or FIELD} (it has {listed(row.fields)})",
            pairs.naming(row.fields, questions=True),
        )

    def titles(self, rows: Iterator[Row]) -> Iterator[tuple[Row, str]]:
        """Yield each row, and where one is read as something else than those before it, as what; else ""."""
        told = {layouts.plain(FIELD, "output").title}
        for row in rows:
            found = self.layout(row)
            new = "" if found is None or found.title in told else found.title
            told.add(new)
            yield row, new

    def _known(self, header: Sequence[str]) -> Sequence[str] | None:
        """Return the columns of a layout that a table has by its header."""
        found = self.kind.layout or layouts.of_question(dict.fromkeys(header, ""))
        if found is None or not found.columns:
            return None
        return [name for name in header if name in found.used]
