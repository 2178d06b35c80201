"""The values of a JSON text, one after another: objects over several lines, and the members of an array.

    >>> [row.fields for row in rows(iter(['[{"a": 1},', '{"a": 2}]']), "x.json", lambda _: True)]
    [{'a': 1}, {'a': 2}]

One value is in memory at a time, so that an array may be of any size. (A parser such as ijson would do that
too; it tells neither the line of a value nor how a number was written.)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats.format import Row, listed
from edge_icl.cli.formats.values import DECODER
from edge_icl.cli.given import MOST_OF_A_LINE, NOT_TEXT, is_unicode
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPACE = " \t\n\r"
KEPT = 1 << 16
"""Characters that were read and may stay in memory."""

HINT = "correct it, or give one JSON object a line"


class _Text:
    """A JSON text that is read value by value."""

    def __init__(self, pieces: Iterator[str], name: str, line: int = 1) -> None:
        self._pieces, self._name = pieces, name
        self._held, self._at = "", 0
        self._line, self._counted = line, 0  # the line of the character at this place of what is held

    @property
    def line(self) -> int:
        """The line of the next character, from 1."""
        self._line += self._held.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """Return the next character that is no white space; "" at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in SPACE:
                    return self._held[self._at]
                self._at += 1
            if not self._more():
                return ""

    def passed(self, sign: str) -> bool:
        """Pass over a character if it is the next one; tell whether it was."""
        found = self.peek() == sign
        self._at += found
        return found

    def value(self) -> tuple[int, str, Any]:
        """Return the next value: its line, its text, and what it is.

        Raises:
            InputError: there is none.
        """
        self.peek()
        self._drop()
        line, wanted = self.line, 0
        while True:
            error, value, end = self._tried()
            if error is None and (end < len(self._held) or self._held[end - 1 : end] in '"}]'):
                break
            wanted = max(KEPT, 2 * wanted)
            if len(self._held) - self._at > MOST_OF_A_LINE:
                raise InputError(
                    f"line {line} of {self._name} begins a value of more than {MOST_OF_A_LINE:,} characters, "
                    "or one without an end",
                    HINT,
                )
            if not self._more(wanted):
                if error is not None:
                    raise error
                break
        text = self._held[self._at : end]
        self._at = end
        return line, text, value

    def _tried(self) -> tuple[InputError | None, Any, int]:
        """Try to decode a value from what is held: what is wrong with it, what it is, and where it ends."""
        try:
            value, end = DECODER.raw_decode(self._held, self._at)
        except json.JSONDecodeError as error:
            line = self.line + self._held.count("\n", self._at, error.pos)
            column = error.pos - self._held.rfind("\n", 0, error.pos)
            place = f"line {line} of {self._name} is not JSON ({error.msg.lower()} at column {column})"
            return InputError(place, HINT), None, self._at
        except InputError as error:
            raise InputError(f"line {self.line} of {self._name}: {error.message}", error.hint) from None
        except RecursionError:
            raise InputError(
                f"line {self.line} of {self._name} begins JSON that is nested too deeply"
            ) from None
        except ValueError:
            raise InputError(
                f"the value in line {self.line} of {self._name} holds a number with too many digits"
            ) from None
        return None, value, end

    def _more(self, wanted: int = 1) -> bool:
        """Read more characters, at least so many if there are; tell whether there were any."""
        pieces, got = [self._held], 0
        while got < wanted and (piece := next(self._pieces, "")):
            pieces.append(piece)
            got += len(piece)
        self._held = "".join(pieces)
        return got > 0

    def _drop(self) -> None:
        """Forget what was read, if it is much."""
        if self._at > KEPT:
            self._line += self._held.count("\n", self._counted, self._at)
            self._held, self._at, self._counted = self._held[self._at :], 0, 0


def rows(pieces: Iterator[str], name: str, is_row: Callable[[dict[str, Any]], bool]) -> Iterator[Row]:
    """Yield the objects of a JSON text as rows: those of an array, or each that stands alone.

    An object that is no row, and holds one list of objects, is what stands around the data.

    Args:
        pieces: of the text.
        name: of the file, for errors.
        is_row: tells whether an object is a row.

    Raises:
        InputError: it is no JSON, or it has several lists that may be the data.
    """
    text, first = _Text(pieces, name), True
    while sign := text.peek():
        if sign == "[":
            yield from _members(text, name)
        else:
            line, written, value = text.value()
            around = first and isinstance(value, dict) and not is_row(value) and not text.peek()
            field = _data(value, name) if around else None
            if field is None:
                yield _row(line, written, value)
            else:
                yield from _within(_Text(iter([written]), name, line), name, field)
        first = False


def _members(text: _Text, name: str) -> Iterator[Row]:
    """Yield the members of an array as rows."""
    text.passed("[")
    if text.passed("]"):
        return
    while True:
        yield _row(*text.value())
        if text.passed("]"):
            return
        if not text.passed(","):
            place = f"line {text.line} of {name}"
            what = "ends within its list" if not text.peek() else "has no comma between two members of its list"
            raise InputError(f"{place} {what}", HINT)


def _within(text: _Text, name: str, field: str) -> Iterator[Row]:
    """Yield the rows of a list that is a field of an object; the object is sound."""
    text.passed("{")
    while not text.passed("}"):
        _, _, key = text.value()
        text.passed(":")
        if key == field:
            yield from _members(text, name)
        else:
            text.value()
        text.passed(",")


def _data(fields: dict[str, Any], name: str) -> str | None:
    """Return the field that holds the rows; None if there is none.

    Raises:
        InputError: there are several.
    """
    lists = [key for key, value in fields.items() if isinstance(value, list) and value and _are_objects(value)]
    if len(lists) > 1:
        raise InputError(
            f"{name} is one JSON object with several lists ({listed(lists)})",
            "write the list that you mean into a file of its own",
        )
    return lists[0] if lists else None


def _are_objects(values: list[Any]) -> bool:
    """Tell whether a list is one of objects."""
    return all(isinstance(one, dict) for one in values)


def _row(line: int, text: str, value: Any) -> Row:
    """Return the row that a value is."""
    if not is_unicode([text]):
        return Row(line, problem=NOT_TEXT, odd=text)
    return Row(line, value) if isinstance(value, dict) else Row(line, problem="it is not a JSON object")
