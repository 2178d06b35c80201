"""Every operation on the file system with which a store is read or changed.

One small class, so that a test can stop a store at its n-th operation, tear a write or lose what was not
flushed, and see what an unlucky user would see. The lock is not among them: it holds nothing of the store.

A `Folder` is what the rest of a store reads and creates files with: it seals them if the store is encrypted,
and nobody above it knows.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_icl.store.sealing import Seal

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
ZEROS = bytes(1 << 20)


class Files:
    """The operating system's operations, one method each; all raise OSError."""

    def read(self, path: Path) -> bytes:
        """Return the whole content of a file."""
        return path.read_bytes()

    def names(self, path: Path) -> list[str]:
        """Return the names in a directory, sorted."""
        return sorted(os.listdir(path))  # noqa: PTH208 - a Path a name takes ten times as long

    def open(self, path: Path, *, create: bool) -> int:
        """Open a file for writing: a new one of mode 0600, or an existing one as it is."""
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        file = os.open(path, flags | (os.O_CREAT | os.O_EXCL if create else 0), FILE_MODE)
        if create:
            path.chmod(FILE_MODE)  # a umask may have taken from it
        return file

    def write(self, file: int, data: bytes) -> None:
        """Write all of `data` at the file's position."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]

    def flush(self, file: int) -> None:
        """Bring a file's content to the disk."""
        os.fsync(file)

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of whoever has it."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        path.unlink()

    def flush_directory(self, path: Path) -> None:
        """Bring a directory's names to the disk (on Windows they are written with the file)."""
        if os.name == "nt":
            return
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def make_directory(self, path: Path) -> None:
        """Make a directory of mode 0700."""
        path.mkdir(mode=DIRECTORY_MODE)
        path.chmod(DIRECTORY_MODE)  # as in `open`

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        path.rmdir()


class Folder:
    """The files of a store and their content, by their paths relative to it.

    Args:
        files: the file system.
        path: the store's directory.
        seal: what its files are sealed with; None if it is not encrypted.
    """

    def __init__(self, files: Files, path: Path, seal: Seal | None = None) -> None:
        self.files = files
        self.path = path
        self._seal = seal

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: the operating system refused.
            StoreDamagedError: the store is encrypted, and this is no file that it sealed in this role.
        """
        data = self.files.read(self.path / name)
        return data if self._seal is None else self._seal.open(name, data)

    def create(self, name: str, data: bytes) -> None:
        """Write a new file and bring it to the disk; its name is not durable yet.

        Raises:
            OSError: the operating system refused.
        """
        create(self.files, self.path / name, data if self._seal is None else self._seal.seal(name, data))


def create(files: Files, path: Path, data: bytes) -> None:
    """Write a new file and bring its content to the disk; its name is not durable yet."""
    file = files.open(path, create=True)
    try:
        files.write(file, data)
        files.flush(file)
    finally:
        files.close(file)


def wipe(files: Files, path: Path) -> None:
    """Overwrite a file with zeros, bring them to the disk, and remove its name; a missing file is fine.

    Whoever holds a hard link to the file loses its content too. A symbolic link is only unlinked: what it
    points to is not the store's.
    """
    with suppress(FileNotFoundError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            _overwrite(files, path, status.st_size)
        files.unlink(path)


def wipe_tree(files: Files, path: Path) -> None:
    """Wipe whatever is there: a file, or a directory with all in it."""
    if path.is_dir() and not path.is_symlink():
        for name in files.names(path):
            wipe_tree(files, path / name)
        files.remove_directory(path)
    else:
        wipe(files, path)


@contextmanager
def wiper(files: Files, path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file open, and give what wipes its content also when another file has got its name."""
    size = path.stat().st_size
    file = files.open(path, create=False)
    try:
        yield lambda: _zero(files, file, size)
    finally:
        files.close(file)


def _overwrite(files: Files, path: Path, size: int) -> None:
    """Overwrite a file's content with zeros, in place."""
    file = files.open(path, create=False)
    try:
        _zero(files, file, size)
    finally:
        files.close(file)


def _zero(files: Files, file: int, size: int) -> None:
    """Write zeros over the content of an open file, and bring them to the disk."""
    for start in range(0, size, len(ZEROS)):
        files.write(file, ZEROS[: size - start])
    files.flush(file)
