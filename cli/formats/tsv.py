"""Tables with tabs between their columns. Some programs quote cells in them, and most do not.

    He said "hi"	chat
    "Lunch, and a walk"	"meals"

So a cell that is in quotes, with all others in it doubled, is what stands within them; any other quote is text.
What is written here has quotes only around a text that begins with one, so that it is read as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.cli.formats.cells import Table
from edge_icl.cli.formats.records import BREAKS, QUOTE, inside
from edge_icl.cli.given import MARK
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.formats.records import Dialect, Lines, Record

SHOWN = 30
"""Characters of a text that an error shows."""

TAB = "\t"


def _record(lines: Lines, _dialect: Dialect, width: int | None) -> Record | None:
    """Return the next record."""
    line = lines.begin()
    if not line:
        return None
    plain = _plain(line.removeprefix(MARK))
    if not any(cell.startswith(QUOTE) for cell in plain):
        return lines.record(plain if plain != [""] else ())
    cells = _unquoted(lines, line.removeprefix(MARK), one_line=width is None)
    if _is_rather(plain, cells, width) or (
        len(lines.taken) > 1 and all(len(_plain(one)) == width for one in lines.taken)
    ):
        lines.back(to=1)  # quotes at the beginning of one cell and the end of a later one, and not around any
        cells = plain
    return lines.record(cells)


def _plain(line: str) -> list[str]:
    """Return the cells of a line as they stand in it."""
    return line.rstrip(BREAKS).split(TAB)


def _is_rather(plain: Sequence[str], cells: Sequence[str], width: int | None) -> bool:
    """Tell whether a row has the right width only if its quotes are text."""
    return width is not None and len(plain) == width != len(cells)


def _unquoted(lines: Lines, line: str, *, one_line: bool) -> list[str]:
    """Return the cells of a row, of which those in quotes may hold tabs and line breaks.

    Args:
        lines: of which more are taken where a cell has some.
        line: the first.
        one_line: whether no cell may hold a line break.
    """
    cells, at = [], 0
    while True:
        kept = len(lines.taken)
        found = inside(lines, line, at + 1) if line.startswith(QUOTE, at) else None
        if (
            found is not None
            and found[1][found[2] :].lstrip(BREAKS)[:1] in {"", TAB}
            and not (one_line and len(lines.taken) > kept)
        ):
            cell, line, end = found
        else:
            lines.back(to=kept)
            end = line.find(TAB, at)
            end = len(line.rstrip(BREAKS)) if end < 0 else end
            cell = line[at:end]
        cells.append(cell)
        if not line[end:].strip(BREAKS):
            return cells
        at = end + 1


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
    return TAB.join(f'"{cell.replace(QUOTE, QUOTE * 2)}"' if cell.startswith(QUOTE) else cell for cell in cells)


TSV = Table(TAB, _record, _row).format("tsv", "a table with tabs between its columns")
