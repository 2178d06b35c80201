"""The forms in which a caller gives examples, and says which examples of a store are meant.

    >>> [one.output for one in examples([("Uber", "travel"), {"input": "Lunch", "output": "meals"}])]
    ['travel', 'meals']

An error names the element that is wrong, as `examples[3]`, and what it is, but not its text: errors are logged.
Every example is made once more, also one that is an `Example`: a store of an early version may hold texts that
are not normalised, and what was unpickled or belongs to a subclass may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from edge_icl.display.unseen import visible
from edge_icl.encode.vector import Vector
from edge_icl.errors import InputError
from edge_icl.example import Example
from edge_icl.results import Added, Answer, Held, Receipt, Renamed, Replaced
from edge_icl.runtime.arguments import kind
from edge_icl.store.snapshot import as_digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ExampleForm = Example | Held | tuple[str, str] | list[str] | Mapping[str, object]
"""An example: itself, as a store holds it, a pair of input and output, or a dict with these fields and perhaps
tags and source."""

IdForm = str | Held | Example
"""What says which example is meant: its id or the beginning of that, what a store returned, or what it says."""

ReceiptForm = Receipt | Replaced | Renamed | Mapping[str, Any] | str | bytes
"""What says which examples were forgotten in another store: what a method returned there, its JSON, or what the
file of a receipt holds."""

FIELDS = ("input", "output", "tags", "source")

CLOSE = 0.6
"""From which ratio on, as `difflib` has it, a field may be meant by a name."""

_ALSO = {
    "input": ("text", "question", "prompt", "query", "sentence", "message"),
    "output": ("label", "answer", "completion", "response", "category", "class", "target"),
}
"""What other tools call a field."""

_MOST_NAMED = 3
_FORMS = "give (input, output), a dict with input and output, or an Example"
_PAIRS = "give a list of pairs of input and output"


def examples(given: Any, what: str = "examples") -> list[Example]:
    """Return the examples that a caller gives, each in any form; see `stream`."""
    return [*stream(given, what)]


def stream(given: Any, what: str = "examples") -> Iterator[Example]:
    """Return an iterator over the examples that a caller gives, each in any form.

    Args:
        given: these.
        what: the name of the argument.

    Raises:
        InputError: they are one example or none at all; or, when it is asked for, an element is no example: it
            names the position.
    """
    _refuse_one(given)
    try:
        several = iter(given)
    except TypeError:
        raise InputError(f"{kind(given)} is not several examples", _PAIRS) from None
    return _each(several, what)


def _each(several: Iterator[Any], what: str) -> Iterator[Example]:
    """Yield the examples among them."""
    for i, one in enumerate(several):
        try:
            yield example(one)
        except InputError as error:
            raise at(i, error, what) from None


def one_or_several(given: Sequence[object]) -> list[Example]:
    """Return the examples that are the arguments of a call, or the elements of its only argument.

    Raises:
        InputError: see `examples`.
    """
    if len(given) == 1 and not _is_one(given[0]):
        return examples(given[0])
    return examples(given)


def example(given: Any) -> Example:
    """Return the example that a caller gives, normalised.

    Raises:
        InputError: it is none.
    """
    if isinstance(given, Example | Held):
        return Example.create(given.input, given.output, tags=given.tags, source=given.source)
    if isinstance(given, Mapping):
        return _from_fields(given)
    if not isinstance(given, tuple | list):
        raise InputError(f"{kind(given)} is not an example", _FORMS)
    if len(given) != len(("input", "output")):
        raise InputError(f"a {kind(given)} of {len(given)} is not an input and an output", _FORMS)
    input, output = given
    if isinstance(input, Example | Held) and isinstance(output, Vector | None):
        raise InputError("it is an example with its vector", "give the vectors by themselves, as vectors=")
    return Example.create(input, output)


def at(position: int, error: InputError, what: str = "examples") -> InputError:
    """Return an error of one example that says which of several it is, from 0 as Python counts."""
    return InputError(f"{what}[{position}]: {error.message}", error.hint)


def ids(given: Iterable[object], seed: bytes) -> list[str]:
    """Return the ids, or their beginnings, of the examples that are meant.

    Args:
        given: each an `IdForm`, an `Added`, of which those are meant that it made new, or several of these.
        seed: the store's.

    Raises:
        InputError: something else is among them.
    """
    return [id for one in each(given) for id in _ids(one, seed)]


def each(given: Iterable[Any]) -> Iterator[Any]:
    """Yield what is given, and of what is several in one argument, such as a list, each."""
    for one in given:
        if isinstance(one, Iterable) and not isinstance(one, str | bytes | Mapping):
            yield from one
        else:
            yield one


def id_of(given: Any, seed: bytes) -> str:
    """Return the id, or its beginning, of the example that is meant.

    Raises:
        InputError: it is no `IdForm`.
    """
    if isinstance(given, Example):
        return example(given).id(seed).hex()
    if isinstance(given, Answer):
        raise InputError(
            "an answer may rest on several examples", "give those of answer.examples that you mean"
        )
    found = given.id if isinstance(given, Held) else given
    if not isinstance(found, str):
        raise InputError(f"{kind(found)} is not the id of an example", "give an id, or what `find` returns")
    return str.__str__(found)


def digits(beginning: str) -> str:
    """Return the hex digits with which an id begins.

    Raises:
        InputError: these are none.
    """
    found = as_digits(beginning)
    if found is None:
        raise InputError(
            "this is not an id, of up to 32 hex digits", "give (input, output), or look for a text with `find`"
        )
    return found


def _ids(given: object, seed: bytes) -> Sequence[str]:
    """Return the ids of one thing that is no list."""
    return given.new if isinstance(given, Added) else (id_of(given, seed),)


def _is_one(given: object) -> bool:
    """Tell whether something is meant to be one example, and not several."""
    pair = isinstance(given, tuple | list) and bool(given) and isinstance(given[0], str)
    return pair or isinstance(given, Example | Held | Mapping)


def _refuse_one(given: object) -> None:
    """Refuse what iterates, but not over examples."""
    if isinstance(given, str | bytes):
        raise InputError("the examples are one text", f"{_PAIRS}, or the two texts to `add`")
    if isinstance(given, Mapping) and not all(isinstance(key, Example | Held | tuple) for key in given):
        raise InputError(
            "the examples are one dict", "give a list of dicts with input and output, or its items()"
        )
    if isinstance(given, Example | Held):
        raise InputError(f"{kind(given)} is one example", "give them as a list")
    if isinstance(given, tuple | list) and [isinstance(one, str) for one in given[:3]] == [True, True]:
        raise InputError("the examples are one pair", f"{_PAIRS}, or the two texts to `add`")
    if hasattr(given, "columns") and (hasattr(given, "itertuples") or hasattr(given, "iter_rows")):
        raise InputError(
            "the examples are a data frame", "give zip(frame[INPUT], frame[OUTPUT]), two columns of it"
        )


def _from_fields(given: Mapping[Any, Any]) -> Example:
    """Return the example with these fields.

    Raises:
        InputError: there is another field, or one is missing, or is not what it should be.
    """
    fields = dict(given)
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        near = [meant for name in unknown if (meant := _meant(name)) and meant not in fields]
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        asked = f"did you mean {' and '.join(dict.fromkeys(near))}? " if near else ""
        raise InputError(
            f"an example has no field {', '.join(visible(str(name)) for name in unknown[:_MOST_NAMED])}{more}",
            f"{asked}its fields are input, output, tags and source",
        )
    for name in ("input", "output"):
        if name not in fields:
            raise InputError(f"there is no field {name}", "a dict needs input and output")
    tags = fields.get("tags")
    return Example.create(
        fields["input"],
        fields["output"],
        tags=() if tags is None else tags,
        source=fields.get("source"),
    )


def _meant(name: object) -> str | None:
    """Return the field that was probably meant by a name."""
    from difflib import get_close_matches

    text = str(name).casefold()
    for field, names in _ALSO.items():
        if text in names:
            return field
    return next(iter(get_close_matches(text, FIELDS, n=1, cutoff=CLOSE)), None)
