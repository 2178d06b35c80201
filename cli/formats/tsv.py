"""Tables with tabs between their columns and without any quoting: a cell holds no tab and no line break."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats.cells import Table
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 30
"""Characters of a text that an error shows."""


def _dialect(_header: str, _columns: Sequence[str]) -> dict[str, Any]:
    """Return how the csv module reads such a table."""
    return {"delimiter": "\t", "quoting": csv.QUOTE_NONE}


def _row(cells: Sequence[str], _delimiter: str) -> str:
    """Return a row of a table.

    Raises:
        InputError: it cannot hold a text.
    """
    for cell in cells:
        if any(c in cell for c in "\t\r\n"):
            raise InputError(
                f"a .tsv file cannot hold the line break or tab in {cell[:SHOWN]!r}", "write .csv or .jsonl"
            )
    return "\t".join(cells)


TSV = Table(_dialect, _row).format("tsv", "a table with tabs between its columns")
