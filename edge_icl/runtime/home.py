"""The folder of this user's models and stores: apart, since every command needs it and few need a model."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from edge_icl.errors import InputError

DEFAULT_STORE = "default"

STORE_VARIABLE = "EDGE_ICL_STORE"
"""Environment variable: which store a command works on that names none."""


def home() -> Path:
    """Return the folder: $EDGE_ICL_HOME, or the platform's own."""
    return expanded(os.environ.get("EDGE_ICL_HOME") or _default())


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path that a user gave, absolute, `~` replaced by a home.

    Raises:
        InputError: it begins with the name of a user that this system does not know.
    """
    try:
        return Path(path).expanduser().absolute()
    except RecursionError:
        raise
    except RuntimeError:
        raise InputError(
            f"the home that {os.fspath(path)} begins with is not known", "give it in full"
        ) from None


def stores_folder() -> Path:
    """Return the folder of the stores that have a name; it may not exist yet."""
    return home() / "stores"


def chosen_store() -> str:
    """Return the store that a command works on if it names none: that of $EDGE_ICL_STORE, or the default."""
    return os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def store_name(path: Path) -> str:
    """Return what a user types to name the store at a path: its name, or the path where it has none."""
    folder = stores_folder()
    return path.name if path.parent in (folder, folder.resolve()) else str(path)


def command_line(*words: str, store: str) -> str:
    """Return a command that works on a store, ready to be pasted, here or where $EDGE_ICL_STORE says another.

    Args:
        words: the command, after the program's name and the store.
        store: its name, or its path.
    """
    bare = store == DEFAULT_STORE == chosen_store()
    return shlex.join(["edge-icl", *([] if bare else ["--store", store]), *words])


def _default() -> str:
    """Return the folder that the platform gives to a program's data."""
    import platformdirs

    return platformdirs.user_data_dir("edge-icl")
