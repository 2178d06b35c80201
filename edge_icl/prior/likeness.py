"""Whether a question is unlike everything that was taught.

A conformal test (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005, chapter 2) on the
cosine of the nearest example: some examples are left out, and how near the nearest of the others is to each
tells what is usual. The nearest example tells questions whose label was not taught from others better than the
distance to the nearest class under the pooled covariance does, which is measured by benchmarks/abstaining.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.search.neighbours import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RARE = 0.01
"""How often a question like those taught may be called unlike them."""

FEWEST = 20
"""Fewer examples do not tell what is usual."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near the nearest other example is to examples that were left out.

    Attributes:
        nearest: f64[m], cosines, ascending.
    """

    nearest: Floats

    @classmethod
    def of(cls, vectors: NDArray[np.int8], rows: NDArray[np.intp]) -> Likeness:
        """Look at some rows i64[m] of vectors i8[n, d], each with the others."""
        _, cosines = neighbours(vectors, rows, 1)
        return cls(np.sort(cosines, axis=None))

    def unlike(self, cosine: float) -> bool:
        """Tell whether a question is unlike all that was taught, given the cosine of its nearest example.

        Of questions like the examples at most one in a hundred is called unlike them, or one in as many as
        there are examples left out, where these are fewer than a hundred.
        """
        if len(self.nearest) < FEWEST:
            return False
        rank = 1 + int(np.searchsorted(self.nearest, cosine, side="right"))
        return rank <= max(RARE * (len(self.nearest) + 1), 1)
