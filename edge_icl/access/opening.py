"""What a store is made with: settings, and the encoder that is on this machine."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from edge_icl.access.meant import not_found, warn_of_slip
from edge_icl.access.passphrases import (
    Passphrase,
    inherited,
    means_encrypted,
    new_key,
    refuse_plain,
    unlocking,
)
from edge_icl.errors import (
    InputError,
    ModelMissingError,
    NotAStoreError,
    StoreEncoderError,
    StoreNotFoundError,
)
from edge_icl.runtime.arguments import kind, whole
from edge_icl.runtime.home import expanded
from edge_icl.store.disk import Store
from edge_icl.store.keys import STRETCH, Stretch
from edge_icl.store.manifest import AUTO, checked_labels
from edge_icl.store.pending import Pending
from edge_icl.store.presence import is_store
from edge_icl.store.settings import DEFAULT_SHOTS, SEED_BYTES, Settings, normalised_task

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.models.installed import InstalledEncoder
    from edge_icl.store.reading import StoreReader


LATER = "later"


class Wanted(NamedTuple):
    """A store's settings, and where its encoder is.

    Attributes:
        settings: they name the encoder.
        encoder: the path of its folder; None where it is found by its name.
    """

    settings: Settings
    encoder: str | None


def opened_or_made(
    path: Path, *, create: bool | Literal["later"], encoder: str | None, passphrase: Passphrase | None
) -> Store:
    """Open a store, or make it where nothing is.

    Args:
        path: the directory.
        create: make it at once; False, or "later" with its first examples: see `Memory.open`.
        encoder: of one that is made: its name, or the path of its folder; None for the default.
        passphrase: opens it, and encrypts one that is made; None for a plain one.

    Raises:
        InputError: there is no such way to make it.
        StoreNotFoundError: nothing is there, and none is to be made.
        StoreError: what `Store.open`, `make` and `pending` raise.
    """
    if isinstance(create, str) and create != LATER:
        raise InputError(f"create cannot be {create!r}", 'give True, False or "later"')
    if means_encrypted(passphrase):
        refuse_plain(path)
    try:
        return Store.open(path, unlock=unlocking(passphrase))
    except StoreNotFoundError:
        if not create:
            raise not_found(path) from None
    if create == LATER and passphrase is None:
        return pending(path, encoder=encoder)
    warn_of_slip(path)
    return make(path, encoder=encoder, passphrase=passphrase)


def make(
    path: Path,
    *,
    encoder: str | None,
    shots: int = DEFAULT_SHOTS,
    seed: bytes | None = None,
    task: str | None = None,
    labels: str = AUTO,
    passphrase: Passphrase | None = None,
    stretch: Stretch = STRETCH,
) -> Store:
    """Make a store; if another process makes it at the same moment, open it.

    Args:
        path: the directory.
        encoder: name of the encoder, or path of its folder; None for the default.
        shots: how many examples go into a prompt: the number of clusters.
        seed: 32 bytes that every id and digest depends on; None for random ones.
        task: what is asked of the model, in words; None for nothing.
        labels: whether the outputs are labels: "yes", "no", or "auto" for what they themselves show.
        passphrase: encrypts the store; None for a plain one.
        stretch: what trying a passphrase costs.

    Raises:
        NotAStoreError: something is there already.
        NotInstalledError: it is to be encrypted, and a package for that is not installed.
        ModelMissingError: the encoder is not on this machine.
        InputError: the shots, the seed, the task, the setting for labels or the passphrase are not valid.
    """
    setting = checked_labels(labels)
    new = _settings(encoder, shots=shots, seed=seed, task=task)
    try:
        with new_key(passphrase, path, seed=seed, stretch=stretch) as key:
            return Store.create(path, new, labels=setting, key=key)
    except NotAStoreError:
        if seed is None and is_store(path):
            opened = Store.open(path, unlock=unlocking(passphrase))
            if passphrase is None or opened.key is not None:
                return opened
        raise


def make_like(path: Path, other: Store, passphrase: Passphrase | None) -> Store:
    """Make an empty store with the seed and the settings of another, so that both can be merged.

    Its encoder need not be on this machine, as for opening a store. Of an encrypted store no plain one is made.

    Args:
        path: the directory.
        other: the other store; it stays as it is.
        passphrase: encrypts the new one. None to do as with the other one, if the keyring has its passphrase.

    Raises:
        NotAStoreError: something is there already.
        NotInstalledError: it is to be encrypted, and a package for that is not installed.
        PassphraseError: the other one is encrypted and nothing was given, or the keyring refuses.
        InputError: the passphrase is empty or not valid text.
    """
    secret = inherited(other, passphrase)
    stretch = STRETCH if other.key is None else other.key.wrapped.stretch
    with new_key(secret, path, stretch=stretch) as key:
        return Store.create(path, other.settings, labels=other.snapshot().manifest.labels, key=key)


def pending(path: Path, *, encoder: str | None) -> Store:
    """Return a plain store with default settings that its first change makes, with its examples.

    Args:
        path: the directory.
        encoder: name of the encoder, or path of its folder; None for the default.

    Raises:
        NotAStoreError: something is there already.
        StoreExposedError: it would lie in a folder that another user owns or may write to.
        ModelMissingError: the encoder is not on this machine.
    """
    return Pending(path, _settings(encoder))


def _settings(
    encoder: str | None, *, shots: int = DEFAULT_SHOTS, seed: bytes | None = None, task: str | None = None
) -> Settings:
    """Return the settings of a new store; see `make`."""
    from edge_icl.models.location import find_encoder

    shots = whole(shots, "shots", least=1)
    if shots >= 1 << 16:
        raise InputError(f"{shots} examples cannot go into a prompt", "ask for 1 to 65535 shots")
    if not isinstance(seed, bytes | None):
        raise InputError(f"the seed is {kind(seed)}, not bytes", f"give {SEED_BYTES} bytes, or leave it out")
    if seed is not None and len(seed) != SEED_BYTES:
        raise InputError(f"the seed has {len(seed)} bytes instead of {SEED_BYTES}", "give 64 hex digits")
    found = find_encoder(encoder)
    return Settings(
        seed=secrets.token_bytes(SEED_BYTES) if seed is None else seed,
        encoder=found.name,
        encoder_digest=found.digest,
        dimension=found.settings.dimension,
        scale=found.settings.scale,
        shots=shots,
        task="" if task is None else normalised_task(task),
    )


def place_of(encoder: str | None) -> str | None:
    """Return the path of an encoder's folder, None where it is given by its name or not at all."""
    if encoder is None:
        return None
    from edge_icl.models.location import is_path

    return str(expanded(encoder)) if is_path(encoder) else None


