"""Which questions teach a store most when a person answers them.

An answer teaches something about the questions that are like it, and most where many of these are still far
from all that was taught, and the prior is in doubt about them. So a question is worth the sum over all
questions of how much nearer to a taught one they would be, by cosine, each as heavy as the doubt about it.
Doubt is uncertainty sampling (Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR
1994), here by the margin between the two likeliest labels; that a question stands for many and is unlike those
before it is density and diversity (Settles, "Active Learning Literature Survey", 2009, section 3.6); the sum is
facility location (Wei, Iyer and Bilmes, "Submodularity in Data Subset Selection and Active Learning", ICML
2015). Doubt alone is no help in a young store, which does not know what it does not know: see
benchmarks/learning.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_icl.prior.opinion_pool import ranked
from edge_icl.search.similarity import cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAME = 0.9
"""From this cosine on a question is a near copy: it comes after all that are none."""


def doubts(logs: Floats) -> Floats:
    """Return how much in doubt the likeliest label is, f64[m] from 0 to 1, by log-probabilities f64[m, labels].

    One less the gap between the probabilities of the two likeliest labels; 1 where there is one label, which
    says nothing of those that are still to come.
    """
    if logs.shape[1] < 2:  # noqa: PLR2004 - a gap is between two
        return np.ones(len(logs))
    shares = np.exp(-np.sort(-logs, 1)[:, :2])
    return np.asarray(1 - (shares[:, 0] - shares[:, 1]))


def most_useful(vectors: NDArray[np.int8], near: Floats, doubt: Floats, limit: int) -> list[int]:
    """Return which questions teach most, the most useful first; each counts as taught for those after it.

    Args:
        vectors: i8[m, d], of the questions.
        near: f64[m], cosine of the nearest text that was taught, -1 where none was.
        doubt: f64[m], how much in doubt the answer to each is, from 0 to 1.
        limit: how many are wanted.

    Returns:
        Positions, at most `limit`; of equally useful ones the first.
    """
    alike, near = cosines(vectors, vectors), np.maximum(near, 0.0)
    left = np.ones(len(vectors), np.bool_)
    chosen: list[int] = []
    for _ in range(min(limit, len(vectors))):
        rows = np.flatnonzero(left)
        gains = np.maximum(alike[rows] - near, 0.0) @ doubt
        worth = np.where(near[rows] >= SAME, -1.0 / (1.0 + gains), gains)
        best = int(rows[ranked(worth)[0]])
        chosen.append(best)
        left[best] = False
        near = np.maximum(near, alike[best])
    return chosen
