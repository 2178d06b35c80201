"""Where a store is made before it gets its name, and what happens to a draft when the process is killed.

A draft holds the task that the user gave, the seed, and what a first change adds, which has the draft's lock as
long as it takes. What makes, opens, changes or removes a store of the same name wipes one that is abandoned.
"""

from __future__ import annotations

import re
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.errors import StoreError
from edge_icl.store import entries, keys, lock, manifest, ownership, settings
from edge_icl.store.layout import DIRECTORIES, DRAFT
from edge_icl.store.lock import locked
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.store.files import Files

ABANDONED = 10.0
"""Seconds after which a draft that is not locked is abandoned: making a store takes only a few flushes."""

_PARTS = {settings.NAME, manifest.NAME, lock.NAME, keys.NAME, DRAFT, *DIRECTORIES}


def draft_of(path: Path) -> Path:
    """Return where the store at `path` is made first: beside it, under a name that is not in use."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def wipe_abandoned(files: Files, path: Path) -> None:
    """Wipe the drafts of processes that were killed while they made the store at `path`.

    The store may be there: who is killed types the same again.

    Raises:
        OSError: the operating system refused.
    """
    for draft in _abandoned(files, path):
        going = draft_of(draft)
        # Another process is still writing it, or does the same as this one; or it cannot be locked.
        with suppress(StoreError, FileNotFoundError):
            if lock.NAME in files.names(draft):
                with locked(draft, timeout=0):
                    pass
            files.rename(draft, going)  # so that a process that was only slow cannot give it the store's name
            wipe(files, [going])


def tidy(files: Files, path: Path) -> None:
    """Wipe abandoned drafts of the store at `path`, as far as that is possible."""
    with suppress(OSError, StoreError):
        if any(_abandoned(files, path)):
            ownership.refuse_exposed(path)
            wipe_abandoned(files, path)


def take_back(files: Files, path: Path) -> None:
    """Wipe a store that was made and must not stay; it loses its name first, so no half of it has that.

    What a kill leaves of it is a draft, for the next command to wipe.

    Raises:
        OSError: the operating system refused.
    """
    going = draft_of(path)
    files.rename(path, going)
    files.flush_directory(path.parent)
    wipe(files, [going])


def _abandoned(files: Files, path: Path) -> Iterator[Path]:
    """Yield the directories beside a path that are drafts of it, hold nothing else and are old enough."""
    begins = f".{path.name}."
    for found in files.names(path.parent):
        if begins in found and re.fullmatch(rf"\.+{re.escape(path.name)}(\.[0-9a-f]{{8}})+", found):
            draft = path.with_name(found)
            with suppress(OSError):
                status = entries.status(draft)
                old = abs(time.time() - status.st_ctime) > ABANDONED  # the clock may have been set back
                if stat.S_ISDIR(status.st_mode) and old and _PARTS.issuperset(files.names(draft)):
                    yield draft
