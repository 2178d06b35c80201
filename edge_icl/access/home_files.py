"""The keys of a home: small files that only this user can read, made on first use.

put(path, data)      the file is there, whole; of several processes that make it at once one wins
held(path, most)     what it holds, and whether only this user can read it
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.store.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODE = 0o600

_NONE = (errno.ENOENT, errno.ELOOP, errno.EMLINK)
"""The errors of systems where there is no file, or a symbolic link in its place."""


class Held(NamedTuple):
    """What is in the place of a key.

    Attributes:
        data: its bytes; none for what is no file.
        private: whether it is this user's, and nobody else can read it or write to it.
    """

    data: bytes
    private: bool


def held(path: Path, most: int) -> Held | None:
    """Return what a file holds, of which at most so many bytes are read; None if there is none, or a link.

    Raises:
        OSError: the operating system refused.
    """
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
        data = os.read(file, most) if stat.S_ISREG(status.st_mode) else b""
    finally:
        os.close(file)
    return Held(data, _is_private(status))


def put(path: Path, data: bytes, *, replaces: Callable[[], bool] = lambda: False) -> None:
    """Have a file; it appears whole, or not at all. What is there already stays.

    Args:
        path: where.
        data: what it holds.
        replaces: tells whether it takes the place of what is there.

    Raises:
        OSError: the operating system refused.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), MODE)
        try:
            draft.chmod(MODE)  # a umask may have taken from it
            os.write(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(draft, path)
        except FileExistsError:
            if replaces():
                draft.replace(path)
        except OSError:  # a file system without links
            draft.replace(path)
        with suppress(OSError):  # a file system that flushes no directories: the key is there all the same
            Files().flush_directory(path.parent.resolve())  # which does not follow links, and a home may be one
    finally:
        draft.unlink(missing_ok=True)


def _is_private(status: os.stat_result) -> bool:
    """Tell whether only this user can read a file; on Windows the folder that it lies in takes care of that."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & ~MODE
