"""Every operation on the file system with which a store is read or changed.

One small class, so that a test can stop a store at its n-th operation, tear a write or lose what was not
flushed, and see what an unlucky user would see. The lock is not among them: it holds nothing of the store.

A `Folder` is what the rest of a store reads and creates files with: it seals them if the store is encrypted,
and nobody above it knows.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from edge_icl.store.sealing import Seal

T = TypeVar("T")

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
ZEROS = bytes(1 << 20)

REST = 946_684_800 * 10**9
"""The time that the files and directories of a store have when no change is under way, in nanoseconds: the
first of January 2000, which every file system can hold. Their own times would tell, in every copy of a store
that keeps them, which page was changed last, and so something about what was forgotten."""

_NO_TIMES = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""How file systems refuse that keep no times, or not for this user."""

_FOLLOWS = os.utime not in os.supports_follow_symlinks

_FROM_HERE, _EXCHANGE = -100, 2
"""Linux's AT_FDCWD and RENAME_EXCHANGE."""

MOST_OPEN = 64
"""Files open at once: a process may have 256 on macOS, and more than these save nothing."""


class Files:
    """The operating system's operations, one method each; all raise OSError."""

    def read(self, path: Path) -> bytes:
        """Return the whole content of a file."""
        # Not `path.read_bytes`, which asks the system more often: each time, threads that read a store meet.
        with FileIO(path, opener=_unnoticed) as file:
            return file.read(os.fstat(file.fileno()).st_size)

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

    def flush_all(self, files: Sequence[int]) -> None:
        """Bring the content of several files to the disk, in less time than one after another.

        Linux is told to begin with all of them before the first is waited for: then a journal, such as ext4's,
        takes them in one step and finds nothing left to do for the others.
        """
        if hasattr(os, "posix_fadvise"):
            for file in files:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        for file in files:
            self.flush(file)

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of whoever has it."""
        source.replace(target)

    def rest(self, path: Path) -> None:
        """Give a file or a directory the time REST, where the file system keeps times."""
        try:
            os.utime(path, ns=(REST, REST), follow_symlinks=_FOLLOWS)
        except OSError as error:
            if error.errno not in _NO_TIMES:
                raise

    def use(self, path: Path) -> None:
        """Give a file the present time."""
        os.utime(path)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        path.unlink()

    def link(self, path: Path, second: Path) -> None:
        """Give a file a second name."""
        os.link(path, second, follow_symlinks=False)

    def swap(self, one: Path, other: Path) -> None:
        """Let two directories swap their names, in one step, which Linux alone knows."""
        import ctypes  # noqa: PLC0415 - few changes need it

        swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
        if swap is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        if swap(_FROM_HERE, os.fsencode(one), _FROM_HERE, os.fsencode(other), _EXCHANGE) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(one))

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

    def create(self, contents: Mapping[str, bytes]) -> None:
        """Write new files and bring their content to the disk; their names are not durable yet.

        Args:
            contents: what they hold, by their names.

        Raises:
            OSError: the operating system refused.
        """
        create(self.files, ((self.path / name, self._sealed(name, data)) for name, data in contents.items()))

    def _sealed(self, name: str, data: bytes) -> bytes:
        return data if self._seal is None else self._seal.seal(name, data)


def _unnoticed(path: str, flags: int) -> int:
    """Open a file for reading, with no trace of it in the time of its last use where that can be had.

    That time, too, would tell which pages were read since they were made.
    """
    if hasattr(os, "O_NOATIME"):
        with suppress(PermissionError):  # for the owner alone
            return os.open(path, flags | os.O_NOATIME)
    return os.open(path, flags)


def create(files: Files, contents: Iterable[tuple[Path, bytes]]) -> None:
    """Write new files and bring their content to the disk; their names are not durable yet."""
    for some in _together(contents):
        with ExitStack() as opened:
            made = []
            for path, data in some:
                made.append(files.open(path, create=True))
                opened.callback(files.close, made[-1])
                files.write(made[-1], data)
                files.rest(path)
            files.flush_all(made)


def wipe(files: Files, paths: Iterable[Path]) -> None:
    """Overwrite files with zeros, bring them to the disk, and remove their names; those missing are fine.

    A directory goes with all in it. Whoever holds a hard link to a file loses its content too. A symbolic link
    is only unlinked: what it points to is not the store's.
    """
    for some in _together(_found(paths)):
        with ExitStack() as opened:
            regular = [(path, status.st_size) for path, status in some if stat.S_ISREG(status.st_mode)]
            files.flush_all([file for path, size in regular for file in _zeroed(files, path, size, opened)])
        for path, status in some:
            if stat.S_ISDIR(status.st_mode):
                wipe(files, [path / name for name in files.names(path)])
                files.remove_directory(path)
            else:
                with suppress(FileNotFoundError):
                    files.unlink(path)


@contextmanager
def wiper(files: Files, path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file open, and give what wipes its content also when another file has got its name."""
    size = path.stat().st_size
    file = files.open(path, create=False)

    def wipe_content() -> None:
        _zero(files, file, size)
        files.flush(file)

    try:
        yield wipe_content
    finally:
        files.close(file)


def _found(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the paths where something is, and what is known of it."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path, path.lstat()


def _zeroed(files: Files, path: Path, size: int, opened: ExitStack) -> Iterator[int]:
    """Overwrite a file's content with zeros, in place, and yield the file, which stays open."""
    with suppress(FileNotFoundError):
        file = files.open(path, create=False)
        opened.callback(files.close, file)
        _zero(files, file, size)
        yield file


def _zero(files: Files, file: int, size: int) -> None:
    """Write zeros over the content of an open file."""
    for start in range(0, size, len(ZEROS)):
        files.write(file, ZEROS[: size - start])


def _together(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut what concerns one file each into as many as may be open at once."""
    rest = iter(items)
    while some := [*islice(rest, MOST_OPEN)]:
        yield some
