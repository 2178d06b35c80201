"""The nearest others of many examples at once: exact products in blocks, on all cores.

    >>> positions, cosines = neighbours(vectors, np.arange(len(vectors)), 64)

The product of all with all is most of the work. Which of its numbers are great enough is found without sorting
them: the greatest of each group of columns give a bar, and few numbers are above the bar's last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.cluster.exact import EXACT_PRODUCTS
from edge_icl.runtime.cores import usable_cpus
from edge_icl.runtime.threads import MOST_THREADS, each
from edge_icl.search.similarity import ranks, squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROWS = 256
"""Examples of a block at most: enough for a matrix product to run at full speed."""

PRODUCTS = 1 << 21
"""Most numbers of a block, which bounds memory."""

PIECE = 1 << 15
"""Vectors that are held as floating point numbers at a time: 50 MB of 384 dimensions."""

GROUP = 16
"""Columns of which only the greatest number is looked at to find the bar."""

SLACK = 1e-6
"""By how much, relatively, a number under the bar may be above it before it was rounded."""


class Found(NamedTuple):
    """Candidates for each of m examples.

    Attributes:
        positions: i64[m, k].
        ranks: f64[m, k], the cosine's square with its sign, but for the example's own length.
        dots: f64[m, k], dot products.
    """

    positions: NDArray[np.intp]
    ranks: Floats
    dots: Floats

    def best(self, limit: int) -> Found:
        """Return the `limit` of greatest rank; of equals those that stand first."""
        order = np.lexsort((self.positions, -self.ranks), axis=-1)[:, :limit]
        return Found(
            np.take_along_axis(self.positions, order, 1),
            np.take_along_axis(self.ranks, order, 1),
            np.take_along_axis(self.dots, order, 1),
        )


def neighbours(
    vectors: NDArray[np.int8], chosen: NDArray[np.intp], limit: int
) -> tuple[NDArray[np.intp], Floats]:
    """Return for each example chosen which others have the greatest cosine to it, and their cosines.

    Equal cosines are taken in the order of their ids. What is compared is dot · |dot| / length², the cosine's
    square with its sign: both numbers are integers, so it is rounded once, and equal cosines of vectors of
    other lengths are equal here too; up to 5,883 dimensions, from where on the product may be rounded before.
    Memory does not grow with the number of vectors times the number chosen.

    Args:
        vectors: i8[n, d], sorted by the ids.
        chosen: positions i64[m].
        limit: how many others are wanted; there are n - 1 at most.

    Returns:
        Positions i64[m, k], ascending, so that sums over them have one order, and cosines f64[m, k].
    """
    kept = min(limit, len(vectors) - 1)
    if kept <= 0 or not len(chosen):
        return np.zeros((len(chosen), 0), np.intp), np.zeros((len(chosen), 0))
    lengths = squares(vectors)
    best: Found | None = None
    for start in range(0, len(vectors), PIECE):
        found = _in_piece(vectors, lengths, chosen, slice(start, start + PIECE), kept)
        best = found if best is None else _joined(best, found).best(kept)
    assert best is not None
    order = np.argsort(best.positions, axis=1)
    positions = np.take_along_axis(best.positions, order, 1)
    dots = np.take_along_axis(best.dots, order, 1)
    return positions, dots / np.sqrt(lengths[positions]) / np.sqrt(lengths[chosen])[:, None]


def _joined(one: Found, other: Found) -> Found:
    """Return the candidates of both."""
    return Found(*(np.concatenate(columns, axis=1) for columns in zip(one, other, strict=True)))


def _in_piece(
    vectors: NDArray[np.int8], lengths: Floats, chosen: NDArray[np.intp], piece: slice, limit: int
) -> Found:
    """Return the nearest of a piece of the vectors for each example chosen."""
    held = vectors[piece]
    # Sums of so many products are exact in float32; of more they are in float64.
    exact = held.astype(np.float32 if vectors.shape[1] <= EXACT_PRODUCTS else np.float64)
    rows = max(1, min(ROWS, PRODUCTS // len(held)))
    squared = lengths[piece]
    roots = np.sqrt(squared).astype(exact.dtype)

    def look(start: int) -> Found:
        own = chosen[start : start + rows]
        dots = vectors[own].astype(exact.dtype) @ exact.T
        scores = dots / roots
        inside = np.flatnonzero((own >= piece.start) & (own < piece.start + len(held)))
        scores[inside, own[inside] - piece.start] = -np.inf
        row, column = _above(scores, limit)
        found = dots[row, column].astype(np.float64)
        ranked = ranks(found, squared[column])
        ranked[np.isneginf(scores[row, column])] = -np.inf
        return _padded(Found(column + piece.start, ranked, found), row, len(own), limit)

    threads = min(usable_cpus(), MOST_THREADS)
    parts = [*each(look, range(0, len(chosen), rows), chunk=1, threads=threads)]
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _above(scores: NDArray[np.floating], limit: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of scores [m, n] among which the `limit` greatest of each row are."""
    m, n = scores.shape
    if n <= limit:
        return np.divmod(np.arange(m * n), n)
    size = max(1, min(GROUP, n // (4 * limit)))
    groups = n // size
    tops = scores[:, : groups * size].reshape(m, size, groups).max(1) if size > 1 else scores
    bars = np.partition(tops, groups - limit, axis=1)[:, groups - limit]
    bars = bars - SLACK * np.abs(bars)
    return np.divmod(np.flatnonzero(scores >= bars[:, None]), n)


def _padded(found: Found, row: NDArray[np.intp], m: int, limit: int) -> Found:
    """Return candidates as [m, limit]: the best of each row, given flat ones in the order of their rows.

    Where a row has fewer, the rest has a rank of -inf.
    """
    order = np.lexsort((found.positions, -found.ranks, row))
    begins = np.searchsorted(row, np.arange(m + 1))
    wanted = begins[:-1, None] + np.arange(limit)
    there = wanted < begins[1:, None]
    taken = order[np.where(there, wanted, 0)]
    return Found(found.positions[taken], np.where(there, found.ranks[taken], -np.inf), found.dots[taken])
