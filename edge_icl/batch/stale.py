"""Rows of an earlier labelling that the store would label otherwise now, and what it labels them with.

    label = Labeler("work")
    found = stale(label(table), label)      # nothing: the store is as it was
    ...                                     # memory.forget(...)
    found = stale(labels, Labeler("work"))
    found.rows[0]                           # StaleRow(index=3, old='travel', new='meals', why=('answer',), ...)
    found.table                             # the labels as the store gives them now

Which answers a change of the store leaves as they are cannot be told from the change: every example has its
part in the prior. So a row that was labelled from another root is asked again, and one that was labelled from
this root is not. An answer that rested on an example which is gone is stale whatever the new one is: it was
given by what was forgotten.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from edge_icl.batch.columns import Basis, Result, filled
from edge_icl.batch.rows import is_missing, labelling, rows_of
from edge_icl.errors import InputError, StoreEmptyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_icl.batch.labeler import Labeler
    from edge_icl.batch.rows import Rows

Why = Literal["answer", "forgotten", "unknown", "encoder"]

WHYS: tuple[Why, ...] = get_args(Why)
"""In this order they are told."""

_ROOT, _ID = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class StaleRow:
    """A row that would be labelled otherwise now.

    Attributes:
        index: its place among the rows that were given, from 0.
        old: the answer that it has; None for none.
        new: the answer of the store as it is now; None for none.
        why: "answer": the new one is another; "forgotten": the old one rested on examples that the store does
            not hold any more; "encoder": it was made with another encoder; "unknown": the row does not say what
            its answer followed from.
        forgotten: on how many such examples.
    """

    index: int
    old: str | None
    new: str | None
    why: tuple[Why, ...]
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class Stale:
    """What `stale` found.

    Attributes:
        rows: the stale ones, in their order.
        asked: how many rows were asked again: those that were labelled from another root.
        count: how many rows were given.
        table: the rows, of the same kind as they came, with the columns of a labelling as they are now. A row
            that was not asked again has those that it had, and no column is there that was not.
    """

    rows: tuple[StaleRow, ...]
    asked: int
    count: int
    table: Any

    @property
    def whys(self) -> Counter[Why]:
        """How many rows are stale for each reason; a row may have several."""
        return Counter(why for row in self.rows for why in row.why)


def stale(
    rows: Any,
    label: Labeler,
    *,
    again: bool = False,
    answers_only: bool = False,
    as_written: Callable[[str | None], str | None] = lambda answer: answer,
) -> Stale:
    """Compare labels with what the store says now. Nothing is written.

    Args:
        rows: of any kind that a labeler takes, with the columns of a labelling: `answer` at least, and `root`
            and `examples`, without which a row is stale as far as anyone can tell.
        label: labels the column of the inputs, with the options of the earlier run.
        again: also ask rows that were labelled from this root: another model or other options were used then.
        answers_only: take a row that does not say what its answer followed from for stale only if the new
            answer is another. Whether it rested on what was forgotten is then not known.
        as_written: an answer as it stands in these labels; some files cannot hold every text.

    Raises:
        InputError: there is no column of the inputs or of the answers, or one holds something else.
        StoreChangedError: the store changed meanwhile, or is not the one that `label` is pinned to.
    """
    given = rows_of(rows)
    old = _Labels.of(given, label.column)
    root = label.root
    asked = [index for index in range(old.count) if again or old.roots[index] != root]
    if not asked:
        return Stale((), 0, old.count, rows)
    fresh = _fresh(label, [old.inputs[index] for index in asked])
    held = label.held({id for index in asked for id in old.examples[index] or ()})
    found = []
    for place, index in enumerate(asked):
        new, gone = fresh["answer"][place], {*(old.examples[index] or ())} - held
        why = (
            *(("answer",) if as_written(new) != old.answers[index] else ()),
            *(("forgotten",) if gone else ()),
            *(("unknown",) if not answers_only and not old.tells(index, root) else ()),
            *(("encoder",) if old.encoders[index] not in {None, fresh["encoder"][place]} else ()),
        )
        if why:
            found.append(StaleRow(index, old.answers[index], new, why, len(gone)))
    return Stale(tuple(found), len(asked), old.count, _relabelled(given, fresh, asked))


@dataclass(frozen=True, slots=True)
class _Labels:
    """What `stale` reads of rows, a list a column."""

    inputs: list[Any]
    answers: list[str | None]
    roots: list[str | None]
    encoders: list[str | None]
    examples: list[list[str] | None]

    @classmethod
    def of(cls, rows: Rows, column: str) -> _Labels:
        """Read them, and check that the columns hold what a labelling has in them."""
        rows.refuse(column, ())
        if "answer" not in rows.names:
            there = ", ".join(rows.names)
            raise InputError(f"the rows have no column 'answer'; the columns are {there}", "give labelled rows")
        inputs = rows.values(column)
        read = {name: _read(rows, name) or [None] * len(inputs) for name in _KINDS}
        return cls(inputs, *(read[name] for name in ("answer", "root", "encoder", "examples")))

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.inputs)

    def tells(self, index: int, root: str) -> bool:
        """Tell whether a row says what its answer followed from, or has no answer."""
        return self.answers[index] is None or self.examples[index] is not None or self.roots[index] == root


def _fresh(label: Labeler, inputs: list[Any]) -> Mapping[str, Sequence[Any]]:
    """Return the columns of a labelling for inputs; a store from which all was forgotten has no answer."""
    try:
        labelled: dict[str, list[Any]] = label({label.column: inputs})
    except StoreEmptyError as error:
        basis = Basis(label.root, label.encoder, machine=None, mixed=False)
        return filled([Result(error=error.message)] * len(inputs), basis)
    return labelled


def _is_ids(value: Any) -> bool:
    """Tell whether a value is a list of whole ids."""
    return isinstance(value, list) and all(isinstance(one, str) and _ID.fullmatch(one) for one in value)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "answer": lambda value: isinstance(value, str),
    "root": lambda value: isinstance(value, str) and bool(_ROOT.fullmatch(value)),
    "encoder": lambda value: isinstance(value, str),
    "examples": _is_ids,
}
"""Column -> whether a value that is there is one of its kind."""


def _read(rows: Rows, name: str) -> list[Any]:
    """Return a column of a labelling; empty where it is not there.

    Raises:
        InputError: it is another column of that name.
    """
    values = [_plain(value) for value in rows.values(name)] if name in rows.names else []
    for number, value in enumerate(values, start=1):
        if value is not None and not _KINDS[name](value):
            raise InputError(
                f"row {number} has no {name} in the column {name!r}", "give what a labeler returned"
            )
    return values


def _plain(value: Any) -> Any:
    """Return a value as Python has it; None for whatever stands for none."""
    if hasattr(value, "tolist"):
        return value.tolist()  # pandas reads lists as arrays of numpy
    return None if is_missing(value) else value


def _relabelled(rows: Rows, fresh: Mapping[str, Sequence[Any]], asked: Sequence[int]) -> Any:
    """Return rows of which those that were asked have the columns of the fresh labelling."""
    made = {}
    for name in labelling(rows.names):
        values = rows.values(name)
        for place, index in enumerate(asked):
            values[index] = fresh[name][place] if name in fresh else None
        made[name] = values
    return rows.with_columns(made)
