"""Prefix states (llama.cpp's KV states) and what was computed after them, on disk: always safe to delete.

An entry's name begins with a digest of the representatives in whose prompt the state was computed, so it can be
told from the name whether the entry belongs to the store's current representatives. Every forget empties the
cache, and so does an add that changes a representative. A state is put in under the lock, and only while the
store is still the one that it was computed for: a slow question can never bring back what was forgotten.

A state decides answers, and does not show what it was computed from. So an entry carries a tag made with a key
of this home, which is in no store: what another user or another home put there is not used, but wiped.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from edge_icl.errors import StoreAccessError, StoreBusyError, StoreDamagedError
from edge_icl.store import entries
from edge_icl.store.lock import locked
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge_icl.store.reading import StoreReader
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot

DIRECTORY = "cache"
DRAFT = "new"
GOING = "old-"
LONGEST_NAME = 100
"""Bytes of an entry's name at most. GOING in front of a longer name may be longer than a file system allows."""

TAG_BYTES = 32
STAMP_BYTES = 32
LARGEST = 1 << 30
"""Bytes of an entry at most, checked before it is read; a larger state is computed each time."""

PARTS = 3
"""Parts of an entry's name: the representatives in the prompt, the home that put it in, the state's name."""

MOST_ENTRIES = 8
"""Entries kept at once, those used last: for each model and number of shots in use, a state (tens of megabytes)
and what the model says of each label without a question."""


def group(settings: Settings, representatives: Sequence[bytes]) -> str:
    """Return the beginning of the names of all entries that belong to these representatives."""
    return settings.digest(b"".join(representatives))[:32]


def stale(store: StoreReader, representatives: Sequence[bytes], *, forgetting: bool) -> list[str]:
    """Return the entries to wipe when these become the representatives: all of them on a forget."""
    keep = group(store.settings, representatives)
    names = store.files.names(store.path / DIRECTORY)
    return [f"{DIRECTORY}/{name}" for name in names if forgetting or not name.startswith(f"{keep}-")]


def discard(store: StoreReader, names: Iterable[str]) -> None:
    """Wipe entries, given by their paths in the store.

    Each is first renamed to what no state is called. So at whatever moment this is interrupted, an entry is
    whole, or the next writer wipes it.
    """
    files, folder = store.files, store.path / DIRECTORY
    ours = partial(is_entry, store)
    gone: list[Path] = []
    for name in names:
        path = store.path / name
        short = path.name if len(os.fsencode(path.name)) <= LONGEST_NAME else f"{len(gone)}"
        gone.append(folder / f"{GOING}{short}")
        wipe(files, [gone[-1]], ours=ours)
        files.rename(path, gone[-1])
    if not gone:
        return
    files.flush_directory(folder)
    wipe(files, gone, ours=ours)
    files.flush_directory(folder)
    files.rest(folder)


def is_ours(name: str, key: bytes | None) -> bool:
    """Tell whether an entry's name says that the home with this key put it in; without a key, none is."""
    parts = name.split("-")
    return key is not None and len(parts) == PARTS and parts[1] == _mark(parts[0], key)


def is_entry(store: StoreReader, path: Path) -> bool:
    """Tell whether a file in the cache, or one that is being wiped, has the content of an entry.

    That is not enough to use it: any program that can read the store can make one.
    """
    try:
        data = store.folder.read(f"{DIRECTORY}/{path.name}")
    except (OSError, StoreDamagedError):
        return False
    return _is_stamped(store.settings, path.name.removeprefix(GOING), data)


def is_authentic(settings: Settings, name: str, data: bytes, key: bytes) -> bool:
    """Tell whether an entry is what the home with this key put in under this name, to the last bit."""
    tag = _tag(name, data[TAG_BYTES + STAMP_BYTES :], key)
    return hmac.compare_digest(data[:TAG_BYTES], tag) and _is_stamped(settings, name, data)


def _is_stamped(settings: Settings, name: str, data: bytes) -> bool:
    """Tell whether an entry has the stamp that goes with its tag."""
    tag, stamp = data[:TAG_BYTES], data[TAG_BYTES : TAG_BYTES + STAMP_BYTES]
    return stamp == _stamp(settings, name, tag)


