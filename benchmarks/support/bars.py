"""What the benchmarks share that compare two things: turns, ratios with intervals, and bars.

Both are run in turns in one process (or both in processes of their own), so that what else the machine does
falls on both; the figure is the median of the ratios of neighbours, with its bootstrap interval.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from support.common import interval, show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Work = Callable[[], object]


class Bar(NamedTuple):
    """One line of the table of `bench.py`.

    Attributes:
        measure: what was measured.
        figure: the value, of which the bar speaks.
        low, high: its 95 % interval; equal to the figure for what has no noise, such as bytes.
        limit: the bar.
        most: whether the figure must be at most the limit; else at least.
        rounds: how many turns.
    """

    measure: str
    figure: float
    low: float
    high: float
    limit: float
    most: bool
    rounds: int

    @property
    def met(self) -> bool:
        return bool(self.figure <= self.limit if self.most else self.figure >= self.limit)


def seconds(work: Work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def turns(*works: Work, rounds: int, warm: int = 1) -> list[list[float]]:
    """Return the seconds of each work, taken in turns, the order of a round reversed in the next."""
    for _ in range(warm):
        for work in works:
            work()
    spent: list[list[float]] = [[] for _ in works]
    for i in range(rounds):
        for j in range(len(works)) if i % 2 else reversed(range(len(works))):
            spent[j].append(seconds(works[j]))
    return spent


def ratio(
    measure: str, ours: Sequence[float], theirs: Sequence[float], limit: float, *, most: bool = True
) -> Bar:
    """Return the bar on the median of ours / theirs, turn by turn."""
    return median(measure, list(np.divide(ours, theirs)), limit, most=most)


def median(measure: str, figures: Sequence[float], limit: float, *, most: bool = True) -> Bar:
    """Return the bar on the median of figures, a number a turn."""
    low, high = interval(figures)
    return Bar(measure, float(np.median(figures)), low, high, limit, most, len(figures))


def exact(measure: str, figure: float, limit: float, *, most: bool = True) -> Bar:
    """Return a bar on a figure without noise."""
    return Bar(measure, figure, figure, figure, limit, most, 1)


def table(title: str, bars: Sequence[Bar]) -> None:
    """Print bars as a Markdown table."""
    rows = [
        (
            bar.measure,
            f"{bar.figure:.2f}" + (f" ({bar.low:.2f} to {bar.high:.2f})" if bar.low < bar.high else ""),
            f"at {'most' if bar.most else 'least'} {bar.limit:g}",
            "met" if bar.met else "**missed**",
            bar.rounds,
        )
        for bar in bars
    ]
    show(title, rows, ("measure", "figure", "target", "", "rounds"))
