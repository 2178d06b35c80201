"""The pages of a store that are in memory, and the reading of those that are not.

Reading and hashing release Python's lock and are most of the work, so several threads read a large store. Its
vectors are in memory once, whether pages or all points are asked for. Work that only visits a large store holds
a few pages at a time.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from edge_icl.errors import StoreDamagedError
from edge_icl.example import ID_BYTES
from edge_icl.runtime.threads import each
from edge_icl.store import pages
from edge_icl.store.blocks import PageBlocks, copy_points, empty_points
from edge_icl.store.manifest import page_file
from edge_icl.store.trie import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edge_icl.cluster.points import Points
    from edge_icl.store.manifest import Manifest
    from edge_icl.store.pages import Page
    from edge_icl.store.trie import Leaf

MOST_KEPT = 16 << 20
"""Bytes of ids and vectors up to which all pages stay in memory when they are visited for a change, for the
next change by the same process: up to 40,000 examples of 384 dimensions."""


class PageCache:
    """Pages by their digests. Safe to use from several threads.

    Args:
        read: returns the bytes of a file, given its path and its digest. It raises StoreDamagedError if the
            file is missing or has another digest, StoreAccessError if the operating system refuses.
        dimension: of the vectors.

    Attributes:
        read: as given.
    """

    def __init__(self, read: Callable[[str, str], bytes], dimension: int) -> None:
        self.read = read
        self._dimension = dimension
        self._pages: dict[str, Page] = {}

    def keep(self, manifest: Manifest) -> None:
        """Drop all pages but those that a manifest names."""
        if self._pages:
            named = manifest.files
            held = [*self._pages.items()]  # at once: other threads may read pages meanwhile
            self._pages = {digest: page for digest, page in held if page_file(digest) in named}

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

    def peek(self, leaf: Leaf) -> Page:
        """Return a page, which does not stay in memory if it was not there; raises what `page` does."""
        return self._pages.get(leaf.digest) or self._decode(leaf)

    def blocks(self, leaves: Sequence[Leaf], fresh: Mapping[str, Page], *, keep: bool) -> PageBlocks:
        """Return the points of pages, to be visited any number of times.

        Args:
            leaves: of the pages, in the order of their ids.
            fresh: those pages that are not written yet, by their digests.
            keep: whether those of a small store stay in memory.
        """
        size = sum(leaf.count for leaf in leaves) * (ID_BYTES + self._dimension)
        read = self.page if keep and size <= MOST_KEPT else self.peek

        def page(leaf: Leaf) -> Page:
            return fresh.get(leaf.digest) or read(leaf)

        return PageBlocks(leaves, page, self._dimension)

    def points(self, leaves: Sequence[Leaf]) -> Points:
        """Return the ids and vectors of pages, one page after another. The pages become views of them.

        Raises:
            StoreDamagedError: a file is missing or is not what its name says, or a count is wrong.
            StoreAccessError: the operating system refused.
        """
        points = empty_points(leaves, self._dimension)

        def move(item: tuple[Leaf, int]) -> None:
            leaf, start = item
            page = self.page(leaf)
            copied = copy_points(page, leaf, points, start)
            self._pages[leaf.digest] = replace(page, ids=copied.ids, vectors=copied.vectors)

        starts = accumulate((leaf.count for leaf in leaves), initial=0)
        deque(each(move, [*zip(leaves, starts, strict=False)]), maxlen=0)
        points.ids.setflags(write=False)
        points.vectors.setflags(write=False)
        return points

    def _decode(self, leaf: Leaf) -> Page:
        """Read a page."""
        name = page_file(leaf.digest)
        data = self.read(name, leaf.digest)
        try:
            page = pages.decode(data, self._dimension)
            _refuse_other(page, leaf)
        except ValueError:
            with damage_in(name):
                raise
        return page


def _refuse_other(page: Page, leaf: Leaf) -> None:
    """Raise ValueError if a page does not fit its leaf: rows are found and counted by both."""
    if len(page) != leaf.count:
        raise ValueError(f"it holds {len(page)} examples and the manifest says {leaf.count}")
    low, high = span(leaf.path)
    first, last = (int.from_bytes(page.ids[i].tobytes()) for i in (0, -1))
    if not page.ascends() or first < low or last >= high:
        raise ValueError("its ids are not in order, or belong to another page")


@contextmanager
def damage_in(name: str) -> Iterator[None]:
    """Turn a ValueError of a decoder into a StoreDamagedError that names the file."""
    try:
        yield
    except ValueError as error:
        raise StoreDamagedError(f"{name} is damaged: {error}", "restore the store from a backup") from error
