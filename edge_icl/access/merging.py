"""A store and others, read together, and what becomes of them as one: what a merge does, before it is done.

Each of the stores may change meanwhile, so a union knows in which state it has read each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.access.mergeable import about, merged_labels
from edge_icl.errors import StoreDamagedError, StoreError
from edge_icl.example import ID_BYTES
from edge_icl.results import Merged, MergedStore
from edge_icl.store.union import PastReaderError, distinct, ids_of, rows_of, share, united

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.store.disk import Store
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.pages import Page, Row
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.union import Ids, Share

    Named = frozenset[bytes]
    """Ids that receipts name."""


@dataclass(frozen=True, slots=True)
class Union:
    """A store and others, each in the state in which it was read, and what becomes of them together.

    Attributes:
        store: the one that the others come to.
        here: its state.
        others: these.
        shares: what each of them brings.
        gone: the ids that receipts name and that are here.
        labels: whether the outputs are labels then.
    """

    store: Store
    here: Snapshot
    others: Sequence[Store]
    shares: Sequence[Share]
    gone: Sequence[bytes]
    labels: LabelsSetting

    @classmethod
    def of(cls, store: Store, others: Sequence[Store], leave: Named, *, here: Snapshot | None = None) -> Union:
        """Read the others as they are now, for a state of the store; None for the one of now.

        Raises:
            InputError: one store says that its outputs are labels, and another that they are not.
            StoreError: one of them cannot be read; it says which.
        """
        try:
            if here is not None:
                return cls._read(store, here, others, leave)
            return store.read(lambda now: cls._read(store, now, others, leave))
        except PastReaderError as past:
            raise past.error from past

    @classmethod
    def _read(cls, store: Store, here: Snapshot, others: Sequence[Store], leave: Named) -> Union:
        """Read the others, for a state of the store."""
        shares = [_share(here, one, leave) for one in others]
        gone = sorted(here.known(leave))
        settings = ((one.path, its.labels) for one, its in zip(others, shares, strict=True))
        labels = merged_labels([(store.path, here.manifest.labels), *settings])
        return cls(store, here, others, shares, gone, labels)

    def is_of(self, here: Snapshot) -> bool:
        """Tell whether this is the state of the store, and the others are still as they were."""
        pairs = zip(self.others, self.shares, strict=True)
        return here.root == self.here.root and all(_root(one) == its.root for one, its in pairs)

    def coming(self) -> Iterator[Row]:
        """Yield the rows that come, those in place of others too, in the order of their ids."""
        return united(its.rows() for its in self.shares)

    def going(self) -> list[bytes]:
        """Return the ids of the rows that go, those with others in their places too."""
        return [*self.gone, *_split(_joined(its.smaller for its in self.shares))]

    def everything(self) -> list[Row]:
        """Return the rows of all stores together, in the order of their ids."""
        mine, gone = rows_of(self.here.load()), {*self.gone}
        return list(united([(row for row in mine if row.id not in gone), self.coming()]))

    def told(self, *, seconds: float) -> Merged:
        """Return what a merge would do."""
        new = _joined(its.new for its in self.shares)
        ids, times = np.unique(new, return_counts=True)
        both = distinct(its.both for its in self.shares)
        held = self.here.manifest.count
        return Merged(
            path=self.store.path,
            examples=held + len(ids) - len(self.gone),
            new=_hex(ids),
            duplicates=both,
            replaced=distinct([_joined(its.smaller for its in self.shares)]),
            only_here=held - both,
            forgotten=tuple(id.hex() for id in self.gone),
            left_out=distinct(its.left_out for its in self.shares),
            sources=tuple(self._sources(ids[times == 1])),
            labels_setting=self.labels,
            root_before=self.here.root,
            root_after=None,
            refit=False,
            seconds=seconds,
            dry_run=True,
        )

    def _sources(self, once: Ids) -> Iterator[MergedStore]:
        """Yield what is told of each of the others, given the ids that are new and in one of them only."""
        for one, its in zip(self.others, self.shares, strict=True):
            new = _joined([its.new])
            only = int(np.isin(new, once).sum())
            yield MergedStore(one.path, its.root, its.examples, _hex(new), only)


def settled(store: Store, others: Sequence[Store], leave: Named) -> tuple[Union, list[Row]]:
    """Read stores, and all of their rows, once more while one of them changes."""
    while True:
        union = Union.of(store, others, leave)
        try:
            rows = union.everything()
        except StoreDamagedError:
            if store.snapshot().root == union.here.root:
                raise
            continue
        if union.is_of(store.snapshot()):
            return union, rows


def _share(here: Snapshot, other: Store, leave: Named) -> Share:
    """Return what another store brings; what is wrong with it is told past the reading of this one."""
    try:
        return other.read(lambda there: share(here, there, leave))
    except PastReaderError as past:
        raise past.error from past
    except StoreError as error:
        raise PastReaderError(about(other.path, error)) from error


def _root(store: Store) -> str:
    """Return the root of another store as it is now."""
    try:
        return store.snapshot().root
    except StoreError as error:
        raise about(store.path, error) from error


def _joined(several: Iterable[Sequence[Page]]) -> Ids:
    """Return the ids of pages as one column."""
    return ids_of([page for pages in several for page in pages])


def _split(ids: Ids) -> list[bytes]:
    """Return the ids of a column one by one, each once."""
    packed = np.unique(ids).tobytes()
    return [packed[i : i + ID_BYTES] for i in range(0, len(packed), ID_BYTES)]


def _hex(ids: Ids) -> tuple[str, ...]:
    """Return the ids of a column in hex, each once, sorted."""
    return tuple(id.hex() for id in _split(ids))
