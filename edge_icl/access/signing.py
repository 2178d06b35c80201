"""The key with which this home signs receipts, and the check of a signature: Ed25519 (RFC 8032).

    key = own_key()                              # made on first use, and loads cryptography
    key.sign(b"...")                             ->  128 hex digits
    holds(b"...", signature, by=key.public)      ->  True

The key is in the home, in one file that only this user can read, and in no store. With it goes its public key,
so that this can be shown without loading anything.
"""

from __future__ import annotations

import json
import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_icl.access import home_files
from edge_icl.errors import SignatureError, StoreExposedError
from edge_icl.runtime import strict_json
from edge_icl.runtime.home import home
from edge_icl.store import ownership
from edge_icl.store.sealing import installed

if TYPE_CHECKING:
    from pathlib import Path

NAME = "sign.key"
FORMAT = 1
LARGEST = 1 << 10
"""Bytes that the file may have."""

_KEY = re.compile("[0-9a-f]{64}")
_SIGNATURE = re.compile("[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs.

    Attributes:
        public: the public key, 64 hex digits.
        private: the private key, 64 hex digits.
    """

    public: str
    private: str = field(repr=False)

    @classmethod
    def new(cls) -> SigningKey:
        """Draw a key.

        Raises:
            NotInstalledError: the package cryptography is not installed.
        """
        with installed(what="a signed receipt"):
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.generate()
        return cls(private.public_key().public_bytes_raw().hex(), private.private_bytes_raw().hex())

    def belongs(self) -> bool:
        """Tell whether the public key is that of the private one.

        Raises:
            NotInstalledError: the package cryptography is not installed.
        """
        with installed(what="a signed receipt"):
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.private))
        return private.public_key().public_bytes_raw().hex() == self.public

    def sign(self, message: bytes) -> str:
        """Return the signature of a message, 128 hex digits.

        Raises:
            NotInstalledError: the package cryptography is not installed.
        """
        with installed(what="a signed receipt"):
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.private)).sign(message).hex()

    def encode(self) -> bytes:
        """Return the bytes of the file: canonical JSON and a line feed."""
        fields = {"format": FORMAT, "private": self.private, "public": self.public}
        return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> SigningKey | None:
        """Return the key in the bytes of a file; None if they are not what `encode` returns."""
        try:
            fields = strict_json.parse(data)
            key = cls(fields["public"], fields["private"])
            if is_key(key.public) and is_key(key.private) and key.encode() == data:
                return key
        except (ValueError, KeyError, TypeError):
            pass
        return None


def own_key() -> SigningKey:
    """Return the key of this home; the first time it is made.

    Raises:
        NotInstalledError: the package cryptography is not installed.
        SignatureError: the key is damaged, or other users can read it; or the operating system refused.
        StoreExposedError: other users may write to the home.
    """
    path = home() / NAME
    ownership.refuse_exposed_folder(path.parent.resolve())
    try:
        held = home_files.held(path, LARGEST)
        if held is None:
            home_files.put(path, SigningKey.new().encode())
            held = home_files.held(path, LARGEST)
    except OSError as error:
        raise SignatureError(
            f"{path}, the key that signs receipts, cannot be read or made: {error.strerror}", "check its folder"
        ) from error
    key = None if held is None else SigningKey.decode(held.data)
    if held is not None and not held.private:
        raise SignatureError(
            f"other users can read {path}, the key that signs receipts, so that they can sign as you",
            f"{_away(path)}, or, if you know that nobody has read it, close it: `chmod 600 {_quoted(path)}`",
        )
    if key is None or not key.belongs():
        raise SignatureError(
            f"{path}, the key that signs receipts, is damaged", f"restore it from a backup, or {_away(path)}"
        )
    return key


def own_public() -> str | None:
    """Return the public key of this home; None where there is none that can be used. Nothing is made."""
    path = home() / NAME
    with suppress(OSError, StoreExposedError):
        ownership.refuse_exposed_folder(path.parent.resolve())
        held = home_files.held(path, LARGEST)
        key = SigningKey.decode(held.data) if held and held.private else None
        return None if key is None else key.public
    return None


def holds(message: bytes, signature: str, *, by: str) -> bool:
    """Tell whether a signature is that of a message by a key.

    Args:
        message: what was signed.
        signature: 128 hex digits.
        by: the public key, 64 hex digits.

    Raises:
        NotInstalledError: the package cryptography is not installed.
    """
    with installed(what="a signed receipt"):
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(by)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):  # no point of the curve is as good as another key
        return False
    return True


def is_key(text: object) -> bool:
    """Tell whether this can be a key, public or private: 64 hex digits in lower case."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def is_signature(text: object) -> bool:
    """Tell whether this can be a signature: 128 hex digits in lower case."""
    return isinstance(text, str) and _SIGNATURE.fullmatch(text) is not None


def _away(path: Path) -> str:
    """Return how a new key is made, and what that means."""
    gone = _quoted(path.with_suffix(".old"))
    return f"move it away, so that a new one is made, which others must learn: `mv {_quoted(path)} {gone}`"


def _quoted(path: Path) -> str:
    """Return a path for a shell."""
    return shlex.quote(str(path))
