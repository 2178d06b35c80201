"""Where a store is made before it gets its name, and what becomes of one whose maker was killed.

A draft holds no examples, but the task that the user gave, and the seed. Whoever makes a store of the same name
next, or looks for it, wipes it.
"""

from __future__ import annotations

import re
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.store import entries, keys, lock, manifest, settings
from edge_icl.store.layout import DIRECTORIES
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.store.files import Files

ABANDONED = 10.0
"""Seconds after which nobody is making a store any more: it takes some flushes."""

_PARTS = {settings.NAME, manifest.NAME, lock.NAME, keys.NAME, *DIRECTORIES}


def draft_of(path: Path) -> Path:
    """Return where the store at `path` is made first: beside it, under a name that nobody has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def wipe_abandoned(files: Files, path: Path) -> None:
    """Wipe what those left who were killed while they made the store at `path`.

    Raises:
        OSError: the operating system refused.
    """
    for draft in _abandoned(files, path):
        going = draft_of(draft)
        with suppress(FileNotFoundError):  # another process does the same
            files.rename(draft, going)  # so that nobody who was only slow gives half of it the store's name
            wipe(files, [going])


def _abandoned(files: Files, path: Path) -> Iterator[Path]:
    """Yield the directories beside a path that are drafts of it, hold nothing else and are old enough."""
    name = re.compile(rf"\.+{re.escape(path.name)}(\.[0-9a-f]{{8}})+")
    for found in files.names(path.parent):
        if name.fullmatch(found):
            draft = path.with_name(found)
            with suppress(OSError):
                status = entries.status(draft)
                old = time.time() - status.st_ctime > ABANDONED
                if stat.S_ISDIR(status.st_mode) and old and _PARTS.issuperset(files.names(draft)):
                    yield draft
