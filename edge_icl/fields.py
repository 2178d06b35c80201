"""Examples of programs whose rows have named fields, as a store holds them: one input and one output.

    fields = Fields(("context", "question"), ("answer",))
    example = fields.example({"context": "Tuesdays", "question": "When is it?", "answer": "On Tuesday"})
    fields.values(example)["question"]

One field is the text itself. Several are lines, each with the field's name before it, which people and models
can read; what could not be read back is refused, so nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.answer.options import Options
from edge_icl.errors import ExampleNotFoundError, InputError
from edge_icl.example import Example
from edge_icl.forms import each
from edge_icl.memory import Memory
from edge_icl.results import Held
from edge_icl.runtime.arguments import kind

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from edge_icl.answer.options import SelectMode
    from edge_icl.results import Receipt


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

    @classmethod
    def named(cls, inputs: Sequence[str], outputs: Sequence[str]) -> Fields:
        """Return the fields of these names.

        Raises:
            InputError: see `Fields`; or a text is given for several names, and its letters would be these.
        """
        for names in (inputs, outputs):
            if isinstance(names, str):
                raise InputError(f"{names!r} is one name and not several", f"give it as a list: [{names!r}]")
        return cls(tuple(inputs), tuple(outputs))

    def example(self, row: Mapping[str, object]) -> Example:
        """Return a row as an example.

        Raises:
            InputError: it is no row; or a field is missing, unknown, empty or not a text, or could not be read
                back.
        """
        if not isinstance(row, Mapping):
            raise InputError(
                f"{kind(row)} is not an example", f"give a dict with {[*self.inputs, *self.outputs]}"
            )
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


class Chooser:
    """A store of rows, and how those for a prompt are chosen.

    Args:
        store: name or path of a store, which is made with its first example, or an open `Memory`.
        fields: of the rows.
        k: how many are chosen, if there are so many.
        select: how.

    Raises:
        InputError: there is no such selection, or fewer than one example is wanted.
        EdgeIclError: what `Memory.open` raises, for a store that is not open.
    """

    def __init__(
        self, store: str | os.PathLike[str] | Memory, fields: Fields, *, k: int, select: SelectMode
    ) -> None:
        if not isinstance(k, int) or k < 1:
            raise InputError(f"k cannot be {k!r}", "ask for 1 or more examples")
        self.fields = fields
        self.options = Options(select=select, shots=k)
        self._owned = not isinstance(store, Memory)
        self.memory = store if isinstance(store, Memory) else Memory.open(store, create="later")

    def close(self) -> None:
        """Close the store, unless it was given open."""
        if self._owned:
            self.memory.close()

    def add(self, rows: Iterable[Mapping[str, object]]) -> list[str]:
        """Add rows in one commit, all or none, and return their ids in their order.

        Raises:
            InputError: see `Fields.example`; or a text is empty or not valid.
        """
        return [*self.memory.add_many([self.fields.example(row) for row in rows]).ids]

    def choose(self, row: Mapping[str, object]) -> list[dict[str, str]]:
        """Return the rows for a prompt that asks what this row asks, in their order there.

        Raises:
            InputError: an input is missing or not a text, or an example in the store has other fields.
        """
        found = self.memory.select(self.fields.question(row), self.options)
        return [self.fields.values(held) for held in found]

    def forget(self, several: Iterable[str | Held | Mapping[str, object]]) -> Receipt:
        """Forget, in one commit, what is named by ids, what a store returned, as rows, or in lists of these.

        Raises:
            InputError: a row has other fields, or something is none of these.
            ExampleNotFoundError: one is not there; nothing was forgotten.
        """
        root = self.memory.root
        named = [one.id if isinstance(one, Held) else one for one in each(several)]
        ids = [one for one in named if isinstance(one, str)]
        if rows := [self.fields.example(one) for one in named if not isinstance(one, str)]:
            ids += taught(self.memory, rows)
        return self.memory.forget(*ids, root=root)


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
