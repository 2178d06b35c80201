"""Which questions teach a store most when a person answers them.

An answer teaches something about the questions that are like it, and most where many of these are still far
from all that was taught, and the prior is in doubt about them. So a question is worth the sum over all
questions of how much nearer to a taught one they would be, by cosine, each as heavy as the doubt about it.
Doubt is least confidence (Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR 1994);
that a question stands for many and is unlike those before it is density and diversity (Settles, "Active
Learning Literature Survey", 2009, section 3.6); the sum is facility location (Wei, Iyer and Bilmes,
"Submodularity in Data Subset Selection and Active Learning", ICML 2015). A young store does not know what it
does not know, so its doubt counts for little: by doubt alone it learns no faster than in random order. See
benchmarks/learning.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.prior.opinion_pool import ranked
from edge_icl.search.similarity import cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

HALF_BELIEVED = 200
"""With so many examples half of the doubt counts."""


class Copies(NamedTuple):
    """Which questions are near copies: they come after all that are none.

    Attributes:
        taught: b[m], whether each is one of a text that was taught or passed over.
        threshold: from this cosine on two questions are copies of each other,
        apart: i64[m], but only where these numbers are equal: what the encoder does not read is the same.
        unseen: b[m], whether it reads nothing: then the numbers alone decide.
    """

    taught: NDArray[np.bool_]
    threshold: float
    apart: NDArray[np.intp]
    unseen: NDArray[np.bool_]


def weights(sure: Floats, examples: int) -> Floats:
    """Return how heavy questions weigh, f64[m] from 0 to 1: the lighter, the surer the likeliest label.

    Args:
        sure: f64[m], the probability of the likeliest label of each.
        examples: how many the store has: what few say of how sure they are is worth little.
    """
    return np.asarray(1 - examples / (examples + HALF_BELIEVED) * sure)


def most_useful(
    vectors: NDArray[np.int8], near: Floats, heavy: Floats, limit: int, *, copies: Copies
) -> list[int]:
    """Return which questions teach most, the most useful first; each counts as taught for those after it.

    Args:
        vectors: i8[m, d], of the questions.
        near: f64[m], cosine of the nearest text that was taught, -1 where none was.
        heavy: f64[m], how much each weighs, above 0; see `weights`.
        limit: how many are wanted.
        copies: which are near copies.

    Returns:
        Positions, at most `limit`; of equally useful ones the first.
    """
    alike, near = cosines(vectors, vectors), np.maximum(near, 0.0)
    left, same = np.ones(len(vectors), np.bool_), copies.taught.copy()
    chosen: list[int] = []
    for _ in range(min(limit, len(vectors))):
        rows = np.flatnonzero(left)
        gains = np.maximum(alike[rows] - near, 0.0) @ heavy
        worth = np.where(same[rows], -1.0 / (1.0 + gains), gains)
        best = int(rows[ranked(worth)[0]])
        chosen.append(best)
        left[best] = False
        near = np.maximum(near, alike[best])
        near_enough = (alike[best] >= copies.threshold) | copies.unseen
        same |= near_enough & (copies.apart == copies.apart[best])
    return chosen
