"""A new store that comes with its examples: it is there with all of them, or not at all.

    with prepared(path, settings) as new:     what cannot be made is refused now
        ...                                   what takes long; nothing is on the disk yet
        new.fill(rows, labels)                the store is made and filled, in one commit

A process that is killed before `fill` leaves nothing. One that is killed in it may leave an empty store, which
the next attempt takes for its own: with these settings, it is the one that it would make itself.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from edge_icl.access.passphrases import Passphrase, new_key, unlocking
from edge_icl.errors import EdgeIclError, InputError, NotAStoreError, StoreError, StoreExistsError
from edge_icl.store import ownership, presence
from edge_icl.store.disk import Store
from edge_icl.store.drafts import take_back
from edge_icl.store.files import Files
from edge_icl.store.keys import STRETCH, Stretch
from edge_icl.store.lock import DEFAULT_TIMEOUT, locked
from edge_icl.store.os_errors import UNCHANGED, access
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge_icl.store.keys import Key
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.pages import Row
    from edge_icl.store.settings import Settings

LEFT_EMPTY = "an empty store is left there, which the next attempt takes: check the disk and try again"


@contextmanager
def prepared(
    path: Path, settings: Settings, passphrase: Passphrase | None = None, *, stretch: Stretch = STRETCH
) -> Iterator[NewStore]:
    """Refuse what cannot be made, before what takes long, and give what makes it.

    Args:
        path: the directory.
        settings: what the store is made with.
        passphrase: encrypts it; None for a plain one. If the block fails, a keyring does not keep it.
        stretch: what trying a passphrase costs.

    Raises:
        StoreExistsError: a store is there, and not an empty one with these settings.
        NotAStoreError: something else is there.
        StoreExposedError: it would lie in a folder that another user owns or may write to.
        StoreAccessError: this user may not make it there.
        InputError: the passphrase is empty or not valid text.
        NotInstalledError: it is to be encrypted, and a package for that is not installed.
        PassphraseError: the operating system's keyring refuses.
    """
    path = path.resolve()
    if presence.is_store(path):
        left = _left(path, settings, passphrase)
        try:
            yield NewStore(path, settings, left.key, left)
        finally:
            left.forget_key()
        return
    with access(path, "made"):
        presence.require_free(path)
        ownership.refuse_exposed(path)
        _require_writable(path)
    with new_key(passphrase, path, stretch=stretch) as key:
        try:
            yield NewStore(path, settings, key)
        finally:
            if key is not None:
                key.wipe()


class NewStore:
    """A store that is to be made, with its examples. `prepared` gives it.

    Attributes:
        filled: whether it is there, with its examples.
    """

    def __init__(self, path: Path, settings: Settings, key: Key | None, left: Store | None = None) -> None:
        self._path = path
        self._settings = settings
        self._key = key
        self._left = left
        self.filled = False

    def fill(self, rows: Sequence[Row], labels: LabelsSetting, *, timeout: float = DEFAULT_TIMEOUT) -> str:
        """Make the store with these rows, and return its root; if that fails, what was made is wiped.

        Args:
            rows: of its examples.
            labels: whether the outputs are labels.
            timeout: seconds to wait for another process that writes into the store.

        Raises:
            StoreExistsError: another process has made a store there since `prepared`, or filled it.
            StoreAccessError: the operating system refused; `committed` tells whether the store is filled.
        """
        if self._left is not None:
            return self._commit(self._left, rows, labels, timeout)
        files = _Naming(self._path)
        try:
            made = Store.create(self._path, self._settings, labels=labels, key=self._key, files=files)
            return self._commit(made, rows, labels, timeout)
        except NotAStoreError as error:
            raise (_exists(self._path) if presence.is_store(self._path) else error) from error
        except BaseException as error:
            if self.filled:
                raise
            gone = self._take_back() if files.named else not os.path.lexists(self._path)
            if isinstance(error, EdgeIclError) and (error.committed or not gone):
                raise type(error)(error.message, UNCHANGED if gone else LEFT_EMPTY) from error
            raise

    def _commit(self, store: Store, rows: Sequence[Row], labels: LabelsSetting, timeout: float) -> str:
        """Fill an empty store, and return its root."""
        before = store.commits
        try:
            with writing(store, timeout=timeout) as writer:
                if writer.snapshot.manifest.count:
                    raise _exists(self._path)
                writer.commit(added=rows, labels=labels)
                root = writer.snapshot.root
        finally:
            self.filled = store.commits > before
        self.filled = True
        return root

    def _take_back(self) -> bool:
        """Wipe the store that was made here if it is still empty; return whether nothing is there."""
        with suppress(OSError, StoreError), ExitStack() as held:
            held.enter_context(locked(self._path, timeout=0))  # nobody fills it meanwhile
            if not Store(self._path, self._settings, Files(), self._key).snapshot().manifest.count:
                if os.name == "nt":  # which renames no folder in which a file is open
                    held.close()
                take_back(Files(), self._path)
        return not os.path.lexists(self._path)


class _Naming(Files):
    """The file system, which notes whether a store got its name: another process may have made one there.

    Attributes:
        named: whether it did, as far as is known: Ctrl-C may come before the system is called, or after.
    """

    def __init__(self, path: Path) -> None:
        self._target = path
        self.named = False

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file or a directory."""
        self.named = self.named or new == self._target
        try:
            super().rename(old, new)
        except OSError:
            self.named = self.named and new != self._target
            raise


def refuse_within(path: Path, store: Store) -> None:
    """Refuse a path for a new store that is that of another, or lies in it.

    Raises:
        InputError: it is, or does.
    """
    if path == store.path or store.path in path.parents:
        raise InputError(f"{path} is where the store itself is", "choose another name for the new store")


def _left(path: Path, settings: Settings, passphrase: Passphrase | None) -> Store:
    """Return the store that an attempt which was cut off left at a path.

    Raises:
        StoreExistsError: another store is there.
    """
    try:
        found = Store.open(path, unlock=unlocking(passphrase))
        alike = found.settings == settings and (found.key is None) == (passphrase is None)
        if alike and not found.snapshot().manifest.count:
            return found
    except StoreError as error:
        raise _exists(path) from error
    raise _exists(path)


def _exists(path: Path) -> StoreExistsError:
    """Return the error for a path where another store is."""
    return StoreExistsError(f"there is a store at {path} already", "choose another name")


def _require_writable(path: Path) -> None:
    """Refuse a folder in which this user may make nothing, as far as that can be told without trying.

    Raises:
        OSError: this user may not.
    """
    above = next(parent for parent in path.parents if parent.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))
