"""Passphrases: from a caller or the operating system's keyring, to the data key of an encrypted store."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_icl.errors import InputError, NotInstalledError, PassphraseError, StoreError
from edge_icl.store import keys, settings
from edge_icl.store.keys import STRETCH, Key, Stretch, Unlock, WrappedKey, no_passphrase
from edge_icl.store.rewrapping import rewrap
from edge_icl.store.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.store.disk import Store

SERVICE = "edge-icl"
"""What the keyring files our secrets under; the salt of the wrapped key is the name of each."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """In place of a passphrase: a random one, which the operating system's keyring keeps.

    A store whose passphrase is there opens without being given any.
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


Passphrase = str | bytes | Callable[[], str | bytes] | Keyring
"""A passphrase; or what is called for one when it is needed; or where one is kept."""


def unlocking(passphrase: Passphrase | None) -> Unlock:
    """Return what unwraps the key of a store; None is enough where the keyring has the passphrase."""

    def unlock(wrapped: WrappedKey) -> bytes:
        if wrapped.keyring and (passphrase is None or callable(passphrase) or isinstance(passphrase, Keyring)):
            return wrapped.unwrap(_bytes(Keyring().find(wrapped)))
        if passphrase is None or isinstance(passphrase, Keyring):
            return no_passphrase(wrapped)
        return wrapped.unwrap(_bytes(passphrase))

    return unlock


def means_encrypted(passphrase: Passphrase | None) -> bool:
    """Tell whether who gives this means an encrypted store: what would only be called for one tells nothing."""
    return isinstance(passphrase, str | bytes | Keyring)


def refuse_plain(path: Path, *, given: str = "the passphrase") -> None:
    """Raise where a plain store is that somebody takes for an encrypted one.

    Args:
        path: the store's directory.
        given: what must be left out if the plain store is meant.

    Raises:
        PassphraseError: the store is not encrypted.
    """
    try:
        Settings.decode((path / settings.NAME).read_bytes())
    except (OSError, StoreError):
        return  # it is encrypted, or whoever opens it will tell what is wrong
    raise PassphraseError(
        f"the store {path} is not encrypted", f"if it is the one that you mean, leave {given} out"
    )


@contextmanager
def new_key(
    passphrase: Passphrase | None, *, seed: bytes | None = None, stretch: Stretch = STRETCH
) -> Iterator[Key | None]:
    """Make the key of a new store; if the block fails, the keyring does not keep its passphrase.

    Args:
        passphrase: of the store; None for no key.
        seed: 32 bytes from which, with a passphrase of one's own, the data key follows; for tests and audits.
        stretch: what trying a passphrase costs.

    Raises:
        InputError: the passphrase is empty or no valid text, or the stretch makes no sense.
        NotInstalledError: a package that this needs is not installed.
        PassphraseError: the keyring refuses.
    """
    if not stretch.sensible():
        raise InputError(f"{stretch} makes no sense", "see the ranges in its documentation")
    if passphrase is None:
        yield None
    elif isinstance(passphrase, Keyring):
        with _kept(lambda secret: Key.new(secret, stretch=stretch, keyring=True), lambda _: True) as key:
            yield key
    elif seed is None:
        yield Key.new(_bytes(passphrase), stretch=stretch)
    else:
        yield Key.from_seed(_bytes(passphrase), seed, stretch=stretch)


def change_passphrase(store: Store, passphrase: Passphrase, *, timeout: float) -> None:
    """Wrap the data key of a store with another passphrase; nothing else of the store changes.

    Raises:
        InputError: the passphrase is empty or no valid text.
        PassphraseError: the store is not encrypted, or the keyring refuses.
        NotInstalledError: a package that this needs is not installed.
        StoreChangedError: it is another store by now, or was given another passphrase; nothing was changed.
        StoreBusyError: another writer held the lock for longer than `timeout` seconds.
        StoreAccessError: the operating system refused.
    """
    old = store.key
    if old is None:
        raise PassphraseError(
            f"the store {store.path} is not encrypted", "make one that is with `edge-icl init --encrypt`"
        )
    if isinstance(passphrase, Keyring):
        with _kept(
            lambda secret: old.rewrapped(secret, keyring=True),
            # It may fail when the new wrapping is in its place already: then the keyring must not forget it.
            lambda key: not keys.in_place(store.files, store.path, key),
        ) as key:
            rewrap(store, key, timeout=timeout)
    else:
        rewrap(store, old.rewrapped(_bytes(passphrase)), timeout=timeout)
    if old.wrapped.keyring:
        with suppress(PassphraseError):  # what the keyring still keeps opens nothing any more
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
        with suppress(OSError, StoreError):  # what failed first is what is told
            if unused(key):
                Keyring().drop(key.wrapped)
        raise


def _bytes(passphrase: str | bytes | Callable[[], str | bytes]) -> bytes:
    """Return a passphrase as bytes: text in Unicode NFC, as keyboards differ in how they write an accent.

    Raises:
        InputError: it is empty, or text that UTF-8 cannot hold.
    """
    given = passphrase() if callable(passphrase) else passphrase
    try:
        text = given if isinstance(given, str) else given.decode()
        given = unicodedata.normalize("NFC", text).encode()
    except UnicodeDecodeError:
        pass  # bytes that are no text are what they are
    except UnicodeEncodeError:
        raise InputError("the passphrase is no valid text", "type it again") from None
    if not given:
        raise InputError("the passphrase is empty", "choose one that nobody guesses")
    assert isinstance(given, bytes)
    return given


@contextmanager
def _keyring() -> Iterator[Any]:
    """Give the package keyring, and turn what goes wrong with it into errors of ours."""
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
            f"the operating system's keyring refuses: {reason}", "unlock or install one, or take a passphrase"
        ) from error
