"""Regular files, and nothing else that may have a file's name.

    with open_regular(path) as file:
        ...

To open a FIFO waits for a process at its other end, and to read a device may never end. So a file is opened
without waiting, and what was opened is looked at, rather than what had the name before.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC"))


def open_regular(path: Path) -> IO[bytes]:
    """Open a file for reading; a symbolic link to one is fine.

    Raises:
        OSError: it cannot be opened, or is something else than a file.
    """
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, *, most: int) -> bytes:
    """Return the content of a small file.

    Args:
        path: the file.
        most: bytes that it may have.

    Raises:
        OSError: as for `open_regular`, or it has more.
    """
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data
