"""Quantized k-means over int8 vectors: start, iterate, finish.

    start     k-means++ by exponential races: k examples become the first centroids
    iterate   assign every example to its nearest centroid, move each centroid to the lattice point
              nearest to its cluster's mean; a fixed number of times
    finish    in each cluster, the example nearest to the centroid is the representative

Everything is integer arithmetic, so no result depends on the order of a sum, the number of threads or the
kind of CPU. Points are always sorted by id, so "the first of equals" is "the smaller id".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.cluster.lattice import round_means
from edge_icl.cluster.race import winner
from edge_icl.cluster.randomness import lattice_offset, race_draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK = 1 << 12
"""Rows handled at once, which bounds memory."""

SLICE = 64
"""Rows in one matrix product: so few that BLAS keeps it on one thread. Its threads gain nothing here, and
where other programs use the cores, waiting for each other, they made a refit of 10,000 examples take 280 ms
and not 37."""

FLOAT32_EXACT = 1 << 24
"""Integers up to this size, and so their sums and products below it, are exact in float32."""

NOBODY = -1
"""The distance that stands for "this cluster is empty": it has no representative."""


class Points(NamedTuple):
    """Examples as the clustering sees them, sorted by id.

    Attributes:
        ids: u8[n, 16].
        vectors: i8[n, d].
    """

    ids: NDArray[np.uint8]
    vectors: NDArray[np.int8]


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
        distances: i64[m], squared distance of each representative to its centroid, or NOBODY.
    """

    winners: NDArray[np.uint8]
    start: NDArray[np.int8]
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    representatives: NDArray[np.uint8]
    distances: NDArray[np.int64]

    def representative_ids(self) -> list[bytes]:
        """Return the ids of the representatives, in the order of their clusters, empty clusters left out."""
        return [
            row.tobytes() for row, d in zip(self.representatives, self.distances, strict=True) if d != NOBODY
        ]


def fit(parameters: Parameters, points: Points) -> Clustering:
    """Cluster the points from nothing."""
    chosen = _start(parameters, points)
    shape = (parameters.iterations, len(chosen), parameters.dimension)
    blank = Clustering(
        winners=points.ids[chosen],
        start=points.vectors[chosen],
        counts=np.zeros(shape[:2], np.int64),
        sums=np.zeros(shape, np.int64),
        representatives=np.zeros((len(chosen), points.ids.shape[1]), np.uint8),
        distances=np.full(len(chosen), NOBODY, np.int64),
    )
    return refit(parameters, points, blank, known=0)


def refit(parameters: Parameters, points: Points, clustering: Clustering, *, known: int) -> Clustering:
    """Run the clustering again where it is not known: iterations after `known`, and the representatives.

    Args:
        parameters: the store's.
        points: the whole set.
        clustering: its start and the sums and counts of its first `known` iterations are right for this set.
        known: from 0 (only the start) to `parameters.iterations` (only the representatives are missing).
    """
    sums, counts = clustering.sums.copy(), clustering.counts.copy()
    trial = replace(clustering, sums=sums, counts=counts)
    centroids = [*centroids_of(parameters, trial, upto=known)]
    for t in range(known, parameters.iterations):
        sums[t], counts[t] = _sum_clusters(points, centroids[-1])
        centroids.append(move(parameters, trial, t, centroids[-1]))
    representatives, distances = _nearest_members(points, centroids[-1])
    return replace(trial, representatives=representatives, distances=distances)


def centroids_of(parameters: Parameters, clustering: Clustering, *, upto: int) -> Iterator[NDArray[np.int64]]:
    """Yield the centroids before the first iteration and after each of the first `upto`: i64[m, d]."""
    centroids = clustering.start.astype(np.int64)
    yield centroids
    for t in range(upto):
        centroids = move(parameters, clustering, t, centroids)
        yield centroids


