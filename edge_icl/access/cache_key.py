"""The key with which this home authenticates what it has computed itself.

A state in a store's cache is used before anything is computed again, and does not show what it was computed
from: who puts a state there decides the answers. So it carries a tag made with a key that never leaves this
home, and a state without such a tag is not used. A store from another user comes without answers.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.errors import StoreExposedError
from edge_icl.runtime.home import home
from edge_icl.store import ownership

if TYPE_CHECKING:
    from pathlib import Path

NAME = "vouch.key"
KEY_BYTES = 32
MODE = 0o600

_NONE = (errno.ENOENT, errno.ELOOP, errno.EMLINK)
"""The errors of systems where there is no file, or a symbolic link in its place."""


def home_key(*, make: bool = False) -> bytes | None:
    """Return the key of this home.

    Args:
        make: make it if there is none, or if other users can read it.

    Returns:
        32 bytes; None where there is no such key, and none can be made: then no state is kept or used.
    """
    path = home() / NAME
    with suppress(OSError, StoreExposedError):
        ownership.refuse_exposed_folder(path.parent)
        key = _read(path)
        if key is None and make:
            _make(path)
            key = _read(path)
        return key
    return None


def _read(path: Path) -> bytes | None:
    """Return the key in a file; None if there is no key, or other users can read it."""
    flags = (
        os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    try:
        file = os.open(path, flags)
    except OSError as error:
        if error.errno not in _NONE:
            raise
        return None
    try:
        status = os.fstat(file)
        key = os.read(file, KEY_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
    finally:
        os.close(file)
    return key if len(key) == KEY_BYTES and _is_private(status) else None


def _is_private(status: os.stat_result) -> bool:
    """Tell whether only this user can read a file; on Windows the folder that it lies in takes care of that."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & ~MODE


def _make(path: Path) -> None:
    """Draw a key; if several processes do so at once, all of them get the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{NAME}.{secrets.token_hex(8)}")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), MODE)
        try:
            draft.chmod(MODE)  # a umask may have taken from it
            os.write(file, secrets.token_bytes(KEY_BYTES))
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(draft, path)
        except FileExistsError:
            if _read(path) is None:
                draft.replace(path)
        except OSError:  # a file system without links
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
