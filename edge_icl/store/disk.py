"""Opening, making and reading a store.

Readers take no lock. They read the manifest, then the files it names; each file's name is its digest, so a
reader notices at once when a writer has wiped what it was about to read. Then it reads the manifest again and
starts over with the new state: it sees the store before a change or after it, never between.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from edge_icl.cluster import kmeans, record
from edge_icl.errors import StoreDamagedError, StoreError, StoreExposedError, StoreNotFoundError
from edge_icl.store import files as fs
from edge_icl.store import guard, inside, keys, lock, manifest, recovery, settings
from edge_icl.store.drafts import draft_of, wipe_abandoned
from edge_icl.store.keys import Key, Unlock, no_passphrase
from edge_icl.store.layout import DIRECTORIES
from edge_icl.store.manifest import Manifest, clustering_file
from edge_icl.store.refusals import access, expected, refuse_occupied
from edge_icl.store.sealing import Seal
from edge_icl.store.settings import Settings
from edge_icl.store.shelf import Shelf
from edge_icl.store.snapshot import Snapshot
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

MADE = "the store is made, and a power cut may take it away again: check the disk"

ATTEMPTS = 5
"""How often a file must be found damaged under one and the same manifest before a reader believes it."""

SETTLED = 10**9
"""Nanoseconds after which a file that has the same marks is the same file."""


class Store:
    """A store on disk: its settings, and its state as of now. Make one with `create` or `open`.

    Safe to use from several threads and processes at once.

    Attributes:
        path: the directory itself, whatever link the path that was given led along.
        settings: what it was made with.
        files: the file system.
        folder: its files and their content.
        key: what they are sealed with; None for a store that is not encrypted.
        commits: how many changes were made by this object, its making included.
        wiped: how many files were wiped on opening it, since a change that was cut off had left them.
    """

    def __init__(self, path: Path, settings: Settings, files: fs.Files, key: Key | None = None) -> None:
        self.path = path
        self.settings = settings
        self.files = files
        self.folder = keys.folder(files, path, key)
        self.key = key
        self.commits = 0
        self.wiped = 0
        self._shelf = Shelf(self._read_named, settings.dimension)
        self._latest: tuple[bytes, Snapshot] | None = None
        self._seen: tuple[tuple[int, int, int, int], str] | None = None

    @classmethod
    def create(
        cls, path: Path, settings: Settings, *, key: Key | None = None, files: fs.Files | None = None
    ) -> Store:
        """Make an empty store; it appears at `path` whole or not at all.

        Args:
            path: the directory.
            settings: what it is made with.
            key: what its files are sealed with; None for a store that is not encrypted.
            files: the file system.

        Raises:
            NotAStoreError: something is there already.
            StoreExposedError: it would lie in a folder that somebody else owns or may write to.
            StoreAccessError: the operating system refused.
            NotInstalledError: there is a key, and the package cryptography is not installed.
        """
        files, path = files or fs.Files(), path.resolve()
        with access(path, "made"):
            refuse_occupied(path)
            guard.refuse_exposed(path)
        draft = draft_of(path)
        with access(path, "made"):
            _make_parents(files, path)
            wipe_abandoned(files, path)
            try:
                _lay_out(keys.folder(files, draft, key), settings, key)
                files.rename(draft, path)
            except BaseException:
                with suppress(OSError):
                    wipe(files, [draft])
                raise
        with access(path, "brought to the disk", hint=MADE, committed=True):
            files.flush_directory(path.parent)
        store = cls(path, settings, files, key)
        store.commits = 1
        return store

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock = no_passphrase, files: fs.Files | None = None) -> Store:
        """Open the store at `path`; reads store.json and the manifest, and the key of an encrypted store.

        Args:
            path: the directory.
            unlock: called if the store is encrypted.
            files: the file system.

        Raises:
            PassphraseError: the store is encrypted, and `unlock` cannot unwrap its key.
            NotInstalledError: it is encrypted, and the package cryptography is not installed.
            StoreNotFoundError: nothing is there, or an empty directory.
            NotAStoreError: a file is there, or a directory that is no store.
            StoreExposedError: somebody else owns it or may write to it.
            StoreFormatError: a newer edge-icl made it.
            StoreDamagedError: store.json, the key or the manifest is not what it was.
            StoreAccessError: the operating system refused.
        """
        files, path = files or fs.Files(), path.resolve()
        key = None
        with access(path, "read"):
            if not path.exists() or (path.is_dir() and not files.names(path)):
                with suppress(OSError, StoreExposedError):
                    guard.refuse_exposed(path)
                    wipe_abandoned(files, path)
                raise StoreNotFoundError(f"there is no store at {path}", "make it with `edge-icl init`")
            refuse_occupied(path, unless=settings.NAME)
            guard.refuse_exposed(path)
            guard.refuse_foreign(path)
            data = files.read(path / settings.NAME)
        if settings.sealed_in(data) is not None:
            with access(path, "read"), expected(keys.NAME):
                wrapped = keys.read(files, path)
            key = Key(unlock(wrapped), wrapped)
            data = Seal(key.data).open(settings.NAME, data)
        store = cls(path, Settings.decode(data), files, key)
        if store.snapshot().manifest.settings != store.settings.digest(data):
            raise StoreDamagedError(f"{settings.NAME} is damaged", "restore it from a backup")
        store.wiped = recovery.finish(store)
        return store

    def snapshot(self) -> Snapshot:
        """Return the state as of now; the same object as long as nothing has changed."""
        return self.state(self.read_manifest())

    def state(self, data: bytes, manifest: Manifest | None = None) -> Snapshot:
        """Return the state that the bytes of a manifest stand for, the newest that there is.

        Args:
            data: the bytes.
            manifest: what they say, if that is known.
        """
        latest = self._latest
        if latest is None or latest[0] != data:
            latest = (data, Snapshot(self._shelf, self.settings, data, manifest or Manifest.decode(data)))
            self._latest = latest
            self._shelf.keep(latest[1].manifest.pages)
        return latest[1]

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot), begun again when a writer changes the store under it.

        What a writer left that was cut off is wiped first: a process may have the store open for months.

        Raises:
            StoreDamagedError: a file is damaged, and no writer explains it.
        """
        recovery.finish(self)
        failures, snapshot = 0, self.snapshot()
        while True:
            try:
                return work(snapshot)
            except StoreDamagedError:
                previous, snapshot = snapshot, self.snapshot()
                # A change and its reversal end with the same manifest, so one look is no proof of damage.
                failures = failures + 1 if snapshot is previous else 0
                if failures == ATTEMPTS:
                    raise
                time.sleep(0.01 * failures)

    def is_current(self, snapshot: Snapshot) -> bool:
        """Tell whether the store is still in this state; most times that takes one call of `stat`.

        An answer asks so at every token: what was forgotten meanwhile, by whomever, must not go on in it.
        """
        try:
            status = inside.status(self.path / manifest.NAME)
            mark = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if self._seen == (mark, snapshot.root):
                return True
            same = self.settings.digest(self.read_manifest()) == snapshot.root
        except (OSError, StoreError):
            return False
        # Clocks of file systems tick slowly: a younger file may be replaced without any change of its marks.
        if same and time.time_ns() - status.st_ctime_ns > SETTLED:
            self._seen = (mark, snapshot.root)
        return same

    def read_manifest(self) -> bytes:
        """Return the bytes of the manifest."""
        with access(self.path, "read"), expected(manifest.NAME):
            return self.folder.read(manifest.NAME)

    def _read_named(self, name: str, digest: str) -> bytes:
        """Return the bytes of a file that is named by its digest.

        Raises:
            StoreDamagedError: it is missing or is not what its name says.
        """
        try:
            data = self.folder.read(name)
        except OSError:  # entered only here: a store has thousands of pages, and two contexts a page are felt
            with access(self.path, "read"), expected(name):
                raise
        if self.settings.digest(data) != digest:
            raise StoreDamagedError(f"{name} is damaged", "restore the store from a backup")
        return data

    def forget_key(self) -> None:
        """Overwrite the data key in memory, if there is one: nothing is read or written here any more."""
        if self.key is not None:
            self.key.wipe()


def _make_parents(files: fs.Files, path: Path) -> None:
    """Make the directories above a path that are missing, and bring their names to the disk."""
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        with suppress(FileExistsError):  # another process may be making a store beside ours
            files.make_directory(parent)
        files.flush_directory(parent.parent)


def _lay_out(place: fs.Folder, new: Settings, key: Key | None) -> None:
    """Make the directory of an empty store and bring it to the disk."""
    files, path = place.files, place.path
    files.make_directory(path)
    for name in DIRECTORIES:
        files.make_directory(path / name)
    parameters = new.clustering()
    nothing = record.encode(kmeans.fit(parameters, kmeans.Points.join([], new.dimension)))
    empty = Manifest(settings=new.digest(new.encode()), count=0, clustering=new.digest(nothing), pages=())
    plain = {lock.NAME: b""} if key is None else {lock.NAME: b"", keys.NAME: key.wrapped.encode()}
    fs.create(files, ((path / name, data) for name, data in plain.items()))
    place.create(
        {
            settings.NAME: new.encode(),
            clustering_file(empty.clustering): nothing,
            manifest.NAME: empty.encode(),
        }
    )
    for name in (*DIRECTORIES, ""):
        files.flush_directory(path / name)
        files.rest(path / name)
