"""Changes of an open store, each one commit: all of it is made, or nothing. `Memory` says what each does.

What adds examples is in `adding`. `reencode` changes nothing of it: its commit is that of the new store.

What is needed before the lock (vectors, checks of length) is made ready first; what depends on the examples is
decided on the snapshot under the lock, so that no change of another process comes between.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.access.filling import prepared, refuse_within
from edge_icl.access.opening import with_encoder
from edge_icl.access.passphrases import inherited
from edge_icl.display.unseen import visible
from edge_icl.errors import EdgeIclError, ExampleNotFoundError, InputError, StoreChangedError
from edge_icl.example import Example, normalise
from edge_icl.results import RECEIPT, Receipt, Reencoded, Renamed, Replaced
from edge_icl.runtime.arguments import kind, number
from edge_icl.runtime.progress import silent
from edge_icl.search.finding import held, outputs
from edge_icl.search.spelling import did_you_mean
from edge_icl.store.keys import STRETCH
from edge_icl.store.manifest import checked_labels
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_icl.access.merging import Named
    from edge_icl.access.passphrases import Passphrase
    from edge_icl.access.receipts import Sign
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.encode.encoder import Encoder
    from edge_icl.encode.tokens import Reading
    from edge_icl.results import Held
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.pages import Page
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


def reencode(
    opened: OpenStore, into: Path, encoder: str, passphrase: Passphrase | None, progress: Progress
) -> Reencoded:
    """Make a new store of the examples, with another encoder; see `Memory.reencode`."""
    begun = time.perf_counter()
    old, path = opened.store, into.resolve()
    refuse_within(path, old)
    with opened.lifetime.at_work():
        settings, place = with_encoder(old, encoder)
        secret = inherited(old, passphrase)
        stretch = STRETCH if old.key is None else old.key.wrapped.stretch
        with (
            prepared(path, settings, secret, stretch=stretch) as new,
            closing(opened.engines.of(settings, place)) as engines,
        ):
            made = _encoded(opened, engines.encoder(), progress)
            try:
                root = new.fill(made.rows, made.snapshot.manifest.labels, timeout=opened.timeout)
            finally:
                old.commits += new.filled
    return Reencoded(
        path=path,
        encoder=settings.encoder,
        examples=len(made.rows),
        unread=made.unread,
        cut=made.cut,
        encrypted=secret is not None,
        root=root,
        source_root=made.snapshot.root,
        seconds=time.perf_counter() - begun,
    )


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


class _Encoded(NamedTuple):
    """A state of a store, its rows with another encoder's vectors, and how many of them that does not read.

    Attributes:
        unread: how many inputs are in characters that the encoder does not know.
        cut: how many are longer than it reads.
    """

    snapshot: Snapshot
    rows: list[Row]
    unread: int
    cut: int


def _encoded(opened: OpenStore, encoder: Encoder, progress: Progress) -> _Encoded:
    """Return the state of the store that is the newest when all is embedded, encoded.

    Embedding takes long, and what another process forgets meanwhile must not be written once more.
    """
    vectors: dict[bytes, NDArray[np.int8]] = {}
    read: dict[bytes, Reading] = {}
    while True:
        snapshot, pages = opened.read(lambda now: (now, now.visit(_texts)))
        held = [one for page in pages for one in page]
        new = {id: input for id, input, _ in held if id not in vectors}
        if new:
            heeded = opened.lifetime.heeded_by(progress)
            vectors |= zip(new, encoder.encode([*new.values()], progress=heeded), strict=True)
            heeded = opened.lifetime.heeded_by(silent)
            read |= zip(new, encoder.readings([*new.values()], progress=heeded), strict=True)
        if opened.read(lambda now: now.root) == snapshot.root:
            rows = [Row(id, vectors[id], text) for id, _, text in held]
            some = [read[id] for id, _, _ in held]
            return _Encoded(snapshot, rows, sum(not one.known for one in some), sum(one.cut for one in some))


def _texts(page: Page) -> list[tuple[bytes, str, bytes]]:
    """Return the id, the input and the canonical JSON of each example of a page."""
    return [(id, one.input, text) for (id, one), text in zip(page.examples(), page.texts(), strict=True)]


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
