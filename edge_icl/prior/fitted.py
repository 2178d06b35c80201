"""The prior of one state of a store: three experts, and how much to trust each, by leaving examples out.

    >>> prior = fit(points, outputs, Statistics.of(points.vectors, outputs))
    >>> log_shares = prior.log_probabilities(vector)     # f64[labels]

The experts are the linear discriminant, which needs many examples and then sees most; the neighbours' vote,
which needs few; and how often each label occurs. How far the discriminant's covariance is shrunk, how sharply
near examples outvote far ones and how much each expert weighs is chosen by how well the pool predicts the
store's own examples, each by all others. With few examples this says little, and the weights stay near those
expected.

The examples left out are the first by id: ids are keyed digests, so these are a random sample that changes with
an example only when that example is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.prior import opinion_pool, vote
from edge_icl.prior.discriminant import Scatter
from edge_icl.search.similarity import nearest_others, search, similarities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_icl.cluster.points import Points
    from edge_icl.prior.statistics import Statistics

    Floats = NDArray[np.float64]

SHRINKAGES = (0.97, 0.9, 0.7, 0.5, 0.3, 0.1, 0.01)
SHARPNESSES = (10.0, 5.0, 15.0, 20.0, 30.0, 45.0)
"""What is tried; the first of equals is taken, and where nothing can be left out."""

EXPERTS = ("discriminant", "vote", "counts")

EXPECTED = (1.5, 0.5, 0.5)
"""Their weights in stores with many examples."""

HALF_EXPECTED = 32
"""With so many examples half of that: fewer are a weaker reason to be sure."""

FIRMNESS = 20.0
"""As if the expected weights had been seen to hold on some dozens of examples."""

MOST_LEFT_OUT = 256
FEWEST_LEFT_OUT = 64
PAIRS = 1 << 23
"""Most examples left out, times all: it bounds what the first question after a change costs. Over 15 tasks 512
examples left out gave the same accuracy as 256, to a tenth of a point."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What the examples say about labels. Made by `fit`.

    Attributes:
        labels: sorted.
        shrinkage: of the discriminant's covariance.
        sharpness: of the vote.
        weights: f64[3], of the experts, in the order of `EXPERTS`.
    """

    labels: tuple[str, ...]
    shrinkage: float
    sharpness: float
    weights: Floats
    _points: Points
    _classes: NDArray[np.intp]
    _scatter: Scatter
    _scale: float

    def opinions(self, vector: NDArray[np.int8]) -> Floats:
        """Return what each expert says of a vector i8[d], weighted: f64[experts, labels]."""
        voters = search(self._points, vector, vote.NEIGHBOURS)
        near = similarities(self._points.vectors[voters], vector)
        shares = vote.log_shares(near[None], self._classes[voters][None], len(self.labels), self.sharpness)
        scores = self._scatter.scores(self._scatter.rotated(vector[None]), self.shrinkage)
        opinions = np.stack([scores / self._scale, shares, np.log(self._scatter.counts + 1)[None]])
        return np.asarray(self.weights[:, None] * opinions[:, 0])

    def log_probabilities(self, vector: NDArray[np.int8]) -> Floats:
        """Return the log-probability f64[labels] of each label for a vector i8[d]."""
        return opinion_pool.log_probabilities(self.opinions(vector).sum(0))


def fit(points: Points, outputs: Sequence[str], statistics: Statistics) -> Prior:
    """Return the prior of a set of examples.

    Args:
        points: ids and vectors, sorted by id; at least one.
        outputs: the output of each.
        statistics: theirs.
    """
    labels = tuple(sorted(statistics.counts))
    index = {label: i for i, label in enumerate(labels)}
    classes = np.array([index[output] for output in outputs], np.intp)
    scatter = Scatter(statistics, labels)
    expected = np.array(EXPECTED) * len(classes) / (len(classes) + HALF_EXPECTED)
    held_out = _LeaveOneOut(points, classes, scatter, expected)
    shrinkage, sharpness = SHRINKAGES[0], SHARPNESSES[0]
    if len(labels) > 1 and len(held_out.answers):
        sharpness = _cheapest(SHARPNESSES, lambda tried: held_out.cost(shrinkage, tried))
        shrinkage = _cheapest(SHRINKAGES, lambda tried: held_out.cost(tried, sharpness))
        sharpness = _cheapest(SHARPNESSES, lambda tried: held_out.cost(shrinkage, tried))
        expected = held_out.weights(shrinkage, sharpness)
    scale = held_out.scale(shrinkage)
    return Prior(labels, shrinkage, sharpness, expected, points, classes, scatter, scale)


class _LeaveOneOut:
    """Examples that are left out in turn, and what the others say about them.

    Attributes:
        answers: i64[m], their classes; only of those whose class has another example.
    """

    def __init__(self, points: Points, classes: NDArray[np.intp], scatter: Scatter, expected: Floats) -> None:
        size = min(max(PAIRS // len(classes), FEWEST_LEFT_OUT), MOST_LEFT_OUT)
        chosen = np.flatnonzero(scatter.counts[classes[:size]] > 1)
        self.answers = classes[chosen]
        self._scatter = scatter
        self._expected = expected
        self._rotated = scatter.rotated(points.vectors[chosen])
        voters, self._near = _others_near(points.vectors, chosen)
        self._voting = classes[voters]
        others = np.repeat(scatter.counts[None], len(chosen), axis=0)
        others[np.arange(len(chosen)), self.answers] -= 1
        self._counted = np.log(others + 1)
        self._scores: dict[float, Floats] = {}

    def scale(self, shrinkage: float) -> float:
        """Return the typical size of the discriminant's scores: its weight is per unit of it."""
        spread = self._discriminant(shrinkage) if len(self.answers) else np.zeros(1)
        return float(np.sqrt((spread**2).mean())) or 1.0

    def cost(self, shrinkage: float, sharpness: float) -> float:
        """Return how badly the pool, with the expected weights, predicts the examples left out, in nats."""
        logs = opinion_pool.log_probabilities(
            np.tensordot(self._expected, self._opinions(shrinkage, sharpness), 1)
        )
        return -float(logs[np.arange(len(logs)), self.answers].sum())

    def weights(self, shrinkage: float, sharpness: float) -> Floats:
        """Return how much to trust each expert."""
        opinions = self._opinions(shrinkage, sharpness)
        return opinion_pool.trust(opinions, self.answers, self._expected, firmness=FIRMNESS)

    def _discriminant(self, shrinkage: float) -> Floats:
        if shrinkage not in self._scores:
            self._scores[shrinkage] = self._scatter.left_out(self._rotated, self.answers, shrinkage)
        return self._scores[shrinkage]

    def _opinions(self, shrinkage: float, sharpness: float) -> Floats:
        """Return what each expert says f64[experts, m, labels]."""
        scores = self._discriminant(shrinkage) / self.scale(shrinkage)
        shares = vote.log_shares(self._near, self._voting, len(self._scatter.counts), sharpness)
        return np.stack([scores, shares, self._counted])


def _others_near(vectors: NDArray[np.int8], chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats]:
    """Return positions and cosines [m, k] of the examples that vote on each one chosen; itself has no vote."""
    kept = min(vote.NEIGHBOURS, len(vectors) - 1)
    voters, near = np.empty((len(chosen), kept), np.intp), np.empty((len(chosen), kept))
    for i, found in enumerate(nearest_others(vectors, chosen, kept)):
        voters[i], near[i] = found
    return voters, near


def _cheapest(tried: Sequence[float], cost: Callable[[float], float]) -> float:
    """Return what costs least; of equals the first.

    Where all examples of a label have one vector, say, every amount of shrinkage costs the same.
    """
    return tried[int(opinion_pool.ranked(-np.array([cost(one) for one in tried]))[0])]
