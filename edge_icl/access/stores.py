"""Which stores there are, and what is done to one as a whole: removing it, and giving it another name.

    >>> [(one.name, one.examples) for one in list_stores()]
    [('default', 12), ('work', 340)]
    >>> rename_store("work", "office")
    PosixPath('/home/me/.local/share/edge-icl/stores/office')
    >>> remove_store("office").examples
    340

Nothing here needs a passphrase, so of an encrypted store it is not known how many examples it holds.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge_icl.access.passphrases import Keyring
from edge_icl.access.paths import locate, usable
from edge_icl.errors import (
    EdgeIclError,
    InputError,
    NotAStoreError,
    PassphraseError,
    StoreAccessError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
)
from edge_icl.runtime.folders import bytes_in
from edge_icl.runtime.home import store_name, stores_folder
from edge_icl.store import settings, whole
from edge_icl.store.disk import Store
from edge_icl.store.files import Files
from edge_icl.store.lock import DEFAULT_TIMEOUT
from edge_icl.store.os_errors import READ_AGAIN

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from edge_icl.store.keys import WrappedKey


class State(StrEnum):
    """What is at the path of a store."""

    READY = "ready"
    DAMAGED = "damaged"
    REFUSED = "refused"
    FOREIGN = "not a store"


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """A store, as far as it can be known without its passphrase.

    Attributes:
        name: what it is called: its name, or its path where it has none.
        path: its directory.
        examples: how many it holds; None where that is not known.
        bytes: the size of all its files.
        encrypted: whether they are sealed.
        encoder: the name of the encoder that it was made with; None where that is not known.
        state: `ready`; `damaged`; `refused`, by this edge-icl or the operating system; or `not a store`.
        detail: why it is not ready, and what to do; empty if it is.
    """

    name: str
    path: Path
    examples: int | None
    bytes: int
    encrypted: bool
    encoder: str | None
    state: State
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {**asdict(self), "path": str(self.path)}


def list_stores() -> list[StoreInfo]:
    """Return all that lies in the folder of stores, sorted by name, also what is damaged or no store.

    What a removal has left that was cut off is wiped first, if that is possible.

    Raises:
        StoreAccessError: the operating system does not let the folder be read.
    """
    folder = stores_folder()
    try:
        found = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreAccessError(
            f"the folder of stores {folder} cannot be read: {error.strerror}", READ_AGAIN
        ) from error
    for going in whole.left_in(folder):
        with suppress(EdgeIclError):
            whole.finish(going, drop=_drop)
    return [look(path) for path in found if not path.name.startswith(".")]


def look(path: Path) -> StoreInfo:
    """Return what is at the path of a store, or where one was expected."""
    state, detail = State.READY, ""
    examples = encoder = None
    encrypted = False
    try:
        encrypted = _is_encrypted(usable(path))
        if encrypted:
            whole.refuse_foreign(path.resolve())
        else:
            store = Store.open(path)
            examples, encoder = store.snapshot().manifest.count, store.settings.encoder
    except (NotAStoreError, StoreNotFoundError) as error:
        state, detail = State.FOREIGN, str(error)
    except StoreDamagedError as error:
        state, detail = State.DAMAGED, str(error)
    except (StoreError, InputError) as error:
        state, detail = State.REFUSED, str(error)
    size = bytes_in(path)
    return StoreInfo(store_name(path), path, examples, size, encrypted, encoder, state, detail)


def remove_store(store: str | os.PathLike[str], *, timeout: float = DEFAULT_TIMEOUT) -> StoreInfo:
    """Remove a store, sound or damaged, and wipe every file of it; return what it was.

    Its cache goes with it, and its passphrase, if the operating system's keyring has that: then a copy of the
    store cannot be opened any more, either. A removal that was cut off goes on when it is called again.

    Args:
        store: its name, or its path. No link is followed.
        timeout: seconds to wait for a process that changes it.

    Raises:
        StoreNotFoundError: nothing is there.
        NotAStoreError: something else is there, or in it, or a link.
        StoreExposedError: another user owns it or may write to it.
        StoreBusyError: another process is changing it.
        StoreAccessError: the operating system refused; `committed` tells whether the store is removed.
        PassphraseError: it is removed, and the keyring refuses to drop its passphrase.
    """
    path = whole.own_path(locate(store))
    before = look(path)
    left = whole.left_in(path.parent, path.name)
    kept: PassphraseError | None = None
    for going in left:
        try:
            whole.finish(going, drop=_drop)
        except PassphraseError as error:
            kept = error  # of an earlier store: this one is still to be removed
    try:
        whole.remove(path, timeout=timeout, drop=_drop)
    except StoreNotFoundError:
        if not left:
            raise
    if kept is not None:
        raise kept
    return before


def rename_store(
    old: str | os.PathLike[str], new: str | os.PathLike[str], *, timeout: float = DEFAULT_TIMEOUT
) -> Path:
    """Give a store another name, in one step, and return its new path; nothing in it changes.

    Args:
        old: its name, or its path. No link is followed.
        new: the other name, or another path on the same disk.
        timeout: seconds to wait for a process that changes it.

    Raises:
        StoreNotFoundError: nothing is there.
        NotAStoreError: something else is there, or in it, or a link; or something is at the new path.
        StoreExistsError: a store is at the new path.
        StoreExposedError: another user owns it or may write to it, or to the folder that it would be in.
        StoreBusyError: another process is changing it.
        StoreAccessError: the operating system refused; `committed` tells whether the store is renamed.
        InputError: the new path is in the store.
    """
    path, target = whole.own_path(locate(old)), locate(new)
    target = target.parent.resolve() / target.name
    if path in target.parents:
        raise InputError(f"{target} is in the store itself", "choose another name")
    whole.rename(path, target, timeout=timeout)
    return target


def _drop(wrapped: WrappedKey) -> None:
    """Take the passphrase of a store that is removed out of the keyring, if that has it."""
    if wrapped.keyring:
        try:
            Keyring().drop_if_kept(wrapped)
        except EdgeIclError as error:
            message = f"the store is removed and wiped, but its passphrase is kept: {error.message}"
            raise PassphraseError(
                message, "delete it in the keyring, which calls it edge-icl", committed=True
            ) from error


def _is_encrypted(path: Path) -> bool:
    """Tell whether a store says that it is encrypted."""
    with suppress(OSError):
        return settings.sealed_in(Files().read(path.resolve() / settings.NAME)) is not None
    return False
