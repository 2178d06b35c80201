r"""Regular expressions as pieces of a grammar, as JSON writes the texts that match.

    >>> print(rule_of("^[0-9]{4}$"))
    [0-9]{4}
    >>> print(rule_of(r"^a\\$"))
    "a" "\\\\"

Python's own parser of regular expressions reads them. A quote, a backslash or a line break in a JSON string is
written as two characters, so a set that has one becomes alternatives. `\d`, `\w` and `\s` mean what they mean
in ECMA-262, as JSON Schema says.
"""

from __future__ import annotations

import json
import re
import warnings
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_TIMES = 1000
"""Each repetition is written out."""

_LAST = 0x10FFFF
_TWO_DIGITS = 0x100
_SURROGATES = (0xD800, 0xDFFF)
_TWO_CHARACTERS = '"\\\b\f\n\r\t'
_UNWRITTEN = [(0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F), _SURROGATES]
"""What a JSON string does not hold as it is, and DEL."""

_DIGITS = [(0x30, 0x39)]
_WORD = [*_DIGITS, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_SPACE = [(0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029)]
_SPACE += [(0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]
_CATEGORIES = {
    sre.CATEGORY_DIGIT: _DIGITS,
    sre.CATEGORY_WORD: _WORD,
    sre.CATEGORY_SPACE: _SPACE,
}
_OTHERS = {
    sre.CATEGORY_NOT_DIGIT: _DIGITS,
    sre.CATEGORY_NOT_WORD: _WORD,
    sre.CATEGORY_NOT_SPACE: [*_SPACE, (0x85, 0x85), (0xFEFF, 0xFEFF)],  # space for some validators
}

Ranges = list[tuple[int, int]]


def rule_of(pattern: str) -> str:
    """Return the rule of the texts that match a whole pattern, written as JSON strings without their quotes.

    Args:
        pattern: begins with ^ and ends with $. Groups, sets, alternatives and repetitions may be in it.

    Raises:
        ValueError: it is not a regular expression, or has what a grammar cannot hold; says what.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of signs that may mean something else one day
            parsed = _parser.parse(pattern)
    except OverflowError as error:
        raise ValueError(f"more than {MOST_TIMES:,} repetitions cannot be kept") from error
    except re.error as error:
        raise ValueError(f"{json.dumps(pattern)} is not a regular expression: {error}") from error
    if parsed.state.flags & ~re.UNICODE:
        raise ValueError("flags in a pattern cannot be kept")
    items = list(parsed)
    if items[:1] != [(sre.AT, sre.AT_BEGINNING)] or items[-1:] != [(sre.AT, sre.AT_END)]:
        raise ValueError('Pattern must start with "^" and end with "$", around all of it')
    return _sequence(items[1:-1])


def code(point: int) -> str:
    """Return a character as sets and texts of GBNF write it, letters and digits as they are."""
    if chr(point) == "\\":
        return "\\\\"
    if chr(point).isalnum():
        return chr(point)
    return f"\\x{point:02X}" if point < _TWO_DIGITS else f"\\U{point:08X}"


def _sequence(items: list[Any]) -> str:
    """Return the rule of what comes one after another."""
    return " ".join(_item(kind, given) for kind, given in items) or '""'


def _item(kind: Any, given: Any) -> str:
    """Return the rule of one part of a pattern."""
    if kind in _ONE_CHARACTER:
        return _ONE_CHARACTER[kind](given)
    if kind is sre.BRANCH:
        return f"({' | '.join(_sequence(list(one)) for one in given[1])})"
    if kind is sre.SUBPATTERN and not (given[1] or given[2]):
        return f"({_sequence(list(given[3]))})"
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _repeated(*given)
    raise ValueError(f"{str(kind).lower().replace('_', ' ')} in a pattern cannot be kept")


def _repeated(least: int, most: int, items: Any) -> str:
    """Return the rule of a repetition."""
    endless = most == sre.MAXREPEAT
    if least > MOST_TIMES or (most > MOST_TIMES and not endless):
        raise ValueError(f"more than {MOST_TIMES:,} repetitions cannot be kept")
    rule = _sequence(list(items))
    alone = re.fullmatch(r"\[[^]]*\]|\(.*\)", rule) and len(items) == 1
    times = f"{{{least}}}" if least == most else f"{{{least},{'' if endless else most}}}"
    return f"{rule if alone else f'({rule})'}{times}"


def _ranges(members: list[Any]) -> Ranges:
    """Return the code points of a set, as the parser gives its members."""
    ranges: Ranges = []
    for kind, given in members:
        if kind is sre.LITERAL:
            ranges.append((given, given))
        elif kind is sre.RANGE:
            ranges.append(given)
        elif kind is sre.CATEGORY:
            ranges += _CATEGORIES[given] if given in _CATEGORIES else _without(_OTHERS[given])
    return _without(ranges) if (sre.NEGATE, None) in members else ranges


def _without(ranges: Ranges, of: Ranges | None = None) -> Ranges:
    """Return the code points that are in some ranges, or in all there are, and not in others."""
    left = [(0, _LAST)] if of is None else of
    for low, high in ranges:
        parts = [[(first, min(last, low - 1)), (max(first, high + 1), last)] for first, last in left]
        left = [(first, last) for pair in parts for first, last in pair if first <= last]
    return left


def _set(ranges: Ranges) -> str:
    """Return the rule of one character of a set; a rule that nothing matches where none can be written."""
    plain = "".join(
        code(first) if first == last else f"{code(first)}-{code(last)}"
        for first, last in _without(_UNWRITTEN, ranges)
    )
    escaped = [
        _literal(ord(one)) for one in _TWO_CHARACTERS if any(low <= ord(one) <= high for low, high in ranges)
    ]
    return f"({' | '.join([f'[{plain}]', *escaped])})" if escaped else f"[{plain}]"


def _literal(point: int) -> str:
    """Return the rule of one character."""
    if _SURROGATES[0] <= point <= _SURROGATES[1]:
        raise ValueError("half a surrogate pair is not text")
    return f'"{"".join(code(ord(one)) for one in json.dumps(chr(point), ensure_ascii=False)[1:-1])}"'


_ONE_CHARACTER: dict[Any, Callable[[Any], str]] = {
    sre.LITERAL: _literal,
    sre.NOT_LITERAL: lambda given: _set(_without([(given, given)])),
    sre.ANY: lambda _: _set(_without([(0x0A, 0x0A), (0x0D, 0x0D)])),
    sre.IN: lambda given: _set(_ranges(given)),
}
