"""Whether a store is at a path: the one answer for making, opening and checking a store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge_icl.errors import NotAStoreError, StoreNotFoundError
from edge_icl.store import settings

if TYPE_CHECKING:
    from pathlib import Path


def is_store(path: Path) -> bool:
    """Tell whether a store is at a path, sound or damaged: something there is called store.json."""
    return os.path.lexists(path / settings.NAME)


def is_free(path: Path) -> bool:
    """Tell whether nothing is at a path, or only an empty directory.

    Raises:
        OSError: the operating system refused.
    """
    return not any(path.iterdir()) if path.is_dir() else not path.exists()


def require_store(path: Path) -> None:
    """Refuse a path where no store is.

    Raises:
        StoreNotFoundError: nothing is there, or an empty directory.
        NotAStoreError: a file is there, or a directory that is not a store.
        OSError: the operating system refused.
    """
    if is_free(path):
        raise StoreNotFoundError(f"there is no store at {path}", "make it with `edge-icl init`")
    if not is_store(path):
        raise _something_else(path, f": there is no {settings.NAME} in it")


def require_free(path: Path) -> None:
    """Refuse to make a store at a path where something is.

    Raises:
        NotAStoreError: a file is there, or a directory that is not empty.
        OSError: the operating system refused.
    """
    if not is_free(path):
        raise _something_else(path)


def _something_else(path: Path, reason: str = "") -> NotAStoreError:
    """Return the error for a path where something else than a store is."""
    what = f"a directory but not a store{reason}" if path.is_dir() else "a file, not a store"
    return NotAStoreError(f"{path} is {what}", "choose another path")
