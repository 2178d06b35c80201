"""Rows as engines give them: an Arrow table or record batch, a dict of columns, a pandas DataFrame.

    >>> given = rows_of({"input": ["Taxi", None]})
    >>> given.values("input")
    ['Taxi', None]
    >>> given.with_columns({"answer": ["travel", None]})
    {'input': ['Taxi', None], 'answer': ['travel', None]}

Neither pyarrow nor pandas is imported here before rows come that are theirs.
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from edge_icl.batch.columns import ADDED, MACHINE, arrow_type
from edge_icl.errors import InputError
from edge_icl.runtime.arguments import kind
from edge_icl.search.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

T = TypeVar("T")

FLAT = 1
"""Dimensions of an array that is a column."""


class Rows(ABC):
    """Rows of one kind; what is made of them is of the same kind."""

    @property
    @abstractmethod
    def names(self) -> Sequence[str]:
        """The names of the columns, in their order."""

    @abstractmethod
    def values(self, name: str) -> list[Any]:
        """Return a column as Python's objects."""

    @abstractmethod
    def with_columns(self, added: Mapping[str, list[Any]]) -> Any:
        """Return the rows with columns behind their own; one that is there gets the new values in its place."""

    @abstractmethod
    def without(self, names: Collection[str]) -> Any:
        """Return the rows without some columns."""

    def refuse(self, column: str, taken: Collection[str]) -> None:
        """Refuse rows that cannot be read, or not be labelled.

        Args:
            column: the one with the questions.
            taken: names of the columns that are to be added.

        Raises:
            InputError: there is no such column, or two; or there is one of a name that is to be added.
        """
        found = self.names.count(column)
        if found != 1:
            there = ", ".join(map(str, dict.fromkeys(self.names))) or "none"
            what = (
                f"the rows have no column {column!r}" if not found else f"{found} columns are called {column!r}"
            )
            hint = did_you_mean(column, map(str, self.names)) or "say which one holds the questions: column="
            raise InputError(f"{what}; the columns are {there}", hint)
        clash = [name for name in self.names if name in taken]
        if clash:
            raise InputError(
                f"the rows have columns already of names that are to be added ({', '.join(clash)})",
                "give it another name; or drop the columns of an earlier run with edge_icl.batch.unlabelled",
            )


class ArrowRows(Rows):
    """A `pyarrow.Table` or `pyarrow.RecordBatch`."""

    def __init__(self, given: Any) -> None:
        self._given = given

    @property
    def names(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self._given.schema.names)

    def values(self, name: str) -> list[Any]:
        """Return a column; what is no text though its type says so comes with lone surrogates."""
        column = self._given.column(name)
        try:
            return list(column.to_pylist())
        except UnicodeDecodeError:
            return [_decoded(one) for one in column]

    def with_columns(self, added: Mapping[str, list[Any]]) -> Any:
        """Return the rows with columns behind their own, in Arrow's types."""
        import pyarrow as pa

        made = self._given
        for name, values in added.items():
            place, kind = made.schema.get_field_index(name), arrow_type(name)
            if place < 0:
                made = made.append_column(pa.field(name, kind), pa.array(values, kind))
            else:
                own = made.schema.field(place)
                if pa.types.is_null(own.type) or own.type == pa.list_(pa.null()):
                    own = pa.field(name, kind)  # pandas has written a column without a value
                made = made.set_column(place, own, pa.array(values, own.type))
        return made

    def without(self, names: Collection[str]) -> Any:
        """Return the rows without some columns."""
        return self._given.select([name for name in self.names if name not in names])


