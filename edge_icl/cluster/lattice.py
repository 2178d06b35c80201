"""Rounding a cluster's mean to the lattice offset + step·Z^d, in integers.

A coarse lattice makes forgetting cheap: one example moves a mean a little, and the rounded mean not at all,
unless the mean lay close to the edge of its cell. The random offset makes every edge equally likely (Ginart et
al., arXiv 1907.05012, section 3.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def round_means(
    sums: NDArray[np.int64],
    counts: NDArray[np.int64],
    previous: NDArray[np.int64],
    *,
    offset: NDArray[np.int64],
    step: int,
) -> NDArray[np.int64]:
    """Round sums / counts to the nearest lattice point, halves up; an empty cluster keeps its centroid.

    The quotients are computed in float64, where numpy divides in half the time. Their floor is exact: they are
    less than 2^8 away from zero and their denominators less than 2^41 (a step of 16 bits, a count of 24), so a
    quotient that is not an integer is farther from the next integer than rounding can move it.

    Args:
        sums: i64[k, d].
        counts: i64[k].
        previous: i64[k, d], the centroids before.
        offset: i64[d], the lattice's offset, each in [0, step).
        step: the distance between lattice points.

    Returns:
        i64[k, d].
    """
    n = np.maximum(counts, 1)[:, None]
    quotients = np.floor((2 * (sums - offset * n) + step * n) / (2 * step * n)).astype(np.int64)
    return np.where(counts[:, None] > 0, step * quotients + offset, previous)
