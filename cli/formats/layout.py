"""What a row of one well-known kind of data set looks like: a layout.

    SQUARES = Layout("squares", "Squares", "n and n2", _fits, _said, _asked, frozenset({"n", "n2"}))

A format says how a file has its rows, a layout what a row has to say. So each layout is found in JSON lines and
in a JSON array, and those whose fields are plain texts in tables too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Turns = Literal["last", "all"]
    Pair = tuple[Any, Any]


class Said(NamedTuple):
    """What a row says.

    Attributes:
        pairs: each an input and its output, before they are checked; none if the row is there to be left out.
        questions: how many of the row can be taught.
        left: what of it is left out, in words.
    """

    pairs: list[Pair]
    questions: int = 1
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a row of one kind of data set looks like.

    Attributes:
        name: what `--format` calls it.
        title: what notes call it.
        content: what a row of it is, for help texts.
        fits: tells from a row's fields whether it is one of these, without any doubt.
        said: returns what a row says; raises InputError where it says nothing that can be taught.
        asked: returns the question of a row, which may have no answer; raises InputError where it has none.
        used: the fields that it looks at; what else a row has is left out.
        noun: what a row is called.
        line: returns an input and its output as a row.
        columns: whether a table may have it, since all its fields are texts.
    """

    name: str
    title: str
    content: str
    fits: Callable[[Mapping[str, Any]], bool]
    said: Callable[[Mapping[str, Any], Turns], Said]
    asked: Callable[[Mapping[str, Any]], Any]
    used: frozenset[str]
    noun: str = "row"
    line: Callable[[str, str], dict[str, Any]] | None = None
    columns: bool = False


def field(fields: Mapping[str, Any], name: str) -> Any:
    """Return a field of a row.

    Raises:
        InputError: there is none of this name.
    """
    if name not in fields:
        raise InputError(f"there is no field {name} (it has {', '.join(fields) or 'none'})")
    return fields[name]
