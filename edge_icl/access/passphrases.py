"""Passphrases: from a caller or the operating system's keyring, to the data key of an encrypted store."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.errors import InputError, NotInstalledError, PassphraseError, StoreError
from edge_icl.runtime.arguments import kind
from edge_icl.store import keys, settings
from edge_icl.store.files import Files
from edge_icl.store.keys import STRETCH, Key, Stretch, Unlock, WrappedKey, no_passphrase
from edge_icl.store.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.store.disk import Store

SERVICE = "edge-icl"
"""The service under which the keyring keeps passphrases; the name of each is the salt of the wrapped key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Given in place of a passphrase: the operating system's keyring keeps a random one.

    A store whose passphrase is in the keyring opens without a passphrase being given.
    """

    def keep(self, wrapped: WrappedKey, secret: str) -> None:
        """Put the passphrase of a store into the keyring.

        Raises:
            NotInstalledError: the package keyring is not installed.
            PassphraseError: the keyring refuses.
        """
        with _keyring() as keyring:
            keyring.set_password(SERVICE, wrapped.salt.hex(), secret)

    def find(self, wrapped: WrappedKey) -> str:
        """Return the passphrase of a store.

        Raises:
            NotInstalledError: the package keyring is not installed.
            PassphraseError: it is not there, or the keyring refuses.
        """
        with _keyring() as keyring:
            found: str | None = keyring.get_password(SERVICE, wrapped.salt.hex())
        if found is None:
            raise PassphraseError(
                "the operating system's keyring does not have the passphrase of the store",
                "log in as the user who made it, on the machine where it was made",
            )
        return found

    def drop(self, wrapped: WrappedKey) -> None:
        """Remove the passphrase of a store from the keyring.

        Raises:
            NotInstalledError: the package keyring is not installed.
            PassphraseError: it is not there, or the keyring refuses.
        """
        with _keyring() as keyring:
            keyring.delete_password(SERVICE, wrapped.salt.hex())

    def drop_if_kept(self, wrapped: WrappedKey) -> None:
        """Remove the passphrase of a store from the keyring, if it is there.

        Raises:
            NotInstalledError: the package keyring is not installed.
            PassphraseError: the keyring refuses.
        """
        with _keyring() as keyring:
            if keyring.get_password(SERVICE, wrapped.salt.hex()) is not None:
                keyring.delete_password(SERVICE, wrapped.salt.hex())


Passphrase = str | bytes | Callable[[], str | bytes] | Keyring
"""A passphrase; or a function that is called for one when it is needed; or the keyring that keeps it."""


def unlocking(passphrase: Passphrase | None) -> Unlock:
    """Return a function that unwraps a store's key; None is enough where the keyring has the passphrase."""

    def unlock(wrapped: WrappedKey) -> bytes:
        if wrapped.keyring and (passphrase is None or callable(passphrase) or isinstance(passphrase, Keyring)):
            return wrapped.unwrap(_bytes(Keyring().find(wrapped)))
        if passphrase is None or isinstance(passphrase, Keyring):
            return no_passphrase(wrapped)
        return wrapped.unwrap(_bytes(passphrase))

    return unlock


def means_encrypted(passphrase: Passphrase | None) -> bool:
    """Tell whether giving this means an encrypted store: a function is only called if it is encrypted.

    Raises:
        InputError: it is no passphrase.
    """
    known = passphrase is None or isinstance(passphrase, str | bytes | Keyring) or callable(passphrase)
    if not known:
        raise _no_passphrase(passphrase)
    return isinstance(passphrase, str | bytes | Keyring)


def refuse_plain(path: Path, *, given: str = "the passphrase") -> None:
    """Raise where a plain store is and an encrypted one is expected.

    Args:
        path: the store's directory.
        given: what must be left out if the plain store is meant.

    Raises:
        PassphraseError: the store is not encrypted.
    """
    try:
        Settings.decode(Files().read(path.resolve() / settings.NAME))
    except (OSError, StoreError):
        return  # it is encrypted, or opening it will tell what is wrong
    raise PassphraseError(
        f"the store {path} is not encrypted", f"if it is the store that you mean, leave {given} out"
    )


@contextmanager
def new_key(
    passphrase: Passphrase | None, path: Path, *, seed: bytes | None = None, stretch: Stretch = STRETCH
) -> Iterator[Key | None]:
    """Make the key of a new store; if the block fails before it is there, the keyring drops its passphrase.

    Args:
        passphrase: of the store; None for no key.
        path: the directory that the store will have.
        seed: 32 bytes from which, together with a given passphrase, the data key follows; for tests and audits.
        stretch: what trying a passphrase costs.

    Raises:
        InputError: the passphrase is empty or not valid text, or the stretch is not valid.
        NotInstalledError: a package that this needs is not installed.
        PassphraseError: the keyring refuses.
    """
    if not isinstance(stretch, Stretch) or not stretch.sensible():
        raise InputError(f"{stretch} is not valid", "see the ranges in its documentation")
    if passphrase is None:
        yield None
    elif isinstance(passphrase, Keyring):
        with _kept(
            lambda secret: Key.new(secret, stretch=stretch, keyring=True),
            lambda key: not keys.in_place(Files(), path, key),
        ) as key:
            yield key
    elif seed is None:
        yield Key.new(_bytes(passphrase), stretch=stretch)
    else:
        yield Key.from_seed(_bytes(passphrase), seed, stretch=stretch)


