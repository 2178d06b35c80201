"""What the examples that were left out teach about questions: how sure is sure enough.

    >>> left_out = LeftOut.of(logs, answers)
    >>> left_out.threshold(0.05)     # give answers with this probability or more: at most 5 % of them are wrong
    >>> left_out.margin(1.5)         # the model cannot matter where the prior is surer by so many nats

Each example left out is a question like those taught, whose right answer is known. Both are functions of the
set of examples, as the prior is.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import erf, exp, sqrt
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.prior.opinion_pool import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LOSS = 0.001
"""Share of right answers that may be lost, by expectation, since the model is not asked: a tenth of a point."""


GAPS = [0.05 * step for step in range(2000)]
"""Gaps that are tried, in nats."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was said about examples, each by all others.

    Attributes:
        sure: f64[m], the probability of the label called likeliest.
        gaps: f64[m], how much likelier it is than the second, in nats; infinite where there is no second.
        right: bool[m], whether it is the example's own.
    """

    sure: Floats
    gaps: Floats
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, logs: Floats, answers: NDArray[np.intp]) -> LeftOut:
        """Return what log-probabilities f64[m, labels] and the right labels i64[m] say."""
        if not len(logs):
            return cls(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
        rows, tops = np.arange(len(logs)), logs.max(1)
        likeliest = (logs >= tops[:, None] - ROUNDING).argmax(1)
        others = logs.copy()
        others[rows, likeliest] = -np.inf
        return cls(np.exp(tops), tops - others.max(1), likeliest == answers)

    def threshold(self, rate: float) -> float:
        """Return from which probability on answers are given, so that at most this share of them is wrong.

        The lowest one for which it holds with one more wrong answer counted among those left out (conformal
        risk control, Angelopoulos et al. 2022, arXiv 2208.02814, theorem 1, for the share of those given);
        infinite where no number of examples that were left out shows it.
        """
        order = np.argsort(-self.sure, kind="stable")
        wrong, given = np.cumsum(~self.right[order]), np.arange(1, len(order) + 1)
        return _lowest(self.sure[order], wrong + 1 <= rate * (given + 1))

    def margin(self, spread: float) -> float:
        """Return from which gap on the model need not be asked: what that loses stays under `LOSS`.

        From a gap on where it would lose no more on each single question it need not be asked in any case.

        The model's weighted evidence between the two likeliest labels is taken as normal, with the mean that
        evidence of this spread has where it is worth what it says: half its variance, towards the right label
        (equal-variance signal detection: Green and Swets, "Signal Detection Theory and Psychophysics", 1966).

        Args:
            spread: the standard deviation of the evidence, in nats.
        """
        gaps = -np.sort(-self.gaps)
        lost = np.cumsum([gain(gap, spread) for gap in gaps.tolist()])
        on_each = bisect_left(GAPS, True, key=lambda gap: gain(gap, spread) <= LOSS)
        return min(_lowest(gaps, lost <= LOSS * len(gaps)), GAPS[min(on_each, len(GAPS) - 1)])


def gain(gap: float, spread: float) -> float:
    """Return how much likelier an answer is right if evidence of a spread may turn it over a gap, in nats."""
    if spread <= 0 or gap == np.inf:
        return 0.0
    second = 1 / (1 + exp(min(gap, 700.0)))
    half = spread * spread / 2
    return second * _normal((half - gap) / spread) - (1 - second) * _normal((-half - gap) / spread)


def _lowest(values: Floats, holds: NDArray[np.bool_]) -> float:
    """Return the lowest of descending values for which something holds, equals together; infinity if none."""
    last = np.append(values[1:] < values[:-1], np.ones(min(len(values), 1), np.bool_))
    found = values[last & holds]
    return float(found[-1]) if len(found) else np.inf


def _normal(x: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * (1 + erf(x / sqrt(2)))
