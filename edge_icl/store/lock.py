"""One writer at a time, among all processes and threads.

The lock is the operating system's, on the file `lock` in the store: it is released when a process dies. While
it is held, the file says by which process, so that a process that waits can say what for; at rest it is empty,
the same in every store.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from edge_icl.errors import StoreAccessError, StoreBusyError
from edge_icl.store import entries, presence, settings
from edge_icl.store.files import FILE_MODE, Files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "lock"

DEFAULT_TIMEOUT = 30.0
"""Seconds to wait for another writer: longer than a large batch takes to commit."""

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
        StoreNotFoundError: the store has been removed.
        StoreAccessError: the lock file cannot be opened, or is not the store's.
    """
    import filelock  # some twenty modules, and who only reads a store never locks it

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
        _refuse_left(store)
        with _named(path):
            yield
    finally:
        with suppress(OSError):
            Files().rest(path)
        lock.release()


@contextmanager
def locked_where_writable(store: Path, *, timeout: float) -> Iterator[str]:
    """Hold the store's lock; or no lock on a read-only file system, where this machine cannot have a writer.

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
    """Let the lock file say which process holds it. If that fails, as on a full disk, a forget must go on.

    The file stays open until the lock is released. If it were written and closed after it had been emptied,
    ext4 would bring it to the disk at once, which takes as long as all the rest of locking.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            file = entries.open_file(path, os.O_WRONLY)
            stack.callback(_empty, file)
            os.write(file, f"process {os.getpid()}\n".encode())
        yield


def _refuse_foreign(path: Path) -> None:
    """Refuse a lock file if emptying it would lose something else.

    Taking a lock empties its file, and another user may have put a link to any other file in its place. A
    backup by hard links gives the lock file a second name too; then it is empty, or says which process held it.

    Raises:
        StoreNotFoundError: there is no store any more.
        StoreAccessError: it is not a regular file, or it has other names and other content.
    """
    try:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and (status.st_nlink == 1 or _HELD.fullmatch(_content(path, status))):
            return
    except FileNotFoundError:
        if not path.parent.exists():  # filelock would make it again
            raise presence.gone(path.parent) from None
        return
    except OSError as error:
        raise StoreAccessError(f"{path} cannot be locked: {error.strerror}", "check its permissions") from error
    raise StoreAccessError(
        f"{path} is not the store's own file, and locking would empty another",
        f"remove it with `rm {shlex.quote(str(path))}`: it is made again",
    )


def _refuse_left(store: Path) -> None:
    """Refuse a directory that locking has made, of a store that was removed or renamed just before that.

    Raises:
        StoreNotFoundError: it is one; it is removed.
    """
    if not os.path.lexists(store / settings.NAME):
        with suppress(OSError):
            if entries.names(store) == [NAME]:
                (store / NAME).unlink()
                store.rmdir()
        if not store.exists():
            raise presence.gone(store)


def _content(path: Path, status: os.stat_result) -> bytes:
    """Return what a lock file holds; of a large file something that no lock file holds."""
    return Files().read(path) if status.st_size < 1 << 10 else bytes(1)


def _empty(file: int) -> None:
    """Empty an open file and close it."""
    with suppress(OSError):
        os.ftruncate(file, 0)
    os.close(file)


def _holder(path: Path) -> str:
    """Return what holds the lock, as the lock file says."""
    try:
        return path.read_text(encoding="ascii").strip() or "another process"
    except (OSError, UnicodeDecodeError):
        return "another process"