def refuse_other(store: StoreReader, encoder: str | None) -> None:
    """Refuse to open a store with another encoder than its own.

    Args:
        store: the store.
        encoder: name of an encoder, or path of its folder; None for whichever the store has.

    Raises:
        StoreEncoderError: the store was made with another one.
        ModelMissingError: nothing is at the path.
        ModelFileError: what is there is not usable, or no encoder.
    """
    settings = store.settings
    if encoder in (None, settings.encoder):
        return
    assert encoder is not None
    found = _installed(encoder)
    if found is not None and found.used_as(settings.encoder_digest) is not None:
        return
    given = encoder if found is None or found.name == encoder else f"the one at {encoder}"
    raise StoreEncoderError(
        f"the store {store.path} was made with encoder {settings.encoder}, not {given}",
        "leave the encoder out, or see `edge-icl reencode --help`",
    )


def with_encoder(store: Store, encoder: str) -> Wanted:
    """Return the settings of a store with another encoder, and all else the same.

    The seed too: so each example keeps its id in the new store. What was noted of ids goes on to hold, such as
    receipts and short ids, and stores with one seed have one seed still when each has the new encoder. It costs
    nothing: a person who has either store has the seed, and without it names of files and roots say as little
    as before.

    Args:
        store: the store.
        encoder: the name of the other encoder, or the path of its folder.

    Raises:
        ModelMissingError: it is not on this machine.
        ModelFileError: it is not usable, or not an encoder.
        StoreEncoderError: the store has it already.
    """
    from edge_icl.models.location import find_encoder

    found = find_encoder(encoder)
    if found.digest == store.settings.encoder_digest:
        raise StoreEncoderError(
            f"the store {store.path} was made with the encoder {found.name} already",
            "nothing is to be done; `edge-icl models list` shows the others",
        )
    settings = replace(
        store.settings,
        encoder=found.name,
        encoder_digest=found.digest,
        dimension=found.settings.dimension,
        scale=found.settings.scale,
    )
    return Wanted(settings, place_of(encoder))


def _installed(encoder: str) -> InstalledEncoder | None:
    """Return an encoder, None where none of this name is on this machine."""
    from edge_icl.models.location import find_encoder

    try:
        return find_encoder(encoder)
    except ModelMissingError:
        if place_of(encoder) is not None:
            raise
        return None
