"""How often examples were called what they are, and what they were called instead."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.prior.opinion_pool import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NORMAL_95 = 1.959963984540054
"""Standard deviations to both sides that hold 95 % of a normal distribution."""


def interval(right: int, tested: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, from 0 to 1, of which `right` in `tested` (at least one) were seen.

    Wilson's score interval ("Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 1927): unlike share ± error it holds for few examples and shares near
    1, and never leaves 0 to 1.
    """
    share, z = right / tested, NORMAL_95**2 / tested
    middle = share + z / 2
    reach = sqrt(z * share * (1 - share) + z * z / 4)
    return max((middle - reach) / (1 + z), 0.0), min((middle + reach) / (1 + z), 1.0)


def paired_interval(gained: int, lost: int, tested: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two shares, from -1 to 1, that were seen in the same cases.

    Bonett and Price's ("Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data", Journal of Educational and Behavioral Statistics 2012): like McNemar's test it looks at cases
    in which the two differ, and one more of each kind makes it hold for few.

    Args:
        gained: cases that are right in the second share alone.
        lost: cases that are right in the first alone.
        tested: all cases, at least one.
    """
    more, fewer = (gained + 1) / (tested + 2), (lost + 1) / (tested + 2)
    middle = more - fewer
    reach = NORMAL_95 * sqrt((more + fewer - middle**2) / (tested + 2))
    return max(middle - reach, -1.0), min(middle + reach, 1.0)


def called(logs: Floats) -> NDArray[np.intp]:
    """Return the likeliest label i64[m] for log-probabilities f64[m, labels]; of equals the first."""
    return np.asarray((logs >= logs.max(1, keepdims=True) - ROUNDING).argmax(1), np.intp)


def confused(own: NDArray[np.intp], likeliest: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Return which labels i64[m] were called which others i64[m], and how often.

    Returns:
        Label, what it was called, how often: the most frequent first, of equals the first labels.
    """
    pairs = Counter(zip(own.tolist(), likeliest.tolist(), strict=True))
    wrong = [(one, other, count) for (one, other), count in pairs.items() if one != other]
    return sorted(wrong, key=lambda found: (-found[2], found[0], found[1]))
