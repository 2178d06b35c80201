r"""Sets of characters, as GBNF writes them.

>>> (letters,) = of_set("[a-z]")
>>> letters.holds("e"), letters.holds("E")
(True, False)
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}
_CHARACTER = re.compile(r"\\x(..)|\\u(....)|\\U(.{8})|\\(.)|(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Characters:
    """A set of characters.

    Attributes:
        starts, ends: the first and the last code point of each range, sorted, apart from each other.
        negated: the set is of all others.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    negated: bool = False

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]], *, negated: bool = False) -> Characters:
        """Return the set of these ranges, which may overlap."""
        merged: list[list[int]] = []
        for start, end in sorted(ranges):
            if merged and start <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], end)
            elif start <= end:
                merged.append([start, end])
        return cls(tuple(start for start, _ in merged), tuple(end for _, end in merged), negated)

    @property
    def single(self) -> int | None:
        """The code point of the only character in the set, None where there are others."""
        alone = not self.negated and len(self.starts) == 1 and self.starts == self.ends
        return self.starts[0] if alone else None

    def holds(self, character: str) -> bool:
        """Return whether a character is in the set."""
        return self.meets(ord(character), ord(character))

    def meets(self, low: int, high: int) -> bool:
        """Return whether any character from `low` to `high` is in the set."""
        place = bisect_right(self.starts, low if self.negated else high) - 1
        if self.negated:
            return place < 0 or self.ends[place] < high
        return place >= 0 and self.ends[place] >= low


def of_set(text: str) -> list[Characters]:
    """Return the set of [...] or of a dot; an empty one stands for nothing."""
    if text == ".":
        return [Characters((), (), negated=True)]
    negated = text.startswith("[^")
    ranges = _ranges(text[2:-1] if negated else text[1:-1])
    return [Characters.of(ranges, negated=negated)] if ranges else []


def of_text(text: str) -> list[Characters]:
    """Return the characters of "...", one after another, each as a set of its own."""
    codes = map(_code, _CHARACTER.finditer(text[1:-1]))
    return [Characters((code,), (code,)) for code in codes]


def _ranges(text: str) -> list[tuple[int, int]]:
    """Return the ranges of characters that the inside of [...] names."""
    found = []
    pieces = list(_CHARACTER.finditer(text))
    at = 0
    while at < len(pieces):
        start = end = _code(pieces[at])
        at += 1
        if at + 1 < len(pieces) and pieces[at].group() == "-":
            end = _code(pieces[at + 1])
            at += 2
        found.append((start, end))
    return found


def _code(piece: re.Match[str]) -> int:
    """Return the code point of a character or an escape."""
    hexadecimal = piece[1] or piece[2] or piece[3]
    if hexadecimal:
        return int(hexadecimal, 16)
    return ord(_ESCAPES.get(piece[4], piece[4]) if piece[4] else piece[5])
