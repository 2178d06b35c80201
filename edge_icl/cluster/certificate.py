"""What a change to the set of examples does to a clustering, found without clustering again.

For each iteration, the changed examples are added to their clusters or taken away, and the means are rounded
again. As long as the rounded centroids are the recorded ones, every other example stays where it was, so the
recorded sums, plus and minus the changed examples, are those of the new set: that is the certificate. From the
first iteration where a centroid moves, all examples are clustered again (a refit). The result is always the
clustering of the new set, byte for byte; the certificate only saves work.

One change costs O(iterations · clusters · dimension), however many examples there are. Adding and forgetting
are the same computation with another sign, and a batch is followed as one change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster.distances import add_members, assign
from edge_icl.cluster.kmeans import EMPTY, Clustering, Parameters, centroids_of, fit, move, refit
from edge_icl.cluster.points import BLOCK, Blocks, Points
from edge_icl.cluster.randomness import uniform_draws
from edge_icl.cluster.sampling import draw_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def revise(
    parameters: Parameters,
    old: Clustering,
    *,
    added: Points,
    removed: Points,
    everything: Callable[[], Blocks],
) -> tuple[Clustering, bool]:
    """Return the clustering of the set after a change, and whether all examples were clustered again.

    Args:
        parameters: the store's.
        old: the clustering of the set before.
        added: examples that were not in the set, or are removed too, with another vector.
        removed: examples that were in the set.
        everything: returns the whole set after the change; called only to cluster it again.
    """
    count = int(old.counts[0].sum()) + len(added.ids) - len(removed.ids)
    parameters = _enough(parameters, count)
    if not len(old.winners) or not _start_holds(parameters, old, added, removed):
        return fit(parameters, everything()), True
    revised = replace(old, sums=old.sums.copy(), counts=old.counts.copy())
    before = [*centroids_of(parameters, old, upto=parameters.iterations)]
    for t, centroids in enumerate(before[:-1]):
        _apply(revised, t, centroids, added, removed)
        if not revised.possible():  # the recorded sums were of other examples than these
            return fit(parameters, everything()), True
        if not np.array_equal(move(parameters, revised, t, centroids), before[t + 1]):
            return refit(parameters, everything(), revised, known=t + 1), True
    if _among(removed, old.representatives):
        return refit(parameters, everything(), revised, known=parameters.iterations), True
    return _with_nearer(revised, before[-1], added), False


def is_large(changed: int) -> bool:
    """Tell whether a change of so many examples is not worth following, and the set is clustered `again`.

    It almost surely moves a centroid, and blocks of a set are clustered faster than they are followed.
    """
    return changed > BLOCK


def again(parameters: Parameters, everything: Blocks, count: int) -> Clustering:
    """Return the clustering of a set of so many examples, as `revise` does without anything to go by."""
    return fit(_enough(parameters, count), everything)


def _enough(parameters: Parameters, count: int) -> Parameters:
    """Return the parameters for so many examples: no more vectors are distinct, so later rounds draw none."""
    return replace(parameters, shots=count) if count < parameters.shots else parameters


def _start_holds(parameters: Parameters, old: Clustering, added: Points, removed: Points) -> bool:
    """Tell whether the start draws the same examples: none of them is removed, and no new one is drawn."""
    if _among(removed, old.winners):
        return False
    if not len(added.ids):
        return True
    both = Points(np.concatenate([old.winners, added.ids]), np.concatenate([old.start, added.vectors]))
    order = np.lexsort(both.ids.T[::-1])  # of equals the first is drawn, which must be the smaller id
    both = Points(both.ids[order], both.vectors[order])
    draws = uniform_draws(parameters.seed, both.ids, parameters.shots)
    weights = np.ones(len(both.ids), np.int64)
    for j in range(parameters.shots):
        drawn = draw_one(draws[:, j], weights)
        if drawn is None:
            return j == len(old.winners)
        if j == len(old.winners) or both.ids[drawn].tobytes() != old.winners[j].tobytes():
            return False
        distances = assign(both.vectors, old.start[j : j + 1].astype(np.int64))[1]
        weights = np.minimum(weights, distances) if j else distances
    return True


def _apply(revised: Clustering, t: int, centroids: NDArray[np.int64], added: Points, removed: Points) -> None:
    """Follow the change through iteration t, in place."""
    for points, sign in ((removed, -1), (added, 1)):
        if len(points.ids):
            nearest, _ = assign(points.vectors, centroids)
            add_members(revised.sums[t], revised.counts[t], points.vectors, nearest, sign=sign)


def _with_nearer(clustering: Clustering, centroids: NDArray[np.int64], added: Points) -> Clustering:
    """Return the clustering with those added examples as representatives that are nearer to a centroid."""
    if not len(added.ids):
        return clustering
    ids, best = clustering.representatives.copy(), clustering.distances.copy()
    nearest, distances = assign(added.vectors, centroids)
    for row, j, distance in zip(added.ids, nearest, distances, strict=True):
        if best[j] == EMPTY or (distance, row.tobytes()) < (best[j], ids[j].tobytes()):
            ids[j], best[j] = row, distance
    return replace(clustering, representatives=ids, distances=best)


def _among(points: Points, ids: NDArray[np.uint8]) -> bool:
    """Tell whether any of the points has one of these ids."""
    return not {row.tobytes() for row in points.ids}.isdisjoint(row.tobytes() for row in ids)
