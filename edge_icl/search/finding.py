"""Finding examples in one state of a store: the nearest, and those that fit what is said."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from edge_icl.results import Held
from edge_icl.search.similarity import search, similarities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge_icl.cluster.points import Points
    from edge_icl.search.filters import Filters
    from edge_icl.store.pages import Page
    from edge_icl.store.snapshot import Snapshot

T = TypeVar("T")


class Read(Protocol):
    """Calls work(snapshot) for a store as it is now, and returns what that returns."""

    def __call__(self, work: Callable[[Snapshot], T]) -> T:
        """Return work(snapshot)."""


def nearest(snapshot: Snapshot, points: Points, vector: NDArray[np.int8], limit: int) -> list[Held]:
    """Return the examples nearest to a vector, the nearest first."""
    found = search(points, vector, limit)
    return at(snapshot, points, found, similarities(points.vectors[found], vector))


def at(snapshot: Snapshot, points: Points, found: NDArray[np.intp], near: NDArray[np.float64]) -> list[Held]:
    """Return the examples at some positions i64[k], each with its similarity f64[k]."""
    return [held(snapshot, points.ids[i].tobytes(), float(s)) for i, s in zip(found, near, strict=True)]


def select(snapshot: Snapshot, filters: Filters) -> list[Held]:
    """Return the examples of a state that fit, in the order of their ids."""
    fits = filters.test()

    def look(page: Page) -> list[Held]:
        return [one for id, example in page.examples() if fits(one := Held.of(id.hex(), example))]

    return [one for found in snapshot.visit(look) for one in found]


def held(snapshot: Snapshot, id: bytes, similarity: float | None = None) -> Held:
    """Return the example with this id.

    Raises:
        ExampleNotFoundError: no example has it.
    """
    page, i = snapshot.row(id)
    return Held.of(id.hex(), page.example(i), similarity)


def every_example(read: Read) -> Iterator[Held]:
    """Return all examples as of now, in the order of their ids, whatever changes meanwhile.

    Their ids and texts are in memory until the iterator is gone; as objects, which take four times as much,
    only those that the caller keeps.

    Args:
        read: calls work(snapshot) for the store as it is now.
    """
    pages = read(lambda snapshot: snapshot.visit(_without_vectors))
    return (Held.of(id.hex(), example) for page in pages for id, example in page.examples())


def outputs(snapshot: Snapshot) -> dict[str, int]:
    """Return each different output and how many examples have it: the most frequent first, then by text.

    No page that was not in memory stays there.
    """
    found = Counter[str]()
    for counts in snapshot.visit(lambda page: Counter(page.outputs())):
        found.update(counts)
    return most_frequent_first(found)


def has_output(snapshot: Snapshot, output: str) -> bool:
    """Tell whether an example has an output; of one that most have the first page tells.

    As canonical JSON has it: within a text each quote has a backslash before it, so nothing else looks so.
    """
    written = f'"output":{json.dumps(output, ensure_ascii=False)}'.encode()
    return snapshot.holds(lambda page: written in page.text)


def most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Return texts and how often each occurs, the most frequent first; of equals the smaller."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _without_vectors(page: Page) -> Page:
    """Return a page that does not keep the bytes of its file in memory."""
    return replace(page, ids=page.ids.copy(), vectors=page.vectors[:, :0].copy())
