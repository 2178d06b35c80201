"""Whether a store is at a path: the one answer for making, opening and checking a store."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from edge_icl.errors import InputError, NotAStoreError, StoreNotFoundError
from edge_icl.runtime.home import command_line, store_name
from edge_icl.store import settings

if TYPE_CHECKING:
    from pathlib import Path


LONGEST_NAME = 255 - len("..01234567.removed")
"""Bytes of a store's name: file systems have names of 255."""

ALIKE, MOST_NAMED = 0.7, 3
"""From which ratio on, as `difflib` has it, two names are nearly the same; how many such names are told."""


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
        raise missing(path)
    if not is_store(path):
        raise _something_else(path, f": there is no {settings.NAME} in it")


def missing(path: Path, *, encrypted: bool = False) -> StoreNotFoundError:
    """Return the error for a path where no store is: the stores that may be meant, and how to make this one."""
    words = ["init", *(["--encrypt"] if encrypted else [])]
    make = f"make it with `{command_line(*words, store=store_name(path))}`"
    near = " or ".join(shlex.join(["--store", name]) for name in similar(path))
    hint = f"did you mean {near}? if not, {make}" if near else make
    return StoreNotFoundError(f"there is no store at {path}", hint)


def gone(path: Path) -> StoreNotFoundError:
    """Return the error for a store that was there when it was opened."""
    return StoreNotFoundError(f"there is no store at {path} any more", "open another")


def similar(path: Path) -> list[str]:
    """Return what stores beside a path are called that are spelled nearly as it is, the most alike first."""
    import difflib

    try:
        others = [one.name for one in path.parent.iterdir() if one.name != path.name and is_store(one)]
    except OSError:
        return []
    folded = {name.casefold(): name for name in others}
    near = difflib.get_close_matches(path.name.casefold(), folded, n=MOST_NAMED, cutoff=ALIKE)
    return [store_name(path.with_name(folded[name])) for name in near]


def require_free(path: Path) -> None:
    """Refuse to make a store at a path where something is.

    Raises:
        NotAStoreError: a file is there, or a directory that is not empty.
        InputError: its name is blank or too long.
        OSError: the operating system refused.
    """
    if not is_free(path):
        raise _something_else(path)
    refuse_name(path)


def refuse_name(path: Path) -> None:
    """Refuse a name that nobody sees, or to which nothing can be added: a store is removed under a longer one.

    Raises:
        InputError: it is blank or too long.
    """
    if not path.name.strip():
        raise InputError("the name of a store is blank", "choose one with letters")
    if (size := len(os.fsencode(path.name))) > LONGEST_NAME:
        raise InputError(
            f"the name of a store has {LONGEST_NAME} bytes at most, and {path.name[:20]}… has {size}",
            "choose a shorter one",
        )


def _something_else(path: Path, reason: str = "") -> NotAStoreError:
    """Return the error for a path where something else than a store is."""
    what = f"a directory but not a store{reason}" if path.is_dir() else "a file, not a store"
    return NotAStoreError(f"{path} is {what}", "choose another path")
