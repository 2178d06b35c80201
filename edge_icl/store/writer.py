"""One change to a store: planned, committed by one rename, then wiped.

    1. plan it; of a change of many pages, write them as they are made
    2. wipe the entries of the cache that the change makes stale
    3. write the other new files and, beside the old, the new manifest; bring them to the disk
    4. rename the new manifest over the old: the commit
    5. wipe every file that the manifest no longer names

If this is interrupted, the next opening of the store wipes what the manifest does not name (see `recovery`). So
an interrupted add is undone, an interrupted forget is finished, and at every moment the store is the one before
the change or the one after it.

What must be on the disk before what, so that a power cut too leaves one of the two. A change of one page, with
an empty cache, flushes ten times in four steps. In each, all is written before anything is flushed:

    flushed                             before               else a power cut may leave
    page, clustering, manifest.new      the rename           a manifest that is torn, or names torn files
    pages/, clustering/                 the rename           a manifest that names what is not there
    the store's directory               zeros are written    the old manifest, and zeros in its files
    zeros in old page and clustering    these are unlinked   what was forgotten, where no name leads to it
    pages/, clustering/                 the call returns     names that the new state does not have

No two steps can be one: each destroys what was needed until the one before was safe. Within a step, too, no
flush can be left out: POSIX makes a name durable by a flush of its own directory, and by nothing else. Many
file systems promise more, such as that names become durable in order; but which do, a program cannot tell: ext4
does so by its journal, and may be without one. `syncfs` flushes all at once, and with it what every other
program has written. Only zeros are flushed without what is kept of a file beside its content, since they change
neither its length nor where it lies (`Files.flush_overwritten`).
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.store import drafts, manifest, prefix_cache
from edge_icl.store.compaction import compact
from edge_icl.store.files import replace
from edge_icl.store.layout import DRAFT
from edge_icl.store.lock import DEFAULT_TIMEOUT, locked
from edge_icl.store.os_errors import access
from edge_icl.store.pages import Row, among
from edge_icl.store.plan import Fresh, Plan
from edge_icl.store.recovery import directories_of, recover, wipe_all
from edge_icl.store.spool import NOTHING, Batch, spooled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.store.disk import Store
    from edge_icl.store.manifest import LabelsSetting, Manifest
    from edge_icl.store.snapshot import Snapshot

UNFINISHED = (
    "the change is made, but what it removed is not wiped yet: check the disk; the next command wipes it"
)

UNTIDY = "the change is made, and what it removed is wiped: check the disk; the next command tidies up"


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did.

    Attributes:
        root_before: the root before it.
        root_after: the root after it.
        refit: whether all examples were clustered again.
        after: what the store holds after it.
        added: the rows that it added; they can be read as long as the batch that was given.
        removed: the rows that it removed, sorted by id.
    """

    root_before: str
    root_after: str
    refit: bool
    after: Manifest
    added: Batch = NOTHING
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
        drafts.tidy(store.files, store.path)
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
            added: rows to add, of any number; one whose id is in the store already changes nothing, and of
                several with one id the last counts. Where its id is among those removed, it takes the place of
                the row that is there.
            removed: ids of the examples to remove.
            labels: whether the outputs are labels from now on; None for what the store says already.

        Raises:
            ExampleNotFoundError: an id to remove is not in the store.
            InputError: the store would hold more examples than its format can count.
            StoreAccessError: the operating system refused. The store is as it was, unless the hint says that
                the change is made and not finished.
        """
        before, store = self.snapshot, self._store
        labels = labels or before.manifest.labels
        with spooled(added, store.path) as batch:
            gone = _known(before, removed)
            new = _unknown(before, batch, gone)
            if not new and not gone and labels == before.manifest.labels:
                return Change(before.root, before.root, refit=False, after=before.manifest)
            fresh = Fresh(store.folder, before.manifest.files)
            with _undone(store, fresh):
                after = Plan(before, new, gone, labels, fresh).state()
                with access(store.path, "read"):
                    representatives = after.clustering.representative_ids()
                    stale = prefix_cache.stale(store, representatives, forgetting=bool(gone))
                with access(store.path, "changed"):
                    prefix_cache.discard(store, stale)
                data = after.manifest.encode(before=(before.manifest, before.data))
        self._publish(after.manifest, data, fresh)
        # One that was made again may be views of the whole store.
        clustering = None if after.refit else after.clustering
        self.snapshot = store.state(data, after.manifest, clustering=clustering)
        return Change(before.root, self.snapshot.root, after.refit, after.manifest, new, gone)

    def _publish(self, new: Manifest, data: bytes, made: Fresh) -> None:
        """Make `new` the manifest, as `data`, with the files it names that were not there before."""
        store, files, old = self._store, self._store.files, self.snapshot.manifest.files
        fresh = sorted(new.files - old)

        def make() -> None:
            left = {name: made.contents[name] for name in fresh if name in made.contents}
            store.folder.create({**left, DRAFT: data})
            for directory in directories_of(fresh):
                files.flush_directory(store.path / directory)

        with access(store.path, "changed"):
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


@contextmanager
def _undone(store: Store, fresh: Fresh) -> Iterator[None]:
    """Wipe what is written of a change if the block fails; where it cannot, the next opening does."""
    try:
        yield
    except BaseException:
        if fresh.written:
            with suppress(OSError):  # the first error is the one to report
                wipe_all(store, fresh.written)
        raise


def _unknown(before: Snapshot, batch: Batch, gone: Sequence[Row]) -> Batch:
    """Return the rows that the store does not hold once some are gone."""
    new = ~before.among(batch.ids)
    if gone:
        new |= among(Batch.of(gone).ids, batch.ids)
    return batch.where(new)


def _known(before: Snapshot, ids: Iterable[bytes]) -> list[Row]:
    """Return the rows with these ids, sorted by id, each once."""
    rows = []
    for example_id in sorted(set(ids)):
        page, i = before.row(example_id)
        rows.append(Row(example_id, page.vectors[i], page.text_of(i)))
    return rows
