"""Are a model's files what their record says? A look at their status tells, where they were read before.

    {"files": {"model.gguf": ["b179...", 98362432, 1732600000123456789, 1732600000123456789, 13]}, "format": 1}

To hash weights takes a second for each gigabyte or two, so what was seen of a file when it was last read,
beside the digest that it had then, is kept beside the model in `seen.json`: its size, its times of
modification and of change, and its inode. While all are the same the file was not written to, and it is not
read again. No program can set the time of change, so a file that was copied, restored or put in the other's
place is read again, and so is every file of a folder that came from elsewhere with its `seen.json`.

Beside a model that a program ships nothing is kept: what was seen of it is kept in the home (see `placed`).

What is damaged without a write, as by a failing disk, changes none of these: `edge-icl models verify` reads
every byte. A `seen.json` that another user owns or may write to counts as none, as does a damaged one.
"""

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.models import record
from edge_icl.models.regular import open_regular
from edge_icl.runtime.folders import make_private_folder
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Mark = list[str | int]

NAME = "seen.json"
_FORMAT = 1
_LARGEST = 1 << 20
_COARSE = 2.0
"""Seconds that a file system's clock may stand still, as FAT's: a write soon after another may not show."""

_here: dict[Path, Mark] = {}
"""What this process has seen: all there is where the folder cannot be written."""


def differing(
    folder: Path,
    files: Mapping[str, record.FileDigest],
    notes: Sequence[Path],
    *,
    again: bool = False,
    progress: Progress = silent,
) -> str | None:
    """Return the first file of a model that is not what its digest says, None where all are.

    Args:
        folder: the model's.
        files: name -> digest.
        notes: where it is kept what was seen; the first of them is written to.
        again: read every file, also those that were read before.
        progress: called for each file that is read, stage "check".

    Raises:
        OSError: a file cannot be read.
    """
    kept = next(filter(None, map(_read, notes)), {})
    marks: dict[str, Mark] = {}
    wrong = None
    for name, expected in files.items():
        path = folder / name
        mark = _mark(path, expected)
        if again or mark not in (kept.get(name), _here.get(path)):
            if record.hash_file(path, progress=progress) != expected:
                wrong = name
                break
            if mark != _mark(path, expected) or _is_young(mark):
                continue  # what is written next might not show
        marks[name] = mark
    _note(folder, files, marks)
    if marks != kept:
        _keep(notes[0], marks)
    return wrong


def _mark(path: Path, expected: record.FileDigest) -> Mark:
    """Return what is noted of a file that has its digest."""
    status = path.stat()
    return [expected.sha256, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _is_young(mark: Mark) -> bool:
    """Tell whether a file was written so lately that its times may not tell the next write from the last."""
    return time.time() - max(map(int, mark[2:4])) / 1e9 < _COARSE


def _note(folder: Path, files: Mapping[str, object], marks: Mapping[str, Mark]) -> None:
    """Note what was seen, and no more than that, for this process."""
    for name in files:
        _here.pop(folder / name, None)
    _here.update({folder / name: mark for name, mark in marks.items()})


def _keep(place: Path, marks: Mapping[str, Mark]) -> None:
    """Keep it for other processes too."""
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    with suppress(OSError):  # read-only, or full: the next process reads the files again
        make_private_folder(place.parent)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"files": marks, "format": _FORMAT}, file)
            draft.chmod(_readers(place.parent) | 0o600)
        draft.replace(place)
    with suppress(OSError):
        draft.unlink(missing_ok=True)


def _readers(folder: Path) -> int:
    """Return who may read beside the owner: a folder for several users stays one."""
    known = folder / record.NAME
    return known.stat().st_mode & 0o644 if known.exists() else 0


def _read(place: Path) -> dict[str, Mark]:
    """Return what was kept, nothing where it is missing, damaged, or may be another user's."""
    try:
        with open_regular(place) as file:
            if _is_theirs(os.fstat(file.fileno())):
                return {}
            fields = json.loads(file.read(_LARGEST))
        return dict(fields["files"]) if fields["format"] == _FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _is_theirs(status: os.stat_result) -> bool:
    """Tell whether a user other than this one and root owns a file or may write to it."""
    if not hasattr(os, "geteuid"):
        return False  # Windows: what the folder hands down decides
    return status.st_uid not in (os.geteuid(), 0) or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
