"""Means are rounded to the lattice as integers are, at the ends of every range, too."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.cluster.lattice import round_means
from edge_icl.cluster.record import MOST_EXAMPLES

steps = st.one_of(st.integers(1, 200), st.sampled_from([2**16 - 2, 2**16 - 1]))
counts = st.one_of(st.integers(1, 300), st.integers(MOST_EXAMPLES - 300, MOST_EXAMPLES))


@given(steps, counts, st.integers(-127, 127), st.integers(-2, 2), st.integers(0, 2**16))
def test_a_mean_is_rounded_as_by_integers(step: int, count: int, mean: int, beside: int, offset: int) -> None:
    offset %= step
    cell = (mean - offset) // step
    edge = -(-(2 * cell + 1) * step * count // 2) + offset * count  # the first sum of the next cell
    total = edge + beside

    found = round_means(
        np.array([[total]]), np.array([count]), np.zeros((1, 1), np.int64), offset=np.array([offset]), step=step
    )

    assert found[0, 0] == step * ((2 * (total - offset * count) + step * count) // (2 * step * count)) + offset
