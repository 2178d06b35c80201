"""The union of stores with one seed: what others hold that one does not, in the order of the ids.

    shares = [share(here, there), ...]        the rows of each other store that count, and what is told of it
    united(one.rows() for one in shares)      all of them, each example once

The same example may have two vectors, since int8 kernels round differently on different processors. The union
has the one with the smaller bytes: the smallest of all, in whatever order stores are merged and however often.
So a row counts if its id is not here, or if it is here with a larger vector.

Pages are compared one at a time. In memory are the rows that count, as columns, and 16 bytes for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.errors import StoreDamagedError
from edge_icl.example import ID_BYTES
from edge_icl.store.consistency import OUT_OF_RANGE, wrong_with
from edge_icl.store.pages import Page, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.errors import EdgeIclError
    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.snapshot import Snapshot

    Ids = NDArray[np.bytes_]
    """Ids, S16[n]; numpy ignores zeros at their ends, which is no loss where all have one length."""


class PastReaderError(Exception):
    """Takes an error of one store past the reading of another, which would look for its cause in itself."""

    def __init__(self, error: EdgeIclError) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Share:
    """What one store brings to another.

    Attributes:
        root: its root when it was read.
        examples: how many it holds.
        labels: its setting for labels.
        new: the rows that are not here, in the order of their ids.
        smaller: the rows that are here with a larger vector, in the order of their ids.
        both: the ids that are here too.
        left_out: the ids that are not here, and are not to come.
    """

    root: str
    examples: int
    labels: LabelsSetting
    new: Sequence[Page]
    smaller: Sequence[Page]
    both: Ids
    left_out: Ids

    def rows(self) -> Iterator[Row]:
        """Yield the rows that count, in the order of their ids."""
        return united([rows_of(self.new), rows_of(self.smaller)])


def share(here: Snapshot, there: Snapshot, leave: Collection[bytes] = ()) -> Share:
    """Return what another store brings.

    Args:
        here: the store that it comes to.
        there: the other one, which has the same seed, encoder and settings.
        leave: ids of examples that are not to come.

    Raises:
        PastReaderError: a page of `here` cannot be read.
        StoreDamagedError: a page of `there` is damaged, or holds what is no example.
    """
    found = there.visit(lambda page: _compared(here, page, leave))
    return Share(
        root=there.root,
        examples=there.manifest.count,
        labels=there.manifest.labels,
        new=[one.new for one in found if one.new is not None],
        smaller=[one.smaller for one in found if one.smaller is not None],
        both=_ids(b"".join(one.both for one in found)),
        left_out=_ids(b"".join(one.left_out for one in found)),
    )


def united(several: Iterable[Iterator[Row]]) -> Iterator[Row]:
    """Yield the rows of several, each in the order of its ids: of one example that with the smallest vector."""
    for _, same in groupby(merge(*several, key=attrgetter("id")), key=attrgetter("id")):
        yield min(same, key=lambda row: row.vector.tobytes())


def rows_of(pages: Iterable[Page]) -> Iterator[Row]:
    """Yield the rows of pages."""
    return chain.from_iterable(page.rows() for page in pages)


def ids_of(pages: Iterable[Page]) -> Ids:
    """Return the ids of pages as one column."""
    return _ids(b"".join(page.ids.tobytes() for page in pages))


def distinct(several: Iterable[Ids]) -> int:
    """Return how many different ids there are in all of these."""
    return len(np.unique(np.concatenate([_ids(b""), *several])))


@dataclass(frozen=True, slots=True)
class _Compared:
    """The rows of a page of another store, by what becomes of them; ids one after another."""

    new: Page | None
    smaller: Page | None
    both: bytes
    left_out: bytes


def _compared(here: Snapshot, page: Page, leave: Collection[bytes]) -> _Compared:
    """Sort the rows of a page of another store by what becomes of them."""
    held = _vectors(here, page)
    new: list[Row] = []
    smaller: list[Row] = []
    both: list[bytes] = []
    left_out: list[bytes] = []
    for row in page.rows():
        mine = held.get(row.id)
        if mine is not None:
            both.append(row.id)
        if row.id in leave:
            left_out += [row.id] if mine is None else []
        elif mine is None:
            new.append(row)
        elif row.vector.tobytes() < mine:
            smaller.append(row)
    seed = here.settings.seed
    return _Compared(_checked(new, seed), _checked(smaller, seed), b"".join(both), b"".join(left_out))


def _vectors(here: Snapshot, page: Page) -> dict[bytes, bytes]:
    """Return the vectors that are here of the ids between the first and the last of a page, by their ids."""
    first, last = (page.ids[i].tobytes() for i in (0, -1))
    found: dict[bytes, bytes] = {}
    for leaf in here.manifest.trie.below(int.from_bytes(first), int.from_bytes(last) + 1):
        try:
            mine = here.page_cache.peek(leaf)
        except StoreDamagedError as error:
            raise PastReaderError(error) from error
        found |= {id: vector.tobytes() for id, vector in zip(mine.example_ids(), mine.vectors, strict=True)}
    return found


def _checked(rows: Sequence[Row], seed: bytes) -> Page | None:
    """Return rows that are to come as columns of their own; None for none.

    What was written by other programs must not come to lie in a store that is sound.

    Raises:
        StoreDamagedError: one of them is no example, or has another id than its own.
    """
    if not rows:
        return None
    for row in rows:
        wrong = wrong_with(row.text, row.id, seed)
        if not wrong and (row.vector == OUT_OF_RANGE).any():
            wrong = f"has a vector with a component of {OUT_OF_RANGE}"
        if wrong:
            raise StoreDamagedError(f"example {row.id.hex()} {wrong}", "restore the store from a backup")
    return Page.of(rows)


def _ids(joined: bytes) -> Ids:
    """Return ids that stand one after another as a column."""
    return np.frombuffer(joined, f"S{ID_BYTES}")
