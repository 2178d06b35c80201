"""What an earlier run labelled: a folder of Parquet, or one file, read a thousand rows at a time.

    labels = ParquetLabels(Path("labels"), column="input")
    with labels.writing(Path("fresh"), store=path, state=state) as write:
        for block in labels.blocks():
            write(block, stale(block.rows, label))

What is written has the form of what is read, and appears whole or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from edge_icl.answer.options import Options
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edge_icl.batch.stale import Stale
    from edge_icl.cli.formats.format import Row

    Write = Callable[["Block", Stale], None]

ROWS = 1000
"""So many are in memory at once."""

KEY = b"edge_icl"
"""Of the metadata of a Parquet file: what its labels followed from, as JSON."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What labels say themselves of the run that made them.

    Attributes:
        column: the column of the inputs.
        root: the store's at that time.
        model: the digest of the LLM; None where it was not to be had.
        options: how was asked: fields of `Options`.
        machine: what the machine of the run computes; None where that is not known.
    """

    column: str
    root: str
    model: str | None
    options: Mapping[str, Any]
    machine: Mapping[str, Any] | None

    def as_options(self) -> Options:
        """Return how was asked.

        Raises:
            InputError: a later edge-icl has asked, or what is recorded is not valid.
        """
        known = {field.name for field in fields(Options)}
        if others := [name for name in self.options if name not in known]:
            raise InputError(
                f"the labels were asked with an option that there is not: {others[0]}",
                "install a newer edge-icl",
            )
        return Options(**self.options)


def recorded(said: Mapping[str, Any], place: Path) -> Recorded:
    """Return what labels say of their run.

    Args:
        said: the fields, as they were recorded.
        place: the file that says it.

    Raises:
        InputError: it is not what a run records.
    """
    column, root, options = said.get("column"), said.get("root"), said.get("options")
    model, machine = said.get("model"), said.get("machine")
    if not (
        isinstance(column, str)
        and isinstance(root, str)
        and isinstance(options, dict)
        and isinstance(model, str | None)
        and isinstance(machine, dict | None)
    ):
        raise InputError(f"{place} does not say how it was labelled", "give labels of an earlier run")
    return Recorded(column, root, model, options, machine)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows with their labels.

    Attributes:
        rows: what `stale` takes: an Arrow record batch, or a dict of columns.
        part: the name of the file that they are in.
        source: of a text file, the rows as they stand there.
    """

    rows: Any
    part: str
    source: tuple[Row, ...] = ()


class Labels(ABC):
    """Labels of one form.

    Attributes:
        column: that of the inputs, in the rows of a block.
        recorded: what they say of their run; None for a file that says nothing.
    """

    column: str
    recorded: Recorded | None

    @abstractmethod
    def as_written(self, answer: str | None) -> str | None:
        """Return an answer as it stands in labels of this form."""

    @abstractmethod
    def total(self) -> int:
        """Return how many rows there are."""

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """Yield all rows, in their order.

        Raises:
            InputError: they cannot be read.
        """

    @abstractmethod
    def writing(self, out: Path, *, store: Path, state: Mapping[str, Any]) -> AbstractContextManager[Write]:
        """Return what writes labels of the same form.

        Args:
            out: where to; nothing may be there.
            store: the path of the store, inside which nothing is written.
            state: what is recorded beside the labels, by its name there.

        Raises:
            InputError: it cannot be written there, or the name says another form.
        """
