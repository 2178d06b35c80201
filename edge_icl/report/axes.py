"""The two directions in which vectors differ most (principal components), the same bits on every machine.

    >>> plane = principal(vectors)
    >>> plane.at(vectors)          # i64[n, 2]

An eigenvalue routine gives other last bits on other processors. Here all numbers are integers: the covariance
is exact, and power iteration (Golub and Van Loan, Matrix Computations, section 7.3) rounds to a fixed grid
after each step, so that it is the same everywhere. It need not converge to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.cluster.exact import EXACT_PRODUCTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

GRID = 1 << 12
"""The greatest component of a direction: directions are multiples of a 4,096th of it."""

BITS = 30
"""The covariance is cut to so many bits: times GRID, and summed over 2^16 dimensions, it fits 63 bits."""

ROUNDS = 100
"""Steps of the power iteration; what has not changed in a step does not change any more."""


class Plane(NamedTuple):
    """The plane in which vectors differ most.

    Attributes:
        axes: i64[d, 2], two directions, each with a greatest component of GRID, or 0 where there is none.
        share: how much of the variance lies in the plane, from 0 to 1.
    """

    axes: Integers
    share: float

    def at(self, vectors: NDArray[np.int8]) -> Integers:
        """Return where vectors i8[n, d] lie in the plane, i64[n, 2]; exact.

        A product is less than 2^19, and so a sum over 2^16 dimensions less than 2^53, as float64 has it.
        """
        return (vectors.astype(np.float64) @ self.axes.astype(np.float64)).astype(np.int64)


def principal(vectors: NDArray[np.int8]) -> Plane:
    """Return the plane in which vectors i8[n, d] differ most, for n of at least 1."""
    covariance = _covariance(vectors)
    total = int(np.trace(covariance))
    axes, kept = [], 0.0
    for _ in range(2):
        axis = _first(covariance)
        axes.append(axis)
        if length := int(axis @ axis):
            image = covariance @ axis
            value = sum(a * b for a, b in zip(axis.tolist(), image.tolist(), strict=True)) / length
            kept += value
            # What lies in that direction is taken away (deflation), rounded to integers.
            taken = np.multiply.outer(axis.astype(np.float64), axis.astype(np.float64)) * (value / length)
            covariance = covariance - np.rint(taken).astype(np.int64)
    return Plane(np.stack(axes, axis=1), min(kept / total, 1.0) if total else 1.0)


def _covariance(vectors: NDArray[np.int8]) -> Integers:
    """Return n² times the covariance of vectors i8[n, d], cut to BITS bits: i64[d, d]."""
    dimension = vectors.shape[1]
    gram = np.zeros((dimension, dimension), np.int64)
    for start in range(0, len(vectors), EXACT_PRODUCTS):
        exact = vectors[start : start + EXACT_PRODUCTS].astype(np.float32)
        gram += (exact.T @ exact).astype(np.int64)
    sums = vectors.sum(0, dtype=np.int64)
    # n² · 127² is under 2^63 up to 24 million examples.
    whole = len(vectors) * gram - np.multiply.outer(sums, sums)
    cut: Integers = whole >> max(0, int(np.abs(whole).max(initial=0)).bit_length() - BITS)
    return cut


def _first(matrix: Integers) -> Integers:
    """Return the direction i64[d] that a symmetric matrix stretches most; 0 where it stretches none."""
    axis = matrix[np.argmax(np.diagonal(matrix))]
    axis = _on_grid(axis)
    for _ in range(ROUNDS):
        following = _on_grid(matrix @ axis)
        if (following == axis).all():
            break
        axis = following
    return axis if axis[np.argmax(np.abs(axis))] >= 0 else -axis


def _on_grid(direction: Integers) -> Integers:
    """Return a direction of the same sense whose greatest component is GRID."""
    greatest = int(np.abs(direction).max(initial=0))
    if not greatest:
        return np.zeros_like(direction)
    # Both are cut to so few bits that the product fits 63.
    shift = max(0, greatest.bit_length() - 50)
    return (direction >> shift) * GRID // max(greatest >> shift, 1)
