"""Reading a store, without a lock.

A reader reads the manifest, then the files that it names. Each file's name is its digest, so a reader notices
at once when a writer has wiped the file. Then it reads the manifest again and starts over with the new state:
it sees the store before a change or after it, never between.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from edge_icl.errors import StoreChangedError, StoreDamagedError, StoreError
from edge_icl.store import entries, keys, manifest, ownership, presence, settings
from edge_icl.store import files as fs
from edge_icl.store.keys import Key, Unlock, no_passphrase
from edge_icl.store.manifest import Manifest
from edge_icl.store.os_errors import access, expected
from edge_icl.store.page_cache import PageCache
from edge_icl.store.sealing import Seal
from edge_icl.store.settings import Settings
from edge_icl.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_icl.cluster.kmeans import Clustering

T = TypeVar("T")

ATTEMPTS = 5
"""How often a file must be found damaged under the same manifest before a reader reports it."""

SETTLED = 10**9
"""Nanoseconds after which a file with the same number, size and times is the same file."""


class StoreReader:
    """A store's settings, and its state as of now. Safe to use from several threads and processes at once.

    It writes nothing into the store's directory, so the store may be on a disk that cannot be written.

    Attributes:
        writes: whether an object of the class writes there: recovery, changes, what the cache keeps.
        path: the directory itself: links in the path that was given are resolved.
        settings: what it was made with.
        files: the file system.
        folder: its files and their content.
        key: what they are sealed with; None for a store that is not encrypted.
        commits: how many changes this object made; making the store counts.
        wiped: how many files were wiped on opening it, since a change that was cut off had left them.
    """

    writes: ClassVar[bool] = False

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock = no_passphrase, files: fs.Files | None = None) -> Self:
        """Open the store at `path`; reads store.json and the manifest, and the key of an encrypted store.

        Args:
            path: the directory.
            unlock: called if the store is encrypted.
            files: the file system.

        Raises:
            PassphraseError: the store is encrypted, and `unlock` cannot unwrap its key.
            NotInstalledError: it is encrypted, and the package cryptography is not installed.
            StoreNotFoundError: nothing is there, or an empty directory.
            NotAStoreError: a file is there, or a directory that is not a store.
            StoreExposedError: another user owns it or may write to it.
            StoreFormatError: a newer edge-icl made it.
            StoreDamagedError: store.json, the key or the manifest is not what it was.
            StoreAccessError: the operating system refused.
        """
        files, path = files or fs.Files(), path.resolve()
        key = None
        with access(path, "read"):
            presence.require_store(path)
            ownership.refuse_unsafe(path)
            data = files.read(path / settings.NAME)
        if settings.sealed_in(data) is not None:
            with access(path, "read"), expected(keys.NAME):
                wrapped = keys.read(files, path)
            key = Key(unlock(wrapped), wrapped)
            data = Seal(key.data).open(settings.NAME, data)
        store = cls(path, Settings.decode(data), files, key)
        if store.snapshot().manifest.settings != store.settings.digest(data):
            raise StoreDamagedError(f"{settings.NAME} is damaged", "restore it from a backup")
        return store

    def __init__(self, path: Path, settings: Settings, files: fs.Files, key: Key | None = None) -> None:
        self.path = path
        self.settings = settings
        self.files = files
        self.folder = keys.folder(files, path, key)
        self.key = key
        self.commits = 0
        self.wiped = 0
        self._pages = PageCache(self._read_named, settings.dimension)
        self._latest: Snapshot | None = None
        self._seen: tuple[tuple[int, int, int, int], str] | None = None

    def snapshot(self) -> Snapshot:
        """Return the state as of now; the same object as long as nothing has changed."""
        return self.state(self.read_manifest())

    def state(
        self, data: bytes, manifest: Manifest | None = None, *, clustering: Clustering | None = None
    ) -> Snapshot:
        """Return the state that the bytes of a manifest stand for, the newest that there is.

        Args:
            data: the bytes.
            manifest: what they say, if that is known.
            clustering: the clustering of the state, if that is known.

        Raises:
            StoreChangedError: it is a state of another store, which is there now.
        """
        latest = self._latest
        if latest is None or latest.data != data:
            known = manifest or Manifest.decode(data)
            if latest is not None and known.settings != latest.manifest.settings:
                raise StoreChangedError(
                    f"another store is at {self.path} than the one that was opened", "open it again"
                )
            latest = Snapshot(self._pages, self.settings, data, known, clustering=clustering)
            self._latest = latest
            self._pages.keep(known)
        return latest

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot), started again when a writer changes the store during it.

        Raises:
            StoreDamagedError: a file is damaged, and no writer explains it.
        """
        failures, snapshot = 0, self.snapshot()
        while True:
            try:
                return work(snapshot)
            except StoreDamagedError:
                previous, snapshot = snapshot, self.snapshot()
                # A change and its reversal end with the same manifest, so looking once does not prove damage.
                failures = failures + 1 if snapshot is previous else 0
                if failures == ATTEMPTS:
                    raise
                time.sleep(0.01 * failures)

    def is_current(self, snapshot: Snapshot) -> bool:
        """Tell whether the store is still in this state; usually that takes one call of `stat`.

        An answer asks this at every token: what another process forgets must not be used any longer.
        """
        try:
            status = entries.status(self.path / manifest.NAME)
            mark = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if self._seen == (mark, snapshot.root):
                return True
            same = self.settings.digest(self.read_manifest()) == snapshot.root
        except (OSError, StoreError):
            return False
        # The clocks of file systems tick slowly: a younger file may be replaced by one with the same times.
        if same and time.time_ns() - status.st_ctime_ns > SETTLED:
            self._seen = (mark, snapshot.root)
        return same

    def read_manifest(self) -> bytes:
        """Return the bytes of the manifest.

        Raises:
            StoreNotFoundError: the store has been removed or renamed.
            StoreDamagedError: its manifest is missing.
        """
        with access(self.path, "read"), expected(manifest.NAME):
            try:
                return self.folder.read(manifest.NAME)
            except FileNotFoundError:
                if not os.path.lexists(self.path):
                    raise presence.gone(self.path) from None
                raise

    def forget_key(self) -> None:
        """Overwrite the data key in memory, if there is one: nothing is read or written here any more."""
        if self.key is not None:
            self.key.wipe()

    def _read_named(self, name: str, digest: str) -> bytes:
        """Return the bytes of a file that is named by its digest.

        Raises:
            StoreDamagedError: it is missing or is not what its name says.
        """
        try:
            data = self.folder.read(name)
        except OSError:  # only here: a store has thousands of pages, and two contexts a page take time
            with access(self.path, "read"), expected(name):
                raise
        if self.settings.digest(data) != digest:
            raise StoreDamagedError(f"{name} is damaged", "restore the store from a backup")
        return data
