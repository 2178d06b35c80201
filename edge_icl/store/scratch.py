"""A private folder for a text in the clear: in memory where that can be had, and wiped with all that is in it.

    places(home, "editing")             where one may be, the best first
    file = make(place, "a.txt", data)   a folder of mode 0700, and in it a file of mode 0600, which stays open
    wipe(place, file)                   its content, whoever has its name by now, and whatever lies beside it

On Linux `$XDG_RUNTIME_DIR` and `/dev/shm` lie in memory as a rule; that they do is looked up. Nothing is
flushed to a disk but the zeros that replace it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from edge_icl.store.files import DIRECTORY_MODE, FILE_MODE
from edge_icl.store.wiping import ZEROS

IN_MEMORY = {"tmpfs", "ramfs"}
_MOUNTS = Path("/proc/self/mountinfo")
_SHARED = Path("/dev/shm")  # noqa: S108 - what is made there is checked to be ours
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def places(home: Path, name: str) -> list[Path]:
    """Return where a folder may be, the best place first; the last is in the home, on a disk.

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
        found[:0] = [place for place in named if not _taken(place)]
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


def make(place: Path, name: str, data: bytes) -> int:
    """Make the folder and a file in it, and return the file's descriptor.

    Raises:
        OSError: the operating system refused.
    """
    place.mkdir(mode=DIRECTORY_MODE)
    place.chmod(DIRECTORY_MODE)  # a umask may have taken from it
    file = os.open(place / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY, FILE_MODE)
    try:
        (place / name).chmod(FILE_MODE)
        _write(file, data)
    except BaseException:
        os.close(file)
        raise
    return file


def read(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: the operating system refused, or it is no regular file.
    """
    file = os.open(path, os.O_RDONLY | _SAFELY)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise FileNotFoundError(path)
        return opened.read()


def wipe(place: Path, file: int | None = None, *, size: int = 0) -> None:
    """Overwrite everything in a folder with zeros, and remove it; it need not be there.

    Args:
        place: the folder.
        file: the descriptor of a file that was made in it, which is closed; its name may be another's by now.
        size: how many bytes that file had.

    Raises:
        OSError: the operating system refused.
    """
    if file is not None:
        try:
            _zero(file, size)
        finally:
            os.close(file)
    status = _lstat(place)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        place.unlink()
        return
    for parent, folders, names in os.walk(place, topdown=False):
        for path in (Path(parent, one) for one in names):
            _wipe_file(path)
        for path in (Path(parent, one) for one in folders):
            path.unlink() if path.is_symlink() else path.rmdir()
    place.rmdir()


def _taken(place: Path) -> bool:
    """Tell whether somebody else has a name in a folder that users share."""
    status = _lstat(place)
    return status is not None and status.st_uid != os.geteuid()


def _lstat(path: Path) -> os.stat_result | None:
    """Return what is known of a path, not of what it points to; None where nothing is."""
    with suppress(FileNotFoundError):
        return path.lstat()
    return None


def _wipe_file(path: Path) -> None:
    """Overwrite a file, if it is a regular one, and remove its name."""
    if stat.S_ISREG(path.lstat().st_mode):
        path.chmod(FILE_MODE)  # an editor may have left it read-only
        file = os.open(path, os.O_WRONLY | _SAFELY)
        try:
            _zero(file, 0)
        finally:
            os.close(file)
    path.unlink()


def _zero(file: int, size: int) -> None:
    """Write zeros over a file, over so many bytes at least, and bring them to the disk."""
    os.lseek(file, 0, os.SEEK_SET)
    for start in range(0, size := max(size, os.fstat(file).st_size), len(ZEROS)):
        _write(file, ZEROS[: size - start])
    os.fsync(file)


def _write(file: int, data: bytes) -> None:
    """Write all of the data."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
