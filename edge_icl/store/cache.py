"""Prefix KV states on disk: derived, always safe to delete, never wrong.

An entry's name begins with a digest of the representatives whose prompt it is the state of, so anyone can
tell whether the current state explains it. Every forget empties the cache, and so does an add that changes a
representative. A state is put in under the lock, and only while the store is still the one that it was
computed for: a slow question can never bring back what was forgotten meanwhile.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.errors import StoreAccessError, StoreBusyError
from edge_icl.store import files as fs
from edge_icl.store.lock import locked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_icl.store.disk import Store
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot

DIRECTORY = "cache"
DRAFT = "new"
DIGEST_BYTES = 32
MOST_ENTRIES = 4
"""States kept at once, the newest: one for each model and number of shots in use. One is tens of megabytes."""


def group(settings: Settings, representatives: Sequence[bytes]) -> str:
    """Return what the names of the entries begin with that belong to these representatives."""
    return settings.digest(b"".join(representatives))[:32]


def stale(store: Store, representatives: Sequence[bytes], *, forgetting: bool) -> list[str]:
    """Return the entries that must go when these become the representatives: all of them on a forget."""
    keep = group(store.settings, representatives)
    names = store.files.names(store.path / DIRECTORY)
    return [f"{DIRECTORY}/{name}" for name in names if forgetting or not name.startswith(f"{keep}-")]


def intact(settings: Settings, data: bytes) -> bool:
    """Tell whether an entry's content is what was put in."""
    return data[:DIGEST_BYTES].hex() == settings.digest(data[DIGEST_BYTES:])


class PrefixCache:
    """The entries that belong to one state of a store.

    Args:
        store: the store.
        snapshot: the state whose representatives the prefix is made of.
    """

    def __init__(self, store: Store, snapshot: Snapshot) -> None:
        self._store = store
        self._snapshot = snapshot
        self._group = group(store.settings, snapshot.clustering.representative_ids())

    def get(self, key: str) -> bytes | None:
        """Return what was put in under this key, or None if it is not there or is damaged."""
        try:
            data = self._store.files.read(self._path(key))
        except OSError:
            return None
        return data[DIGEST_BYTES:] if intact(self._store.settings, data) else None

    def put(self, key: str, data: bytes) -> None:
        """Keep data under this key, unless the store is busy, has moved on or has no room."""
        store = self._store
        with suppress(OSError, StoreBusyError, StoreAccessError), locked(store.path, timeout=0):
            if store.snapshot() is not self._snapshot:
                return
            self._make_room()
            # Renamed when whole, so that no crash leaves an entry that looks damaged; a draft is always stale.
            draft = store.path / DIRECTORY / DRAFT
            try:
                for old in (draft, self._path(key)):
                    fs.wipe(store.files, old)
                fs.create(store.files, draft, bytes.fromhex(store.settings.digest(data)) + data)
                store.files.rename(draft, self._path(key))
            except BaseException:
                fs.wipe(store.files, draft)
                raise

    def _make_room(self) -> None:
        """Wipe the oldest entries."""
        folder = self._store.path / DIRECTORY
        entries = [folder / name for name in self._store.files.names(folder)]
        entries.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in entries[: max(len(entries) - MOST_ENTRIES + 1, 0)]:
            fs.wipe(self._store.files, path)

    def _path(self, key: str) -> Path:
        # The key may hold anything, so a digest of it is the name.
        name = hashlib.blake2b(key.encode(), digest_size=16, key=self._store.settings.seed).hexdigest()
        return self._store.path / DIRECTORY / f"{self._group}-{name}"
