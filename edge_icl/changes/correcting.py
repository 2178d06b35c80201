"""Another text or label in the place of one, and whether the outputs are labels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge_icl.display.unseen import visible
from edge_icl.errors import ExampleNotFoundError
from edge_icl.example import Example, normalise
from edge_icl.results import RECEIPT, Renamed, Replaced
from edge_icl.search.finding import held, outputs
from edge_icl.search.spelling import did_you_mean
from edge_icl.store.manifest import checked_labels
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_icl.answer.open_store import OpenStore
    from edge_icl.store.pages import Page
    from edge_icl.store.snapshot import Snapshot


def replace(
    opened: OpenStore,
    id: str,
    *,
    input: str | None,
    output: str | None,
    tags: Iterable[str] | None,
    source: str | None,
) -> Replaced:
    """Put a corrected example in the place of one; see `Memory.replace`."""
    begun = time.perf_counter()
    settings = opened.store.settings
    old = opened.read(lambda snapshot: held(snapshot, snapshot.resolve(id)))
    new = old.example.changed(input=input, output=output, tags=tags, source=source)
    old_id, new_id = bytes.fromhex(old.id), new.id(settings.seed)
    if new_id != old_id:
        opened.engines.lengths.check(new)
    vector = None if new.input == old.input else opened.embed([new.input])[0]

    def choose(snapshot: Snapshot) -> tuple[Sequence[Row], Sequence[bytes]]:
        page, i = snapshot.row(old_id)
        row = Row(new_id, page.vectors[i] if vector is None else vector, new.canonical())
        return ([row], [old_id]) if new_id != old_id else ((), ())

    change = opened.commit(choose)
    return Replaced(
        old=old.id,
        new=new_id.hex(),
        root_before=change.root_before,
        root_after=change.root_after,
        refit=change.refit,
        seconds=time.perf_counter() - begun,
        store=settings.digest(RECEIPT),
    )


def rename_label(opened: OpenStore, old: str, new: str) -> Renamed:
    """Give all examples with one label another; see `Memory.rename_label`."""
    begun = time.perf_counter()
    settings = opened.store.settings
    old, new = normalise(old, "label"), normalise(new, "new label")
    fit: set[bytes] = set()
    gone: list[bytes] = []
    there: list[bytes] = []

    def renamed(snapshot: Snapshot) -> list[tuple[Row, bytes]]:
        """Return the rows with the new label, and the ids that they had; what is too long is refused."""
        found = _labelled(snapshot, old, new, settings.seed)
        for row, id in found:
            if id not in fit:
                opened.engines.lengths.check(Example.from_canonical(row.text))
                fit.add(id)
        return found

    def choose(snapshot: Snapshot) -> tuple[Sequence[Row], Sequence[bytes]]:
        found = renamed(snapshot)
        if not found:
            known = outputs(snapshot)
            raise ExampleNotFoundError(f"no example has the output {visible(old)}", did_you_mean(old, known))
        if old == new:
            return (), ()
        gone.extend(id for _, id in found)
        there.extend(row.id for row, _ in found if snapshot.locate(row.id) is not None)
        return [row for row, _ in found], gone

    opened.read(renamed)
    change = opened.commit(choose)
    return Renamed(
        ids=tuple(id.hex() for id in gone),
        duplicates=len(there),
        root_before=change.root_before,
        root_after=change.root_after,
        refit=change.refit,
        seconds=time.perf_counter() - begun,
        store=settings.digest(RECEIPT),
    )


def set_labels(opened: OpenStore, setting: str) -> bool:
    """Say whether the outputs are labels; see `Memory.set_labels`."""
    change = opened.commit(lambda _: ((), ()), labels=checked_labels(setting))
    return change.root_before != change.root_after


def _labelled(snapshot: Snapshot, old: str, new: str, seed: bytes) -> list[tuple[Row, bytes]]:
    """Return the rows that the examples with one label are with another, each with its old id."""

    def look(page: Page) -> list[tuple[Row, bytes]]:
        found = []
        for (id, example), vector in zip(page.examples(), page.vectors, strict=True):
            if example.output == old:
                other = example.changed(output=new)
                found.append((Row(other.id(seed), vector.copy(), other.canonical()), id))
        return found

    return [one for some in snapshot.visit(look) for one in some]
