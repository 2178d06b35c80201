"""A new store of the same examples, with another encoder; its commit is that of the new store."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.access.filling import prepared, refuse_within
from edge_icl.access.opening import with_encoder
from edge_icl.access.passphrases import inherited
from edge_icl.results import Reencoded
from edge_icl.runtime.progress import silent
from edge_icl.store.keys import STRETCH
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.access.passphrases import Passphrase
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.encode.encoder import Encoder
    from edge_icl.encode.tokens import Reading
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.pages import Page
    from edge_icl.store.snapshot import Snapshot


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
