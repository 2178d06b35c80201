"""JSON that this package wrote itself, read back from where other programs may have written: one strict way.

What is not exactly the JSON of RFC 8259 in UTF-8, or says one thing twice, is refused with a ValueError: NaN,
infinity, numbers too large for a float or with thousands of digits, a name that comes twice, text in UTF-16,
nesting that is deeper than the interpreter goes. So a reader has one error to think of.
"""

from __future__ import annotations

import json
import math
from typing import Any


def parse(data: bytes) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: it is not JSON, or not of the strict kind.
    """
    try:
        return _DECODER.decode(data.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; refuse one in which a name comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _finite(text: str) -> float:
    """Return a number; refuse one that a float cannot hold."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)
