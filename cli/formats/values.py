"""What a field of a row says, as text: numbers exactly as the file has them.

    >>> text(loads('{"output": 5.0}')["output"], "output"), text(["travel"], "output"), text(True, "output")
    ('5.0', 'travel', 'true')

A label that is a number in one file is text in another; `5.0` and `5` stay two labels, as in the file.
"""

from __future__ import annotations

import json
import math
from typing import Any, Self

from edge_icl.errors import InputError

MOST_NAMED = 3
"""Labels that an error names."""


class Number(float):
    """A number as a file writes it; JSON that is written from it has the number.

    Attributes:
        text: as it stands in the file.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """Read a number."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __reduce__(self) -> tuple[type[Number], tuple[str]]:
        """Return how a copy is made."""
        return Number, (self.text,)


def _whole(text: str) -> int | Number:
    """Return a whole number; minus zero is none for Python."""
    return Number(text) if text == "-0" else int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, of whose fields none may be left out in silence."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"it has the field {twice!r} twice", "leave one of them")
    return fields


def _constant(name: str) -> float:
    """Return what Python writes into JSON beyond numbers: NaN where there is no value."""
    return math.nan if name == "NaN" else Number(name)


DECODER = json.JSONDecoder(
    parse_float=Number, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_object
)
"""Reads JSON so that `text` finds each number as it was written."""


def loads(document: str) -> Any:
    """Return the value of a JSON document.

    Raises:
        InputError: it is none, or has a field twice.
    """
    try:
        return DECODER.decode(document)
    except json.JSONDecodeError as error:
        raise InputError(f"it is not JSON ({error.msg.lower()} at column {error.colno})") from None
    except RecursionError:
        raise InputError("its JSON is nested too deeply") from None
    except ValueError:
        raise InputError("it holds a number with too many digits") from None


def text(value: Any, what: str) -> Any:
    """Return a field as text: a number or a truth value as JSON has it, of a list of one its member.

    Args:
        value: of the field.
        what: it is for, for errors.

    Raises:
        InputError: it is null, or it holds several values.
    """
    if isinstance(value, list | tuple):
        if len(value) != 1:
            raise InputError(_several(value, what))
        return text(value[0], what)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise InputError(f"the {what} is null")
    if isinstance(value, dict):
        raise InputError(f"the {what} is an object (with {', '.join(value) or 'no fields'}), not text")
    if isinstance(value, Number):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | bytes) else str(value)


def is_text(value: Any) -> bool:
    """Tell whether a field can be an input or an output."""
    try:
        text(value, "field")
    except InputError:
        return False
    return True


def is_empty(value: Any) -> bool:
    """Tell whether a field says nothing."""
    return value is None or value in ("", [], {}, ()) or (isinstance(value, str) and not value.strip())


def _several(values: list[Any] | tuple[Any, ...], what: str) -> str:
    """Return why a list is no text."""
    if not values:
        return f"the {what} is an empty list"
    if any(isinstance(one, list | tuple | dict) for one in values):
        return f"the {what} is a list of spans or objects, not one text"
    named = ", ".join(str(text(one, what)) for one in values[:MOST_NAMED] if one is not None)
    more = ", ..." if len(values) > MOST_NAMED else ""
    return f"the {what} is a list of {len(values)} ({named}{more}), and an example has one"
