"""What the page tells: one state of a store, in the order of the page; no date, no machine, no path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.answer import checking
from edge_icl.errors import StoreEmptyError
from edge_icl.report.layout import lay_out
from edge_icl.results import Held
from edge_icl.search.finding import most_frequent_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_icl.answer.check import Check
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.report.layout import Layout
    from edge_icl.runtime.progress import Progress
    from edge_icl.store.snapshot import Snapshot

MOST_MAPPED = 10_000
"""Examples on the map: the first by id, a random sample. More would hide each other, and take minutes."""


@dataclass(frozen=True, slots=True)
class Row:
    """An example as the page shows it.

    Attributes:
        held: the example.
        short: its short id.
        position: where it lies on the map, (x, y); None where it is not on it.
        representative: whether the model is shown it, with the selection `erase`.
        suspect: whether it is possibly mislabelled.
    """

    held: Held
    short: str
    position: tuple[int, int] | None
    representative: bool
    suspect: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """What the page tells.

    Attributes:
        name: the store's.
        root: the store's, hex.
        encoder: the name of the encoder.
        encrypted: whether the store is.
        counts: each output and how many examples have it, the most frequent first.
        rows: all examples: by label where the outputs are labels, in the order of `counts`; then by input.
        layout: the map.
        check: what `check` finds.
    """

    name: str
    root: str
    encoder: str
    encrypted: bool
    counts: Mapping[str, int]
    rows: Sequence[Row]
    layout: Layout
    check: Check

    @property
    def labels(self) -> Sequence[str]:
        """The labels, the most frequent first; none where the outputs are free text."""
        return [*self.counts] if self.check.labelling.labels else []

    @property
    def mapped(self) -> int:
        """How many examples are on the map."""
        return len(self.layout.positions)


def gather(opened: OpenStore, progress: Progress) -> Contents:
    """Return what the page tells of an open store.

    Raises:
        StoreEmptyError: it holds no examples.
    """
    heeded = opened.lifetime.heeded_by(progress)
    return opened.read(lambda snapshot: _contents(opened, snapshot, heeded))


def _contents(opened: OpenStore, snapshot: Snapshot, progress: Progress) -> Contents:
    """Return what the page tells of one state of a store."""
    if not snapshot.manifest.count:
        raise StoreEmptyError("the store holds no examples to show", "teach it some: edge-icl add INPUT OUTPUT")
    points = opened.cache.derived(snapshot).points
    check = checking.of_snapshot(opened, snapshot, progress)
    layout = lay_out(points.vectors[:MOST_MAPPED], progress)
    positions = [(x, y) for x, y in layout.positions.tolist()]
    representatives = {*snapshot.clustering.representative_ids()}
    suspects = {one.id for one in check.suspects}
    rows = [
        Row(
            Held.of(id.hex(), example),
            snapshot.short(id),
            positions[i] if i < len(positions) else None,
            id in representatives,
            id.hex() in suspects,
        )
        for i, (id, example) in enumerate(snapshot.examples())
    ]
    counts = most_frequent_first(opened.cache.derived(snapshot).outputs)
    rank = {output: i for i, output in enumerate(counts)} if check.labelling.labels else {}
    rows.sort(key=lambda row: (rank.get(row.held.output, 0), row.held.input, row.held.id))
    return Contents(
        name=opened.store.path.name,
        root=snapshot.root,
        encoder=snapshot.settings.encoder,
        encrypted=opened.store.key is not None,
        counts=counts,
        rows=rows,
        layout=layout,
        check=check,
    )
