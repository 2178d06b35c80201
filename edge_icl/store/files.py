"""Every operation on the file system with which a store is read or changed.

One small class, so that a test can stop a store at its n-th operation, cut a write short or lose what was not
flushed, and see what an unlucky user would see. The lock is not among them: it holds nothing of the store.

The rest of a store reads and creates files through a `Folder`, which seals them if the store is encrypted; no
other module needs to know.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, suppress
from io import FileIO
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from edge_icl.store import entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from edge_icl.store.sealing import Seal

T = TypeVar("T")

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700

REST = 946_684_800 * 10**9
"""The time that the files and directories of a store have when no change is under way, in nanoseconds: the
first of January 2000, which every file system can hold. Their real times would tell, also in every copy of a
store that keeps them, which page was changed last, and so something about what was forgotten."""

_NO_TIMES = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""The errors of file systems that keep no times, or not for this user."""

_FOLLOWS = os.utime not in os.supports_follow_symlinks
"""Where the times of a link itself cannot be set."""

_EXCHANGE = 2
"""Linux's RENAME_EXCHANGE."""

MOST_OPEN = 64
"""Files open at once: a process may have 256 on macOS, and more than these save nothing."""


class Files:
    """The operating system's operations, one method each; all raise OSError, and none follows a link."""

    def read(self, path: Path) -> bytes:
        """Return the whole content of a file."""
        file = entries.open_file(path, os.O_RDONLY)
        with FileIO(file) as opened:
            size = os.fstat(file).st_size
            if size > entries.MOST_BYTES:
                raise OSError(errno.EFBIG, "it is larger than any file of a store", os.fspath(path))
            return opened.read(size)

    def names(self, path: Path) -> list[str]:
        """Return the names in a directory, sorted."""
        return sorted(entries.names(path))

    def open(self, path: Path, *, create: bool) -> int:
        """Open a file for writing: a new one of mode 0600, or an existing one as it is."""
        if not create:
            try:
                return entries.open_file(path, os.O_WRONLY)
            except PermissionError:  # copied from a medium that cannot be written, perhaps
                self._make_writable(path)
                return entries.open_file(path, os.O_WRONLY)
        file = entries.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        if hasattr(os, "fchmod"):
            os.fchmod(file, FILE_MODE)  # a umask may have taken from it
        return file

    def _make_writable(self, path: Path) -> None:
        """Give a file of this user the mode that it was made with."""
        with FileIO(entries.open_file(path, os.O_RDONLY)) as file:
            getattr(os, "fchmod", lambda _, mode: path.chmod(mode))(file.fileno(), FILE_MODE)

    def write(self, file: int, data: bytes) -> None:
        """Write all of `data` at the file's position."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]

    def flush(self, file: int) -> None:
        """Bring a file's content to the disk."""
        os.fsync(file)

    def flush_overwritten(self, file: int) -> None:
        """Bring the content of a file to the disk that was overwritten in place; its times may stay behind.

        So the file system need not write what it keeps of the file beside its content, which a file system with
        a journal does in a step of its own.
        """
        getattr(os, "fdatasync", os.fsync)(file)

    def flush_all(self, files: Sequence[int], *, overwritten: bool = False) -> None:
        """Bring the content of several files to the disk, in less time than one after another.

        Linux is told to begin with all of them before we wait for the first: then a journal, such as ext4's,
        writes them in one step and has nothing left to do for the others.

        Args:
            files: the open files.
            overwritten: whether it was overwritten in place.
        """
        if hasattr(os, "posix_fadvise"):
            for file in files:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        flush = self.flush_overwritten if overwritten else self.flush
        for file in files:
            flush(file)

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name in the same directory, in place of the file that has it."""
        with entries.Entry(source) as (name, directory):
            second = target if directory is None else target.name
            os.replace(name, second, src_dir_fd=directory, dst_dir_fd=directory)

    def rest(self, path: Path) -> None:
        """Give a file or a directory the time REST, where the file system keeps times."""
        try:
            self._set_times(path, (REST, REST))
        except OSError as error:
            if error.errno not in _NO_TIMES:
                raise

    def use(self, path: Path) -> None:
        """Give a file the present time."""
        self._set_times(path, None)

    def _set_times(self, path: Path, times: tuple[int, int] | None) -> None:
        """Set the times of a file or a directory, in nanoseconds; None for the present one."""
        with entries.Entry(path) as (name, directory):
            if times is None:
                os.utime(name, dir_fd=directory, follow_symlinks=_FOLLOWS)
            else:
                os.utime(name, ns=times, dir_fd=directory, follow_symlinks=_FOLLOWS)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        with entries.Entry(path) as (name, directory):
            os.unlink(name, dir_fd=directory)

    def move(self, source: Path, target: Path) -> None:
        """Give a directory another name, also in another directory of the same disk, where nothing has it."""
        with entries.Entry(source) as (name, above), entries.Entry(target) as (other, beside):
            os.rename(name, other, src_dir_fd=above, dst_dir_fd=beside)

    def link(self, path: Path, second: Path) -> None:
        """Give a file a second name."""
        with entries.Entry(path) as (name, source), entries.Entry(second) as (other, target):
            os.link(name, other, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)

    def swap(self, one: Path, other: Path) -> None:
        """Let two directories in the same directory swap their names in one step, as only Linux can."""
        import ctypes

        swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
        if swap is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        with entries.Entry(one) as (name, directory):
            if swap(directory, os.fsencode(name), directory, os.fsencode(other.name), _EXCHANGE) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(one))

    def flush_directory(self, path: Path) -> None:
        """Bring a directory's names to the disk (on Windows they are written with the file)."""
        if os.name == "nt":
            return
        directory = entries.open_directory(path)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def make_directory(self, path: Path) -> None:
        """Make a directory of mode 0700."""
        with entries.Entry(path) as (name, directory):
            os.mkdir(name, DIRECTORY_MODE, dir_fd=directory)
            os.chmod(name, DIRECTORY_MODE, dir_fd=directory)  # as in `open`

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        with entries.Entry(path) as (name, directory):
            os.rmdir(name, dir_fd=directory)


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
            StoreDamagedError: the store is encrypted, and this is not a file that it sealed in this role.
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


