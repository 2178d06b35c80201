"""The start of the clustering: k-means++ (Arthur & Vassilvitskii 2007), each centroid drawn by `sampling`.

In each round the example with the smallest time is drawn: its own exponential number divided by its weight, the
squared distance to the nearest centroid drawn so far. An example with a large number can be drawn only if its
weight is large, and no weight is larger than the longest vectors allow. So one pass over the set keeps, for
each round, the few examples with the smallest numbers, and a lower bound for all others: nearly always that is
enough to know which examples all rounds draw. Where it is not, as when most vectors are the same, another pass
is made, with the weights as they are by then; they never grow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster.distances import assign
from edge_icl.cluster.randomness import uniform_draws
from edge_icl.cluster.sampling import DOUBT, draw_one, float_times
from edge_icl.example import ID_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_icl.cluster.points import Blocks, Points

CANDIDATES = 128
"""Examples kept for each round. Where the mean weight is a tenth of the largest possible one, as with texts
that are much alike, a draw stays uncertain once in 300,000 rounds."""


def draw_start(
    seed: bytes, shots: int, dimension: int, blocks: Blocks
) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Draw the first centroids; fewer than `shots` if there are fewer distinct vectors.

    Returns:
        The ids u8[m, 16] and vectors i8[m, dimension] of the examples drawn, in order.
    """
    ids, vectors = np.zeros((0, ID_BYTES), np.uint8), np.zeros((0, dimension), np.int8)
    most = CANDIDATES
    candidates = _gather(seed, shots, blocks, vectors, most)
    for j in range(shots):
        drawn, certain = candidates.draw(j, vectors)
        while not certain:
            most *= 2
            candidates = _gather(seed, shots, blocks, vectors, most)
            drawn, certain = candidates.draw(j, vectors)
        if drawn is None:
            break
        ids = np.concatenate([ids, candidates.ids[drawn, None]])
        vectors = np.concatenate([vectors, candidates.vectors[drawn, None]])
    return ids, vectors


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The examples that may be drawn, sorted by id, and what is known of all others.

    Attributes:
        ids: u8[n, 16].
        vectors: i8[n, d].
        draws: u64[n, rounds].
        times: f64[n, rounds], with the weights that held when they were gathered.
        others: f64[rounds], a lower bound for the times of all other examples.
        longest: the largest squared length of a vector, also of the other examples.
    """

    ids: NDArray[np.uint8]
    vectors: NDArray[np.int8]
    draws: NDArray[np.uint64]
    times: NDArray[np.float64]
    others: NDArray[np.float64]
    longest: int

    def joined(self, more: _Candidates, most: int) -> _Candidates:
        """Return both, cut to `most` for each round."""
        return _Candidates(
            ids=np.concatenate([self.ids, more.ids]),
            vectors=np.concatenate([self.vectors, more.vectors]),
            draws=np.concatenate([self.draws, more.draws]),
            times=np.concatenate([self.times, more.times]),
            others=np.minimum(self.others, more.others),
            longest=max(self.longest, more.longest),
        ).cut(most)

    def cut(self, most: int) -> _Candidates:
        """Return it with `most` examples for each round, those with the smallest times."""
        if len(self.ids) <= most:
            return self
        last = np.partition(self.times, most - 1, axis=0)[most - 1]
        kept = ((self.times <= last) & np.isfinite(self.times)).any(1)
        return _Candidates(
            ids=self.ids[kept],
            vectors=self.vectors[kept],
            draws=self.draws[kept],
            times=self.times[kept],
            others=np.minimum(self.others, self.times[~kept].min(0, initial=np.inf)),
            longest=self.longest,
        )

    def draw(self, j: int, centres: NDArray[np.int8]) -> tuple[int | None, bool]:
        """Return which example round j draws, None if all weights are 0, and whether that is certain.

        Args:
            j: the round.
            centres: i8[j, d], the vectors drawn in the rounds before.
        """
        weights = _weights(self.vectors, centres)
        drawn = draw_one(self.draws[:, j], weights)
        if drawn is None:
            return None, bool(np.isinf(self.others[j]))
        (time,) = float_times(self.draws[[drawn], j], weights[[drawn]])
        return drawn, bool(time * (1 + DOUBT) < self.others[j])


def _gather(seed: bytes, shots: int, blocks: Blocks, centres: NDArray[np.int8], most: int) -> _Candidates:
    """Return the examples that the rounds from len(centres) on may draw: at least `most` for each."""

    def first(block: Points) -> _Candidates:
        draws = uniform_draws(seed, block.ids, shots)
        times = float_times(draws, _weights(block.vectors, centres)[:, None])
        lengths = assign(block.vectors, np.zeros((1, block.vectors.shape[1]), np.int64))[1]
        others = np.full(shots, np.inf)
        return _Candidates(block.ids, block.vectors, draws, times, others, int(lengths.max())).cut(most)

    found = _Candidates(
        ids=np.zeros((0, ID_BYTES), np.uint8),
        vectors=centres[:0],
        draws=np.zeros((0, shots), np.uint64),
        times=np.zeros((0, shots)),
        others=np.full(shots, np.inf),
        longest=0,
    )
    for more in blocks.visit(first):
        found = found.joined(more, most)
    if len(centres):
        return found
    others = found.others.copy()
    others[1:] /= max(4 * found.longest, 1)  # these times have weight 1; no weight is above (2 · length)²
    return replace(found, others=others)


def _weights(vectors: NDArray[np.int8], centres: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the weight i64[n] of each vector in the round after these centres were drawn."""
    return assign(vectors, centres.astype(np.int64))[1] if len(centres) else np.ones(len(vectors), np.int64)
