"""A private folder for a text in the clear: in memory where that can be had, and wiped with all that is in it.

    folders(home, "editing")             where one may be, the best first
    file = make(folder, "a.txt", data)   a folder of mode 0700, and in it a file of mode 0600, which stays open
    wipe(folder, file, size=...)         what the file held, under whatever name, and all else in the folder

On Linux `$XDG_RUNTIME_DIR` and `/dev/shm` usually lie in memory; whether they do is looked up. Nothing is
flushed to a disk except the zeros that replace the text.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from edge_icl.store.files import FILE_MODE, Files
from edge_icl.store.wiping import wipe as wipe_all
from edge_icl.store.wiping import zero_from_start

IN_MEMORY = {"tmpfs", "ramfs"}
_MOUNTS = Path("/proc/self/mountinfo")
_SHARED = Path("/dev/shm")  # noqa: S108 - users share it, so a folder that another user made there is not taken


class _PrivateFiles(Files):
    """The files of a folder of this user's alone, where an editor may have left some read-only."""

    def open(self, path: Path, *, create: bool) -> int:
        """Open a file for writing, as `Files.open` does; make it writable first."""
        if not create:
            path.chmod(FILE_MODE)
        return super().open(path, create=create)


_FILES = _PrivateFiles()


def folders(home: Path, name: str) -> list[Path]:
    """Return where the folder may be, the best first; the last is in the home, on a disk.

    The names depend on the home alone, so that what a killed process left can be found.

    Args:
        home: the folder of this user's stores.
        name: of the folder in it.
    """
    found = [home / name]
    if sys.platform == "linux":
        mark = hashlib.blake2b(os.fsencode(home), digest_size=8).hexdigest()
        above = [Path(os.environ.get("XDG_RUNTIME_DIR") or _SHARED), _SHARED]
        named = [
            one / f"edge-icl-{os.geteuid()}-{mark}-{name}" for one in dict.fromkeys(above) if in_memory(one)
        ]
        found[:0] = [folder for folder in named if not _taken(folder)]
    return found


def in_memory(folder: Path) -> bool:
    """Tell whether a folder is there, can be written to, and lies in memory, not on a disk."""
    try:
        device = folder.stat().st_dev
        lines = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return False
    here = f"{os.major(device)}:{os.minor(device)}"
    kinds = {line.partition(" - ")[2].split(" ")[0] for line in lines if line.split(" ")[2] == here}
    return folder.is_absolute() and bool(kinds) and kinds <= IN_MEMORY and os.access(folder, os.W_OK | os.X_OK)


def make(folder: Path, name: str, data: bytes) -> int:
    """Make the folder and a file in it, and return the file's descriptor.

    Raises:
        OSError: the operating system refused.
    """
    _FILES.make_directory(folder)
    file = _FILES.open(folder / name, create=True)
    try:
        _FILES.write(file, data)
    except BaseException:
        _FILES.close(file)
        raise
    return file


def read(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: the operating system refused, or it is not a regular file.
    """
    return _FILES.read(path)


def wipe(folder: Path, file: int | None = None, *, size: int = 0) -> None:
    """Overwrite everything in a folder with zeros, and remove it; it need not be there.

    Args:
        folder: the folder.
        file: the descriptor of a file that was made in it, which is closed; another file may have its name now.
        size: how many bytes that file had.

    Raises:
        OSError: the operating system refused.
    """
    if file is not None:
        try:
            zero_from_start(_FILES, file, size=size)
        finally:
            _FILES.close(file)
    status = _lstat(folder)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        folder.unlink()
    else:
        wipe_all(_FILES, [folder], ours=lambda _: True)


def _taken(folder: Path) -> bool:
    """Tell whether another user has a name in a folder that users share."""
    status = _lstat(folder)
    return status is not None and status.st_uid != os.geteuid()


def _lstat(path: Path) -> os.stat_result | None:
    """Return what is known of a path, not of what it points to; None where nothing is."""
    with suppress(FileNotFoundError):
        return path.lstat()
    return None
