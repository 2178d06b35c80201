"""Where a store or a model is, by its name or its path. Loads nothing heavy, since every command needs it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, overload

from edge_icl.errors import InputError
from edge_icl.runtime.arguments import kind
from edge_icl.runtime.home import expanded, home, stores_folder
from edge_icl.store import ownership

if TYPE_CHECKING:
    from pathlib import Path


def locate(store: str | os.PathLike[str]) -> Path:
    """Return the directory of a store that is given by its name, or by a path (anything with a separator).

    Raises:
        InputError: this is neither.
        StoreExposedError: another user owns the folder of this user's stores, or may write to it.
    """
    if not isinstance(store, str | os.PathLike) or not isinstance(text := os.fspath(store), str):
        raise InputError(
            f"{kind(store)} is neither the name of a store nor its path", "give it as text, or a Path"
        )
    if isinstance(store, os.PathLike) or os.sep in text or (os.altsep and os.altsep in text):
        return usable(expanded(text))
    if not text or text.startswith(".") or "\0" in text:
        raise InputError(f"{text!r} cannot be the name of a store", "begin with a letter, or give a path")
    ownership.refuse_exposed_folder(home())
    return usable(stores_folder() / text)


def usable(path: Path) -> Path:
    """Return a path at which something may be, or nothing.

    Raises:
        InputError: no file of this system can have it, or it leads through links that lead to each other.
    """
    try:
        path.stat()
    except ValueError:  # a NUL, or half of a surrogate pair
        raise InputError(f"{str(path)!r} cannot be a path", "choose another") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(
                f"{path} leads through a symbolic link that leads back to itself", "remove the link"
            ) from None
    return path


@overload
def spelled(model: str | os.PathLike[str]) -> str: ...
@overload
def spelled(model: None) -> None: ...
def spelled(model: str | os.PathLike[str] | None) -> str | None:
    """Return the name of a model, or its path, as text; a path object is a path also without a separator.

    Raises:
        InputError: it is neither.
    """
    if not isinstance(model, str | os.PathLike | None):
        raise InputError(
            f"{kind(model)} is neither the name of a model nor its path", "give it as text, or a Path"
        )
    return model if model is None or isinstance(model, str) else str(expanded(model))
