"""Tables as spreadsheets write them: cells with commas or line breaks stand in quotes.

The columns are separated by what the language of the user has for it: a comma, a semicolon, a tab, a bar.
"""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats.cells import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIMITERS = ",;\t|"


def _dialect(header: str, columns: Sequence[str]) -> dict[str, Any]:
    """Return how the columns of a table are separated: so that its header has those that are wanted.

    That is no guess, as one from the look of the rows would be.
    """
    for delimiter, blank in product(DELIMITERS, (False, True)):
        dialect: dict[str, Any] = {"strict": True, "delimiter": delimiter, "skipinitialspace": blank}
        with suppress(csv.Error, StopIteration):
            if set(columns) <= set(next(csv.reader([header], **dialect))):
                return dialect
    return {"strict": True}


def _row(cells: Sequence[str], delimiter: str) -> str:
    """Return a row of a table."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(
        cells
    )  # so that both characters are quoted
    return text.getvalue().removesuffix("\r\n")


CSV = Table(_dialect, _row).format("csv", "a table for spreadsheets")
