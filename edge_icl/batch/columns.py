"""The columns that a labeler adds to a table: their names, their order, their types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from edge_icl.results import Answer

ADDED = ("answer", "probability", "asked_model", "root", "encoder", "examples", "error")
MACHINE = "machine"
"""The column behind them of a fleet whose machines may differ."""


def names(*, mixed: bool = False) -> tuple[str, ...]:
    """Return the names of the columns, in their order; `mixed` where machines may differ."""
    return (*ADDED, MACHINE) if mixed else ADDED


def schema(given: pa.Schema, *, mixed: bool = False) -> pa.Schema:
    """Return the Arrow schema of a labelled table.

    Args:
        given: that of the rows.
        mixed: whether machines may differ.
    """
    import pyarrow as pa

    for name in names(mixed=mixed):
        given = given.append(pa.field(name, arrow_type(name)))
    return given


def arrow_type(name: str) -> pa.DataType:
    """Return the Arrow type of a column."""
    import pyarrow as pa

    kinds = {"probability": pa.float64(), "asked_model": pa.bool_(), "examples": pa.list_(pa.string())}
    return kinds.get(name, pa.string())


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row.

    Attributes:
        answer: its text; None where there is none, or none that is sure enough.
        probability: of the likeliest label, from 0 to 1; None where the answer was written, or there is none.
        asked_model: whether the model was asked; None where the row could not be answered.
        examples: ids of the examples that the answer rests on.
        error: why the row could not be answered; None where it was.
    """

    answer: str | None = None
    probability: float | None = None
    asked_model: bool | None = None
    examples: list[str] = field(default_factory=list)
    error: str | None = None

    @classmethod
    def of(cls, found: Answer | InputError) -> Result:
        """Return what an answer says, or why there is none."""
        if isinstance(found, InputError):
            return cls(error=found.message)
        behind = dict.fromkeys(held.id for held in (*found.examples, *found.nearest))
        return cls(found.text, found.probability, found.asked_model, [*behind])


@dataclass(frozen=True, slots=True)
class Basis:
    """What all rows of a batch have in common.

    Attributes:
        root: of the store.
        encoder: the digest of the store's encoder.
        machine: what differs here; None where nothing does.
        mixed: whether machines may differ, so that there is a column for it.
    """

    root: str
    encoder: str
    machine: str | None
    mixed: bool


def filled(results: Sequence[Result], basis: Basis) -> dict[str, list[Any]]:
    """Return the columns of a batch."""
    count = len(results)
    made: dict[str, list[Any]] = {
        "answer": [one.answer for one in results],
        "probability": [one.probability for one in results],
        "asked_model": [one.asked_model for one in results],
        "root": [basis.root] * count,
        "encoder": [basis.encoder] * count,
        "examples": [[*one.examples] for one in results],
        "error": [one.error for one in results],
        MACHINE: [basis.machine] * count,
    }
    return {name: made[name] for name in names(mixed=basis.mixed)}
