"""Forgetting examples, by their ids or by what receipts name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.errors import EdgeIclError, InputError, StoreChangedError
from edge_icl.forms import at
from edge_icl.results import RECEIPT, Receipt, Renamed, Replaced
from edge_icl.runtime.arguments import each, kind, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_icl.access.merging import Named
    from edge_icl.access.receipts import Sign
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.forms import ReceiptForm
    from edge_icl.results import Held
    from edge_icl.store.pages import Page, Row
    from edge_icl.store.settings import Settings
    from edge_icl.store.snapshot import Snapshot


def forget(
    opened: OpenStore, ids: Sequence[str] | Named, *, similar: float | None, root: str | None, sign: Sign | None
) -> Receipt:
    """Forget examples; see `Memory.forget`, and `forget_from` for ids of which not all need be here."""
    if similar is not None:
        similar = number(similar, "similar", least=-1, most=1)
    if root is not None and not isinstance(root, str):
        raise InputError(f"root is {kind(root)}, not text", "give what `root` of the memory was")
    if not ids and not isinstance(ids, frozenset):
        raise InputError("there is nothing to forget", "give the ids of examples")
    begun = time.perf_counter()
    gone: dict[bytes, tuple[Page, int]] = {}

    def choose(snapshot: Snapshot) -> tuple[Sequence[Row], Sequence[bytes]]:
        if root is not None and root != snapshot.root:
            raise StoreChangedError(
                "the store has changed since it was looked at: nothing was forgotten", "look again"
            )
        held = snapshot.known(ids) if isinstance(ids, frozenset) else {*map(snapshot.resolve, ids)}
        gone.update((id, snapshot.row(id)) for id in sorted(held))
        return (), [*gone]

    change = opened.commit(choose)
    seconds = time.perf_counter() - begun
    signed = None if sign is None or not gone else sign([*gone], change.root_before, change.after)
    left, why = (None, None) if similar is None or not gone else _left(opened, [*gone.values()], similar)
    return Receipt(
        ids=tuple(id.hex() for id in gone),
        root_before=change.root_before,
        root_after=change.root_after,
        refit=change.refit,
        seconds=seconds,
        similar=left,
        similar_error=why,
        store=opened.store.settings.digest(RECEIPT),
        signed=signed,
    )


def named(receipts: Iterable[ReceiptForm], settings: Settings) -> Named:
    """Return the ids of the examples that receipts say are forgotten.

    Args:
        receipts: each what a method of a `Memory` returned, or its JSON.
        settings: of the store in which they are to be forgotten.

    Raises:
        InputError: one is no receipt, or one of a store with another seed, where ids are others.
        SignatureError: one is signed, and was changed after that.
        NotInstalledError: one is signed, and a package for that is not installed.
    """
    found: set[bytes] = set()
    several = [*each(receipts, "receipts")]
    for i, one in enumerate(several):
        try:
            found.update(named_by(one, settings))
        except InputError as error:
            raise (at(i, error, "receipts") if len(several) > 1 else error) from None
    return frozenset(found)


def named_by(receipt: ReceiptForm, settings: Settings) -> Sequence[bytes]:
    """Return the ids that a receipt names; none where a change has forgotten nothing.

    Raises:
        InputError: it is no receipt, or one of a store with another seed.
        SignatureError: it is signed, and was changed after that.
        NotInstalledError: it is signed, and a package for that is not installed.
    """
    from edge_icl.access import receipts

    if isinstance(receipt, Receipt | Replaced | Renamed):
        receipt = receipt.as_json()
        if not receipt["ids"]:
            return ()
    claims = receipts.read(receipt)
    if claims.store not in {None, settings.digest(RECEIPT)}:
        raise InputError(
            "the receipt is of a store with another seed, where ids are others",
            "give one of a store that can be merged with this one",
        )
    return claims.ids


def _left(
    opened: OpenStore, gone: Sequence[tuple[Page, int]], similar: float
) -> tuple[tuple[Held, ...], None] | tuple[None, str]:
    """Return the near copies that are left, or why that cannot be told: the others are forgotten."""
    from edge_icl.search.near_copies import Asked, near_copies

    likeness = opened.engines.likeness()._replace(threshold=similar)
    try:
        vectors = np.stack([page.vectors[i] for page, i in gone])
        asked = Asked(vectors, [page.example(i).input for page, i in gone])
        return tuple(opened.read(lambda snapshot: near_copies(snapshot, asked, likeness))), None
    except (EdgeIclError, OSError, MemoryError) as error:
        return None, str(error) or "there is not enough memory"
