"""The state after a change, worked out before it is committed; pages that are too many for memory are written.

A change of a few pages is worked out in memory, and its commit writes them. Of a larger one they are written as
they are made. No manifest names them before the commit, so they are nothing to a reader, and if there
is no commit, the next opening of the store wipes them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster import record
from edge_icl.cluster.certificate import again, is_large, revise
from edge_icl.cluster.points import Points
from edge_icl.errors import InputError
from edge_icl.example import ID_BYTES
from edge_icl.store import pages
from edge_icl.store.manifest import clustering_file, page_file
from edge_icl.store.os_errors import access
from edge_icl.store.pages import Page
from edge_icl.store.spool import Batch
from edge_icl.store.trie import Leaf, Numbers, span, split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.cluster.kmeans import Clustering
    from edge_icl.store.blocks import PageBlocks
    from edge_icl.store.files import Folder
    from edge_icl.store.manifest import LabelsSetting, Manifest
    from edge_icl.store.pages import Row
    from edge_icl.store.snapshot import Snapshot

MOST_HELD = 16 << 20
"""Bytes of new pages in memory; 35,000 short texts with vectors of 384 components."""


class Fresh:
    """The files that a change makes: in memory, or written already.

    Args:
        folder: the store's files.
        old: the names of those that the store has now, which are not made again.

    Attributes:
        contents: those that are not written yet, by their names.
        pages: those of them that are pages, by their digests.
        written: the names of those that are written.
    """

    def __init__(self, folder: Folder, old: Collection[str]) -> None:
        self.contents: dict[str, bytes] = {}
        self.pages: dict[str, Page] = {}
        self.written: list[str] = []
        self._folder = folder
        self._old = old
        self._size = 0

    def put(self, digest: str, page: Page, data: bytes) -> None:
        """Take a page; where there are too many, write all that are held.

        Raises:
            StoreAccessError: the operating system refused.
        """
        name = page_file(digest)
        if name in self._old:
            return
        self.contents[name], self.pages[digest] = data, page
        self._size += len(data)
        if self._size > MOST_HELD:
            self.written += self.contents  # first: what is half written has to be wiped too
            with access(self._folder.path, "changed"):
                self._folder.create(self.contents)
            self.contents, self.pages, self._size = {}, {}, 0


@dataclass(frozen=True, slots=True)
class Planned:
    """The state after a change.

    Attributes:
        manifest: the manifest.
        clustering: the clustering that it names.
        refit: whether all examples were clustered again.
    """

    manifest: Manifest
    clustering: Clustering
    refit: bool


class Plan:
    """How the state after a change is worked out.

    Args:
        before: the state that is changed.
        added: rows whose ids it does not have.
        removed: rows of it, sorted by id.
        labels: whether the outputs are labels after the change.
        fresh: takes the files that the change makes.
    """

    def __init__(
        self, before: Snapshot, added: Batch, removed: Sequence[Row], labels: LabelsSetting, fresh: Fresh
    ) -> None:
        self._before = before
        self._added = added
        self._removed = removed
        self._labels = labels
        self._fresh = fresh
        self._numbers = Numbers(added.ids.tobytes())
        self._large = is_large(len(added) + len(removed))

    def state(self) -> Planned:
        """Return the state after the change."""
        before, settings = self._before, self._before.settings
        count = before.manifest.count + len(self._added) - len(self._removed)
        if count > record.MOST_EXAMPLES:
            raise InputError(
                f"the store would hold {count:,} examples and its format holds {record.MOST_EXAMPLES:,}",
                "put some of them into another store",
            )
        leaves = self._leaves()
        clustering, refit = self._clustering(leaves, count)
        data = record.encode(clustering)
        digest = settings.digest(data)
        self._fresh.contents[clustering_file(digest)] = data
        new = before.manifest.after(count=count, clustering=digest, pages=leaves, labels=self._labels)
        return Planned(new, clustering, refit)

    def _clustering(self, leaves: Sequence[Leaf], count: int) -> tuple[Clustering, bool]:
        """Return the clustering after the change, and whether all examples were clustered again."""
        before, parameters = self._before, self._before.settings.clustering()

        def everything() -> PageBlocks:
            return before.page_cache.blocks(leaves, self._fresh.pages, keep=not self._large)

        if self._large:
            return again(parameters, everything(), count), True
        return revise(
            parameters,
            before.clustering,
            added=_points(self._added, parameters.dimension),
            removed=_points(Batch.of(self._removed), parameters.dimension),
            everything=everything,
        )

    def _leaves(self) -> list[Leaf]:
        """Return the leaves after the change, making the pages that are new."""
        trie, cache = self._before.manifest.trie, self._before.page_cache
        read = cache.peek if self._large else cache.page
        numbers, rows = self._numbers, iter(self._added)
        gone, dimension = Batch.of(self._removed).ids, self._before.settings.dimension
        leaves: list[Leaf] = []
        end = start = 0
        for region in trie.regions(numbers, [int.from_bytes(row.id) for row in self._removed]):
            low, high = span(region)
            leaves += trie.below(end, low)
            held = Page.joined([*map(read, trie.below(low, high))], dimension)
            held = held.where(~pages.among(gone, held.ids))
            stop = bisect_left(numbers, high, start)
            leaves += self._split(region, held, slice(start, stop), rows)
            start, end = stop, high
        return leaves + list(trie.below(end, span("")[1]))

    def _split(self, region: str, held: Page, part: slice, rows: Iterator[Row]) -> Iterator[Leaf]:
        """Yield the leaves below a path, and put their pages.

        Args:
            region: the path.
            held: the rows there before that stay.
            part: which of the new rows are there.
            rows: the new rows from there on.
        """
        start, taken = 0, part.start
        for path, here in split(region, _joined(held.ids, self._added.ids[part])):
            upto = bisect_left(self._numbers, span(path)[1], taken, part.stop)
            new = [*islice(rows, upto - taken)]
            stop, taken = start + here.stop - here.start - len(new), upto
            page, start = held.part(start, stop).merged(new), stop
            data = pages.encode(page)
            leaf = Leaf(path, len(page), self._before.settings.digest(data))
            self._fresh.put(leaf.digest, page, data)
            yield leaf


def _joined(held: NDArray[np.uint8], new: NDArray[np.uint8]) -> Numbers:
    """Return ids u8[n, 16] and others, sorted."""
    if not len(new):
        return Numbers(held.tobytes())
    ids = np.concatenate([held, new]).view(f"S{ID_BYTES}").ravel()
    ids.sort()
    return Numbers(ids.tobytes())


def _points(batch: Batch, dimension: int) -> Points:
    """Return rows as the clustering sees them."""
    vectors = np.array([row.vector for row in batch], np.int8)
    return Points(batch.ids, vectors.reshape(len(batch), dimension))
