"""A directory that once held many names stays large on some file systems, ext4 among them: it is made anew.

Else the size of `pages/` would tell that a store has been larger. All names are linked into a new directory,
the two directories swap their names in one step, and the old one goes. So at every moment, for every reader,
all files are there; whoever is cut off leaves a directory of second names, which the next command removes. What
they name is not wiped: it is pages in use.

Linux only: elsewhere there is no such step, or directories shrink by themselves.
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
"""Of the new directory, and after the swap of the old one."""

BLOCK = 4096
"""Bytes of the smallest directory of ext4."""

LARGE = 256
"""Bytes a name: twice what ext4 takes for names of our length in blocks that are two thirds full."""

_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK, errno.EXDEV})
"""How systems and file systems refuse that know no hard links, or no swap."""


def compact(files: Files, folder: Path) -> None:
    """Make a directory of a store anew if it is much larger than what it holds needs; with the lock held.

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
    files.flush_directory(folder.parent)  # before any name goes: a power cut must not bring the old one back
    remove(files, other)
    files.rest(folder)


def remove(files: Files, other: Path) -> None:
    """Remove a directory of second names, as a compaction leaves it, whether or not it was cut off.

    What has no other name is wiped, and so is whatever else may be there.
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
