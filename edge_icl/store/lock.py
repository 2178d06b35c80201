"""One writer at a time, among all processes and threads.

The lock is the operating system's, on the file `lock` in the store: it goes with a process that dies. While it
is held the file says by whom, so that whoever waits can say what for; at rest it is empty, the same in every
store.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import filelock

from edge_icl.errors import StoreAccessError, StoreBusyError
from edge_icl.store.files import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "lock"


@contextmanager
def locked(store: Path, *, timeout: float) -> Iterator[None]:
    """Hold the store's lock.

    Args:
        store: the store's directory.
        timeout: seconds to wait for another writer; 0 to try once.

    Raises:
        StoreBusyError: another writer held it for longer than that.
        StoreAccessError: the lock file cannot be opened.
    """
    path = store / NAME
    lock = filelock.FileLock(path, mode=FILE_MODE, thread_local=False)
    try:
        lock.acquire(timeout=timeout, poll_interval=0.01)
    except filelock.Timeout:
        raise StoreBusyError(
            f"{store} is being changed by {_holder(path)}, for longer than {timeout:g} s",
            "try again when it has finished",
        ) from None
    except OSError as error:
        raise StoreAccessError(f"{path} cannot be locked: {error.strerror}", "check its permissions") from error
    try:
        with suppress(OSError):  # the name of the holder is a courtesy: a full disk must not stop a forget
            path.write_text(f"process {os.getpid()}\n", encoding="ascii")
        yield
    finally:
        with suppress(OSError):
            os.truncate(path, 0)
        lock.release()


def _holder(path: Path) -> str:
    """Return who holds the lock, as the lock file says."""
    try:
        return path.read_text(encoding="ascii").strip() or "another process"
    except (OSError, UnicodeDecodeError):
        return "another process"
