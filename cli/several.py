"""Several stores that one command works on, each with a passphrase of its own or the one of others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.access.paths import locate
from edge_icl.cli import passphrases
from edge_icl.errors import PassphraseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory

OWN = "--source-passphrase-fd"
"""The option that gives the passphrase of another store."""


class Several:
    """The stores of a command, and the passphrases that were given or typed so far.

    Args:
        session: the run of the program.
        more: passphrases beside the one that every command takes.
    """

    def __init__(self, session: Session, more: Iterable[bytes] = ()) -> None:
        self._session = session
        first = session.given if session.given is not None else passphrases.variable()
        self._known: list[str | bytes] = [*([] if first is None else [first]), *more]

    def open(self, store: str) -> Memory:
        """Open a store; an encrypted one with the first passphrase that opens it, or the one that is typed.

        A plain one is taken although there is a passphrase, which may be for another: see `refuse_all_plain`.

        Args:
            store: its name, or a path.

        Raises:
            PassphraseError: none opens it, and there is no terminal to ask on; or what was typed does not.
        """
        for one in self._known:
            with suppress(PassphraseError):
                return self._session.open(store=store, plain=True, secret=lambda one=one: one)
        return self._session.open(store=store, plain=True, secret=lambda: self._ask(store))

    def refuse_all_plain(self, stores: Sequence[Memory]) -> None:
        """Refuse stores of which none is encrypted, where a passphrase was given.

        Raises:
            PassphraseError: they are.
        """
        if not any(one.encrypted for one in stores):
            self._session.refuse_plain(str(stores[0].path))

    def new(self, made_of: Sequence[Memory], *, encrypt: bool, keyring: bool) -> Passphrase | None:
        """Return the passphrase of a new store: the first that was given, if it is to be encrypted.

        Args:
            made_of: the stores that it is made of; if one of them is encrypted, it is too.
            encrypt: encrypt it anyway.
            keyring: have a random passphrase in the system's keyring.

        Raises:
            PassphraseError: a passphrase was given, and nothing is encrypted.
        """
        from edge_icl.access.passphrases import Keyring

        if keyring:
            return Keyring()
        if encrypt and not self._known:
            return lambda: passphrases.choose(self._session.output, None)
        if not encrypt:
            self.refuse_all_plain(made_of)
        return self._known[0] if self._known else None

    def _ask(self, store: str) -> str | bytes:
        """Return what a person types, when no other passphrase has opened a store."""
        path, output = locate(store), self._session.output
        if self._known and not output.can_ask:
            raise PassphraseError(
                f"no passphrase that was given opens the store {path}", f"give its own one with {OWN}"
            )
        typed = output.secret(f"passphrase of {path}") if self._known else passphrases.find(output, path)
        self._known.append(typed)
        return typed
