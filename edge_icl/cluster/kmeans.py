"""Quantized k-means over int8 vectors: start, iterate, finish.

    start     k-means++: k examples are drawn as the first centroids
    iterate   assign every example to its nearest centroid, move each centroid to the lattice point
              nearest to its cluster's mean; a fixed number of times
    finish    in each cluster, the example nearest to the centroid is the representative

Everything is integer arithmetic, so no result depends on the order of a sum, the number of threads or the
kind of CPU. Each step visits the set once, in blocks, and keeps none of them: a set may be larger than memory.
Points are always sorted by id, so "the first of equals" is "the smaller id".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster.distances import Ruler, add_members
from edge_icl.cluster.exact import LONGEST
from edge_icl.cluster.lattice import round_means
from edge_icl.cluster.randomness import lattice_offset
from edge_icl.cluster.seeding import draw_start
from edge_icl.example import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edge_icl.cluster.points import Blocks, Points

EMPTY = -1
"""The distance that stands for "this cluster is empty": it has no representative."""

FAR = np.iinfo(np.int64).max
"""Farther than anything."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a clustering depends on besides the set of examples.

    Attributes:
        seed: 32 bytes.
        shots: number of clusters.
        iterations: how often centroids move.
        step: distance between lattice points, in units of a vector's int8 components.
        dimension: of the vectors.
    """

    seed: bytes
    shots: int
    iterations: int
    step: int
    dimension: int


@dataclass(frozen=True, slots=True)
class Clustering:
    """Every iteration of a clustering, kept so that a change can be followed through it.

    With m = number of clusters: `shots`, or fewer if there are fewer distinct vectors.

    Attributes:
        winners: u8[m, 16], ids of the examples that the start drew, in order.
        start: i8[m, d], their vectors: the centroids before the first iteration.
        counts: i64[T, m], members of each cluster in each iteration.
        sums: i64[T, m, d], sums of their vectors.
        representatives: u8[m, 16], zeros where a cluster is empty.
        distances: i64[m], squared distance of each representative to its centroid, or EMPTY.
    """

    winners: NDArray[np.uint8]
    start: NDArray[np.int8]
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    representatives: NDArray[np.uint8]
    distances: NDArray[np.int64]

    def possible(self) -> bool:
        """Tell whether vectors with these sums and counts can exist: a file may hold any numbers."""
        return (
            int(self.counts.min(initial=0)) >= 0
            and int(self.distances.min(initial=0)) >= EMPTY
            and bool((np.abs(self.sums) <= LONGEST * self.counts[..., None]).all())
        )

    def representative_ids(self) -> list[bytes]:
        """Return the ids of the representatives, in the order of their clusters, empty clusters left out."""
        return [
            row.tobytes() for row, d in zip(self.representatives, self.distances, strict=True) if d != EMPTY
        ]


def fit(parameters: Parameters, blocks: Blocks) -> Clustering:
    """Cluster a set of points from the start; visits it once more than `refit` does, seldom more often."""
    winners, start = draw_start(parameters.seed, parameters.shots, parameters.dimension, blocks)
    shape = (parameters.iterations, len(start), parameters.dimension)
    unknown = Clustering(
        winners=winners,
        start=start,
        counts=np.zeros(shape[:2], np.int64),
        sums=np.zeros(shape, np.int64),
        representatives=np.zeros_like(winners),
        distances=np.full(len(start), EMPTY, np.int64),
    )
    return refit(parameters, blocks, unknown, known=0)


def refit(parameters: Parameters, blocks: Blocks, clustering: Clustering, *, known: int) -> Clustering:
    """Cluster again from where the clustering is not known: iterations after `known`, and the representatives.

    Visits the set once for each.

    Args:
        parameters: the store's.
        blocks: the whole set.
        clustering: its start and the sums and counts of its first `known` iterations are right for this set.
        known: from 0 (only the start) to `parameters.iterations` (only the representatives are missing).
    """
    sums, counts = clustering.sums.copy(), clustering.counts.copy()
    trial = replace(clustering, sums=sums, counts=counts)
    centroids = [*centroids_of(parameters, trial, upto=known)]
    for t in range(known, parameters.iterations):
        sums[t], counts[t] = _sum_clusters(blocks, centroids[-1])
        centroids.append(move(parameters, trial, t, centroids[-1]))
    representatives, distances = _nearest_members(blocks, centroids[-1])
    return replace(trial, representatives=representatives, distances=distances)


def centroids_of(parameters: Parameters, clustering: Clustering, *, upto: int) -> Iterator[NDArray[np.int64]]:
    """Yield the centroids before the first iteration and after each of the first `upto`: i64[m, d]."""
    centroids = clustering.start.astype(np.int64)
    yield centroids
    for t in range(upto):
        centroids = move(parameters, clustering, t, centroids)
        yield centroids


def _sum_clusters(blocks: Blocks, centroids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return sums i64[m, d] and counts i64[m] of the clusters around `centroids`."""
    ruler = Ruler(centroids)

    def summed(block: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        sums, counts = np.zeros_like(centroids), np.zeros(len(centroids), np.int64)
        for _, slab in ruler.slabs(block.vectors):
            add_members(sums, counts, slab, ruler.scores(slab).argmin(1), sign=1)
        return sums, counts

    sums, counts = np.zeros_like(centroids), np.zeros(len(centroids), np.int64)
    for more_sums, more_counts in blocks.visit(summed):
        sums += more_sums
        counts += more_counts
    return sums, counts


def move(
    parameters: Parameters, clustering: Clustering, t: int, centroids: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the centroids after iteration t, given those before it."""
    offset = lattice_offset(parameters.seed, t, parameters.dimension, parameters.step)
    return round_means(clustering.sums[t], clustering.counts[t], centroids, offset=offset, step=parameters.step)


def _nearest_members(
    blocks: Blocks, centroids: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the ids u8[m, 16] and squared distances i64[m] of the representatives."""
    ruler, clusters = Ruler(centroids), np.arange(len(centroids))

    def closest(block: Points) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        nearest, distances = ruler.assign(block.vectors)
        apart = np.where(nearest == clusters[:, None], distances, FAR)
        first = apart.argmin(1)
        return block.ids[first], apart[clusters, first]

    ids = np.zeros((len(centroids), ID_BYTES), np.uint8)
    best = np.full(len(centroids), FAR)
    for some, distances in blocks.visit(closest):
        closer = distances < best
        ids[closer], best[closer] = some[closer], distances[closer]
    return ids, np.where(best == FAR, EMPTY, best)
