"""One weighted draw, by exponential clocks: the example with the smallest -ln(U) / weight is drawn.

-ln(U) / weight is the time at which an example's clock rings, and the first to ring is drawn. So an example is
drawn with probability weight / sum of weights, which is what k-means++ asks for. If another example is removed,
or was never there, the same one is drawn: that is why the start of the clustering survives most changes.

The time is a *real* number, and the order of real numbers is the same on every machine. Floating point only
rules out examples that cannot be first: logarithms differ in the last bits between C libraries, by far less
than `DOUBT`. Those within `DOUBT` of the smallest are compared again with 50 decimal digits, where the decimal
module's logarithm is correctly rounded by specification.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOUBT = 1e-9
DIGITS = Context(prec=50)
HALF = np.uint64(1 << 63)


def draw_one(draws: NDArray[np.uint64], weights: NDArray[np.int64]) -> int | None:
    """Return the position of the example that is drawn.

    Args:
        draws: u64[n], a number v stands for U = 1 - v / 2^64.
        weights: i64[n], not negative; with weight 0 an example is never drawn.

    Returns:
        The position of the smallest time, the first of equals (callers sort by id); None if all weights are 0.
    """
    possible = np.flatnonzero(weights > 0)
    if not len(possible):
        return None
    times = float_times(draws[possible], weights[possible])
    close = possible[times <= times.min() * (1 + DOUBT)]
    if len(close) == 1:
        return int(close[0])
    return int(min(close, key=lambda i: _exact_time(int(draws[i]), int(weights[i]))))


def float_times(draws: NDArray[np.uint64], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return -ln(1 - v / 2^64) / weight to a few parts in 10^15, at both ends of the range.

    For weight 0 the time is infinity.
    """
    small = draws < HALF
    unit = np.where(small, draws, 0).astype(np.float64) * 2.0**-64
    # Unsigned negation is 2^64 - v, exactly: near U = 0 the subtraction in floating point would lose it all.
    rest = np.where(small, HALF, np.negative(draws)).astype(np.float64)
    exponentials = np.where(small, -np.log1p(-unit), 64 * np.log(2.0) - np.log(rest))
    times = np.full(exponentials.shape, np.inf)
    np.divide(exponentials, weights, out=times, where=weights > 0)
    return times


def _exact_time(draw: int, weight: int) -> Decimal:
    """Return -ln(1 - draw / 2^64) / weight to 50 digits."""
    unit = DIGITS.divide(Decimal((1 << 64) - draw), Decimal(1 << 64))
    return DIGITS.divide(-DIGITS.ln(unit), Decimal(weight))
