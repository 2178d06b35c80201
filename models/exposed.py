"""Which other users may change a model: what all users may write to is not used, the rest `doctor` tells.

Models are shared more often than stores: a folder of root's in /opt, a colleague's, one of a group. What is in
it is read, never written, so another owner or a group that may write is the user's own choice, if one to know
of: they can put in a file that does harm when it is loaded. That all users may write is never a choice.

Windows has no such modes: there the rights that a folder hands down decide.
"""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

from edge_icl.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_ROOT = 0


def refuse_open_to_all(paths: Iterable[Path]) -> None:
    """Refuse files and folders that all users may write to.

    Raises:
        ModelFileError: one of them is.
    """
    for path, status in _known(paths):
        kept = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX  # from what is not theirs
        if status.st_mode & stat.S_IWOTH and not kept:
            place = shlex.quote(str(path))
            raise ModelFileError(
                f"all users may write to {path} (mode {stat.S_IMODE(status.st_mode):04o})",
                f"close it with `chmod -R o-w {place}`, then see whether it is whole: edge-icl models verify",
            )


def others(paths: Iterable[Path]) -> str:
    """Return which other user or group may write to files and folders, in a clause; "" for none but root."""
    for path, status in _known(paths):
        if status.st_uid not in (os.geteuid(), _ROOT):
            return f"user {status.st_uid} owns {path}, and may change what is loaded"
        if status.st_mode & stat.S_IWGRP and status.st_gid not in (status.st_uid, _ROOT):
            return f"group {status.st_gid} may write to {path}, and change what is loaded"
    return ""


def _known(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Give what is known of those that are there."""
    if not hasattr(os, "geteuid"):
        return
    for path in paths:
        try:
            yield path, path.stat()
        except OSError:
            continue  # what opens it tells why
