"""How alike examples are: exact int8 products, at the speed of memory; there is no graph index.

A graph of neighbours would remember the examples that shaped it, also those that were forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_icl.cluster.kmeans import Points

    Dots = NDArray[np.float32] | NDArray[np.float64]

LARGEST_EXACT = (1 << 24) // 128**2
"""Most dimensions of int8 vectors whose dot products float32 holds exactly."""

PIECE = 8192
"""Rows that are turned into float32 at a time."""


def search(points: Points, question: NDArray[np.int8], limit: int) -> NDArray[np.intp]:
    """Return the positions of the examples nearest to a vector, the nearest first; exact.

    Similarity is the dot product: the encoder's vectors all have nearly the same length. Equal ones are taken
    in the order of their ids.
    """
    limit = min(limit, len(points.ids))
    if limit <= 0:
        return np.zeros(0, np.intp)
    scores = _dots(points.vectors, question[None])[0]
    bar = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    candidates = np.flatnonzero(scores >= bar)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:limit]


def similarities(vectors: NDArray[np.int8], question: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the cosine similarity f64[n] of each vector i8[n, d] to the question i8[d]."""
    return np.asarray(cosines(vectors, question[None])[0])


def cosines(vectors: NDArray[np.int8], questions: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the cosine similarity f64[m, n] of each question i8[m, d] to each vector i8[n, d]."""
    found = np.asarray(_dots(vectors, questions), np.float64)
    found /= _lengths(vectors)
    found /= _lengths(questions)[:, None]
    return found


def _lengths(vectors: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the length f64[n] of each vector i8[n, d], 1 at least, so that it can be divided by."""
    if not len(vectors):
        return np.ones(0)
    import simsimd  # noqa: PLC0415 - not needed to forget

    squares = np.asarray(simsimd.dot(vectors, vectors), np.float64).reshape(len(vectors))
    return np.sqrt(np.maximum(squares, 1))


def _dots(vectors: NDArray[np.int8], questions: NDArray[np.int8]) -> Dots:
    """Return exact dot products [m, n], as float32 where that holds them: half as much is written and compared.

    simsimd sums int8 products in int32 at the speed of memory, which is best for one question. For many, a
    matrix product in float32 is faster.
    """
    shape, exact = (len(questions), len(vectors)), vectors.shape[1] <= LARGEST_EXACT
    if not (len(vectors) and len(questions)):
        return np.zeros(shape)
    if len(questions) == 1 or not exact:
        import simsimd  # noqa: PLC0415 - not needed to forget

        products = simsimd.cdist(questions, vectors, "dot", out_dtype="f32" if exact else "f64")
        return np.asarray(products).reshape(shape)
    found = np.empty(shape, np.float32)
    asked = questions.astype(np.float32)
    for start in range(0, len(vectors), PIECE):
        piece = slice(start, start + PIECE)
        found[:, piece] = asked @ vectors[piece].astype(np.float32).T
    return found
