"""A directory that once held many names stays large on some file systems, such as ext4: it is made again.

Otherwise the size of `pages/` would tell that a store has been larger. All names are linked into a new
directory, the two directories swap their names in one step, and the old one is removed. So at every moment all
files are there for every reader. An interruption leaves a directory of second names, which the next command
removes. The files behind them are not wiped: they are pages in use.

Linux only: other systems have no such step, or their directories shrink by themselves.
"""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

from edge_icl.store import entries
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.store.files import Files

SUFFIX = ".new"
"""What the name of the new directory ends with; after the swap, that of the old one."""

BLOCK = 4096
"""Bytes of the smallest directory of ext4."""

LARGE = 256
"""Bytes a name: twice what ext4 takes for names of this length in blocks that are two thirds full."""

_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK, errno.EXDEV})
"""The errors of systems and file systems that have no hard links, or no swap."""


def compact(files: Files, folder: Path) -> None:
    """Make a directory of a store again if it is much larger than its names need; with the lock held.

    Raises:
        OSError: the operating system refused.
    """
    size = entries.status(folder).st_size
    if size <= 2 * BLOCK or size <= LARGE * len(names := files.names(folder)):
        return
    other = folder.with_name(folder.name + SUFFIX)
    files.make_directory(other)
    try:
        for name in names:
            files.link(folder / name, other / name)
        files.flush_directory(other)
        files.swap(other, folder)
    except OSError as error:
        remove(files, other)
        if error.errno not in _CANNOT:
            raise
        return
    files.flush_directory(folder.parent)  # before a name is removed: a power cut must not undo the swap
    remove(files, other)
    files.rest(folder)


def remove(files: Files, other: Path) -> None:
    """Remove a directory of second names, as a compaction leaves it, also one that was interrupted.

    Everything in it that has no other name is wiped.
    """
    if not stat.S_ISDIR(entries.status(other).st_mode):
        wipe(files, [other])
        return
    entries.refuse_mount(other)
    for path in [other / name for name in files.names(other)]:
        if entries.status(path).st_nlink > 1:
            files.unlink(path)
    wipe(files, [other])
    files.flush_directory(other.parent)
