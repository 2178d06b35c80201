"""Examples that are left out in turn, and what all others say about them.

What the discriminant, the vote and the counts say of an example without itself takes no second fit: see
`discriminant.Scatter.left_out`. An example whose label no other one has is left out too. The others cannot know
its label, so they are wrong about it, as they are about a question whose label was not taught; but it says
nothing of how much to trust each expert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_icl.prior import opinion_pool, vote
from edge_icl.prior.left_out import LeftOut
from edge_icl.prior.likeness import Likeness
from edge_icl.search.neighbours import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_icl.cluster.points import Points
    from edge_icl.prior.discriminant import Scatter

    Floats = NDArray[np.float64]

NOTHING = 1e-6
"""Nats: a discriminant whose scores are nearer to each other tells no labels apart. Where all vectors are one,
say, its scores differ in their last digits only, which are the processor's and must not be scaled up."""


class LeavingOut:
    """Leaves some examples of a set out, each by itself.

    Args:
        points: ids and vectors of the set.
        classes: i64[n], the class of each.
        scatter: of all of them.
        rows: i64[m], which are left out.

    Attributes:
        answers: i64[k], the classes of those whose class has another example.
    """

    def __init__(
        self, points: Points, classes: NDArray[np.intp], scatter: Scatter, rows: NDArray[np.intp]
    ) -> None:
        self._own = classes[rows]
        self._known = np.flatnonzero(scatter.counts[self._own] > 1)
        self.answers = self._own[self._known]
        self._scatter = scatter
        self._rotated = scatter.rotated(points.vectors[rows])
        voters, self._near = neighbours(points.vectors, rows, vote.NEIGHBOURS)
        self._voting = classes[voters]
        others = np.repeat(scatter.counts[None], len(rows), axis=0)
        others[np.arange(len(rows)), self._own] -= 1
        self._counted = np.log(others + 1)
        # Each shrinkage is tried with several sharpnesses, and the other way round.
        self._scores: dict[float, Floats] = {}
        self._shares: dict[float, Floats] = {}
        self._scales: dict[float, float] = {}

    @property
    def likeness(self) -> Likeness:
        """How near the nearest other example is to each."""
        return Likeness(np.sort(self._near.max(1)) if len(self._near) else np.zeros(0))

    def scale(self, shrinkage: float) -> float:
        """Return the typical size of the discriminant's scores: its weight is per unit of it.

        Only labels of several examples count, if there are two: that of a single stray example is far from all
        others, and would make the discriminant count less everywhere.
        """
        if shrinkage not in self._scales:
            self._scales[shrinkage] = self._scale(shrinkage)
        return self._scales[shrinkage]

    def _scale(self, shrinkage: float) -> float:
        """Compute the size of the discriminant's scores."""
        several = self._scatter.counts > 1
        if several.sum() <= 1:  # a score is one label's against another's
            several[:] = True
        scores = self._discriminant(shrinkage)[np.ix_(self._known, several)]
        spread = scores - scores.mean(1, keepdims=True)
        size = float(np.sqrt((spread**2).mean())) if len(spread) else 0.0
        return size if size > NOTHING else 1.0

    def opinions(self, shrinkage: float, sharpness: float) -> Floats:
        """Return what each expert says of those whose class has another example, f64[experts, k, labels]."""
        return self._opinions(shrinkage, sharpness, self.scale(shrinkage))[:, self._known]

    def left_out(self, shrinkage: float, sharpness: float, weights: Floats) -> LeftOut:
        """Return what the pool with weights f64[experts] says of each example."""
        if not len(self._own):
            return LeftOut.of(np.zeros((0, 0)), self._own)
        logs = self.log_probabilities(shrinkage, sharpness, weights, self.scale(shrinkage))
        return LeftOut.of(logs, self._own)

    def log_probabilities(self, shrinkage: float, sharpness: float, weights: Floats, scale: float) -> Floats:
        """Return the log-probability f64[m, labels] of each label for each example; at least one is left out.

        Args:
            shrinkage: of the discriminant's covariance.
            sharpness: of the vote.
            weights: f64[experts].
            scale: of the discriminant's scores, see `scale`.
        """
        scores = np.tensordot(weights, self._opinions(shrinkage, sharpness, scale), 1)
        lonely = np.flatnonzero(self._scatter.counts[self._own] == 1)
        if scores.shape[1] > 1:
            scores[lonely, self._own[lonely]] = -np.inf
        return opinion_pool.log_probabilities(scores)

    def _discriminant(self, shrinkage: float) -> Floats:
        if shrinkage not in self._scores:
            self._scores[shrinkage] = self._scatter.left_out(self._rotated, self._own, shrinkage)
        return self._scores[shrinkage]

    def _opinions(self, shrinkage: float, sharpness: float, scale: float) -> Floats:
        return np.stack([self._discriminant(shrinkage) / scale, self._vote(sharpness), self._counted])

    def _vote(self, sharpness: float) -> Floats:
        if sharpness not in self._shares:
            labels = len(self._scatter.counts)
            self._shares[sharpness] = vote.log_shares(self._near, self._voting, labels, sharpness)
        return self._shares[sharpness]
