"""The key with which this home authenticates what it has computed itself.

A state in a store's cache is used before anything is computed again, and does not show what it was computed
from: who puts a state there decides the answers. So it carries a tag made with a key that never leaves this
home, and a state without such a tag is not used. A store from another user comes without answers.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.access import home_files
from edge_icl.errors import StoreExposedError
from edge_icl.runtime.home import home
from edge_icl.store import ownership

if TYPE_CHECKING:
    from pathlib import Path

NAME = "vouch.key"
KEY_BYTES = 32


def home_key(*, make: bool = False) -> bytes | None:
    """Return the key of this home.

    Args:
        make: make it if there is none, or if other users can read it.

    Returns:
        32 bytes; None where there is no such key, and none can be made: then no state is kept or used.
    """
    path = home() / NAME
    with suppress(OSError, StoreExposedError):
        ownership.refuse_exposed_folder(path.parent.resolve())
        key = _read(path)
        if key is None and make:
            home_files.put(path, secrets.token_bytes(KEY_BYTES), replaces=lambda: _read(path) is None)
            key = _read(path)
        return key
    return None


def _read(path: Path) -> bytes | None:
    """Return the key in a file; None if there is no key, or other users can read it."""
    held = home_files.held(path, KEY_BYTES + 1)
    return held.data if held and held.private and len(held.data) == KEY_BYTES else None
