"""A store that lasts as long as an object of a program: in this user's home, and wiped with the object.

    place = Temporary()               a path at which a store can be made
    copied = Temporary(held(path))    the same, with the files of another store

It is not in the system's folder for temporary files, which users share. While the object lives, its process has
a lock; what a process that was killed has left is wiped when the next such place is made.
"""

from __future__ import annotations

import secrets
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from edge_icl.errors import EdgeIclError, StoreNotFoundError
from edge_icl.runtime import fork
from edge_icl.runtime.folders import make_private_folder
from edge_icl.runtime.home import home
from edge_icl.store import manifest, ownership, settings, whole
from edge_icl.store.disk import Store
from edge_icl.store.files import FILE_MODE, Files
from edge_icl.store.lock import locked
from edge_icl.store.os_errors import access

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "temporary"
"""Its name in the home."""

_LOCK = ".held"
"""Ends the name of the file that is locked as long as the store beside it is needed."""


class Temporary:
    """A place for a plain store, which is wiped when this object is gone or the program ends.

    A process that is forked from this one may read the store, and leaves it there.

    Args:
        files: what it holds from the beginning, as `held` gives it; None for nothing.

    Attributes:
        path: the store's directory; without `files` nothing is there yet.

    Raises:
        StoreExposedError: another user owns the home or may write to it.
        StoreAccessError: the operating system refused.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        ownership.refuse_exposed_folder(home())
        folder = home() / FOLDER
        with access(folder, "made"):
            make_private_folder(folder)
            _wipe_left(folder)
            self.path, self._lock = _place(folder)
            self._end = weakref.finalize(self, _remove, self.path, self._lock)
            fork.renewed(self)
            if files is not None:
                _write(self.path, files)

    def renew(self) -> None:
        """Leave the store to the parent of a process that was forked from it."""
        self._end.detach()
        fork.leave(self._lock)


def held(path: Path) -> dict[str, bytes]:
    """Return the files of a plain store, by their names in it; without its cache and its lock.

    Raises:
        StoreBusyError: another process has been changing it for ten seconds.
        StoreAccessError: the operating system refused.
    """
    with locked(path, timeout=10.0), access(path, "read"):
        snapshot = Store.open(path).snapshot()
        names = (settings.NAME, manifest.NAME, *snapshot.manifest.files)
        return {name: Files().read(path / name) for name in names}


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    """Make a store of the files of another."""
    for folder in {(path / name).parent for name in files} | {path}:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in files.items():
        file = Files().open(path / name, create=True)
        try:
            Files().write(file, data)
        finally:
            Files().close(file)


def _place(folder: Path) -> tuple[Path, filelock.BaseFileLock]:
    """Return the path of a new place in a folder, and the lock on it, held."""
    while True:
        path = folder / secrets.token_hex(8)
        with suppress(filelock.Timeout):  # another process looks at this moment whether it has been left
            return path, _locked(path)


def _locked(path: Path) -> filelock.BaseFileLock:
    """Return the lock on a place, held; raise Timeout if another process holds it."""
    lock = filelock.FileLock(path.with_name(path.name + _LOCK), mode=FILE_MODE, thread_local=False)
    lock.acquire(timeout=0)
    return lock


def _remove(path: Path, lock: filelock.BaseFileLock) -> None:
    """Wipe what is at a place, and give it back; what cannot be wiped now is left for the next place."""
    try:
        with suppress(StoreNotFoundError):
            whole.remove(path, timeout=0, drop=lambda _: None)
        Path(lock.lock_file).unlink()
    except (EdgeIclError, OSError):
        pass
    finally:
        lock.release()


def _wipe_left(folder: Path) -> None:
    """Wipe what processes that were killed have left in the folder."""
    for held_by in sorted(folder.glob(f"*{_LOCK}")):
        with suppress(filelock.Timeout):
            path = held_by.with_name(held_by.name.removesuffix(_LOCK))
            _remove(path, _locked(path))
    for going in whole.left_in(folder):
        with suppress(EdgeIclError):
            whole.finish(going, drop=lambda _: None)
