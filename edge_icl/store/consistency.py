"""Whether the content of a page and of a clustering is right, once their bytes are what their names say."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from edge_icl.errors import InputError
from edge_icl.example import Example
from edge_icl.store.trie import Leaf, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.cluster.kmeans import Clustering
    from edge_icl.store.pages import Page

OUT_OF_RANGE = -128
"""The one int8 that no vector has: the encoder clips to ±127."""


def wrong_in(page: Page, leaf: Leaf, seed: bytes) -> Iterator[str]:
    """Yield what is wrong with a page that parses."""
    ids = page.example_ids()
    low, high = span(leaf.path)
    if len(page) != leaf.count:
        yield f"it holds {len(page)} examples and the manifest says {leaf.count}"
    if any(one >= other for one, other in pairwise(ids)):
        yield "its ids are not in order"
    if any(not low <= int.from_bytes(example_id) < high for example_id in ids):
        yield f"it holds an id that does not begin with its bits {leaf.path}"
    if (page.vectors == OUT_OF_RANGE).any():
        yield f"it holds a vector with a component of {OUT_OF_RANGE}"
    for example_id, text in zip(ids, page.texts(), strict=True):
        wrong = wrong_with(text, example_id, seed)
        if wrong:
            yield f"example {example_id.hex()} {wrong}"


def wrong_with(text: bytes, example_id: bytes, seed: bytes) -> str:
    """Return what is wrong with the text of an example with this id; empty if nothing is."""
    try:
        example = Example.from_canonical(text)
        same = Example.create(example.input, example.output, tags=example.tags, source=example.source)
    except (ValueError, InputError) as error:
        return f"has a text that is not an example: {error}"
    if same.canonical() != text:
        return "is not in canonical form"
    return "" if same.id(seed) == example_id else "has another text than its id says"


def wrong_in_clustering(clustering: Clustering, count: int) -> str:
    """Return what is wrong with a clustering, which parses, of so many examples; empty if nothing is."""
    if (clustering.counts.sum(axis=1) != count).any():
        return f"its clusters do not hold {count} examples"
    return "" if clustering.possible() else "no examples have its sums"


def ids_in(clustering: Clustering) -> set[bytes]:
    """Return the ids of the examples that a clustering names; an empty cluster has zeros in place of an id."""
    rows = (*clustering.winners, *clustering.representatives)
    return {example_id for row in rows if any(example_id := row.tobytes())}