def _mark(group: str, key: bytes) -> str:
    """Return how the names of entries name their home; without its key, that says nothing of the home."""
    return hashlib.blake2b(f"mark {group}".encode(), digest_size=8, key=key).hexdigest()


def _tag(name: str, data: bytes, key: bytes) -> bytes:
    """Return what an entry begins with; it covers the name, so that no copy can be used as another entry."""
    digest = hashlib.blake2b(f"entry {name} ".encode(), digest_size=TAG_BYTES, key=key)
    digest.update(data)
    return digest.digest()


def _stamp(settings: Settings, name: str, tag: bytes) -> bytes:
    """Return what follows the tag: it shows, also without the home's key, that this is an entry."""
    return bytes.fromhex(settings.digest(name.encode() + tag))


class PrefixCache:
    """The entries that belong to one state of a store.

    Args:
        store: the store.
        snapshot: the state whose representatives are in the prefix.
        home_key: the key of this home; None if it has none: then nothing is kept and nothing used.
    """

    def __init__(self, store: StoreReader, snapshot: Snapshot, home_key: bytes | None) -> None:
        self._store = store
        self._snapshot = snapshot
        self._home_key = home_key
        self._group = group(store.settings, snapshot.clustering.representative_ids())

    def get(self, name: str) -> bytes | None:
        """Return what this home put in under this name, or None if it is not there or is damaged."""
        if self._home_key is None:
            return None
        path = self._path(name, self._home_key)
        try:
            if entries.status(path).st_size > LARGEST:
                return None
            data = self._store.folder.read(f"{DIRECTORY}/{path.name}")
        except (OSError, StoreDamagedError):
            return None
        if not is_authentic(self._store.settings, path.name, data, self._home_key):
            return None
        if self._store.writes:
            with suppress(OSError):  # a disk that cannot be written, or an entry that has just been wiped
                self._store.files.use(path)
        return data[TAG_BYTES + STAMP_BYTES :]

    def put(self, name: str, data: bytes) -> None:
        """Keep data under this name, unless the store is only read, is busy, has changed or has no room."""
        store, home_key = self._store, self._home_key
        if home_key is None or not store.writes or len(data) > LARGEST - TAG_BYTES - STAMP_BYTES:
            return
        with suppress(OSError, StoreBusyError, StoreAccessError), locked(store.path, timeout=0):
            if store.snapshot() is not self._snapshot:
                return
            # Renamed when whole, so that no crash leaves an entry that looks damaged; a draft is always stale.
            path = self._path(name, home_key)
            draft = path.with_name(DRAFT)
            try:
                store.files.flush_directory(path.parent)  # a rename that a killed process did not flush
                wipe(store.files, [draft])
                discard(store, self._replaced_by(path))
                tag = _tag(path.name, data, home_key)
                entry = tag + _stamp(store.settings, path.name, tag) + data
                store.folder.create({f"{DIRECTORY}/{DRAFT}": entry})
                store.files.use(draft)
                store.files.rename(draft, path)
                store.files.rest(path.parent)
            except BaseException:
                wipe(store.files, [draft])
                raise

    def _replaced_by(self, path: Path) -> list[str]:
        """Return the entries to wipe when this one is put in.

        They are the one of the same name, those that this home did not put in, and of too many those that were
        not used for longest: an entry that no question needs any more will be among them.
        """
        found = [path.with_name(name) for name in self._store.files.names(path.parent)]
        others = [entry for entry in found if entry != path and is_ours(entry.name, self._home_key)]
        others.sort(key=lambda entry: entries.status(entry).st_mtime_ns)
        kept = others[max(len(others) - MOST_ENTRIES + 1, 0) :]
        return [f"{DIRECTORY}/{entry.name}" for entry in found if entry not in kept]

    def _path(self, name: str, home_key: bytes) -> Path:
        # The name may hold anything, so the file is called by a digest of it.
        digest = hashlib.blake2b(f"name {name}".encode(), digest_size=16, key=home_key).hexdigest()
        return self._store.path / DIRECTORY / f"{self._group}-{_mark(self._group, home_key)}-{digest}"