def assign(
    vectors: NDArray[np.int8], centroids: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return each vector's nearest centroid (the first of equals) and its squared distance to it.

    Args:
        vectors: i8[n, d].
        centroids: i64[m, d], m at least 1.

    Returns:
        Positions [n] and squared distances i64[n].
    """
    squares = _squares(vectors)
    distances = squares[:, None] + (centroids**2).sum(1) - 2 * dots(vectors, centroids)
    nearest = distances.argmin(1)
    return nearest, np.take_along_axis(distances, nearest[:, None], 1)[:, 0]


def _squares(vectors: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the squared lengths i64[n] of i8[n, d]; through floating point, as the dot products."""
    kind = np.dtype(np.float32 if 128**2 * vectors.shape[1] < FLOAT32_EXACT else np.float64)
    left = vectors.astype(kind)
    return np.asarray(np.einsum("nd,nd->n", left, left)).astype(np.int64)


def dots(vectors: NDArray[np.int8], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the exact dot products i64[n, m] of i8[n, d] and i64[m, d].

    They go through floating-point matrix products because only those are fast, and are exact because every
    partial sum is an integer that the type holds.
    """
    bound = 128 * vectors.shape[1] * int(np.abs(others).max(initial=0))
    kind = np.dtype(np.float32 if bound < FLOAT32_EXACT else np.float64)
    left, right = vectors.astype(kind), others.astype(kind).T
    whole = len(left) - len(left) % SLICE
    sliced = left[:whole].reshape(-1, SLICE, left.shape[1]) @ right
    products = np.concatenate([sliced.reshape(whole, len(others)), left[whole:] @ right])
    return products.astype(np.int64)


def _start(parameters: Parameters, points: Points) -> list[int]:
    """Draw the first centroids by k-means++ (Arthur & Vassilvitskii 2007); fewer if vectors repeat."""
    draws = race_draws(parameters.seed, points.ids, parameters.shots)
    weights = np.ones(len(points.ids), np.int64)
    chosen: list[int] = []
    for j in range(parameters.shots):
        drawn = winner(draws[:, j], weights)
        if drawn is None:
            break
        distances = squared_distances(points.vectors, points.vectors[drawn])
        weights = np.minimum(weights, distances) if chosen else distances
        chosen.append(drawn)
    return chosen


def squared_distances(vectors: NDArray[np.int8], centre: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the squared distance i64[n] of each vector i8[n, d] to `centre` i8[d]."""
    found = np.empty(len(vectors), np.int64)
    for rows in _blocks(len(vectors)):
        found[rows] = assign(vectors[rows], centre[None].astype(np.int64))[1]
    return found


def _sum_clusters(points: Points, centroids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return sums i64[m, d] and counts i64[m] of the clusters around `centroids`."""
    sums, counts = np.zeros_like(centroids), np.zeros(len(centroids), np.int64)
    for rows in _blocks(len(points.ids)):
        nearest, _ = assign(points.vectors[rows], centroids)
        add_members(sums, counts, points.vectors[rows], nearest, sign=1)
    return sums, counts


def add_members(
    sums: NDArray[np.int64],
    counts: NDArray[np.int64],
    vectors: NDArray[np.int8],
    nearest: NDArray[np.intp],
    *,
    sign: int,
) -> None:
    """Add (or with sign -1 take away) vectors i8[n, d] to their clusters, in place."""
    members = np.arange(len(counts))[:, None]
    for i in range(0, len(vectors), SLICE):
        chosen = (nearest[i : i + SLICE] == members).astype(np.float32)
        sums += sign * (chosen @ vectors[i : i + SLICE].astype(np.float32)).astype(
            np.int64
        )  # exact: 127 · SLICE < 2^24
    counts += sign * np.bincount(nearest, minlength=len(counts))


def move(
    parameters: Parameters, clustering: Clustering, t: int, centroids: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the centroids after iteration t, given those before it."""
    offset = lattice_offset(parameters.seed, t, parameters.dimension, parameters.step)
    return round_means(clustering.sums[t], clustering.counts[t], centroids, offset=offset, step=parameters.step)


def _nearest_members(
    points: Points, centroids: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the ids u8[m, 16] and squared distances i64[m] of the representatives."""
    ids = np.zeros((len(centroids), points.ids.shape[1]), np.uint8)
    best = np.full(len(centroids), NOBODY, np.int64)
    for rows in _blocks(len(points.ids)):
        nearest, distances = assign(points.vectors[rows], centroids)
        for j in np.unique(nearest):
            members = np.flatnonzero(nearest == j)
            first = members[distances[members].argmin()]
            if best[j] == NOBODY or distances[first] < best[j]:
                ids[j], best[j] = points.ids[rows][first], distances[first]
    return ids, best


def _blocks(n: int) -> Iterator[slice]:
    """Cut n rows into slices of at most BLOCK."""
    return (slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK))
