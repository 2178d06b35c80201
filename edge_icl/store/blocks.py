"""The points of pages, visited block by block, as often as the clustering needs them.

Many small pages make one block, since each call of numpy has a cost. A store of moderate size is read once for
all passes of a change. In a larger one every pass reads every file again, and checks it again, so that memory
does not grow with the store.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edge_icl.cluster.points import BLOCK, Points
from edge_icl.errors import StoreAccessError, StoreDamagedError
from edge_icl.example import ID_BYTES
from edge_icl.runtime.threads import each
from edge_icl.store import manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge_icl.store.pages import Page
    from edge_icl.store.trie import Leaf

T = TypeVar("T")

FEWEST = 4
"""Each thread gets at least so many blocks: for fewer, one thread is as fast, and faster on a busy machine."""

MOST_HELD = 48 << 20
"""Bytes of ids and vectors up to which blocks stay in memory between two passes: up to 125,000 examples of 384
dimensions."""


class PageBlocks:
    """The points of pages, block by block.

    Args:
        leaves: of the pages, in the order of their ids.
        page: returns the page of one; called from several threads.
        dimension: of the vectors.
    """

    def __init__(self, leaves: Sequence[Leaf], page: Callable[[Leaf], Page], dimension: int) -> None:
        self._groups = list(_groups(leaves))
        self._page = page
        self._dimension = dimension
        self._holds = sum(leaf.count for leaf in leaves) * (ID_BYTES + dimension) <= MOST_HELD
        self._held: dict[int, Points] = {}

    def visit(self, work: Callable[[Points], T]) -> Iterator[T]:
        """Yield work(block) for one block of points after another; several threads read and work.

        Raises:
            StoreDamagedError: a file is missing or is not what its name says.
            StoreAccessError: the operating system refused.
        """
        return each(lambda i: work(self._block(i)), range(len(self._groups)), chunk=1, fewest=FEWEST)

    def _block(self, i: int) -> Points:
        """Return the i-th block."""
        block = self._held.get(i)
        if block is None:
            group = self._groups[i]
            block = empty_points(group, self._dimension)
            starts = accumulate((leaf.count for leaf in group), initial=0)
            for leaf, start in zip(group, starts, strict=False):
                copy_points(self._page(leaf), leaf, block, start)
            if self._holds:
                self._held[i] = block
        return block


def empty_points(leaves: Sequence[Leaf], dimension: int) -> Points:
    """Return arrays for the points of pages, not filled yet.

    Raises:
        StoreAccessError: there is not enough memory. With a false manifest it may be more than is on the disk.
    """
    count = sum(leaf.count for leaf in leaves)
    try:
        return Points(np.empty((count, ID_BYTES), np.uint8), np.empty((count, dimension), np.int8))
    except MemoryError as error:
        raise StoreAccessError(
            f"{count:,} vectors of {dimension:,} components do not fit into memory",
            "nothing was changed; close other programs, or check the store: edge-icl verify",
        ) from error


def copy_points(page: Page, leaf: Leaf, target: Points, start: int) -> Points:
    """Copy the points of a leaf's page to `target`, from row `start` on, and return that part of it.

    Raises:
        StoreDamagedError: they are not as many as the manifest says.
    """
    if len(page) != leaf.count:
        raise StoreDamagedError(f"{manifest.NAME} is damaged", "restore the store from a backup")
    rows = slice(start, start + leaf.count)
    copied = Points(target.ids[rows], target.vectors[rows])
    copied.ids[:], copied.vectors[:] = page.ids, page.vectors
    return copied


def _groups(leaves: Sequence[Leaf]) -> Iterator[Sequence[Leaf]]:
    """Cut leaves into groups of at most BLOCK points."""
    start = rows = 0
    for i, leaf in enumerate(leaves):
        if rows and rows + leaf.count > BLOCK:
            yield leaves[start:i]
            start, rows = i, 0
        rows += leaf.count
    if rows:
        yield leaves[start:]
