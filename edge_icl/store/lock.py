"""One writer at a time, among all processes and threads.

The lock is the operating system's, on the file `lock` in the store: it goes with a process that dies. While it
is held the file says by whom, so that whoever waits can say what for; at rest it is empty, the same in every
store.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import filelock

from edge_icl.errors import StoreAccessError, StoreBusyError, StoreNotFoundError
from edge_icl.store import entries
from edge_icl.store.files import FILE_MODE, Files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "lock"

_HELD = re.compile(rb"(process [0-9]+\n)?")
"""What a lock file holds."""


@contextmanager
def locked(store: Path, *, timeout: float) -> Iterator[None]:
    """Hold the store's lock.

    Args:
        store: the store's directory.
        timeout: seconds to wait for another writer; 0 to try once.

    Raises:
        StoreBusyError: another writer held it for longer than that.
        StoreNotFoundError: somebody has removed the store.
        StoreAccessError: the lock file cannot be opened, or is not the store's.
    """
    path = store / NAME
    _refuse_foreign(path)
    lock = filelock.FileLock(path, mode=FILE_MODE, thread_local=False)
    try:
        lock.acquire(timeout=timeout, poll_interval=0.01)
    except filelock.Timeout:
        since = f", for longer than {timeout:g} s" if timeout else ""
        raise StoreBusyError(
            f"{store} is being changed by {_holder(path)}{since}",
            "try again when it has finished",
        ) from None
    except OSError as error:
        raise StoreAccessError(f"{path} cannot be locked: {error.strerror}", "check its permissions") from error
    try:
        with _named(path):
            yield
    finally:
        with suppress(OSError):
            Files().rest(path)
        lock.release()


@contextmanager
def locked_where_writable(store: Path, *, timeout: float) -> Iterator[str]:
    """Hold the store's lock, or none on a read-only file system, where no writer of this machine can be.

    Gives the empty string, or why there is no lock. Raises what `locked` raises.
    """
    with ExitStack() as stack:
        reason = ""
        try:
            stack.enter_context(locked(store, timeout=timeout))
        except StoreAccessError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.EROFS:
                raise
            reason = error.message
        yield reason


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let the lock file say who holds it: a courtesy, so a full disk must not stop a forget.

    The file stays open meanwhile. One that was emptied, and is written and closed, ext4 brings to the disk at
    once, which takes as long as all else that locking does.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            file = entries.open_file(path, os.O_WRONLY)
            stack.callback(_empty, file)
            os.write(file, f"process {os.getpid()}\n".encode())
        yield


def _refuse_foreign(path: Path) -> None:
    """Refuse a lock file that, emptied, would be the loss of something else.

    Taking a lock empties its file, of which somebody may have made a link to any other. A second name is what a
    backup by hard links gives it; then it holds nothing, or by whom it was held.

    Raises:
        StoreNotFoundError: there is no store any more.
        StoreAccessError: it is no regular file, or has other names and other content.
    """
    try:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and (status.st_nlink == 1 or _HELD.fullmatch(_content(path, status))):
            return
    except FileNotFoundError:
        if not path.parent.exists():  # which what locks would make anew
            raise StoreNotFoundError(f"there is no store at {path.parent} any more", "open another") from None
        return
    except OSError as error:
        raise StoreAccessError(f"{path} cannot be locked: {error.strerror}", "check its permissions") from error
    raise StoreAccessError(
        f"{path} is not the store's own file, and locking would empty another",
        f"remove it with `rm {shlex.quote(str(path))}`: edge-icl makes it anew",
    )


def _content(path: Path, status: os.stat_result) -> bytes:
    """Return what a lock file holds, and more than it can hold if that is much."""
    return Files().read(path) if status.st_size < 1 << 10 else bytes(1)


def _empty(file: int) -> None:
    """Empty an open file and close it."""
    with suppress(OSError):
        os.ftruncate(file, 0)
    os.close(file)


def _holder(path: Path) -> str:
    """Return who holds the lock, as the lock file says."""
    try:
        return path.read_text(encoding="ascii").strip() or "another process"
    except (OSError, UnicodeDecodeError):
        return "another process"
