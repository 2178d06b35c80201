"""What an open store keeps of its present state, and drops with it.

A long-lived program asks many questions between two changes: vectors, outputs and KV states are kept as long
as the manifest is the same, and not a moment longer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge_icl.runtime import fork

if TYPE_CHECKING:
    from edge_icl.answer.asking import Asker
    from edge_icl.answer.derived import Derived
    from edge_icl.answer.engines import Engines
    from edge_icl.cluster.points import Points
    from edge_icl.prior.statistics import Statistics
    from edge_icl.store.reading import StoreReader
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.writer import Change


class SnapshotCache:
    """What is derived from the present snapshot, and what asks about it. Safe to use from several threads."""

    def __init__(self, store: StoreReader, engines: Engines) -> None:
        self._store = store
        self._engines = engines
        self._lock = threading.RLock()
        self._derived: Derived | None = None
        self._asker: Asker | None = None
        self._statistics: tuple[str, Statistics] | None = None
        fork.renewed(self)

    def renew(self) -> None:
        """Begin again in a forked process: the model that was asked is the parent's."""
        fork.leave(self._asker)
        self._lock = threading.RLock()
        self._derived = self._asker = self._statistics = None

    def derived(self, snapshot: Snapshot) -> Derived:
        """Return what is derived from a snapshot: what is kept, or what takes its place."""
        from edge_icl.answer.derived import Derived

        with self._lock:
            if self._derived is None or self._derived.snapshot is not snapshot:
                root, statistics = self._statistics or ("", None)
                self.drop()
                self._derived = Derived(snapshot, statistics if root == snapshot.root else None)
            return self._derived

    def points(self, snapshot: Snapshot) -> Points:
        """Return the ids and vectors of a snapshot, sorted by id."""
        return self.derived(snapshot).points

    def asker(self, snapshot: Snapshot) -> Asker:
        """Return what asks about a snapshot: what is kept, or what takes its place."""
        from edge_icl.answer.asking import Asker

        with self._lock:
            derived = self.derived(snapshot)
            if self._asker is None:
                self._asker = Asker(self._store, derived, self._engines.model)
            return self._asker

    def move_on(self, change: Change) -> None:
        """Drop what is kept of the snapshot before a change, but for its sums: these take the change in."""
        with self._lock:
            if self._derived is not None and self._derived.snapshot.root != change.root_after:
                statistics = self._derived.statistics_after(change)
                self.drop()
                self._statistics = None if statistics is None else (change.root_after, statistics)

    def drop(self) -> None:
        """Drop what is kept, the model's KV states included."""
        with self._lock:
            if self._asker is not None:
                self._asker.clear()
            self._derived = self._asker = self._statistics = None
