"""What the clustering costs, and how often a forget refits, by dimension, lattice step and iterations.

    python benchmarks/frontier.py [--forgets 400]

Loss: the clusters' sum of squared distances to their own means, against plain float k-means (25 iterations
from the same start). Representatives: their squared distance to their cluster's mean, against that of the
members nearest to the mean; 1 is best. A refit is counted for each random single forget whose certificate
fails. The defaults in `store/settings.py` come from this table.

Fewer dimensions are a fixed projection by random signs (Achlioptas 2003), scaled so that a coordinate's
deviation, and with it what a step means, stays the same; loss and representatives are always measured on the
whole vectors.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from support.common import SEED, examples, show

from edge_icl.cluster.certificate import revise
from edge_icl.cluster.distances import assign
from edge_icl.cluster.kmeans import Parameters, centroids_of, fit
from edge_icl.cluster.points import Points
from edge_icl.encode.encoder import Encoder
from edge_icl.models.location import find_encoder

STEPS = (16, 32, 48, 64, 96, 128)
ITERATIONS = (2, 3, 5)
SIZES = (300, 1000, 10_000)
DIMENSIONS = (384, 128, 64)
SHOTS = 8


def points_of(name: str) -> Points:
    found = find_encoder()
    encoder = Encoder(found.networks)
    some = sorted(set(examples(name)), key=lambda example: example.id(SEED))
    ids = np.frombuffer(b"".join(example.id(SEED) for example in some), np.uint8).reshape(-1, 16)
    return Points(ids, encoder.encode([example.input for example in some]))


def projected(points: Points, dimension: int) -> Points:
    whole = points.vectors.shape[1]
    if dimension == whole:
        return points
    signs = np.random.default_rng(0).choice([-1, 1], (whole, dimension))
    found = np.rint(points.vectors.astype(np.int64) @ signs / np.sqrt(whole))
    return Points(points.ids, np.clip(found, -127, 127).astype(np.int8))


def nearest_of(exact: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return ((centroids**2).sum(1) - 2 * exact @ centroids.T).argmin(1)


def means_of(exact: np.ndarray, nearest: np.ndarray, before: np.ndarray) -> np.ndarray:
    return np.array([exact[nearest == j].mean(0) if (nearest == j).any() else c for j, c in enumerate(before)])


def loss(exact: np.ndarray, nearest: np.ndarray, means: np.ndarray) -> float:
    return float(((exact - means[nearest]) ** 2).sum())


def float_kmeans(exact: np.ndarray, start: np.ndarray) -> float:
    means = start.astype(float)
    for _ in range(25):
        nearest = nearest_of(exact, means)
        means = means_of(exact, nearest, means)
    return loss(exact, nearest_of(exact, means), means)


def eccentricity(
    points: Points, exact: np.ndarray, nearest: np.ndarray, means: np.ndarray, shown: list[bytes]
) -> float:
    """Return how far representatives are from their cluster's mean, against the nearest members."""
    rows = {key.tobytes(): i for i, key in enumerate(points.ids)}
    ours, best = 0.0, 0.0
    for key in shown:
        j = nearest[rows[key]]
        distances = ((exact[nearest == j] - means[j]) ** 2).sum(1)
        best += distances.min()
        ours += ((exact[rows[key]] - means[j]) ** 2).sum()
    return ours / best


class LookedError(Exception):
    """The certificate failed."""


def refits(parameters: Parameters, points: Points, forgets: int) -> float:
    old = fit(parameters, points)
    rng = np.random.default_rng(0)
    count = 0

    def looked() -> Points:
        raise LookedError

    chosen = rng.choice(len(points.ids), min(forgets, len(points.ids)), replace=False)
    for i in chosen:
        gone = Points(points.ids[i : i + 1], points.vectors[i : i + 1])
        none = Points(points.ids[:0], points.vectors[:0])
        try:
            revise(parameters, old, added=none, removed=gone, everything=looked)
        except LookedError:
            count += 1
    return count / len(chosen)


def measured(whole: Points, dimension: int, iterations: int, step: int, forgets: int) -> tuple[object, ...]:
    exact, points = whole.vectors.astype(float), projected(whole, dimension)
    parameters = Parameters(SEED, SHOTS, iterations, step, dimension)
    clustering = fit(parameters, points)
    *_, last = centroids_of(parameters, clustering, upto=iterations)
    nearest, _ = assign(points.vectors, last)
    rows = {key.tobytes(): i for i, key in enumerate(whole.ids)}
    start = exact[[rows[key.tobytes()] for key in clustering.winners]]
    means = means_of(exact, nearest, start)
    extra = loss(exact, nearest, means) / float_kmeans(exact, start) - 1
    far = eccentricity(whole, exact, nearest, means, clustering.representative_ids())
    share = refits(parameters, points, forgets)
    return (len(exact), dimension, iterations, step, f"{extra:+.1%}", f"{far:.2f}", f"{share:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forgets", type=int, default=400)
    forgets = parser.parse_args().forgets
    every = points_of("banking77/train")
    deviation = float(every.vectors.std())
    table = []
    for size in SIZES:
        keep = np.sort(np.random.default_rng(1).permutation(len(every.ids))[:size])
        points = Points(every.ids[keep], every.vectors[keep])
        for dimension, iterations, step in itertools.product(DIMENSIONS, ITERATIONS, STEPS):
            table.append(measured(points, dimension, iterations, step, forgets))
    show(
        f"Clustering loss, Banking77, {SHOTS} clusters, one coordinate's deviation {deviation:.1f}",
        table,
        (
            "examples",
            "dimension",
            "iterations",
            "step",
            "loss",
            "representatives",
            "forgets that cluster again",
        ),
    )


if __name__ == "__main__":
    main()
