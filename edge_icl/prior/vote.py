"""The neighbours' vote: examples vote for their outputs, the nearer the louder.

A vote weighs exp(sharpness · cosine), so one number leads from the single nearest example to the mean of all of
them: Nadaraya and Watson's kernel regression (1964) with the kernel that attention uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEIGHBOURS = 64
"""How many examples vote: the weight of farther ones is small, and to sort them all is slow."""

DOUBT = 0.05
"""Votes for no label in particular, per vote: a label without neighbours is unlikely, not impossible."""


def log_shares(cosines: Floats, classes: NDArray[np.intp], labels: int, sharpness: float) -> Floats:
    """Return the logarithm f64[m, labels] of each label's share of the vote.

    Args:
        cosines: f64[m, k], of the voters.
        classes: i64[m, k], the label of each voter.
        labels: how many there are.
        sharpness: how much louder near ones are.
    """
    weights = np.exp(sharpness * (cosines - cosines.max(1, keepdims=True)))
    shares = np.zeros((len(cosines), labels))
    np.add.at(shares, (np.arange(len(cosines))[:, None], classes), weights)
    shares /= shares.sum(1, keepdims=True)
    return np.asarray(np.log((shares + DOUBT / labels) / (1 + DOUBT)))
