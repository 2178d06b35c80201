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
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.prior import opinion_pool, vote
from edge_icl.prior.discriminant import Scatter
from edge_icl.prior.leaving_out import LeavingOut
from edge_icl.search.similarity import search, search_many, similarities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_icl.cluster.points import Points
    from edge_icl.prior.left_out import LeftOut
    from edge_icl.prior.likeness import Likeness
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


class Voters(NamedTuple):
    """The examples nearest to a question, the nearest first.

    Attributes:
        positions: i64[k].
        cosines: f64[k].
    """

    positions: NDArray[np.intp]
    cosines: Floats


@dataclass(frozen=True, slots=True)
class Prior:
    """What the examples say about labels. Made by `fit`.

    Attributes:
        labels: sorted.
        shrinkage: of the discriminant's covariance.
        sharpness: of the vote.
        weights: f64[3], of the experts, in the order of `EXPERTS`.
        left_out: what the pool says of examples that were left out.
        likeness: how near the nearest other example is to these.
    """

    labels: tuple[str, ...]
    shrinkage: float
    sharpness: float
    weights: Floats
    left_out: LeftOut
    likeness: Likeness
    _points: Points
    _classes: NDArray[np.intp]
    _scatter: Scatter
    _scale: float

    def opinions(self, vector: NDArray[np.int8]) -> tuple[Floats, Voters]:
        """Return what each expert says of a vector i8[d], weighted: f64[experts, labels]; and who voted."""
        voters = search(self._points, vector, vote.NEIGHBOURS)
        near = similarities(self._points.vectors[voters], vector)
        return self._opinions(vector[None], voters[None], near[None])[:, 0], Voters(voters, near)

    def say(self, vectors: NDArray[np.int8]) -> tuple[Floats, Floats]:
        """Return what the pool says of vectors i8[m, d], and the nearest example's cosine to each.

        As `opinions` does for one at a time, and faster; the products [m, n] of all are in memory.

        Returns:
            The log-probability f64[m, labels] of each label, and f64[m].
        """
        voters, near = search_many(self._points.vectors, vectors, vote.NEIGHBOURS)
        pooled = self._opinions(vectors, voters, near).sum(0)
        return opinion_pool.log_probabilities(pooled), np.asarray(near.max(1))

    def log_probabilities(self, vector: NDArray[np.int8]) -> Floats:
        """Return the log-probability f64[labels] of each label for a vector i8[d]."""
        return opinion_pool.log_probabilities(self.opinions(vector)[0].sum(0))

    def _opinions(self, vectors: NDArray[np.int8], voters: NDArray[np.intp], near: Floats) -> Floats:
        """Return what each expert says of vectors i8[m, d], weighted: f64[experts, m, labels]."""
        shares = vote.log_shares(near, self._classes[voters], len(self.labels), self.sharpness)
        scores = self._scatter.scores(self._scatter.rotated(vectors), self.shrinkage) / self._scale
        counted = np.broadcast_to(np.log(self._scatter.counts + 1), scores.shape)
        return np.asarray(self.weights[:, None, None] * np.stack([scores, shares, counted]))

    def leaving_out(self, rows: NDArray[np.intp]) -> Floats:
        """Return the log-probabilities f64[m, labels] of labels for examples, each by all others.

        What was chosen on the examples, such as the weights, stays: one of many changes it little.

        Args:
            rows: i64[m], positions of examples; there must be two in all at least.
        """
        leaving = LeavingOut(self._points, self._classes, self._scatter, rows)
        return leaving.log_probabilities(self.shrinkage, self.sharpness, self.weights, self._scale)


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
    size = min(max(PAIRS // len(classes), FEWEST_LEFT_OUT), MOST_LEFT_OUT, len(classes))
    rows = np.arange(size if len(classes) > 1 else 0)  # there must be others
    leaving = LeavingOut(points, classes, scatter, rows)
    shrinkage, sharpness, weights = SHRINKAGES[0], SHARPNESSES[0], expected
    if len(labels) > 1 and len(leaving.answers):
        sharpness = _cheapest(SHARPNESSES, lambda tried: _cost(leaving, expected, shrinkage, tried))
        shrinkage = _cheapest(SHRINKAGES, lambda tried: _cost(leaving, expected, tried, sharpness))
        sharpness = _cheapest(SHARPNESSES, lambda tried: _cost(leaving, expected, shrinkage, tried))
        opinions = leaving.opinions(shrinkage, sharpness)
        weights = opinion_pool.trust(opinions, leaving.answers, expected, firmness=FIRMNESS)
    return Prior(
        labels,
        shrinkage,
        sharpness,
        weights,
        leaving.left_out(shrinkage, sharpness, weights),
        leaving.likeness,
        points,
        classes,
        scatter,
        leaving.scale(shrinkage),
    )


def _cost(leaving: LeavingOut, weights: Floats, shrinkage: float, sharpness: float) -> float:
    """Return how badly the pool, with weights f64[experts], predicts the examples left out, in nats."""
    logs = opinion_pool.log_probabilities(np.tensordot(weights, leaving.opinions(shrinkage, sharpness), 1))
    return -float(logs[np.arange(len(logs)), leaving.answers].sum())


def _cheapest(tried: Sequence[float], cost: Callable[[float], float]) -> float:
    """Return what costs least; of equals the first.

    Where all examples of a label have one vector, say, every amount of shrinkage costs the same.
    """
    return tried[int(opinion_pool.ranked(-np.array([cost(one) for one in tried]))[0])]
