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
    from edge_icl.prior.statistics import Statistics
    from edge_icl.store.disk import Store
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.writer import Change


class SnapshotCache:
    """The view of the present state, and what asks about it. Safe to use from several threads."""

    def __init__(self, store: Store, engines: Engines) -> None:
        self._store = store
        self._engines = engines
        self._lock = threading.RLock()
        self._view: Derived | None = None
        self._asker: Asker | None = None
        self._tally: tuple[str, Statistics] | None = None
        fork.renewed(self)

    def renew(self) -> None:
        """Begin anew in a forked process: the model that was asked is the parent's."""
        fork.leave(self._asker)
        self._lock = threading.RLock()
        self._view = self._asker = self._tally = None

    def view(self, snapshot: Snapshot) -> Derived:
        """Return the view of a state: the one that is kept, or a new one that takes its place."""
        from edge_icl.answer.derived import Derived

        with self._lock:
            if self._view is None or self._view.snapshot is not snapshot:
                known = self._tally if self._tally and self._tally[0] == snapshot.root else (None, None)
                self.drop()
                self._view = Derived(snapshot, known[1])
            return self._view

    def asker(self, snapshot: Snapshot) -> Asker:
        """Return what asks about a state, likewise; loads the LLM.

        Raises:
            ModelMissingError: the LLM is not on this machine.
            ModelFileError: its file is not usable.
        """
        from edge_icl.answer.asking import Asker

        name, model = self._engines.model()
        with self._lock:
            view = self.view(snapshot)
            if self._asker is None:
                self._asker = Asker(self._store, view, model, name)
            return self._asker

    def move_on(self, change: Change) -> None:
        """Drop what is kept of the state before a change, but for its sums: these take the change in."""
        with self._lock:
            if self._view is not None and self._view.snapshot.root != change.root_after:
                tally = self._view.tally_after(change)
                self.drop()
                self._tally = None if tally is None else (change.root_after, tally)

    def drop(self) -> None:
        """Drop what is kept, the model's KV states included."""
        with self._lock:
            if self._asker is not None:
                self._asker.clear()
            self._view = self._asker = self._tally = None
