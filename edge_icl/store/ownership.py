"""Stores that are not safe to use are refused.

One that another user owns or may write to: they could add examples, and so decide answers. One in a folder
where another user could put another store in its place. And one in which a symbolic link, a pipe, a device or
another file system is where a store has a directory or a file: what is done to it would be done to something
else.

Who may do what:

    the user            everything
    root                everything; a superuser cannot be kept out
    the user's group    write to a folder above the store, if the group's number is the user's own: such a group
                        usually has no other member, and many systems let it write to every new folder
    all users           write to a folder above the store that has the sticky bit, as /tmp has, which keeps them
                        from changing what is not theirs

Windows has none of these: there a user's folder is closed to other users by what it inherits.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

from edge_icl.errors import NotAStoreError, StoreExposedError
from edge_icl.store import entries
from edge_icl.store.layout import DIRECTORIES

if TYPE_CHECKING:
    from pathlib import Path

ROOT = 0
_WITH_USERS = hasattr(os, "geteuid")
OTHERS = stat.S_IWGRP | stat.S_IWOTH
FILES = ("store.json", "manifest", "lock", "key")


def refuse_exposed(store: Path) -> None:
    """Refuse a store, there already or about to be made, that other users can reach.

    Args:
        store: its directory.

    Raises:
        StoreExposedError: another user owns it or may write to it, or to the folder that it is in.
    """
    _unexposed(store)


def refuse_unsafe(store: Path) -> None:
    """Refuse a store that other users can reach, or in which something else is where it has files.

    Args:
        store: its directory.

    Raises:
        StoreExposedError: see `refuse_exposed`.
        NotAStoreError: a link, a pipe, a device or another file system is where a part of a store should be.
    """
    for path, status in _unexposed(store)[1:]:
        wrong = _kind(path, status, "directory" if path.name in DIRECTORIES else "file")
        if wrong is not None:
            raise NotAStoreError(f"{path} is {wrong}", _remedy(path))


def _unexposed(store: Path) -> list[tuple[Path, os.stat_result]]:
    """Return what is there of a store and what is known of it: its directory, then its files and directories.

    Raises:
        StoreExposedError: another user owns a part of it or may write to it, or to the folder that it is in.
    """
    resolved = store.resolve()
    refuse_exposed_folder(resolved.parent)
    found = []
    for path in (resolved, *(resolved / part for part in (*FILES, *DIRECTORIES))):
        status = _status(path)
        if status is not None:
            if _WITH_USERS and status.st_mode & OTHERS and not stat.S_ISLNK(status.st_mode):
                raise _writable(path, status)
            found.append((path, status))
    return found


def _remedy(path: Path) -> str:
    """Return what to do where something else is than a file or a directory of a store."""
    if path.name in ("cache", "lock"):
        return f"remove it with `rm {shlex.quote(str(path))}`: it is made again"
    return "every directory and file of a store must be its own: use a copy of the store that has them"


def _kind(path: Path, status: os.stat_result, expected: str) -> str | None:
    """Return what a file or a directory is instead of what is expected; None if it is that."""
    if stat.S_ISLNK(status.st_mode):
        return f"a symbolic link and not a {expected}"
    if not (stat.S_ISDIR if expected == "directory" else stat.S_ISREG)(status.st_mode):
        return f"not a {expected}"
    if expected == "directory" and entries.mounted(path):
        return "mounted from elsewhere and not a directory of the store"
    return None


def refuse_exposed_folder(folder: Path) -> None:
    """Refuse a folder that stores lie in if another user can reach it; it need not be there yet.

    Raises:
        StoreExposedError: another user owns it or may write to it.
    """
    status = _status(folder)
    if _WITH_USERS and status and not status.st_mode & stat.S_ISVTX:
        others = stat.S_IWOTH if status.st_gid == status.st_uid else OTHERS
        if status.st_mode & others:
            raise _writable(folder, status)


def _status(path: Path) -> os.stat_result | None:
    """Return what is known of a file or a folder of this user or root; None where nothing is."""
    try:
        status = path.lstat()
    except OSError:
        return None  # opening it will tell why
    user = os.geteuid() if _WITH_USERS else status.st_uid
    if status.st_uid not in (user, ROOT):
        raise StoreExposedError(
            f"{path} belongs to user {status.st_uid} and not to you, user {user}",
            f"run this as that user, or make it yours: sudo chown -R {user} {shlex.quote(str(path))}",
        )
    return status


def _writable(path: Path, status: os.stat_result) -> StoreExposedError:
    """Return the error for what others may write to."""
    return StoreExposedError(
        f"{path} may be written to by others (mode {stat.S_IMODE(status.st_mode):04o})",
        f"see that what is in it is yours, then close it: chmod -R go-w {shlex.quote(str(path))}",
    )
