"""The pages of a store that are in memory, and the reading of those that are not.

Reading and hashing leave Python's lock and are most of the work, so several threads read all of a large store.
Its vectors are in memory once, whether the pages are asked for or all points.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edge_icl.cluster.kmeans import Points
from edge_icl.cores import usable_cpus
from edge_icl.errors import StoreDamagedError
from edge_icl.example import ID_BYTES
from edge_icl.store import manifest, pages
from edge_icl.store.manifest import page_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge_icl.store.pages import Page
    from edge_icl.store.trie import Leaf

T = TypeVar("T")
U = TypeVar("U")

CHUNK = 32
"""Pages that a thread reads at a time: 4 MB at most, a few milliseconds."""

MOST_THREADS = 4
"""More would wait for Python's lock."""


class Shelf:
    """Pages by their digests. Safe to use from several threads.

    Args:
        read: returns the bytes of a file, given its path and its digest. It raises StoreDamagedError if it is
            missing or another one, StoreAccessError if the operating system refuses.
        dimension: of the vectors.

    Attributes:
        read: as given.
    """

    def __init__(self, read: Callable[[str, str], bytes], dimension: int) -> None:
        self.read = read
        self._dimension = dimension
        self._pages: dict[str, Page] = {}

    def keep(self, leaves: Iterable[Leaf]) -> None:
        """Drop all pages but those of these leaves."""
        held = {leaf.digest for leaf in leaves}
        self._pages = {digest: page for digest, page in self._pages.items() if digest in held}

    def page(self, leaf: Leaf) -> Page:
        """Return a page, from memory if it was read before.

        Raises:
            StoreDamagedError: its file is missing or is not what its name says.
            StoreAccessError: the operating system refused.
        """
        page = self._pages.get(leaf.digest)
        if page is None:
            page = self._pages[leaf.digest] = self._decode(leaf)
        return page

    def load(self, leaves: Sequence[Leaf]) -> list[Page]:
        """Return pages, those that are not in memory read several at a time; raises what `page` does."""
        return _each(self.page, leaves)

    def visit(self, leaves: Sequence[Leaf], work: Callable[[Page], T]) -> list[T]:
        """Return work(page) for each page; those not in memory do not stay there. Raises what `page` does."""
        return _each(lambda leaf: work(self._pages.get(leaf.digest) or self._decode(leaf)), leaves)

    def points(self, leaves: Sequence[Leaf]) -> Points:
        """Return the ids and vectors of pages, one page after another. The pages become views of them.

        Raises:
            StoreDamagedError: a file is missing or is not what its name says, or a count is wrong.
            StoreAccessError: the operating system refused.
        """
        starts = [0, *accumulate(leaf.count for leaf in leaves)]
        ids = np.empty((starts[-1], ID_BYTES), np.uint8)
        vectors = np.empty((starts[-1], self._dimension), np.int8)

        def place(item: tuple[Leaf, int]) -> None:
            leaf, start = item
            page = self.page(leaf)
            if len(page) != leaf.count:
                raise StoreDamagedError(f"{manifest.NAME} is damaged", "restore the store from a backup")
            rows = slice(start, start + len(page))
            ids[rows], vectors[rows] = page.ids, page.vectors
            self._pages[leaf.digest] = replace(page, ids=ids[rows], vectors=vectors[rows])

        _each(place, [*zip(leaves, starts, strict=False)])
        ids.setflags(write=False)
        vectors.setflags(write=False)
        return Points(ids, vectors)

    def _decode(self, leaf: Leaf) -> Page:
        """Read a page."""
        name = page_file(leaf.digest)
        data = self.read(name, leaf.digest)
        with damage_in(name):
            return pages.decode(data, self._dimension)


@contextmanager
def damage_in(name: str) -> Iterator[None]:
    """Turn a ValueError of a decoder into a StoreDamagedError that names the file."""
    try:
        yield
    except ValueError as error:
        raise StoreDamagedError(f"{name} is damaged: {error}", "restore the store from a backup") from error


def _each(work: Callable[[U], T], items: Sequence[U]) -> list[T]:
    """Return work(item) for every item, done by several threads if there are many."""

    def chunk(start: int) -> list[T]:
        return [work(item) for item in items[start : start + CHUNK]]

    starts = range(0, len(items), CHUNK)
    threads = min(usable_cpus(), len(starts), MOST_THREADS) if len(starts) > 1 else 1
    if threads == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads, "edge-icl-read") as pool:
        try:
            return [found for some in pool.map(chunk, starts) for found in some]
        except BaseException:  # damage or Ctrl-C: leave after the chunks at hand
            pool.shutdown(wait=False, cancel_futures=True)
            raise
