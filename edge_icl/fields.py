"""Examples of programs whose rows have named fields, as a store holds them: one input and one output.

    fields = Fields(("context", "question"), ("answer",))
    example = fields.example({"context": "Tuesdays", "question": "When is it?", "answer": "On Tuesday"})
    fields.values(example)["question"]

One field is the text itself. Several are lines, each with the field's name before it, which people and models
can read; what could not be read back is refused, so nothing is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.answer.options import Options
from edge_icl.errors import ExampleNotFoundError, InputError
from edge_icl.example import Example
from edge_icl.results import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edge_icl.answer.options import SelectMode
    from edge_icl.memory import Memory


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a program's rows.

    Attributes:
        inputs: names of those that are asked.
        outputs: names of those that answer.

    Raises:
        InputError: there is no input or no output, or a name comes twice.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse names with which rows could not be told."""
        every = [*self.inputs, *self.outputs]
        if not self.inputs or not self.outputs or len({*every}) < len(every):
            raise InputError(
                f"the fields {every} are not some inputs and some outputs", "name each field once, as a list"
            )

    def example(self, row: Mapping[str, object]) -> Example:
        """Return a row as an example.

        Raises:
            InputError: a field is missing, unknown, empty or not a text, or could not be read back.
        """
        if unknown := row.keys() - {*self.inputs, *self.outputs}:
            raise InputError(
                f"the store would not hold the field {min(unknown)!r}",
                f"leave it out, or name it among the inputs {[*self.inputs]} or the outputs {[*self.outputs]}",
            )
        return Example.create(_joined(self.inputs, row), _joined(self.outputs, row))

    def question(self, row: Mapping[str, object]) -> str:
        """Return what a row asks: its inputs; other fields do not matter.

        Raises:
            InputError: an input is missing or not a text, or could not be read back.
        """
        return _joined(self.inputs, row)

    def values(self, held: Held) -> dict[str, str]:
        """Return the fields of an example, the inputs first.

        Raises:
            InputError: it has other fields.
        """
        found = _split(self.inputs, held.input), _split(self.outputs, held.output)
        for names, values in zip((self.inputs, self.outputs), found, strict=True):
            if values is None:
                raise InputError(
                    f"the example {held.id} does not have the fields {[*names]}",
                    "another program taught it: use another store, or forget it",
                )
        inputs, outputs = found
        return {**(inputs or {}), **(outputs or {})}


def choosing(select: SelectMode, k: int) -> Options:
    """Return how a prompt's examples are chosen.

    Raises:
        InputError: there is no such selection, or fewer than one example is wanted.
    """
    if not isinstance(k, int) or k < 1:
        raise InputError(f"k cannot be {k!r}", "ask for 1 or more examples")
    return Options(select=select, shots=k)


def taught(memory: Memory, rows: Sequence[Example]) -> list[str]:
    """Return the ids of all examples with the inputs and outputs of rows, whatever else they have.

    Raises:
        ExampleNotFoundError: there is none for one of the rows.
    """
    wanted: dict[tuple[str, str], list[str]] = {(row.input, row.output): [] for row in rows}
    for one in memory.examples():
        if (found := wanted.get((one.input, one.output))) is not None:
            found.append(one.id)
    for i, row in enumerate(rows):
        if not wanted[row.input, row.output]:
            raise ExampleNotFoundError(
                f"row {i} is not in the store with this output, so nothing was forgotten",
                "look at what there is with the store's find(match=...)",
            )
    return [id for ids in wanted.values() for id in ids]


def ids(memory: Memory, fields: Fields, several: Iterable[str | Held | Mapping[str, object]]) -> list[str]:
    """Return the ids of what is named by ids, by what a store returned, or as rows.

    Raises:
        InputError: a row has other fields.
        ExampleNotFoundError: a row is not in the store.
    """
    named = [one.id if isinstance(one, Held) else one for one in several]
    rows = [fields.example(one) for one in named if not isinstance(one, str)]
    return [*(one for one in named if isinstance(one, str)), *(taught(memory, rows) if rows else ())]


def _joined(names: Sequence[str], row: Mapping[str, object]) -> str:
    """Return some fields of a row as one text.

    Raises:
        InputError: one is missing or not a text, or could not be read back.
    """
    texts = {}
    for name in names:
        value = row.get(name)
        if not isinstance(value, str):
            what = f"is {type(value).__name__} and not text" if name in row else "is missing"
            raise InputError(f"the field {name!r} {what}", "give it as a string")
        texts[name] = value
    if len(names) == 1:
        return texts[names[0]]
    joined = "\n".join(f"{name}: {text}" for name, text in texts.items())
    if _split(names, joined) != texts:
        raise InputError(
            f"a text holds a line that begins with the name of a field, one of {[*names]}", "write it otherwise"
        )
    return joined


def _split(names: Sequence[str], text: str) -> dict[str, str] | None:
    """Return the fields that `_joined` made one text of; None if it is none of its texts."""
    if len(names) == 1:
        return {names[0]: text}
    found = re.fullmatch("\n".join(f"{re.escape(name)}: (.*?)" for name in names), text, re.DOTALL)
    return None if found is None else dict(zip(names, found.groups(), strict=True))
