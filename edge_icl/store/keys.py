"""key: the data key of an encrypted store, wrapped with a passphrase.

The data key is drawn once and seals everything else. Another passphrase wraps it again, so that only this file
changes: it is the one file that is neither written once nor covered by the root.

    {"format": 1, "keyring": false, "lanes": 4, "memory": 65536, "passes": 3,
     "salt": ..., "wrapped": ..., "checksum": ...}

Argon2id (RFC 9106) stretches the passphrase, and AES-256 in SIV mode wraps the data key. The checksum is not
keyed: it tells a damaged file from a wrong passphrase.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from edge_icl.errors import PassphraseError, StoreChangedError, StoreDamagedError, StoreFormatError
from edge_icl.store import files as fs
from edge_icl.store import sealing, settings

if TYPE_CHECKING:
    from pathlib import Path

NAME = "key"
DRAFT = "key.new"
OLD = "key.old"
"""A second name for the file whose place another one takes, until it is wiped."""
FORMAT = 1
SALT_BYTES = 16
WRAPPED_BYTES = sealing.KEY_BYTES + sealing.LONGER

LARGEST = 1 << 10
"""Bytes that a key file may have: all of its fields are bounded."""

MOST_WORK = 1 << 22
"""KiB that Argon2id may write in all its passes, 4 GiB: some seconds. A file must not ask for hours."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What Argon2id costs each time that a passphrase is tried.

    The default is the one that RFC 9106 recommends where memory is scarce. Less is for tests and audits.

    Attributes:
        memory: in KiB; at least 8 for each lane, at most 1 GiB.
        passes: over that memory; 1 to 64, and no more than come to 4 GiB.
        lanes: that run in parallel; 1 to 16.
    """

    memory: int = 1 << 16
    passes: int = 3
    lanes: int = 4

    def sensible(self) -> bool:
        """Tell whether every number is in its range: a file must not ask for gigabytes or for hours."""
        numbers = (self.memory, self.passes, self.lanes)
        return (
            all(type(number) is int for number in numbers)
            and 0 < self.lanes <= 1 << 4
            and 0 < self.passes <= 1 << 6
            and 8 * self.lanes <= self.memory <= 1 << 20
            and self.memory * self.passes <= MOST_WORK
        )

    def run(self, passphrase: bytes, salt: bytes) -> bytes:
        """Return the 64 bytes that a passphrase and a salt give.

        Raises:
            NotInstalledError: the package cryptography is not installed.
        """
        with sealing.installed():
            from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        derive = Argon2id(
            salt=salt,
            length=sealing.KEY_BYTES,
            iterations=self.passes,
            lanes=self.lanes,
            memory_cost=self.memory,
        )
        return derive.derive(passphrase)


STRETCH = Stretch()


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The content of the file `key`.

    Attributes:
        salt: 16 random bytes.
        stretch: how the passphrase is stretched.
        keyring: whether the passphrase is in the operating system's keyring, under the salt.
        wrapped: the data key, sealed with the stretched passphrase.
    """

    salt: bytes
    stretch: Stretch
    keyring: bool
    wrapped: bytes = b""

    def unwrap(self, passphrase: bytes) -> bytes:
        """Return the data key.

        Raises:
            PassphraseError: the passphrase is another one.
            NotInstalledError: the package cryptography is not installed.
        """
        data = sealing.decrypt(self.stretch.run(passphrase, self.salt), self.wrapped, self.bound())
        if data is None:
            raise PassphraseError("this passphrase does not open the store", "try again")
        return data

    def encode(self) -> bytes:
        """Return the bytes of the file: canonical JSON and a line feed."""
        fields = {
            "format": FORMAT,
            "keyring": self.keyring,
            **asdict(self.stretch),
            "salt": self.salt.hex(),
            "wrapped": self.wrapped.hex(),
        }
        checksum = hashlib.blake2b(_canonical(fields), digest_size=8).hexdigest()
        return _canonical({**fields, "checksum": checksum}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> WrappedKey:
        """Read what `encode` wrote.

        Raises:
            StoreFormatError: a newer edge-icl wrote it.
            StoreDamagedError: these are not the bytes of a key.
        """
        try:
            fields = json.loads(data) if len(data) <= LARGEST else {}
            if type(version := fields["format"]) is int and version > FORMAT:
                raise StoreFormatError(
                    f"the store's file {NAME} has format {version} and this edge-icl reads format {FORMAT}",
                    "update edge-icl, or open the store with the version that wrote it",
                )
            key = cls(
                salt=bytes.fromhex(fields["salt"]),
                stretch=Stretch(fields["memory"], fields["passes"], fields["lanes"]),
                keyring=fields["keyring"],
                wrapped=bytes.fromhex(fields["wrapped"]),
            )
            if key.encode() == data and key._is_valid():
                return key
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        raise StoreDamagedError(f"the file {NAME} is damaged", "restore it from a backup")

    def _is_valid(self) -> bool:
        """Tell whether every field has the type and size that the format gives it."""
        sizes = (len(self.salt), len(self.wrapped))
        return type(self.keyring) is bool and sizes == (SALT_BYTES, WRAPPED_BYTES) and self.stretch.sensible()

    def bound(self) -> bytes:
        """Return what is authenticated with the data key."""
        return _canonical({"keyring": self.keyring, "salt": self.salt.hex(), **asdict(self.stretch)})


@dataclass(frozen=True, slots=True)
class Key:
    """A data key, and the file that it is kept in.

    Attributes:
        data: the data key, 64 bytes; one piece of memory for all that use it, so that `wipe` reaches it.
        wrapped: the file.
        replaces: what the file must hold so far, if this is to take its place; None for the key of a new store.
    """

    data: bytes | bytearray = field(repr=False)
    wrapped: WrappedKey
    replaces: WrappedKey | None = None

    def __post_init__(self) -> None:
        """Keep the data key where it can be overwritten."""
        if isinstance(self.data, bytes):
            object.__setattr__(self, "data", bytearray(self.data))

    def wipe(self) -> None:
        """Overwrite the data key in memory; from then on nothing is sealed or opened with it."""
        assert isinstance(self.data, bytearray)
        self.data[:] = bytes(len(self.data))

    @classmethod
    def new(cls, passphrase: bytes, *, stretch: Stretch = STRETCH, keyring: bool = False) -> Key:
        """Draw a data key and wrap it.

        Raises:
            NotInstalledError: the package cryptography is not installed.
        """
        empty = WrappedKey(secrets.token_bytes(SALT_BYTES), stretch, keyring)
        return cls._wrapped(secrets.token_bytes(sealing.KEY_BYTES), passphrase, empty)

    @classmethod
    def from_seed(cls, passphrase: bytes, seed: bytes, *, stretch: Stretch = STRETCH) -> Key:
        """Derive a data key from a passphrase and a store's seed, for tests and audits.

        Two stores that were made with the same seed and passphrase can be compared by `diff -r`.
        """
        salt = hashlib.blake2b(b"edge-icl/salt", digest_size=SALT_BYTES, key=seed).digest()
        wrapping = stretch.run(passphrase, salt)
        data = hashlib.blake2b(b"edge-icl/data key", digest_size=sealing.KEY_BYTES, key=wrapping).digest()
        return cls._wrapped(data, passphrase, WrappedKey(salt, stretch, keyring=False))

    def rewrapped(self, passphrase: bytes, *, keyring: bool = False) -> Key:
        """Return the same data key, wrapped with another passphrase and a new salt."""
        empty = WrappedKey(secrets.token_bytes(SALT_BYTES), self.wrapped.stretch, keyring)
        return replace(self._wrapped(self.data, passphrase, empty), replaces=self.wrapped)

    @classmethod
    def _wrapped(cls, data: bytes | bytearray, passphrase: bytes, empty: WrappedKey) -> Key:
        """Put a data key into a wrapping that has everything else."""
        wrapping = empty.stretch.run(passphrase, empty.salt)
        return cls(data, replace(empty, wrapped=sealing.encrypt(wrapping, data, empty.bound())))


def read(files: fs.Files, path: Path) -> WrappedKey:
    """Return the wrapped key of the store at `path`.

    Raises:
        OSError: the operating system refused.
        StoreFormatError: a newer edge-icl wrote it.
        StoreDamagedError: it is damaged.
    """
    try:
        return WrappedKey.decode(files.read(path / NAME))
    except StoreDamagedError:
        # A change of the passphrase wipes the old file, which may just have been opened here: read the new one.
        return WrappedKey.decode(files.read(path / NAME))


def refuse_changed(files: fs.Files, path: Path, key: Key) -> None:
    """Refuse to put a key into a store that is another one now, or has another key file than was read.

    To be called with the lock held: before that, another process may have deleted the store and made a new one,
    put back an older state, or given it another passphrase.

    Args:
        files: the file system.
        path: the store's directory.
        key: made by `rewrapped`.

    Raises:
        OSError: the operating system refused.
        StoreChangedError: nothing was changed.
    """
    try:
        sealing.Seal(key.data).open(settings.NAME, files.read(path / settings.NAME))
    except StoreDamagedError:
        raise _changed(f"the store {path} is not the one that was opened") from None
    if not in_place(files, path, replace(key, wrapped=key.replaces or key.wrapped)):
        raise _changed(f"the store {path} has another {NAME} than when it was opened")


def in_place(files: fs.Files, path: Path, key: Key) -> bool:
    """Tell whether the store at `path` has just this file.

    Raises:
        OSError: the operating system refused.
    """
    try:
        return files.read(path / NAME) == key.wrapped.encode()
    except (FileNotFoundError, NotADirectoryError):
        return False


def _changed(what: str) -> StoreChangedError:
    """Return the error that tells what has changed."""
    return StoreChangedError(f"{what}: its passphrase was not changed", "open it again")


def folder(files: fs.Files, path: Path, key: Key | None) -> fs.Folder:
    """Return the folder of a store with this key; a plain store has None."""
    return fs.Folder(files, path, None if key is None else sealing.Seal(key.data))


Unlock = Callable[[WrappedKey], bytes | bytearray]
"""Gives the data key that a file holds; raises PassphraseError if it cannot."""


def no_passphrase(_wrapped: WrappedKey) -> bytes:
    """Refuse, since no passphrase was given."""
    raise PassphraseError("the store is encrypted, and no passphrase was given", "give its passphrase")


def _canonical(fields: dict[str, object]) -> bytes:
    """Return canonical JSON."""
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()
