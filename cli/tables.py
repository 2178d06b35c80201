"""Text for a terminal: one line a row, columns that fit, and no control character of an example let through.

    >>> table(("id", "output", "input"), [("3f2a9c1e", "travel", "Uber to the airport")], columns=30)
    ['id        output  input', '3f2a9c1e  travel  Uber to th…']

Examples may come from anywhere, so their text is data: an escape sequence in one must not move the cursor or
rename the window of the user who lists it, nor may an invisible mark make one text look like another.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "  "
JOINERS = "\u200c\u200d"
"""Characters that may join two others, and mean nothing before the second is there."""

NARROWEST = 4
"""Columns that every cell keeps, however narrow the terminal."""

_KILO = 1000
_UNITS = ("kB", "MB", "GB")


def printable(text: str, *, before: str = "") -> str:
    """Return the text with escapes for what a terminal would obey or hide; see `display.unseen.shown`."""
    if text.isascii() and text.isprintable():  # which most texts are
        return text
    from edge_icl.display.unseen import shown

    return shown(text, before=before)


def json_printable(document: str) -> str:
    """Return a JSON document of the same value, with JSON's escapes for what a terminal would obey or hide."""
    if document.isascii() and document.isprintable():
        return document
    from edge_icl.display.unseen import shown

    return shown(document, json=True)


def folded(text: str) -> str:
    """Return the text on one line: every run of white space becomes one space."""
    return " ".join(text.split())


def one_line(text: str) -> str:
    """Return the text on one line, as a terminal may show it."""
    return printable(folded(text))


def width(text: str) -> int:
    """Return how many columns a terminal needs for a line of text."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in {"Mn", "Me", "Cf"} for c in text)


def cut(text: str, columns: int) -> str:
    """Return the text, ended with an ellipsis where it is wider than `columns`."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 1:
        text = text[: min(len(text) - 1, columns - 1)]
    return text.rstrip() + "…"


def wrapped(text: str, columns: int, *, most: int) -> list[str]:
    """Return a text as lines for a terminal, cut at spaces where that is possible.

    Args:
        text: of any length; its line breaks stay.
        columns: how wide a line may be.
        most: how many lines, 1 at least; what does not fit is told by an ellipsis at the end of the last.
    """
    lines: list[str] = []
    for paragraph in printable(text).split("\n"):
        rest = paragraph.expandtabs(4).rstrip()
        while width(rest) > columns and len(lines) <= most:
            head, rest = _broken(rest, columns)
            lines.append(head)
        lines.append(rest)
        if len(lines) > most:
            return [*lines[: most - 1], cut(f"{lines[most - 1]} …", columns)]
    return lines


def _broken(text: str, columns: int) -> tuple[str, str]:
    """Return the beginning of a line that is too wide, up to a space if it has one, and the rest."""
    end, used = 0, 0
    while (used := used + width(text[end])) <= columns:
        end += 1
    end = max(end, 1)
    space = text.rfind(" ", 1, end + 1)
    head = text[:space] if space > 0 else text[:end]
    return head.rstrip(), text[len(head) :].lstrip()


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, columns: int, whole: int = 0) -> list[str]:
    """Return the lines of a table that is at most `columns` wide: the widest columns give way.

    Args:
        header: names of the columns.
        rows: as many texts each, of any length.
        columns: of the terminal.
        whole: how many columns, from the left, are never cut: then lines may be wider.
    """
    lines = [list(header), *([one_line(cell) for cell in row] for row in rows)]
    widest = [max(map(width, column)) for column in zip(*lines, strict=True)]
    kept, widths = widest[:whole], [min(one, columns) for one in widest[whole:]]
    room = columns - len(GAP) * (len(widest) - 1) - sum(kept)
    while sum(widths) > room and max(widths, default=0) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    widths = kept + widths
    return [GAP.join(map(_padded, line, widths)).rstrip() for line in lines]


def pairs(facts: Sequence[tuple[str, str]], *, hanging: bool = False) -> list[str]:
    """Return the lines of a list of names and what they stand for.

    Args:
        facts: names and texts.
        hanging: put a text's later lines below its first, so that none of them looks like another fact.
    """
    widest = max(len(name) for name, _ in facts)
    below = "\n" + " " * (widest + len(GAP)) if hanging else "\n"
    return [f"{name.ljust(widest)}{GAP}{text.replace(chr(10), below)}" for name, text in facts]


def size(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    if count < _KILO:
        return f"{count} bytes"
    power = min((len(str(count)) - 1) // 3, len(_UNITS))
    return f"{count / _KILO**power:.1f} {_UNITS[power - 1]}"


def counted(count: int, noun: str = "example") -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short_ids(ids: Sequence[str], *, shortest: int) -> list[str]:
    """Return for each id its shortest beginning that no other has; `ids` are sorted and all there are."""
    shared = [_shared(one, other) for one, other in pairwise(ids)]
    need = [max(before, after) + 1 for before, after in zip([0, *shared], [*shared, 0], strict=True)]
    return [id[: max(shortest, length)] for id, length in zip(ids, need, strict=False)]


def _shared(one: str, other: str) -> int:
    """Return how many characters two ids share at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def _padded(text: str, columns: int) -> str:
    """Return the text in exactly so many columns."""
    text = cut(text, columns)
    return text + " " * (columns - width(text))
