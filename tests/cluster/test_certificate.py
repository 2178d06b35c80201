"""Following a change through a clustering gives the clustering of the changed set, and saves refits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from stores import DIMENSION, PARAMETERS, numbers, points, row, rows

from edge_icl.cluster import record
from edge_icl.cluster.certificate import revise
from edge_icl.cluster.kmeans import Parameters, fit
from edge_icl.cluster.points import Points


@given(st.sets(numbers, max_size=40), st.sets(numbers, max_size=40), st.integers(1, 6), st.integers(1, 200))
def test_any_change_gives_the_clustering_of_the_new_set(
    before: set[int], after: set[int], shots: int, step: int
) -> None:
    parameters = Parameters(PARAMETERS.seed, shots, 3, step, DIMENSION)
    old = fit(parameters, points(rows(before)))

    revised, _ = revise(
        parameters,
        old,
        added=points(rows(after - before)),
        removed=points(rows(before - after)),
        everything=lambda: points(rows(after)),
    )

    assert record.encode(revised) == record.encode(fit(parameters, points(rows(after))))


def test_most_single_changes_to_a_large_set_need_no_refit() -> None:
    every = [row(number) for number in range(3000)]
    old = fit(PARAMETERS, points(every))
    refits = []

    def whole() -> Points:
        refits.append(1)
        return points(every)

    for one in every[:100]:
        revise(PARAMETERS, old, added=points([]), removed=points([one]), everything=whole)

    assert len(refits) < 50


def test_without_a_refit_no_other_example_is_looked_at() -> None:
    every = [row(number) for number in range(3000)]
    old = fit(PARAMETERS, points(every))
    kept = {key.tobytes() for key in np.concatenate([old.winners, old.representatives])}
    outcomes = set()
    for one in every[:40]:
        if one.id in kept:
            continue
        looked: list[int] = []
        _, refit = revise(
            PARAMETERS,
            old,
            added=points([]),
            removed=points([one]),
            everything=lambda looked=looked: (looked.append(1), points(every))[1],
        )
        assert bool(looked) == refit
        outcomes.add(refit)

    assert False in outcomes
