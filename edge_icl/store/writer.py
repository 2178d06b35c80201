"""One change to a store: planned in memory, committed by one rename, then wiped.

    1. wipe the entries of the cache that the change makes stale
    2. write the new pages, the new clustering and, beside the old, the new manifest; bring them to the disk
    3. rename the new manifest over the old: the commit
    4. wipe every file that the manifest no longer names

If this is interrupted, the next opening of the store wipes what the manifest does not name (see `recovery`). So
an interrupted add is undone, an interrupted forget is finished, and at every moment the store is the one before
the change or the one after it.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster import record
from edge_icl.cluster.certificate import revise
from edge_icl.cluster.points import Points
from edge_icl.errors import InputError
from edge_icl.store import manifest, pages, prefix_cache
from edge_icl.store.compaction import compact
from edge_icl.store.files import replace
from edge_icl.store.layout import DRAFT
from edge_icl.store.lock import locked
from edge_icl.store.manifest import Manifest, clustering_file, page_file
from edge_icl.store.os_errors import access
from edge_icl.store.pages import Page, Row
from edge_icl.store.recovery import directories_of, recover, wipe_all
from edge_icl.store.trie import Leaf, span, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.store.disk import Store
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.snapshot import Snapshot

UNFINISHED = (
    "the change is made, but what it removed is not wiped yet: check the disk; the next command wipes it"
)

UNTIDY = "the change is made, and what it removed is wiped: check the disk; the next command tidies up"

DEFAULT_TIMEOUT = 30.0
"""Seconds to wait for another writer: longer than a large batch takes to commit."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did.

    Attributes:
        root_before: the root before it.
        root_after: the root after it.
        refit: whether all examples were clustered again.
        after: what the store holds after it.
        added: the rows that it added, sorted by id.
        removed: the rows that it removed, sorted by id.
    """

    root_before: str
    root_after: str
    refit: bool
    after: Manifest
    added: Sequence[Row] = ()
    removed: Sequence[Row] = ()


@contextmanager
def writing(store: Store, *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[Writer]:
    """Hold the store's lock, after cleaning up what an earlier writer left unfinished.

    Raises:
        StoreBusyError: another writer held the lock for longer than `timeout` seconds.
        StoreDamagedError: the manifest is damaged, or a file that it names is missing; nothing is wiped.
        StoreAccessError: the operating system refused.
    """
    with store.present(), locked(store.path, timeout=timeout):
        snapshot = store.snapshot()
        with access(store.path, "cleaned up"):
            recover(store, snapshot)
        yield Writer(store, snapshot)


class Writer:
    """The right to change a store, while its lock is held.

    Attributes:
        snapshot: the state that the next change starts from.
    """

    def __init__(self, store: Store, snapshot: Snapshot) -> None:
        self._store = store
        self.snapshot = snapshot

    def commit(
        self,
        *,
        added: Iterable[Row] = (),
        removed: Iterable[bytes] = (),
        labels: LabelsSetting | None = None,
    ) -> Change:
        """Change the store in one commit; returns when that is durable and what was removed is wiped.

        Args:
            added: rows to add; one whose id is in the store already, or comes twice, changes nothing.
            removed: ids of the examples to remove.
            labels: whether the outputs are labels from now on; None for what the store says already.

        Raises:
            ExampleNotFoundError: an id to remove is not in the store.
            InputError: the store would hold more examples than its format can count.
            StoreAccessError: the operating system refused. The store is as it was, unless the hint says that
                the change is made and not finished.
        """
        before = self.snapshot
        labels = labels or before.manifest.labels
        plan = _Plan(before, _unknown(before, added), _known(before, removed), labels)
        if not plan.added and not plan.removed and labels == before.manifest.labels:
            return Change(before.root, before.root, refit=False, after=before.manifest)
        new, refit = plan.manifest()
        with access(self._store.path, "read"):
            stale = prefix_cache.stale(self._store, plan.representatives, forgetting=bool(plan.removed))
        data = new.encode()
        self._publish(new, data, plan.contents, stale)
        self.snapshot = self._store.state(data, new)
        return Change(before.root, self.snapshot.root, refit, new, plan.added, plan.removed)

    def _publish(self, new: Manifest, data: bytes, contents: dict[str, bytes], stale: Sequence[str]) -> None:
        """Make `new` the manifest, as `data`, with the files it names that were not there before."""
        store, files, old = self._store, self._store.files, self.snapshot.manifest.files
        fresh = sorted(new.files - old)

        def make() -> None:
            store.folder.create({**{name: contents[name] for name in fresh}, DRAFT: data})
            for directory in directories_of(fresh):
                files.flush_directory(store.path / directory)

        with access(store.path, "changed"):
            prefix_cache.discard(store, stale)
            interrupt = replace(
                files,
                store.path / DRAFT,
                store.path / manifest.NAME,
                make=make,
                undo=lambda: wipe_all(store, [DRAFT, *fresh]),
            )
        store.commits += 1
        gone = sorted(old - new.files)
        with access(store.path, "cleaned up", hint=UNFINISHED, committed=True):
            files.flush_directory(store.path)
            wipe_all(store, gone)
        with access(store.path, "tidied up", hint=UNTIDY, committed=True):
            compact(files, store.path / "pages")
            for directory in directories_of([*fresh, *gone, manifest.NAME]):
                files.rest(store.path / directory)
        if interrupt:
            raise interrupt


class _Plan:
    """The state after a change, worked out in memory.

    Attributes:
        contents: the bytes of the files that the change makes, by path relative to the store.
        representatives: ids of the representatives after the change.
    """

    def __init__(
        self, before: Snapshot, added: Sequence[Row], removed: Sequence[Row], labels: LabelsSetting
    ) -> None:
        self.before = before
        self.added = added
        self.removed = removed
        self.labels = labels
        self.contents: dict[str, bytes] = {}
        self.representatives: list[bytes] = []
        self._pages: dict[str, Page] = {}

    def manifest(self) -> tuple[Manifest, bool]:
        """Return the manifest after the change, and whether all examples were clustered again."""
        before, settings = self.before, self.before.settings
        count = before.manifest.count + len(self.added) - len(self.removed)
        if count > record.MOST_EXAMPLES:
            raise InputError(
                f"the store would hold {count:,} examples and its format holds {record.MOST_EXAMPLES:,}",
                "put some of them into another store",
            )
        leaves = self._leaves()
        clustering, refit = revise(
            settings.clustering(),
            before.clustering,
            added=_points(self.added, settings.dimension),
            removed=_points(self.removed, settings.dimension),
            everything=lambda: before.page_cache.blocks(leaves, self._pages),
        )
        self.representatives = clustering.representative_ids()
        data = record.encode(clustering)
        digest = settings.digest(data)
        self.contents[clustering_file(digest)] = data
        return Manifest(before.manifest.settings, count, digest, tuple(leaves), self.labels), refit

    def _leaves(self) -> list[Leaf]:
        """Return the leaves after the change, making the pages that are new."""
        trie = self.before.manifest.trie
        numbers = [int.from_bytes(row.id) for row in self.added]
        gone = {row.id for row in self.removed}
        leaves: list[Leaf] = []
        end = 0
        for region in trie.regions(numbers, [int.from_bytes(row.id) for row in self.removed]):
            low, high = span(region)
            leaves += trie.below(end, low)
            pages_there = map(self.before.page_cache.page, trie.below(low, high))
            held = (row for page in pages_there for row in page.rows())
            rows = [row for row in held if row.id not in gone]
            rows += self.added[bisect_left(numbers, low) : bisect_left(numbers, high)]
            leaves += self._split(region, sorted(rows, key=itemgetter(0)))
            end = high
        return leaves + list(trie.below(end, span("")[1]))

    def _split(self, region: str, rows: Sequence[Row]) -> Iterator[Leaf]:
        """Yield the leaves below a path, given the sorted rows there, and keep their pages."""
        for path, part in split(region, [int.from_bytes(row.id) for row in rows]):
            page = Page.of(rows[part])
            data = pages.encode(page)
            leaf = Leaf(path, len(page), self.before.settings.digest(data))
            self.contents[page_file(leaf.digest)] = data
            self._pages[leaf.digest] = page
            yield leaf


def _unknown(before: Snapshot, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that the store does not hold yet, sorted by id, each once."""
    new = {row.id: row for row in rows}
    return [new[example_id] for example_id in sorted(new) if before.locate(example_id) is None]


def _known(before: Snapshot, ids: Iterable[bytes]) -> list[Row]:
    """Return the rows with these ids, sorted by id, each once."""
    rows = []
    for example_id in sorted(set(ids)):
        page, i = before.row(example_id)
        rows.append(Row(example_id, page.vectors[i], page.text_of(i)))
    return rows


def _points(rows: Sequence[Row], dimension: int) -> Points:
    """Return rows as the clustering sees them."""
    vectors = np.array([row.vector for row in rows], np.int8).reshape(len(rows), dimension)
    ids = np.frombuffer(b"".join(row.id for row in rows), np.uint8).reshape(len(rows), -1 if rows else 16)
    return Points(ids, vectors)
