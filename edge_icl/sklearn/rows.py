"""What a classifier is given: texts and labels, checked.

A store holds labels as texts, and `classes_` has them as they were given.

What is wrong raises ValueError, as scikit-learn has it, and says in which row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from edge_icl.errors import InputError
from edge_icl.example import Example, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Texts = Sequence[str] | ArrayLike
    """Several texts: a list, an array, a pandas Series, or one column of a DataFrame."""

_TEXTS, _NUMBERS = "OUT", "iu"
"""Kinds of arrays that hold the same, as numpy has them."""


def texts(X: Texts) -> list[str]:
    """Return texts, [n], from a column of them.

    Raises:
        ValueError: it is one text, has several columns, or a row is not a text.
    """
    if isinstance(X, str) or not isinstance(X, Iterable):
        raise ValueError(f"X is {type(X).__name__}, not several texts: give a list of them")
    given = np.asarray(X if hasattr(X, "__array__") else [*X], dtype=object)
    if given.shape[1:] == (1,):
        given = given[:, 0]
    if given.ndim != 1:
        raise ValueError(f"X has {given.ndim} dimensions and the shape {given.shape}: give one column of texts")
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise ValueError(
                f"row {i} of X is {text!r:.40}, {type(text).__name__} and not text: fill it or leave it out"
            )
    return [str(text) for text in given]


def labels(y: ArrayLike) -> NDArray[Any]:
    """Return labels, [n].

    Raises:
        ValueError: they are none of a classification, have several columns, or one is missing.
    """
    if y is None:
        raise ValueError("EdgeClassifier requires y to be passed, but the target y is None")
    given = column_or_1d(np.asarray(y) if hasattr(y, "__array__") else y, warn=True)
    for i, label in enumerate(given.tolist()):
        if not isinstance(label, str | Integral | Real) or (isinstance(label, float) and math.isnan(label)):
            raise ValueError(f"row {i} of y is {label!r:.40}, not a label: fill it or leave it out")
    check_classification_targets(given)
    return np.array(given.tolist()) if given.dtype.kind in "UT" else given


def text(label: object) -> str:
    """Return a label as a store holds it.

    Raises:
        InputError: it is empty or not valid text.
    """
    return normalise(str(label), "label")


def examples(X: Texts, y: ArrayLike) -> tuple[list[Example], NDArray[Any]]:
    """Return rows as examples, [n], and their labels [n].

    Raises:
        ValueError: there is no row, or one is not a text and its label.
    """
    inputs, outputs = texts(X), labels(y)
    check_consistent_length(inputs, outputs)
    if not inputs:
        raise ValueError("there is no row to learn from: X has 0 texts")
    made = []
    for i, (input, output) in enumerate(zip(inputs, outputs, strict=True)):
        try:
            made.append(Example.create(input, text(output)))
        except InputError as error:
            raise ValueError(f"row {i} cannot be learnt: {error}") from error
    return made, outputs


def joined(known: NDArray[Any], more: NDArray[Any]) -> dict[str, Any]:
    """Return the labels of both, sorted, by the texts as which a store holds them.

    Raises:
        ValueError: they are of different types, or two of them are one in a store.
    """
    kinds = {_kind(some) for some in (known, more) if len(some)}
    if len(kinds) > 1:
        raise ValueError(
            "labels are of different types: "
            f"{known[:1].tolist()!r:.40} was known, and {more[:1].tolist()!r:.40} is given"
        )
    some = [one for one in (known, more) if len(one)]
    found = np.unique(np.concatenate(some)) if some else more
    if kinds == {_NUMBERS} and found.dtype.kind == "f":  # NumPy's kind for uint64 and numbers with a sign
        found = np.array(sorted({int(label) for one in some for label in one}))
    named = {text(label): label for label in found}
    if len(named) < len(found):
        raise ValueError("two labels differ only in how Unicode writes them: write them alike")
    return named


def _kind(some: NDArray[Any]) -> str:
    """Return a name for what an array holds: texts, whole numbers, or its own kind."""
    kind = some.dtype.kind
    return next((kinds for kinds in (_TEXTS, _NUMBERS) if kind in kinds), kind)
