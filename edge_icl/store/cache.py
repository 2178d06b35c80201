"""Prefix KV states and what was computed after them, on disk: derived, always safe to delete, never wrong.

An entry's name begins with a digest of the representatives whose prompt it is the state of, so anyone can
tell whether the current state explains it. Every forget empties the cache, and so does an add that changes a
representative. A state is put in under the lock, and only while the store is still the one that it was
computed for: a slow question can never bring back what was forgotten meanwhile.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from edge_icl.errors import StoreAccessError, StoreBusyError, StoreDamagedError
from edge_icl.store import inside
from edge_icl.store.lock import locked
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge_icl.store.disk import Store
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot

DIRECTORY = "cache"
DRAFT = "new"
GOING = "old-"
DIGEST_BYTES = 32
MOST_ENTRIES = 8
"""Kept at once, those used last: for each model and number of shots in use a state, tens of megabytes, and what
the model calls each label anyway."""


def group(settings: Settings, representatives: Sequence[bytes]) -> str:
    """Return what the names of the entries begin with that belong to these representatives."""
    return settings.digest(b"".join(representatives))[:32]


def stale(store: Store, representatives: Sequence[bytes], *, forgetting: bool) -> list[str]:
    """Return the entries that must go when these become the representatives: all of them on a forget."""
    keep = group(store.settings, representatives)
    names = store.files.names(store.path / DIRECTORY)
    return [f"{DIRECTORY}/{name}" for name in names if forgetting or not name.startswith(f"{keep}-")]


def discard(store: Store, names: Iterable[str]) -> None:
    """Wipe entries, given by their paths in the store.

    Each first gets a name that no state explains. So whatever the moment at which this is cut off, an entry is
    whole or is wiped by the next writer.
    """
    files, folder = store.files, store.path / DIRECTORY
    ours = partial(is_entry, store)
    gone = []
    for name in names:
        path = store.path / name
        gone.append(folder / f"{GOING}{path.name}")
        wipe(files, [gone[-1]], ours=ours)
        files.rename(path, gone[-1])
    if not gone:
        return
    files.flush_directory(folder)
    wipe(files, gone, ours=ours)
    files.flush_directory(folder)
    files.rest(folder)


def intact(settings: Settings, name: str, data: bytes) -> bool:
    """Tell whether an entry's content is what was put in under this name."""
    return data[:DIGEST_BYTES] == _stamp(settings, name, data[DIGEST_BYTES:])


def is_entry(store: Store, path: Path) -> bool:
    """Tell whether a file in the cache, or what is on its way out of it, has the content of an entry."""
    try:
        data = store.folder.read(f"{DIRECTORY}/{path.name}")
    except (OSError, StoreDamagedError):
        return False
    return intact(store.settings, path.name.removeprefix(GOING), data)


def _stamp(settings: Settings, name: str, data: bytes) -> bytes:
    """Return what an entry begins with: a digest of its name, too, so that no copy passes for another entry."""
    return bytes.fromhex(settings.digest(name.encode() + data))


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
        path = self._path(key)
        try:
            data = self._store.folder.read(f"{DIRECTORY}/{path.name}")
        except (OSError, StoreDamagedError):
            return None
        if not intact(self._store.settings, path.name, data):
            return None
        with suppress(OSError):  # a disk that cannot be written, or an entry that has just gone
            self._store.files.use(path)
        return data[DIGEST_BYTES:]

    def put(self, key: str, data: bytes) -> None:
        """Keep data under this key, unless the store is busy, has moved on or has no room."""
        store = self._store
        with suppress(OSError, StoreBusyError, StoreAccessError), locked(store.path, timeout=0):
            if store.snapshot() is not self._snapshot:
                return
            # Renamed when whole, so that no crash leaves an entry that looks damaged; a draft is always stale.
            path = self._path(key)
            draft = path.with_name(DRAFT)
            try:
                store.files.flush_directory(path.parent)  # a rename that a killed process did not flush
                wipe(store.files, [draft])
                discard(store, self._replaced_by(path))
                store.folder.create({f"{DIRECTORY}/{DRAFT}": _stamp(store.settings, path.name, data) + data})
                store.files.use(draft)
                store.files.rename(draft, path)
                store.files.rest(path.parent)
            except BaseException:
                wipe(store.files, [draft])
                raise

    def _replaced_by(self, path: Path) -> list[str]:
        """Return what goes when this entry comes: the one of its name, and of too many those unused longest.

        An entry that no question needs any more, such as one of a model that is gone, is among these.
        """
        entries = [path.with_name(name) for name in self._store.files.names(path.parent)]
        others = [entry for entry in entries if entry != path]
        others.sort(key=lambda entry: inside.status(entry).st_mtime_ns)
        oldest = others[: max(len(others) - MOST_ENTRIES + 1, 0)]
        return [f"{DIRECTORY}/{entry.name}" for entry in [*oldest, path] if entry in entries]

    def _path(self, key: str) -> Path:
        # The key may hold anything, so a digest of it is the name.
        name = hashlib.blake2b(key.encode(), digest_size=16, key=self._store.settings.seed).hexdigest()
        return self._store.path / DIRECTORY / f"{self._group}-{name}"