class Columns(Rows):
    """A dict of columns: lists, tuples, numpy arrays, or anything else that is iterable."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        lengths = {name: len(values) for name, values in given.items()}
        if len({*lengths.values()}) > 1:
            raise InputError(f"the columns are not of one length: {lengths}", "give each as many values")

    @property
    def names(self) -> list[str]:
        """The names of the columns, in their order."""
        return [*self._given]

    def values(self, name: str) -> list[Any]:
        """Return a column; of an array of numpy with Python's objects."""
        column = self._given[name]
        if getattr(column, "ndim", FLAT) != FLAT:
            raise InputError(
                f"the column {name!r} is an array of {column.ndim} dimensions", "give one of texts"
            )
        return list(column.tolist() if hasattr(column, "tolist") else column)

    def with_columns(self, added: Mapping[str, list[Any]]) -> Any:
        """Return a new dict, with arrays of numpy where all columns are, and lists where not."""
        import numpy as np

        arrays = bool(self._given) and all(isinstance(one, np.ndarray) for one in self._given.values())
        return {**self._given, **{name: _array(one) if arrays else one for name, one in added.items()}}

    def without(self, names: Collection[str]) -> Any:
        """Return a new dict without some columns."""
        return {name: values for name, values in self._given.items() if name not in names}


class FrameRows(Rows):
    """A `pandas.DataFrame`."""

    def __init__(self, given: Any) -> None:
        self._given = given

    @property
    def names(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self._given.columns)

    def values(self, name: str) -> list[Any]:
        """Return a column."""
        return list(self._given[name].tolist())

    def with_columns(self, added: Mapping[str, list[Any]]) -> Any:
        """Return a new frame; the types of its columns do not depend on what is in them."""
        import pandas as pd

        kinds = {"probability": "float64", "asked_model": "boolean"}
        index = self._given.index
        made = {
            name: pd.Series(_array(values), index=index, dtype=kinds.get(name, object))
            for name, values in added.items()
        }
        return self._given.assign(**made)

    def without(self, names: Collection[str]) -> Any:
        """Return a new frame without some columns."""
        return self._given.drop(columns=[name for name in self.names if name in names])


def rows_of(given: object) -> Rows:
    """Return rows, to be read.

    Raises:
        InputError: they are of no kind that is known, or columns are of different lengths.
    """
    if isinstance(given, Mapping):
        return Columns(given)
    arrow, pandas = sys.modules.get("pyarrow"), sys.modules.get("pandas")
    if arrow is not None and isinstance(given, arrow.Table | arrow.RecordBatch):
        return ArrowRows(given)
    if pandas is not None and isinstance(given, pandas.DataFrame):
        return FrameRows(given)
    raise InputError(
        f"the rows are {kind(given)}, not a table",
        "give a pyarrow Table or RecordBatch, a dict of columns, or a pandas DataFrame",
    )


def unlabelled(rows: T) -> T:
    """Return rows without the columns that a labeler has added, to label them again.

    Args:
        rows: of any kind that a labeler takes. A column `machine` goes only where it stands behind the others.

    Raises:
        InputError: they are of another kind.
    """
    given = rows_of(rows)
    found: T = given.without(labelling(given.names))
    return found


def labelling(names: Sequence[str]) -> list[str]:
    """Return which of these columns a labeler adds; `machine` is its own only behind the others."""
    added = [name for name in names if name in ADDED]
    if ADDED[-1] in added and names[[*names].index(ADDED[-1]) + 1 :][:1] == [MACHINE]:
        added.append(MACHINE)
    return added


def is_missing(value: object) -> bool:
    """Tell whether a value stands for none: None, NaN, or one of pandas' own."""
    missing = value is None or kind(value) in {"NAType", "NaTType"}
    return missing or (isinstance(value, float) and math.isnan(value))


def _decoded(one: Any) -> Any:
    """Return an Arrow scalar; of one whose bytes are not UTF-8, a text that is not valid Unicode."""
    try:
        return one.as_py()
    except UnicodeDecodeError:
        return one.as_buffer().to_pybytes().decode("utf-8", "surrogateescape")


def _array(values: list[Any]) -> Any:
    """Return values as an array of objects, of which lists are some."""
    import numpy as np

    made = np.empty(len(values), object)
    for i, value in enumerate(values):  # numpy makes a second dimension of lists that are assigned at once
        made[i] = value
    return made
