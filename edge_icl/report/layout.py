"""Where examples lie on a map: those with like vectors near each other, the same bits on every machine.

    >>> found = lay_out(vectors, progress)
    >>> found.positions            # i64[n, 2]

Neighbour embedding: each example is drawn to the examples most like it, and pushed away from others. The
forces are those of UMAP (McInnes, Healy, Melville 2018, arXiv 1802.03426, with a = b = 1 and equal weights).
The start is the plane of greatest variance (Kobak and Linderman 2021, Nature Biotechnology 39: the start
decides how groups lie to each other).

Two things differ, so that a store has one map. There is no random number: examples in the order of their ids,
keyed digests, are in random order already, and each step pushes all examples away from those some places
further on. And positions are whole numbers, so that a sum of forces depends on no order. What is left, + - * /
on float64, IEEE 754 defines to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.report.axes import principal
from edge_icl.search.neighbours import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_icl.runtime.progress import Progress

    Floats = NDArray[np.float64]

NEAR, FEWEST = 15, 3
"""Most neighbours that draw an example, and how many do in a small store: an eighth of it, but so many."""

PUSHES = 5
"""Others that push an example, for each neighbour that draws it."""

SAMPLED = 24
"""Others that push in one step, the same for all examples, in the place of all others."""

STRIDE = 7919
"""By how much the places move on in each step: a prime, so that all come up."""

STEPS = 400
UNIT = float(1 << 20)
"""What positions are multiples of the part of: forces have a reach of one UNIT."""

SPREAD = 10.0
"""Half the width of the start, in UNITs."""

NUDGES = 5000
CLOSEST = 0.001
"""Added to a squared distance: near 0 examples would push each other without bound."""

STRONGEST = 4 * UNIT
"""A push is cut to so much, and a step to a quarter of it."""

COMPARED = 10
"""Neighbours that are looked for on the map."""

SAMPLE = 1000
"""Examples of which they are looked for: the first by id."""


class Layout(NamedTuple):
    """A map.

    Attributes:
        positions: i64[n, 2].
        share: how much of the variance the plane has in which the map starts, from 0 to 1.
        kept: of the COMPARED examples most like an example, the share that is also among the COMPARED nearest
            to it on the map, on average; 1 where there are no more.
    """

    positions: NDArray[np.int64]
    share: float
    kept: float


def lay_out(vectors: NDArray[np.int8], progress: Progress) -> Layout:
    """Return a map of vectors i8[n, d], which are sorted by id; n of at least 1.

    Args:
        vectors: of the examples.
        progress: told about steps, stage "map".
    """
    n = len(vectors)
    plane = principal(vectors)
    x, y = _start(plane.at(vectors))
    near, _ = neighbours(vectors, np.arange(n), min(NEAR, max(FEWEST, n // 8)))
    if near.shape[1]:
        x, y = _settle(x, y, near, progress)
    positions = np.stack([x, y], axis=1).astype(np.int64)
    return Layout(positions, plane.share, _kept(vectors, positions))


def _start(places: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return places i64[n, 2] as positions around 0, nudged so that no two are the same."""
    n = len(places)
    centred = places * n - places.sum(0)
    scaled = centred / max(int(np.abs(centred).max()), 1) * SPREAD
    nudge = np.stack([np.arange(n) % 101 - 50, np.arange(n) // 101 % 101 - 50], axis=1) / NUDGES
    x, y = np.rint((scaled + nudge) * UNIT).T
    return x, y


def _settle(x: Floats, y: Floats, near: NDArray[np.intp], progress: Progress) -> tuple[Floats, Floats]:
    """Move positions until forces are in balance, in smaller and smaller steps."""
    n, k = near.shape
    degrees = k + np.bincount(near.ravel(), minlength=n)
    weight = PUSHES * k / min(SAMPLED, n - 1)
    pull = 1 / (2 * n)  # to the middle, or groups that nothing draws together would drift apart
    for step in range(STEPS):
        progress("map", step, STEPS)
        fx, fy = _drawn(x, y, near)
        fx -= np.rint(x * degrees * pull)
        fy -= np.rint(y * degrees * pull)
        for shift in _shifts(step, n):
            px, py = _pushed(x, y, shift)
            fx += np.rint(px * weight)
            fy += np.rint(py * weight)
        rate = (STEPS - step) / STEPS
        x = x + np.rint(np.clip(fx * rate / degrees, -UNIT, UNIT))
        y = y + np.rint(np.clip(fy * rate / degrees, -UNIT, UNIT))
    progress("map", STEPS, STEPS)
    return x, y


def _shifts(step: int, n: int) -> list[int]:
    """Return numbers from 1 to n - 1: all, or SAMPLED different ones, others in each step."""
    if n - 1 <= SAMPLED:
        return [*range(1, n)]
    return [1 + (i * (n - 1) // SAMPLED + step * STRIDE) % (n - 1) for i in range(SAMPLED)]


def _drawn(x: Floats, y: Floats, near: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the forces of neighbours on each other, whole numbers."""
    dx, dy = (x[near] - x[:, None]) / UNIT, (y[near] - y[:, None]) / UNIT
    draw = UNIT / (1 + (dx * dx + dy * dy))
    ax, ay = np.rint(dx * draw), np.rint(dy * draw)
    flat, n = near.ravel(), len(x)
    return (
        ax.sum(1) - np.bincount(flat, ax.ravel(), n),
        ay.sum(1) - np.bincount(flat, ay.ravel(), n),
    )


def _pushed(x: Floats, y: Floats, shift: int) -> tuple[Floats, Floats]:
    """Return the forces on all examples from those `shift` places further on."""
    dx, dy = (x - np.roll(x, -shift)) / UNIT, (y - np.roll(y, -shift)) / UNIT
    squared = dx * dx + dy * dy
    push = UNIT / ((squared + CLOSEST) * (squared + 1))
    return np.clip(dx * push, -STRONGEST, STRONGEST), np.clip(dy * push, -STRONGEST, STRONGEST)


def _kept(vectors: NDArray[np.int8], positions: NDArray[np.int64]) -> float:
    """Return how many of the nearest are near on the map, of a sample: the first by id."""
    n = len(vectors)
    most = min(COMPARED, n - 1)
    if not most:
        return 1.0
    chosen = np.arange(min(n, SAMPLE))
    near, _ = neighbours(vectors, chosen, most)
    found = 0
    for i in chosen.tolist():
        away = positions - positions[i]
        squared = (away * away).sum(1)
        squared[i] = np.iinfo(np.int64).max
        nearest = np.argsort(squared, kind="stable")[:most]
        found += len(np.intersect1d(nearest, near[i]))
    return found / (most * len(chosen))
