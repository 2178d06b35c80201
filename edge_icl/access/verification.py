"""Checking a store, even one that is too damaged to open, and comparing it with a receipt."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge_icl.access.cache_key import home_key
from edge_icl.errors import InputError
from edge_icl.example import ID_BYTES
from edge_icl.results import RECEIPT
from edge_icl.runtime.progress import Progress, silent
from edge_icl.store import manifest
from edge_icl.store.audit import audit
from edge_icl.store.disk import Store
from edge_icl.store.findings import Finding, Problem, Verification
from edge_icl.store.keys import Unlock, no_passphrase
from edge_icl.store.writer import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ROOT = re.compile("[0-9a-f]{64}")


def verify(
    path: Path,
    *,
    deep: bool = False,
    receipt: Mapping[str, Any] | None = None,
    root: str | None = None,
    progress: Progress = silent,
    timeout: float = DEFAULT_TIMEOUT,
    unlock: Unlock = no_passphrase,
) -> Verification:
    """Check every byte of a store against its manifest.

    Args:
        path: the store's directory.
        deep: also make the store again from its examples and vectors, and compare every byte.
        receipt: a receipt of `forget`, as JSON: are its examples forgotten, is the store still the one it
            names?
        root: a root that was noted earlier; if the store has another, it is another store or has changed.
        progress: told about each page.
        timeout: seconds to wait for a writer.
        unlock: called if the store is encrypted.

    Raises:
        PassphraseError: the store is encrypted, and `unlock` cannot unwrap its key.
        NotInstalledError: it is encrypted, and a package for that is not installed.
        StoreNotFoundError: nothing is there.
        NotAStoreError: something else is there.
        StoreExposedError: another user owns it or may write to it.
        InputError: the root or the receipt is not one, or the receipt is of another store.
    """
    if root is not None and not _ROOT.fullmatch(root):
        raise InputError(f"{root!r} is not a root", "give the 64 hex digits that `edge-icl verify` shows")
    ids, root_after, of = ([], None, None) if receipt is None else _read_receipt(receipt)
    found = audit(path, deep=deep, progress=progress, timeout=timeout, unlock=unlock, home_key=home_key())
    differences = found.differences
    if ids and not differences:
        store = Store.open(path, unlock=unlock)
        if of not in {None, store.settings.digest(RECEIPT)}:
            raise InputError(
                "the receipt is of another store, so that it says nothing of this one",
                "give the name of its own store",
            )
        present = store.read(lambda snapshot: [one.hex() for one in ids if snapshot.locate(one) is not None])
        differences = tuple(
            Finding(Problem.PRESENT, one, "the receipt says that it was forgotten") for one in present
        )
    if root is not None and found.root not in ("", root):
        detail = f"the root is not {root}, which was noted"
        differences = (*differences, Finding(Problem.DIFFERENT, manifest.NAME, detail))
    moved_on = None if receipt is None else found.root != root_after
    known = None if receipt is None else of is not None or not moved_on
    return replace(found, differences=differences, moved_on=moved_on, same_store=known)


def _read_receipt(receipt: Mapping[str, Any]) -> tuple[list[bytes], str, str | None]:
    """Return the ids that a receipt says are forgotten, the root after that, and what names its store.

    The last is None for a receipt of an earlier edge-icl, which does not name it.

    Raises:
        InputError: this is not a receipt.
    """
    try:
        ids, root = [bytes.fromhex(text) for text in receipt["ids"]], receipt["root_after"]
        of = receipt.get("store")
    except (KeyError, TypeError, ValueError):
        ids, root, of = [], None, None
    # Only whole ids: no example has the beginning of an id for its id, so it would be taken for forgotten.
    if (
        not ids
        or any(len(one) != ID_BYTES for one in ids)
        or not isinstance(root, str)
        or not isinstance(of, str | None)
    ):
        raise InputError("this is not a receipt of edge-icl", "give the file that forget --receipt wrote")
    return ids, root, of
