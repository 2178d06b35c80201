"""Arguments of public calls, checked before anything is done: a wrong one is one sentence that names it.

    >>> whole("3", "limit", least=0)
    Traceback (most recent call last):
    edge_icl.errors.InputError: limit is str, not a whole number; give 0 or more

A string where several texts belong is the mistake that Python hides best: it is taken for a list of letters.
"""

from __future__ import annotations

import math
from contextlib import suppress
from numbers import Real
from typing import TYPE_CHECKING, Any, SupportsIndex

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.runtime.progress import Progress


def whole(value: object, what: str, *, least: int) -> int:
    """Return a whole number; one of numpy too, but no truth value, which Python counts as one.

    Raises:
        InputError: it is none, or too small.
    """
    hint = f"give {least} or more"
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InputError(f"{what} is {kind(value)}, not a whole number", hint)
    number = value.__index__()
    if number < least:
        raise InputError(f"{what} is {number}", hint)
    return number


def number(value: object, what: str, *, least: float, most: float = math.inf) -> float:
    """Return a number within a range; no truth value, and not NaN.

    Raises:
        InputError: it is none, or outside.
    """
    hint = f"give {least:g} or more" if most == math.inf else f"give one from {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{what} is {kind(value)}, not a number", hint)
    found = float(value)
    if not least <= found <= most:
        raise InputError(f"{what} is {found:g}", hint)
    return found


def each(values: Any, what: str) -> Iterator[Any]:
    """Return an iterator over what is to be several texts, or vectors.

    Raises:
        InputError: it is one text, or nothing to iterate over.
    """
    if not isinstance(values, str | bytes):
        with suppress(TypeError):
            found: Iterator[Any] = iter(values)
            return found
    raise InputError(f"{what} is {kind(values)}, not several", "give them as a list")


def told(progress: Any) -> Progress:
    """Return a progress callback.

    Raises:
        InputError: it cannot be called.
    """
    if not callable(progress):
        raise InputError(
            f"progress is {kind(progress)}, not a function",
            "give one that takes a stage, how much is done and of how much, or leave it out",
        )
    found: Progress = progress
    return found


def kind(value: object) -> str:
    """Return the name of a value's type."""
    return type(value).__name__
