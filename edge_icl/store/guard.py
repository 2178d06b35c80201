"""No store that somebody else owns or may write to: they could put in what an answer then rests on.

Nor one in a folder where they could put another in its place. Who may do what:

    the user            everything
    root                likewise; nothing keeps a superuser out
    the user's group    write to a folder above the store, where the group's number is the user's own: by custom
                        such a group has no other member, and many systems let it write to every new folder
    everybody           write to a folder above the store that has the sticky bit, which keeps them from what is
                        not theirs, as in /tmp

Windows has none of these: there a user's folder is closed to other users by what it inherits.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

from edge_icl.errors import StoreExposedError

if TYPE_CHECKING:
    from pathlib import Path

ROOT = 0
OTHERS = stat.S_IWGRP | stat.S_IWOTH
PARTS = ("", "store.json", "manifest", "lock", "pages", "clustering", "cache")


def refuse_exposed(store: Path) -> None:
    """Refuse a store, there already or about to be made, that is in anybody else's reach.

    Args:
        store: its directory.

    Raises:
        StoreExposedError: somebody else owns it or may write to it, or likewise the folder that it is in.
    """
    place = store.resolve()
    refuse_exposed_folder(place.parent)
    for part in PARTS:
        status = _status(place / part)
        if status and status.st_mode & OTHERS:
            raise _writable(place / part, status)


def refuse_exposed_folder(folder: Path) -> None:
    """Refuse a folder that stores lie in; one that is not there yet is fine.

    Raises:
        StoreExposedError: somebody else owns it or may write to it.
    """
    status = _status(folder)
    if status and not status.st_mode & stat.S_ISVTX:
        others = stat.S_IWOTH if status.st_gid == status.st_uid else OTHERS
        if status.st_mode & others:
            raise _writable(folder, status)


def _status(path: Path) -> os.stat_result | None:
    """Return what is known of a file or a folder of this user or root; None where nothing is."""
    if not hasattr(os, "geteuid"):
        return None
    try:
        status = path.stat()
    except OSError:
        return None  # whoever opens it is told why
    user = os.geteuid()
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
