"""Tables as spreadsheets write them: cells with commas or line breaks stand in quotes.

The columns are separated by what the language of the user has for it: a comma, a semicolon, a tab, a bar.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from edge_icl.cli.formats.cells import Table
from edge_icl.cli.formats.records import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.formats.records import Dialect, Lines, Record

DELIMITERS = ",;\t|"


def _record(lines: Lines, dialect: Dialect, _width: int | None) -> Record | None:
    """Return the next record."""
    return quoted(lines, dialect)


def _row(cells: Sequence[str], delimiter: str) -> str:
    """Return a row of a table."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(
        cells
    )  # so that both characters are quoted
    return text.getvalue().removesuffix("\r\n")


CSV = Table(DELIMITERS, _record, _row).format("csv", "a table for spreadsheets")
