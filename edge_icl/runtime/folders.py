"""Folders, of stores and of models: how large one is, and one that only this user can enter."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def bytes_in(folder: Path) -> int:
    """Return the size of all files in a folder; what cannot be read counts nothing."""
    size = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += (Path(above) / name).lstat().st_size
    return size


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user can enter, and those above it that are missing, in the same way.

    Raises:
        OSError: the operating system refused.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)  # mkdir's own mode argument is subject to the umask
