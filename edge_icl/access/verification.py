"""Checking a store, even one that is too damaged to open, and comparing it with a receipt."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge_icl.access.cache_key import home_key
from edge_icl.errors import InputError, SignatureError
from edge_icl.results import RECEIPT
from edge_icl.runtime.progress import Progress, silent
from edge_icl.store import manifest
from edge_icl.store.audit import audit
from edge_icl.store.disk import Store
from edge_icl.store.findings import Finding, Problem, Signature, Verification
from edge_icl.store.keys import Unlock, no_passphrase
from edge_icl.store.lock import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_icl.access.receipts import Claims
    from edge_icl.store.snapshot import Snapshot

_ROOT = re.compile("[0-9a-f]{64}")

RECEIPT_FILE = "receipt"
"""What a finding names that is about no file of the store."""


def verify(
    path: Path,
    *,
    deep: bool = False,
    receipt: Mapping[str, Any] | str | bytes | None = None,
    signed_by: str | None = None,
    root: str | None = None,
    progress: Progress = silent,
    timeout: float = DEFAULT_TIMEOUT,
    unlock: Unlock = no_passphrase,
) -> Verification:
    """Check every byte of a store against its manifest.

    Args:
        path: the store's directory.
        deep: also make the store again from its examples and vectors, and compare every byte.
        receipt: a receipt of `forget`, as JSON or as its file: are its examples forgotten, is the store still
            the one it names, and if it is signed, is it what was signed?
        signed_by: the public key that must have signed it.
        root: a root that was noted earlier; if the store has another, it is another store or has changed.
        progress: told about each page.
        timeout: seconds to wait for a writer.
        unlock: called if the store is encrypted.

    Raises:
        PassphraseError: the store is encrypted, and `unlock` cannot unwrap its key.
        NotInstalledError: it is encrypted or the receipt is signed, and a package for that is not installed.
        StoreNotFoundError: nothing is there.
        NotAStoreError: something else is there.
        StoreExposedError: another user owns it or may write to it.
        InputError: the root, the key or the receipt is not one, or the receipt is of another store.
    """
    if root is not None and not _ROOT.fullmatch(root):
        raise InputError(f"{root!r} is not a root", "give the 64 hex digits that `edge-icl verify` shows")
    claims, unproven = (None, ()) if receipt is None else _claims(receipt, signed_by)
    found = audit(path, deep=deep, progress=progress, timeout=timeout, unlock=unlock, home_key=home_key())
    differences = (*found.differences, *unproven)
    if claims and not differences:
        differences = _compared(Store.open(path, unlock=unlock), claims)
    if root is not None and found.root not in ("", root):
        detail = f"the root is not {root}, which was noted"
        differences = (*differences, Finding(Problem.DIFFERENT, manifest.NAME, detail))
    found = replace(found, differences=differences)
    if claims is None:
        return found
    moved_on = found.root != claims.root_after
    return replace(
        found,
        moved_on=moved_on,
        same_store=claims.store is not None or not moved_on,
        signature=_signature(claims),
    )


def _claims(
    receipt: Mapping[str, Any] | str | bytes, signed_by: str | None
) -> tuple[Claims | None, tuple[Finding, ...]]:
    """Return what a receipt says, None if it is not what was signed; and what is wrong with its signature.

    Raises:
        InputError: this is not a receipt, or the key is none.
    """
    from edge_icl.access import receipts, signing

    if signed_by is not None and not signing.is_key(signed_by):
        raise InputError(
            f"{signed_by!r} is not a public key",
            "give the 64 hex digits that its owner sees with `edge-icl status`",
        )
    try:
        claims = receipts.read(receipt)
    except SignatureError as error:
        return None, (Finding(Problem.UNPROVEN, RECEIPT_FILE, error.message.removeprefix("the receipt is ")),)
    wrong = None
    if signed_by is not None and claims.signed is None:
        wrong = "not signed"
    elif signed_by is not None and claims.signed is not None and claims.signed.key != signed_by:
        wrong = f"signed with the key {claims.signed.key}, and not with {signed_by}"
    return claims, () if wrong is None else (Finding(Problem.UNPROVEN, RECEIPT_FILE, wrong),)


def _compared(store: Store, claims: Claims) -> tuple[Finding, ...]:
    """Return where a sound store is not as a receipt says.

    Raises:
        InputError: the receipt is of another store.
    """
    from edge_icl.access.receipts import leaves

    if claims.store not in {None, store.settings.digest(RECEIPT)}:
        raise InputError(
            "the receipt is of another store, so that it says nothing of this one",
            "give the name of its own store",
        )

    def look(snapshot: Snapshot) -> tuple[Finding, ...]:
        back = [one.hex() for one in claims.ids if snapshot.locate(one) is not None]
        found = [Finding(Problem.PRESENT, one, "the receipt says that it was forgotten") for one in back]
        told = claims.signed.leaves if claims.signed and snapshot.root == claims.root_after else None
        if told is not None and told != tuple(leaves(snapshot.manifest.trie, claims.ids)):
            found.append(Finding(Problem.UNPROVEN, RECEIPT_FILE, "its leaves are not those of the store"))
        return tuple(found)

    return store.read(look)


def _signature(claims: Claims) -> Signature | None:
    """Return who signed a receipt, as it says; None if it is not signed."""
    from edge_icl.access.signing import own_public

    if claims.signed is None:
        return None
    return Signature(claims.signed.key, claims.signed.time, own=claims.signed.key == own_public())
