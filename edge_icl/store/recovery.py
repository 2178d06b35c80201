"""Finishing what an interrupted writer left: an add is undone, a forget is finished.

    finish(store)              when a store is opened or read: if something is left and the lock is free
    recover(store, snapshot)   with the lock held, before anything else
    unfinished(store)          what is left all the same, and why

A writer gives the lock, and the directories that it has changed, the time REST when all else is done. So a
reader sees with a few calls of `stat`, and without listing thousands of pages, that nothing can be left. A copy
of a store has other times: then the names are looked at, once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_icl.cluster import record
from edge_icl.errors import EdgeIclError, StoreDamagedError, StoreError
from edge_icl.store import compaction, entries, keys, manifest, pages, prefix_cache, settings
from edge_icl.store import files as fs
from edge_icl.store.layout import DIRECTORIES, DRAFT, REBUILD
from edge_icl.store.lock import NAME as LOCK
from edge_icl.store.lock import locked
from edge_icl.store.os_errors import access
from edge_icl.store.wiping import wipe_to_the_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge_icl.store.reading import StoreReader
    from edge_icl.store.snapshot import Snapshot


SECOND = f"pages{compaction.SUFFIX}"
"""The directory in which a compaction gives pages second names."""

LEFT = (DRAFT, REBUILD, SECOND, keys.DRAFT, keys.OLD)
"""What a change, a check or a compaction that was cut off leaves beside the manifest."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What an interrupted change left, and why it is still there.

    Attributes:
        names: the paths of the files, relative to the store; empty if damage hides which they are.
        reason: a clause.
    """

    names: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        if not self.names:
            return f"an interrupted change may have left something: {self.reason}"
        files = "file" if len(self.names) == 1 else "files"
        return f"an interrupted change left {len(self.names):,} {files}, not wiped yet: {self.reason}"


def finish(store: StoreReader) -> int:
    """Wipe what an interrupted writer left, if the lock is free; return how many files that were.

    If it cannot be done, that is not reported here: reading goes on, and `unfinished` tells.
    """
    with suppress(StoreError):
        return _recovered(store)
    return 0


def unfinished(store: StoreReader) -> Unfinished | None:
    """Return what an interrupted change left and cannot be wiped now; None if there is nothing.

    Raises:
        StoreAccessError: the store cannot be read.
    """
    try:
        _recovered(store)
    except StoreDamagedError as error:
        return Unfinished((), error.message)
    except StoreError as error:
        with access(store.path, "read"):
            found = store.read(lambda snapshot: _leftovers(store, snapshot, store.files.names(store.path)))
        return Unfinished(tuple(found), error.message) if found else None
    return None


def _recovered(store: StoreReader) -> int:
    """Recover a store that is not at rest, if the lock is free; return how many files were wiped.

    Raises:
        StoreError: it cannot be done; the error says why.
    """
    if at_rest(store.path):
        return 0
    with locked(store.path, timeout=0), access(store.path, "cleaned up"):
        return recover(store, store.snapshot())


def at_rest(path: Path, *, locked: bool = False) -> bool:
    """Tell whether no change of the store at this path can have left anything.

    Args:
        path: the store's directory.
        locked: whether the caller holds the lock, whose file then says which process that is.
    """
    # This comes with every read, and making a Path for each name takes ten times as long.
    names = [f"{os.fspath(path)}/{name}" for name in ("", *DIRECTORIES, *(() if locked else (LOCK,)))]
    try:
        return {os.lstat(name).st_mtime_ns for name in names} == {fs.REST}
    except OSError:
        return False


def recover(store: StoreReader, snapshot: Snapshot) -> int:
    """Wipe what an interrupted writer left, with the lock held; return how many files that were.

    Only files with names that edge-icl gives: another file beside the manifest is for `verify` to report.

    Raises:
        StoreDamagedError: a file that the manifest names is missing; nothing is wiped.
        OSError: the operating system refused.
    """
    files = store.files
    top = files.names(store.path)
    leftovers = _leftovers(store, snapshot, top)
    for folder in DIRECTORIES:
        if folder not in top:  # empty ones are missing in some copies, and the user may remove the cache
            files.make_directory(store.path / folder)
    if leftovers:
        for folder in DIRECTORIES:
            entries.refuse_mount(store.path / folder)
        # What the killed writer renamed may not be on the disk yet, above all the manifest. If a power cut then
        # brings the old manifest back, its files must still be there.
        for directory in sorted({"", *directories_of(leftovers)}):
            files.flush_directory(store.path / directory)
        if SECOND in leftovers:
            compaction.remove(files, store.path / SECOND)
        wipe_all(store, [name for name in leftovers if name != SECOND])
    if not at_rest(store.path, locked=True):
        _rest(store)
    return len(leftovers)


def _leftovers(store: StoreReader, snapshot: Snapshot, top: Sequence[str]) -> list[str]:
    """Return the paths of what a killed writer left, relative to the store, given the names in its directory.

    Only if all files that the manifest names are there. If one is missing, the manifest itself may be wrong,
    such as an old one from a backup, and the files that it does not name may be all that is left of the
    examples.

    Raises:
        StoreDamagedError: a file that the manifest names is missing.
        OSError: the operating system refused.
    """
    files, named = store.files, snapshot.manifest.files
    folders = [folder for folder in ("pages", "clustering") if folder in top]
    held = {f"{folder}/{name}" for folder in folders for name in files.names(store.path / folder)}
    if missing := sorted(named - held):
        raise StoreDamagedError(f"{missing[0]} is missing", "restore the store from a backup")
    leftovers = [name for name in top if name in LEFT]
    leftovers += sorted(held - named)
    if prefix_cache.DIRECTORY in top:
        leftovers += prefix_cache.stale(store, snapshot.clustering.representative_ids(), forgetting=False)
    return leftovers


def _rest(store: StoreReader) -> None:
    """Give everything the time REST except the lock, and entries of the cache, whose times say which is oldest.

    A killed writer leaves some files with it and some without; so does a copy, or a version that did not know
    it. Then the next change would show by its time which page it made.
    """
    files, path = store.files, store.path
    for folder in ("pages", "clustering"):
        for name in files.names(path / folder):
            files.rest(path / folder / name)
    for name in (settings.NAME, manifest.NAME, keys.NAME):
        with suppress(FileNotFoundError):
            files.rest(path / name)
    for folder in (*DIRECTORIES, ""):
        files.rest(path / folder)


def wipe_all(store: StoreReader, names: Sequence[str]) -> None:
    """Wipe files so that a power cut does not bring them back; Ctrl-C takes effect when all are wiped."""
    paths, interrupt = [store.path / name for name in names], None
    try:
        wipe_to_the_end(store.files, paths, ours=partial(is_ours, store))
    except KeyboardInterrupt as pressed:
        interrupt = pressed
    for directory in directories_of(names):
        store.files.flush_directory(store.path / directory)
    if interrupt:
        raise interrupt


def is_ours(store: StoreReader, path: Path) -> bool:
    """Tell whether a file that has other names too holds what only a file of this store holds."""
    kind, name = path.parent.name, path.stem
    if kind == prefix_cache.DIRECTORY:
        return prefix_cache.is_entry(store, path)
    try:
        data = store.folder.read(f"{kind}/{path.name}")
        if kind == "pages":
            pages.decode(data, store.settings.dimension)
        else:
            record.decode(data, store.settings.clustering())
    except (OSError, ValueError, EdgeIclError):
        return False
    return store.settings.digest(data) == name


def directories_of(names: Iterable[str]) -> list[str]:
    """Return the directories that these paths are in."""
    return sorted({name.rpartition("/")[0] for name in names})
