"""Opening and making a store, and recovery before each reading."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar

from edge_icl.cluster import kmeans, record
from edge_icl.cluster.points import Points
from edge_icl.store import drafts, keys, lock, manifest, ownership, presence, recovery, settings
from edge_icl.store import files as fs
from edge_icl.store.keys import Key, Unlock, no_passphrase
from edge_icl.store.layout import DIRECTORIES
from edge_icl.store.manifest import AUTO, Manifest, clustering_file
from edge_icl.store.os_errors import access
from edge_icl.store.reading import StoreReader
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot

T = TypeVar("T")

MADE = "the store is made, but a power cut may remove it again: check the disk"


class Store(StoreReader):
    """A store on disk: its settings, and its state as of now. Make one with `create` or `open`.

    Safe to use from several threads and processes at once.
    """

    writes = True

    @classmethod
    def create(
        cls,
        path: Path,
        settings: Settings,
        *,
        labels: LabelsSetting = AUTO,
        key: Key | None = None,
        files: fs.Files | None = None,
    ) -> Store:
        """Make an empty store; it appears at `path` whole or not at all.

        Args:
            path: the directory.
            settings: what it is made with.
            labels: whether the outputs are labels.
            key: what its files are sealed with; None for a store that is not encrypted.
            files: the file system.

        Raises:
            NotAStoreError: something is there already.
            StoreExposedError: it would lie in a folder that another user owns or may write to.
            StoreAccessError: the operating system refused.
            NotInstalledError: there is a key, and the package cryptography is not installed.
        """
        files, path = files or fs.Files(), path.resolve()
        with access(path, "made"):
            presence.require_free(path)
            ownership.refuse_exposed(path)
        draft = drafts.draft_of(path)
        with access(path, "made"):
            make_parents(files, path)
            drafts.wipe_abandoned(files, path)
            try:
                lay_out(keys.folder(files, draft, key), settings, labels, key)
                files.rename(draft, path)
            except BaseException as error:
                with suppress(OSError):
                    wipe(files, [draft])
                if isinstance(error, OSError):
                    presence.require_free(path)  # another process may have made one meanwhile
                raise
        with access(path, "brought to the disk", hint=MADE, committed=True):
            files.flush_directory(path.parent)
        store = cls(path, settings, files, key)
        store.commits = 1
        return store

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock = no_passphrase, files: fs.Files | None = None) -> Self:
        """Open the store at `path`, and wipe what an interrupted change left; else as `StoreReader.open`."""
        files, path = files or fs.Files(), path.resolve()
        try:
            store = super().open(path, unlock=unlock, files=files)
        finally:
            drafts.tidy(files, path)
        store.wiped = recovery.finish(store)
        return store

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot), started again when a writer changes the store during it.

        What an interrupted writer left is wiped first: a process may have the store open for months.

        Raises:
            StoreDamagedError: a file is damaged, and no writer explains it.
        """
        recovery.finish(self)
        return super().read(work)

    @property
    def place(self) -> Path:
        """The directory that is its own, though it may still have to be made."""
        return self.path

    @contextmanager
    def present(self) -> Iterator[None]:
        """Have the store on the disk while the block changes it, as one that was opened is."""
        yield


def make_parents(files: fs.Files, path: Path) -> None:
    """Make the directories above a path that are missing, and bring their names to the disk."""
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        with suppress(FileExistsError):  # another process may be making a store beside ours
            files.make_directory(parent)
        files.flush_directory(parent.parent)


def empty(new: Settings, labels: LabelsSetting) -> tuple[Manifest, bytes]:
    """Return the manifest of an empty store, and the clustering that it names."""
    nothing = record.encode(kmeans.fit(new.clustering(), Points.join([], new.dimension)))
    return Manifest(new.digest(new.encode()), 0, new.digest(nothing), pages=(), labels=labels), nothing


def lay_out(folder: fs.Folder, new: Settings, labels: LabelsSetting, key: Key | None) -> None:
    """Make the directory of an empty store and bring it to the disk."""
    files, path = folder.files, folder.path
    files.make_directory(path)
    for name in DIRECTORIES:
        files.make_directory(path / name)
    first, nothing = empty(new, labels)
    plain = {lock.NAME: b""} if key is None else {lock.NAME: b"", keys.NAME: key.wrapped.encode()}
    fs.create(files, ((path / name, data) for name, data in plain.items()))
    folder.create(
        {
            settings.NAME: new.encode(),
            clustering_file(first.clustering): nothing,
            manifest.NAME: first.encode(),
        }
    )
    for name in (*DIRECTORIES, ""):
        files.flush_directory(path / name)
        files.rest(path / name)