def inherited(store: Store, passphrase: Passphrase | None) -> Passphrase | None:
    """Return what encrypts a store that is made of another: of an encrypted store no plain one is made.

    Args:
        store: the other one.
        passphrase: what was given; None to do as with the other one, if the keyring has its passphrase.

    Raises:
        PassphraseError: the other one is encrypted, and nothing was given.
    """
    if passphrase is not None or store.key is None:
        return passphrase
    if store.key.wrapped.keyring:
        return Keyring()
    raise PassphraseError(
        f"the store {store.path} is encrypted, so the new one is too, and no passphrase was given for it",
        "give one, which may be the same",
    )


def change_passphrase(store: Store, passphrase: Passphrase, *, timeout: float) -> None:
    """Wrap the data key of a store with another passphrase; nothing else of the store changes.

    Raises:
        InputError: the passphrase is empty or not valid text.
        PassphraseError: the store is not encrypted, or the keyring refuses.
        NotInstalledError: a package that this needs is not installed.
        StoreChangedError: it is another store now, or has another passphrase; nothing was changed.
        StoreBusyError: another writer held the lock for longer than `timeout` seconds.
        StoreAccessError: the operating system refused.
    """
    from edge_icl.store.rewrapping import rewrap

    old = store.key
    if old is None:
        raise PassphraseError(
            f"the store {store.path} is not encrypted",
            "only a new one can be: `edge-icl --store NEW init --encrypt`, then `edge-icl export --vectors "
            "--file copy.jsonl` and `edge-icl --store NEW import copy.jsonl`",
        )
    if isinstance(passphrase, Keyring):
        with _kept(
            lambda secret: old.rewrapped(secret, keyring=True),
            # It may fail when the new wrapping is already in place: then the keyring must keep the passphrase.
            lambda key: not keys.in_place(store.files, store.path, key),
        ) as key:
            rewrap(store, key, timeout=timeout)
    else:
        rewrap(store, old.rewrapped(_bytes(passphrase)), timeout=timeout)
    if old.wrapped.keyring:
        with suppress(PassphraseError, NotInstalledError):  # the old passphrase opens nothing any more
            Keyring().drop(old.wrapped)


@contextmanager
def _kept(make: Callable[[bytes], Key], unused: Callable[[Key], bool]) -> Iterator[Key]:
    """Make a key with a random passphrase in the keyring, which drops it if the block fails with it unused."""
    secret = secrets.token_hex(32)
    key = make(secret.encode())
    Keyring().keep(key.wrapped, secret)
    try:
        yield key
    except BaseException:
        with suppress(OSError, StoreError):  # the first error is the one to report
            if unused(key):
                Keyring().drop(key.wrapped)
        raise


def _bytes(passphrase: str | bytes | Callable[[], str | bytes]) -> bytes:
    """Return a passphrase as bytes: text in Unicode NFC, as keyboards differ in how they write an accent.

    Raises:
        InputError: it is empty, no text, or text that UTF-8 cannot hold.
    """
    given = passphrase() if callable(passphrase) else passphrase
    if not isinstance(given, str | bytes):
        raise _no_passphrase(given)
    try:
        text = given if isinstance(given, str) else given.decode()
        given = unicodedata.normalize("NFC", text).encode()
    except UnicodeDecodeError:
        pass  # bytes that are not text are taken as they are
    except UnicodeEncodeError:
        raise InputError("the passphrase is not valid text", "type it again") from None
    if not given:
        raise InputError("the passphrase is empty", "choose one that is hard to guess")
    assert isinstance(given, bytes)
    return given


def _no_passphrase(given: object) -> InputError:
    """Return the error for what cannot be a passphrase, nor give one."""
    return InputError(
        f"the passphrase is {kind(given)}, not text",
        "give a string, bytes, a function that returns one, or Keyring()",
    )


@contextmanager
def _keyring() -> Iterator[Any]:
    """Give the package keyring, and turn its errors into those of this package."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise NotInstalledError(
            "a passphrase in the operating system's keyring needs the package keyring, which is not installed",
            "install it with `pip install 'edge-icl[keyring]'`",
        ) from error
    try:
        yield keyring
    except KeyringError as error:
        reason = str(error).partition(". ")[0].strip().rstrip(".") or type(error).__name__
        raise PassphraseError(
            f"the operating system's keyring refuses: {reason}", "unlock or install one, or use a passphrase"
        ) from error
