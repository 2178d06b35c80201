"""Squared distances of int8 vectors to centroids: by floating-point matrix products, and exact all the same.

Only floating-point products are fast. Every number in them, each partial sum too, is an integer that the type
holds exactly. So the order of a sum, the number of threads and the kind of CPU change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_icl.cluster.exact import FLOAT32_EXACT, LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Whole = np.ndarray[Any, np.dtype[np.floating[Any]]]
    """Whole numbers in floating point."""

SLAB = 1 << 10
"""Rows that are in floating point at a time: few enough to stay in the processor's caches, and enough that
threads seldom wait for Python's lock."""

SLICE = 64
"""Rows in one matrix product: few enough that BLAS keeps it on one thread. More threads gain nothing here;
where other programs use the cores, they wait for each other, and clustering 10,000 examples again took 280 ms
instead of 37."""


class Ruler:
    """Measures squared distances to centroids.

    Args:
        centroids: i64[m, d].
    """

    def __init__(self, centroids: NDArray[np.int64]) -> None:
        squares = (centroids**2).sum(1)
        products = 2 * LONGEST * np.abs(centroids).sum(1)
        most = LONGEST**2 * centroids.shape[1] + int((squares + products).max(initial=0))
        self.clusters = len(centroids)
        self._kind = np.dtype(np.float32 if most < FLOAT32_EXACT else np.float64)
        self._squares = squares.astype(self._kind)
        self._doubles = (-2 * centroids.T).astype(self._kind, order="C")

    def slabs(self, vectors: NDArray[np.int8]) -> Iterator[tuple[slice, Whole]]:
        """Yield the rows and floating-point vectors of each slab; the next overwrites the one before."""
        n, d = vectors.shape
        space = np.empty((min(SLAB, n), d), self._kind)
        for rows in _slabs(n):
            slab = space[: rows.stop - rows.start]
            slab[:] = vectors[rows]
            yield rows, slab

    def scores(self, slab: Whole) -> Whole:
        """Return, for each vector [n] and centroid [m], the squared distance less the vector's squared length.

        That is enough to tell which centroid is the nearest.
        """
        n, d = slab.shape
        scores: Whole = (slab.reshape(-1, min(SLICE, n), d) @ self._doubles).reshape(n, -1)
        scores += self._squares
        return scores

    def assign(self, vectors: NDArray[np.int8]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return each vector's nearest centroid (the first of equals) and its squared distance to it.

        Args:
            vectors: i8[n, d]; there is a centroid.

        Returns:
            Positions [n] and squared distances i64[n].
        """
        n = len(vectors)
        nearest, distances = np.empty(n, np.intp), np.empty(n, np.int64)
        for rows, slab in self.slabs(vectors):
            scores = self.scores(slab)
            scores.argmin(1, out=nearest[rows])
            distances[rows] = scores.min(1) + np.einsum("nd,nd->n", slab, slab)
        return nearest, distances


def assign(
    vectors: NDArray[np.int8], centroids: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return what `Ruler.assign` does, for vectors i8[n, d] and centroids i64[m, d], m at least 1."""
    return Ruler(centroids).assign(vectors)


def add_members(
    sums: NDArray[np.int64],
    counts: NDArray[np.int64],
    vectors: NDArray[np.int8] | Whole,
    nearest: NDArray[np.intp],
    *,
    sign: int,
) -> None:
    """Add (or with sign -1 take away) vectors [n, d] with components of int8 to their clusters, in place."""
    m, d = sums.shape
    clusters = np.arange(m)[:, None]
    for rows in _slabs(len(vectors)):
        members = (nearest[rows] == clusters).astype(np.float32)
        slab = vectors[rows].astype(np.float32, copy=False)
        high = min(SLICE, rows.stop - rows.start)
        stack = members.reshape(m, -1, high).swapaxes(0, 1) @ slab.reshape(-1, high, d)
        sums += sign * stack.sum(0).astype(np.int64)  # exact: LONGEST · SLAB is far below FLOAT32_EXACT
    counts += sign * np.bincount(nearest, minlength=m)


def _slabs(n: int) -> list[slice]:
    """Cut n rows into slabs, each a whole number of slices or less than one."""
    whole = n - n % SLICE
    full = [slice(start, min(start + SLAB, whole)) for start in range(0, whole, SLAB)]
    return [*full, slice(whole, n)] if whole < n else full
