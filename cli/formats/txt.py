"""Plain text: one question a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.cli.formats import lines
from edge_icl.cli.formats.format import Columns, Format, Row

if TYPE_CHECKING:
    from collections.abc import Iterator


def _read(text: Iterator[str], _name: str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a file."""
    return lines.rows(text, lambda line: {columns.required[0]: line})


TXT = Format("txt", "one question a line", ("txt",), read=_read)
