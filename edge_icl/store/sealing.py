"""Sealing: what the files of an encrypted store hold in place of their content.

    seal = Seal(data_key)
    seal.seal("pages/9f….safetensors", page)    ->  16 bytes that authenticate it, and as many as it has

AES-256 in SIV mode (RFC 5297) needs no nonce: the same content in the same role gives the same bytes, so an
encrypted store is as canonical as a plain one. A file's role, the first part of its name, is authenticated with
its content: no file can take the place of one of another role or of another store. Which page a page is, its
name
says: a digest of the content, keyed with the sealed seed.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_icl.errors import NotInstalledError, StoreClosedError, StoreDamagedError
from edge_icl.store import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_BYTES = 64
"""Two AES-256 keys: one that authenticates and one that encrypts."""

LONGER = 16
"""Bytes by which a sealed file is longer than its content."""

LARGEST = (1 << 31) - 1 - LONGER
"""Bytes that the cipher takes at once; only the state of a very large model is larger, and that is not kept."""


class Seal:
    """Seals and opens files under one data key.

    Args:
        data_key: 64 bytes. Once they are overwritten with zeros, as when a store is closed, all use is refused.
    """

    def __init__(self, data_key: bytes | bytearray) -> None:
        self._key = data_key

    def _held(self) -> bytes | bytearray:
        """Return the data key.

        Raises:
            StoreClosedError: it has been overwritten.
        """
        if not any(self._key):
            raise StoreClosedError("the store is closed", "open it again")
        return self._key

    def seal(self, name: str, data: bytes) -> bytes:
        """Return what a file holds on the disk.

        Args:
            name: the file's path, relative to the store.
            data: its content.

        Raises:
            OSError: the content is larger than 2 GiB.
            StoreClosedError: the data key was overwritten.
            NotInstalledError: the package cryptography is not installed.
        """
        if len(data) > LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), name)
        sealed = encrypt(self._held(), data, _role(name))
        return settings.envelope(sealed) if name == settings.NAME else sealed

    def open(self, name: str, data: bytes) -> bytes:
        """Return the content of a file, given what it holds on the disk.

        Raises:
            StoreDamagedError: this is not what `seal` returned for a file of this role under this key.
            StoreClosedError: the data key was overwritten.
            NotInstalledError: the package cryptography is not installed.
        """
        sealed = settings.sealed_in(data) if name == settings.NAME else data
        content = None if sealed is None else decrypt(self._held(), sealed, _role(name))
        if content is None:
            raise StoreDamagedError(f"{name} is damaged", "restore the store from a backup")
        return content


def encrypt(key: bytes | bytearray, data: bytes | bytearray, bound: bytes) -> bytes:
    """Encrypt data and authenticate it together with what it is bound to.

    Raises:
        NotInstalledError: the package cryptography is not installed.
    """
    with installed():
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    return AESSIV(key).encrypt(data, [bound])


def decrypt(key: bytes | bytearray, data: bytes, bound: bytes) -> bytes | None:
    """Return what `encrypt` was given; None if these are not the bytes that it returned.

    Raises:
        NotInstalledError: the package cryptography is not installed.
    """
    with installed():
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        return AESSIV(key).decrypt(data, [bound])
    except InvalidTag:
        return None


@contextmanager
def installed(*, what: str = "an encrypted store") -> Iterator[None]:
    """Turn a missing package into a NotInstalledError that says how to install it, and what needs it."""
    try:
        yield
    except ImportError as error:
        raise NotInstalledError(
            f"{what} needs the package cryptography, which is not installed",
            "install it with `pip install 'edge-icl[encrypt]'`",
        ) from error


def _role(name: str) -> bytes:
    """Return the part of a file's name that is authenticated; a draft has the role of the file it will be."""
    return name.partition("/")[0].removesuffix(".new").encode()