def create(files: Files, contents: Iterable[tuple[Path, bytes]]) -> None:
    """Write new files and bring their content to the disk; their names are not durable yet."""
    for some in together(contents):
        with ExitStack() as opened:
            made = []
            for path, data in some:
                made.append(files.open(path, create=True))
                opened.callback(files.close, made[-1])
                files.write(made[-1], data)
                files.rest(path)
            files.flush_all(made)


def replace(
    files: Files, draft: Path, target: Path, *, make: Callable[[], None], undo: Callable[[], None]
) -> BaseException | None:
    """Make a draft and rename it over a file; if this is interrupted, it is known whether the rename happened.

    Args:
        files: the file system.
        draft: the path of the draft.
        target: the path of the file.
        make: makes the draft, with what must be on the disk before the rename.
        undo: wipes what `make` made; where it cannot, the next opening of the store does.

    Returns:
        What was raised too late to go back, such as Ctrl-C: the caller finishes, then raises it.

    Raises:
        BaseException: what was raised before the rename, which has not happened.
        OSError: the same; or it cannot be known whether the rename has happened. Then nothing is wiped: it may
            be in use now.
    """
    made = False
    try:
        make()
        made = True
        files.rename(draft, target)
    except BaseException as error:
        if not (made and _is_gone(draft)):
            with suppress(OSError):  # the first error is the one to report
                undo()
            raise
        return None if isinstance(error, OSError) else error
    return None


def _is_gone(draft: Path) -> bool:
    """Tell whether a draft has got the name that it was made for. That must work without a free descriptor.

    Raises:
        OSError: it cannot be known. Then nothing may be wiped: it may be in use now.
    """
    try:
        draft.lstat()
    except FileNotFoundError:
        return True
    return False


def together(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut items, each of which needs one open file, into lists of as many as may be open at once."""
    rest = iter(items)
    while some := [*islice(rest, MOST_OPEN)]:
        yield some
