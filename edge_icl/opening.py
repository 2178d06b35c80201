"""Where a store is, and making one with the encoder that is on this machine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from edge_icl.errors import InputError, NotAStoreError
from edge_icl.models import location
from edge_icl.store import guard, settings
from edge_icl.store.disk import Store
from edge_icl.store.keys import STRETCH, Stretch
from edge_icl.store.settings import DEFAULT_SHOTS, SEED_BYTES, Settings, normalised_task
from edge_icl.unlocking import Passphrase, new_key, unlocking

DEFAULT_STORE = "default"


def locate(store: str | os.PathLike[str]) -> Path:
    """Return the directory of a store that is given by its name, or by a path (anything with a separator).

    Raises:
        InputError: this is neither.
        StoreExposedError: somebody else owns the folder of this user's stores, or may write to it.
    """
    text = os.fspath(store)
    if isinstance(store, os.PathLike) or os.sep in text or (os.altsep and os.altsep in text):
        return Path(text).expanduser().absolute()
    if not text or text.startswith(".") or "\0" in text:
        raise InputError(f"{text!r} cannot be the name of a store", "begin with a letter, or give a path")
    home = location.home()
    guard.refuse_exposed_folder(home)
    return home / "stores" / text


def make(
    path: Path,
    *,
    encoder: str | None,
    shots: int = DEFAULT_SHOTS,
    seed: bytes | None = None,
    task: str | None = None,
    passphrase: Passphrase | None = None,
    stretch: Stretch = STRETCH,
) -> Store:
    """Make a store; if another process makes it at the same moment, open that one.

    Args:
        path: the directory.
        encoder: name of the encoder; None for the default.
        shots: how many examples go into a prompt: the number of clusters.
        seed: 32 bytes that every id and digest depends on; None for random ones.
        task: what is asked of the model, in words; None for nothing.
        passphrase: encrypts the store; None for a plain one.
        stretch: what trying a passphrase costs.

    Raises:
        NotAStoreError: something is there already.
        NotInstalledError: it is to be encrypted, and a package for that is not installed.
        ModelMissingError: the encoder is not on this machine.
        InputError: the shots, the seed, the task or the passphrase make no sense.
    """
    if not 0 < shots < 1 << 16:
        raise InputError(f"{shots} examples cannot go into a prompt", "ask for 1 to 65535 shots")
    if seed is not None and len(seed) != SEED_BYTES:
        raise InputError(f"the seed has {len(seed)} bytes instead of {SEED_BYTES}", "give 64 hex digits")
    found = location.find_encoder(encoder)
    new = Settings(
        seed=secrets.token_bytes(SEED_BYTES) if seed is None else seed,
        encoder=found.name,
        encoder_digest=found.digest,
        dimension=found.dimension,
        scale=found.scale,
        shots=shots,
        task="" if task is None else normalised_task(task),
    )
    try:
        with new_key(passphrase, seed=seed, stretch=stretch) as key:
            return Store.create(path, new, key=key)
    except NotAStoreError:
        if seed is None and (path / settings.NAME).exists():
            opened = Store.open(path, unlock=unlocking(passphrase))
            if passphrase is None or opened.key is not None:
                return opened
        raise
