"""The way to a file of a store: through its directory, which is opened first, and along no link.

A store may come from another user, in an archive or on a stick, with a symbolic link, a pipe or a device where
a directory or a file of a store should be. So everything that is read, written or wiped is named relative to
the descriptor of its directory, and only what is itself a directory, not a link to one, gets a descriptor. A
file is opened without waiting for another process, looked at, and refused if it is not a regular one.

Windows has no such descriptors: there the directory is looked at before its path is used.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = (1 << 31) - 4096
"""Of a file: what Linux reads in one call, and more than any file of a store has."""

MOUNTED = "it is mounted from elsewhere"

_RELATIVE = {os.open, os.stat, os.rename, os.link, os.unlink, os.mkdir, os.rmdir, os.utime}
_DESCRIPTORS = os.supports_dir_fd >= _RELATIVE
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_ANCHOR = _DIRECTORY | getattr(os, "O_PATH", 0)
"""How to open a directory only to name what is in it: Linux does not ask whether its names may be read."""

_FILE = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Entry:
    """The directory that a path lies in, open while the block runs; an OSError in it names the whole path.

    Gives the name in the directory, and the directory's descriptor, for `dir_fd`. Where there are no such
    descriptors it gives the whole path and None. It is a class, since every operation on a file needs one, and
    a generator takes twice as long.

    Args:
        path: an absolute path.

    Raises:
        OSError: the directory is not one, or is a link; or the block raised it.
    """

    __slots__ = ("_directory", "_name", "_path")

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._directory: int | None = None

    def __enter__(self) -> tuple[str, int | None]:
        parent, _, self._name = self._path.rpartition(os.sep)
        if not _DESCRIPTORS:
            _refuse_link(parent)
            return self._path, None
        self._directory = os.open(parent or os.sep, _ANCHOR)
        return self._name, self._directory

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._directory is not None:
            os.close(self._directory)
        if isinstance(error, OSError) and error.filename == self._name:
            error.filename = self._path


def open_directory(path: Path) -> int:
    """Open a directory that is not a link.

    Raises:
        OSError: it is something else, or the operating system refused.
    """
    return os.open(path, _DIRECTORY)


def names(path: Path) -> list[str]:
    """Return the names in a directory that is not a link, in no order.

    Raises:
        OSError: it is something else, or the operating system refused.
    """
    if os.listdir not in os.supports_fd:
        _refuse_link(os.fspath(path))
        return os.listdir(path)
    directory = open_directory(path)
    try:
        return os.listdir(directory)
    finally:
        os.close(directory)


def open_file(path: Path, flags: int, mode: int = 0) -> int:
    """Open a regular file that is not a link and comes from no other mount than its directory.

    Args:
        path: the file.
        flags: of `os.open`.
        mode: of a new file.

    Raises:
        OSError: it is something else, or the operating system refused.
    """
    with Entry(path) as (name, directory):
        file = _open(name, flags | _FILE, mode, directory)
        try:
            _refuse_irregular(path, file)
            if flags & os.O_WRONLY and not flags & os.O_CREAT:
                _refuse_mounted(path, file, directory)
        except BaseException:
            os.close(file)
            raise
        return file


def status(path: Path) -> os.stat_result:
    """Return what is known of a file or a directory, or of a link itself."""
    with Entry(path) as (name, directory):
        return os.stat(name, dir_fd=directory, follow_symlinks=False)


def refuse_mount(path: Path) -> None:
    """Refuse a directory that is mounted: what is in it is not the store's.

    Raises:
        OSError: it is mounted.
    """
    if mounted(path):
        raise OSError(errno.EXDEV, MOUNTED, os.fspath(path))


def mounted(path: Path) -> bool:
    """Tell whether a directory belongs to another mount than the directory that it is in.

    Raises:
        OSError: there is no such directory.
    """
    if not _DESCRIPTORS:
        return False
    with Entry(path) as (name, parent):
        directory = os.open(name, _ANCHOR, dir_fd=parent)
        try:
            return _on_other_mount(directory, parent)
        finally:
            os.close(directory)


def _open(name: str, flags: int, mode: int, directory: int | None) -> int:
    """Open a file; for reading, without changing the time of its last use, where that is possible.

    That time would tell which pages were read since they were made.
    """
    if hasattr(os, "O_NOATIME") and flags & os.O_ACCMODE == os.O_RDONLY:
        with suppress(PermissionError):  # for the owner alone
            return os.open(name, flags | os.O_NOATIME, dir_fd=directory)
    return os.open(name, flags, mode, dir_fd=directory)


def _refuse_irregular(path: Path, file: int) -> None:
    """Refuse an open file that is a pipe, a device, a socket or a directory."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(path))


def _refuse_mounted(path: Path, file: int, directory: int | None) -> None:
    """Refuse an open file that belongs to another mount than the directory that it is in."""
    if _on_other_mount(file, directory):
        raise OSError(errno.EXDEV, MOUNTED, os.fspath(path))


def _on_other_mount(file: int, directory: int | None) -> bool:
    """Tell whether an open file or directory belongs to another mount than the directory that it is in."""
    if directory is None:
        return False
    here, there = _mount(file), _mount(directory)
    if here is not None and there is not None:
        return here != there
    # Only for directories: some file systems, overlays above all, give their files other device numbers.
    found = os.fstat(file)
    return stat.S_ISDIR(found.st_mode) and found.st_dev != os.fstat(directory).st_dev


def _mount(file: int) -> int | None:
    """Return the number of the mount that an open file belongs to; only Linux tells.

    The device number is not enough: a directory that is bind-mounted somewhere else has the same one there.
    """
    with suppress(OSError):
        told = os.open(f"/proc/self/fdinfo/{file}", os.O_RDONLY)
        try:
            _, found, rest = os.read(told, 1024).partition(b"mnt_id:")
            return int(rest.split(maxsplit=1)[0]) if found else None
        finally:
            os.close(told)
    return None


def _refuse_link(directory: str) -> None:
    """Refuse what is not itself a directory, on systems where it cannot be held open."""
    found = os.lstat(directory)
    junction = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)
    if not stat.S_ISDIR(found.st_mode) or getattr(found, "st_reparse_tag", 0) == junction:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), directory)
