"""A file of any format, row by row, each with its line number. One row is in memory at a time.

A row that cannot be read is given with the reason, so that the caller decides what happens then. What is not in
the file's encoding is a bad row, not a guess: see `encodings`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_icl.cli import given
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_icl.cli.formats.format import Columns, Format, Row

TOLD_EACH = 1000
"""Rows from one word about progress to the next."""


def read(
    file: str,
    kind: Format,
    columns: Columns,
    *,
    encoding: str | None = None,
    progress: Progress = silent,
) -> Iterator[Row]:
    """Yield the rows of a file; blank lines are none.

    Args:
        file: its path, or - for stdin.
        kind: its format.
        columns: which fields are wanted.
        encoding: see `given.text`.
        progress: told about the bytes that are read.

    Raises:
        InputError: the file cannot be read, or its header lacks a column.
    """
    size = Path(file).stat().st_size if Path(file).is_file() else 0  # the length of stdin is not known
    name = "stdin" if file == given.STDIN else file
    with _rows(file, name, kind, columns, encoding) as (rows, told):
        for number, row in enumerate(rows, start=1):
            if size and number % TOLD_EACH == 0:
                progress("read", told(), size)
            yield replace(row, problem=f"it is not {encoding}") if row.odd and encoding else row


@contextmanager
def _rows(
    file: str, name: str, kind: Format, columns: Columns, encoding: str | None
) -> Iterator[tuple[Iterator[Row], Callable[[], int]]]:
    """Open a file; give its rows, and what tells how many bytes of it were read."""
    if kind.load is not None:
        with given.binary(file) as binary:
            yield kind.load(binary, name, columns), binary.tell
        return
    assert kind.read is not None
    with given.text(file, newline="", encoding=encoding) as text:
        lines = given.pieces(text) if kind.pieces else given.lines(text, name)
        yield kind.read(lines, name, columns), text.buffer.tell


def count(file: str, kind: Format, columns: Columns, *, encoding: str | None = None) -> int:
    """Return how many rows a file has; 0 for one that can be read only once, such as stdin."""
    return (
        sum(1 for _ in read(file, kind, columns, encoding=encoding))
        if file != given.STDIN and Path(file).is_file()
        else 0
    )
