"""Wiping: a file is overwritten with zeros, the zeros are brought to the disk, and the file is unlinked.

It is overwritten only if it is a regular file in a directory of the store, and has no other name or holds what
only a file of this store holds.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from edge_icl.store import entries
from edge_icl.store.files import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from edge_icl.store.files import Files

ZEROS = bytes(1 << 20)

_BLOCK = 512
"""Bytes of the blocks that a file system counts."""


def _not_ours(_path: Path) -> bool:
    """Say of every file that it is not the store's."""
    return False


def wipe(files: Files, paths: Iterable[Path], *, ours: Callable[[Path], bool] = _not_ours) -> None:
    """Overwrite files with zeros, bring them to the disk, and remove their names; those missing are fine.

    A directory is removed with all that is in it. What is not a regular file, such as a symbolic link, is only
    unlinked: what it points to is not the store's. What lies on another mount is not the store's either, and is
    refused.

    Args:
        files: the file system.
        paths: what to wipe.
        ours: tells of a file that has other names as well whether its content is this store's. If so, the
            content is overwritten under all its names; if not, another user may have put it here, and only the
            name is removed.

    Raises:
        OSError: the operating system refused.
    """
    for some in together(_found(paths)):
        with ExitStack() as opened:
            regular = [
                (path, status.st_size)
                for path, status in some
                if stat.S_ISREG(status.st_mode) and (status.st_nlink == 1 or ours(path))
            ]
            zeroed = [file for path, size in regular for file in _zeroed(files, path, size, opened)]
            files.flush_all(zeroed, overwritten=True)
        for path, status in some:
            if stat.S_ISDIR(status.st_mode):
                entries.refuse_mount(path)
                wipe(files, [path / name for name in files.names(path)], ours=ours)
                files.remove_directory(path)
            else:
                with suppress(FileNotFoundError):
                    files.unlink(path)


def wipe_to_the_end(files: Files, paths: Sequence[Path], *, ours: Callable[[Path], bool] = _not_ours) -> None:
    """Wipe as `wipe` does; Ctrl-C takes effect when all is wiped.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
        OSError: the operating system refused.
    """
    try:
        wipe(files, paths, ours=ours)
    except KeyboardInterrupt:
        wipe(files, paths, ours=ours)
        raise


@contextmanager
def wiper(files: Files, path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file open, and give a function that wipes its content, also when another file has got its name."""
    file = files.open(path, create=False)

    def wipe_content() -> None:
        zero_from_start(files, file)

    try:
        yield wipe_content
    finally:
        files.close(file)


def zero_from_start(files: Files, file: int, *, size: int = 0) -> None:
    """Overwrite the content of an open file with zeros, wherever its position is, and bring them to the disk.

    Args:
        files: the file system.
        file: the open file.
        size: how many bytes to overwrite at least: it may have been longer before.
    """
    os.lseek(file, 0, os.SEEK_SET)
    _write_zeros(files, file, max(size, os.fstat(file).st_size))
    files.flush(file)


def _found(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the paths where something is, and what is known of it."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path, entries.status(path)


def _zeroed(files: Files, path: Path, size: int, opened: ExitStack) -> Iterator[int]:
    """Overwrite a file's content with zeros, in place, and yield the file, which stays open."""
    with suppress(FileNotFoundError):
        file = files.open(path, create=False)
        opened.callback(files.close, file)
        _zero(files, file, size)
        yield file


def _zero(files: Files, file: int, size: int) -> None:
    """Write zeros over the content of an open file except its holes, which may be larger than the disk."""
    if os.name == "posix" and os.fstat(file).st_blocks * _BLOCK < size:
        for start, end in _data(file, size):
            os.lseek(file, start, os.SEEK_SET)
            _write_zeros(files, file, end - start)
    else:
        _write_zeros(files, file, size)


def _write_zeros(files: Files, file: int, size: int) -> None:
    """Write so many zeros at a file's position."""
    for start in range(0, size, len(ZEROS)):
        files.write(file, ZEROS[: size - start])


def _data(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of an open file that are not holes; the whole file where the system cannot tell."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno != errno.ENXIO:  # which means that there is no more
                yield end, size
            return
        yield start, min(end, size)
