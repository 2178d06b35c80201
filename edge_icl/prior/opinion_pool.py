"""The opinions of several experts as one distribution, and how much to trust each.

Each expert gives a score for each label; the pool's probabilities are the softmax of the weighted sum, a
logarithmic opinion pool (Genest and Zidek, "Combining Probability Distributions", Statistical Science 1986).
Its log-likelihood is concave in the weights, so there is one best choice, found by Newton's method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_STEPS = 50
_ENOUGH = 1e-6

ROUNDING = 1e-9
"""Nats by which equal scores may differ, as processors round them, and other scores do not."""


def log_probabilities(scores: Floats) -> Floats:
    """Return scores f64[..., labels] as the logarithms of probabilities."""
    peak = scores.max(-1, keepdims=True)
    return np.asarray(scores - peak - np.log(np.exp(scores - peak).sum(-1, keepdims=True)))


def ranked(logs: Floats) -> NDArray[np.intp]:
    """Return the positions of scores f64[labels], the greatest first; of equals the first.

    Labels that the same inputs were taught with are equally likely, and their scores are equal except for the
    last digits, which are the processor's and must not choose the answer.
    """
    order = np.argsort(-logs, kind="stable")
    level = np.cumsum(np.diff(logs[order], prepend=np.inf) < -ROUNDING)
    return order[np.lexsort((order, level))]


def trust(opinions: Floats, answers: NDArray[np.intp], expected: Floats, *, firmness: float) -> Floats:
    """Return weights f64[experts], none negative, with which the experts' pool predicts answers best.

    Args:
        opinions: f64[experts, m, labels], their scores for m questions.
        answers: i64[m], the right labels.
        expected: f64[experts], the weights that stand where there are no questions.
        firmness: how many nats it costs to move a weight by √2.
    """
    weights = expected
    cost, slope, curve = _cost(weights, opinions, answers, expected, firmness)
    for _ in range(_STEPS):
        free = (weights > 0) | (slope < 0)
        step = np.zeros_like(weights)
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free]) if free.any() else 0
        size = 1.0
        while size > _ENOUGH:
            moved = np.maximum(weights - size * step, 0)
            found = _cost(moved, opinions, answers, expected, firmness)
            if found[0] < cost:
                break
            size /= 2
        else:
            break
        gained, weights, (cost, slope, curve) = cost - found[0], moved, found
        if gained < _ENOUGH:
            break
    return weights


def _cost(
    weights: Floats, opinions: Floats, answers: NDArray[np.intp], expected: Floats, firmness: float
) -> tuple[float, Floats, Floats]:
    """Return the cost of weights, its gradient f64[experts] and its Hessian f64[experts, experts]."""
    rows = np.arange(len(answers))
    logs = log_probabilities(np.tensordot(weights, opinions, 1))
    shares = np.exp(logs)
    means = (opinions * shares).sum(2)
    centred = opinions - means[:, :, None]
    away = weights - expected
    cost = -logs[rows, answers].sum() + 0.5 * firmness * (away**2).sum()
    slope = (means - opinions[:, rows, answers]).sum(1) + firmness * away
    curve = np.einsum("iml,jml->ij", centred * shares, centred) + firmness * np.eye(len(weights))
    return float(cost), slope, curve
