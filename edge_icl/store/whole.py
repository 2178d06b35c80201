"""A store as a whole: removed, or given another name. Each is one rename, so that it happens or does not.

A removed store first loses its name, under its lock: from then on there is none. Then every file in it is
wiped, its key and its lock last. What a kill leaves of that has a name that says so, and is wiped by the next
removal or listing.

Nothing here follows a link, and a folder in which anything lies that is not a store's is left alone: it may be
a folder of the user's own in which something is called store.json.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shlex
import stat
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from edge_icl.errors import (
    NotAStoreError,
    StoreAccessError,
    StoreDamagedError,
    StoreError,
    StoreExistsError,
    StoreFormatError,
    StoreNotFoundError,
)
from edge_icl.store import drafts, entries, keys, manifest, ownership, presence, settings
from edge_icl.store.files import Files
from edge_icl.store.layout import DIRECTORIES
from edge_icl.store.lock import NAME as LOCK
from edge_icl.store.lock import locked
from edge_icl.store.os_errors import access
from edge_icl.store.reading import StoreReader
from edge_icl.store.recovery import LEFT, is_ours
from edge_icl.store.settings import Settings
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_icl.store.keys import WrappedKey

    Drop = Callable[[WrappedKey], None]
    """Called for an encrypted store before its key is wiped."""

PARTS = {settings.NAME, manifest.NAME, LOCK, keys.NAME, *LEFT, *DIRECTORIES}
"""All names that edge-icl gives in a store."""

NOT_WIPED = "the store is removed, but not all of it is wiped yet: remove it again, which goes on"


def remove(path: Path, *, timeout: float, drop: Drop, files: Files | None = None) -> None:
    """Remove the store at a path, sound or damaged, and wipe every file of it.

    Args:
        path: its directory, with no link in it; see `own_path`.
        timeout: seconds to wait for a writer.
        drop: what it raises is raised when all is wiped.
        files: the file system.

    Raises:
        StoreNotFoundError: nothing is there.
        NotAStoreError: something else is there, or in it.
        StoreExposedError: another user owns it or may write to it.
        StoreBusyError: it is being changed.
        StoreAccessError: the operating system refused; `committed` tells whether the store is removed.
    """
    files = files or Files()
    refuse_foreign(path)
    going = path.with_name(f".{path.name}.{secrets.token_hex(4)}.removed")
    with ExitStack() as held:
        held.enter_context(locked(path, timeout=timeout))
        drafts.tidy(files, path)
        with access(path, "removed"):
            for name in DIRECTORIES:
                if _is_directory(path / name):
                    entries.refuse_mount(path / name)
            _let_go(held)
            files.rename(path, going)
        with access(path, "wiped", hint=NOT_WIPED, committed=True):
            _wipe_to_the_end(files, going, held, drop)


def finish(going: Path, *, drop: Drop, files: Files | None = None) -> None:
    """Wipe what a removal has left that was cut off.

    Raises:
        StoreBusyError: another process is at it.
        StoreAccessError: the operating system refused.
    """
    with ExitStack() as held, suppress(StoreNotFoundError):  # another process has just wiped it
        held.enter_context(locked(going, timeout=0))
        with access(going, "wiped", hint=NOT_WIPED):
            _wipe_to_the_end(files or Files(), going, held, drop)


def left_in(folder: Path, name: str | None = None) -> list[Path]:
    """Return what removals of the stores in a folder, or of that with a name, have left that were cut off."""
    removed = re.compile(rf"\.{'.+' if name is None else re.escape(name)}\.[0-9a-f]{{8}}\.removed")
    with suppress(FileNotFoundError, NotADirectoryError):
        found = (folder / one for one in sorted(entries.names(folder)) if removed.fullmatch(one))
        return [path for path in found if _is_directory(path)]
    return []


def rename(old: Path, new: Path, *, timeout: float, files: Files | None = None) -> None:
    """Give the store at a path another one, on the same disk, in one step.

    Args:
        old: its directory, with no link in it; see `own_path`.
        new: where it will be; nothing is there.
        timeout: seconds to wait for a writer.
        files: the file system.

    Raises:
        StoreNotFoundError: nothing is at the old path.
        NotAStoreError: something else is there, or something that is no store is at the new path.
        StoreExistsError: a store is at the new path.
        StoreExposedError: another user may write to it, or to the folder that it would be in.
        StoreBusyError: it is being changed.
        StoreAccessError: the operating system refused; `committed` tells whether the store is renamed.
    """
    files = files or Files()
    refuse_foreign(old)
    with access(new, "made"):
        if presence.is_store(new):
            raise StoreExistsError(f"there is a store at {new} already", "choose another name")
        if os.path.lexists(new):
            raise NotAStoreError(f"there is something at {new} already", "choose another name")
        presence.refuse_name(new)
        ownership.refuse_exposed(new)
    with ExitStack() as held:
        held.enter_context(locked(old, timeout=timeout))
        drafts.tidy(files, old)
        _let_go(held)
        try:
            with access(old, "renamed"):
                files.move(old, new)
        except StoreAccessError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno == errno.EXDEV:
                raise StoreAccessError(
                    f"{new} is on another disk than the store {old}",
                    "copy it there (cp -a), see that the copy opens, then remove the store",
                ) from error
            raise
    with access(new, "brought to the disk", hint="check the disk: a power cut may undo it", committed=True):
        for folder in {old.parent, new.parent}:
            files.flush_directory(folder)


def own_path(path: Path) -> Path:
    """Return the path of a store with no link in it, and refuse one that is itself a link.

    Raises:
        NotAStoreError: it is a symbolic link.
    """
    if path.name in ("", ".."):
        path = path.resolve()
    own = path.parent.resolve() / path.name
    if own.is_symlink():
        raise NotAStoreError(
            f"{own} is a symbolic link, and nothing is done to a store through one",
            f"name the folder that it points to, {shlex.quote(str(own.resolve()))}",
        )
    return own


def refuse_foreign(path: Path) -> None:
    """Refuse a directory that is not a store, or holds anything else beside one.

    Raises:
        StoreNotFoundError: nothing is there, or an empty directory.
        NotAStoreError: something else is there, or in it.
        StoreExposedError: another user owns it or may write to it.
        StoreAccessError: the operating system refused.
    """
    with access(path, "read"):
        try:
            presence.require_store(path)
        except StoreNotFoundError as error:
            near = " or ".join(map(shlex.quote, presence.similar(path)))
            hint = "`edge-icl stores list` shows which there are"
            raise StoreNotFoundError(error.message, f"did you mean {near}? {hint}" if near else hint) from None
        names = set(entries.names(path))
    ownership.refuse_exposed(path)
    if others := sorted(names - PARTS):
        raise NotAStoreError(
            f"{path} holds something else than a store: {others[0]}",
            "move that out of it first, or choose another store",
        )
    if manifest.NAME not in names and not _has_settings(path):
        raise NotAStoreError(f"{path} is a directory but not a store", "choose another")


def _has_settings(path: Path) -> bool:
    """Tell whether what is called store.json is one."""
    try:
        data = Files().read(path / settings.NAME)
        return settings.sealed_in(data) is not None or bool(Settings.decode(data))
    except StoreFormatError:
        return True
    except (OSError, StoreError):
        return False


def _is_directory(path: Path) -> bool:
    """Tell whether a directory is there, and not a link to one."""
    with suppress(FileNotFoundError):
        return stat.S_ISDIR(entries.status(path).st_mode)
    return False


def _let_go(held: ExitStack) -> None:
    """Release a lock early on Windows, which renames and removes no folder in which a file is open."""
    if os.name == "nt":
        held.close()


def _wipe_to_the_end(files: Files, going: Path, held: ExitStack, drop: Drop) -> None:
    """Wipe a store that has lost its name; Ctrl-C takes effect when all is wiped."""
    try:
        files.flush_directory(going.parent)
        _wipe(files, going, held, drop)
    except KeyboardInterrupt:
        if _is_directory(going):
            _wipe(files, going, held, drop)
        raise


def _wipe(files: Files, going: Path, held: ExitStack, drop: Drop) -> None:
    """Wipe its files, its key and its lock last, so that what is cut off can go on."""
    wiped, names, failed = partial(wipe, files, ours=_ours(files, going)), files.names(going), None
    wiped([going / name for name in names if name not in (keys.NAME, LOCK)])
    if keys.NAME in names:
        try:
            drop(keys.read(files, going))
        except StoreDamagedError:
            pass  # no key, so there is nothing to be dropped
        except StoreError as error:
            failed = error
        wiped([going / keys.NAME])
    _let_go(held)
    wiped([going])
    files.flush_directory(going.parent)
    if failed is not None:
        raise failed


def _ours(files: Files, path: Path) -> Callable[[Path], bool]:
    """Return what tells of a file with other names whether its content is this store's, if that can be told."""
    try:
        reader = StoreReader(path, Settings.decode(files.read(path / settings.NAME)), files)
    except (OSError, StoreError):
        return lambda _: False  # encrypted or damaged: then another name keeps its content
    return partial(is_ours, reader)
