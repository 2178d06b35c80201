"""Examples as the clustering sees them: ids and vectors, whole or block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

import numpy as np

from edge_icl.example import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

T = TypeVar("T")

BLOCK = 1 << 12
"""Rows handled at once, which bounds memory."""


class Points(NamedTuple):
    """Examples as the clustering sees them, sorted by id.

    Attributes:
        ids: u8[n, 16].
        vectors: i8[n, d].
    """

    ids: NDArray[np.uint8]
    vectors: NDArray[np.int8]

    @classmethod
    def join(cls, parts: Iterable[Points], dimension: int) -> Points:
        """Return the points of several sets, one after another."""
        nothing = cls(np.zeros((0, ID_BYTES), np.uint8), np.zeros((0, dimension), np.int8))
        ids, vectors = zip(nothing, *parts, strict=True)
        return cls(np.concatenate(ids), np.concatenate(vectors))

    def visit(self, work: Callable[[Points], T]) -> Iterator[T]:
        """Yield work(block) for one block after another, as `Blocks` asks for."""
        for start in range(0, len(self.ids), BLOCK):
            rows = slice(start, start + BLOCK)
            yield work(Points(self.ids[rows], self.vectors[rows]))


class Blocks(Protocol):
    """A set of points that need not be in memory at once. `Points`, which are in memory, are such a set too."""

    def visit(self, work: Callable[[Points], T]) -> Iterator[T]:
        """Yield work(block) for one block of points after another: a pass over the whole set.

        Args:
            work: called with blocks of at least one point, on any thread and several at a time. The blocks, one
                after another, are the set sorted by id; the results come in this order.
        """
