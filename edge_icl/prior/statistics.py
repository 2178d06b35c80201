"""Exact sums over examples, which forget by subtraction.

    >>> statistics = Statistics.of(vectors, outputs)
    >>> statistics = statistics.plus(added, their_outputs).minus(forgotten, their_outputs)

Vectors are int8, so every sum is an integer and depends on no order: what `plus` and `minus` return equals what
`of` would return for the set that is left, bit for bit. The sums are derived when a store is asked and are not
kept on disk: the Gram matrix of 384 dimensions would make a store of 10,000 examples larger by a tenth, and
each commit would write it again, while summing again takes less time than loading the language model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster.exact import EXACT_PRODUCTS
from edge_icl.runtime.threads import each

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray


PART = 1 << 15
"""Vectors that a thread adds up at a time: a tenth of a second's work."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sums over examples.

    Attributes:
        counts: how many examples have each output; outputs that none has are not in it.
        totals: i64[d] for each of these outputs, the sum of its examples' vectors.
        gram: i64[d, d], the sum of every vector's outer product with itself.
    """

    counts: Mapping[str, int]
    totals: Mapping[str, NDArray[np.int64]]
    gram: NDArray[np.int64]

    @classmethod
    def of(cls, vectors: NDArray[np.int8], outputs: Sequence[str]) -> Statistics:
        """Sum over examples: vectors i8[n, d], none of them -128, and the output of each."""
        dimension = vectors.shape[1]
        return cls({}, {}, np.zeros((dimension, dimension), np.int64)).plus(vectors, outputs)

    def plus(self, vectors: NDArray[np.int8], outputs: Sequence[str]) -> Statistics:
        """Return the sums with more examples."""
        return self._changed(vectors, outputs, 1)

    def minus(self, vectors: NDArray[np.int8], outputs: Sequence[str]) -> Statistics:
        """Return the sums without some of their examples."""
        return self._changed(vectors, outputs, -1)

    def _changed(self, vectors: NDArray[np.int8], outputs: Sequence[str], sign: int) -> Statistics:
        """Return the sums with examples added or, with a sign of -1, subtracted."""
        if not outputs:
            return self
        counts, totals, gram = dict(self.counts), dict(self.totals), self.gram.copy()
        names = sorted(set(outputs))
        index = {name: i for i, name in enumerate(names)}
        labels = np.fromiter((index[output] for output in outputs), np.intp, len(outputs))
        sums = np.zeros((len(names), vectors.shape[1]), np.int64)

        def part(start: int) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
            rows = slice(start, start + PART)
            present, own = np.unique(labels[rows], return_inverse=True)
            return present, *_sums(vectors[rows], own, len(present))

        for present, products, added in each(part, range(0, len(vectors), PART), chunk=1):
            gram += sign * products
            sums[present] += added
        for name, sum_, count in zip(names, sums, np.bincount(labels, minlength=len(names)), strict=True):
            counts[name] = counts.get(name, 0) + sign * int(count)
            totals[name] = totals.get(name, 0) + sign * sum_
            if not counts[name]:
                del counts[name], totals[name]
        return Statistics(counts, totals, gram)


def _sums(
    vectors: NDArray[np.int8], labels: NDArray[np.intp], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sums of vectors i8[n, d]: of the outer products, i64[d, d], and by label, i64[count, d].

    A piece at a time, so that vectors are numbers of four bytes only in the processor's cache.
    """
    gram = np.zeros((vectors.shape[1], vectors.shape[1]), np.int64)
    sums = np.zeros((count, vectors.shape[1]), np.int64)
    for rows in _pieces(len(vectors)):
        # With the rows of each label together one pass adds them up, however many labels there are.
        order = np.argsort(labels[rows], kind="stable")
        exact, own = vectors[rows][order].astype(np.float32), labels[rows][order]
        gram += (exact.T @ exact).astype(np.int64)
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        sums[own[starts]] += np.add.reduceat(exact, starts).astype(np.int64)
    return gram, sums


def _pieces(count: int) -> Iterator[slice]:
    """Cut so many rows into pieces whose sums are exact."""
    return (slice(start, start + EXACT_PRODUCTS) for start in range(0, count, EXACT_PRODUCTS))
