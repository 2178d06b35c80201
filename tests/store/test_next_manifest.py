"""A manifest that is made from the one before it is the manifest of its pages: bytes, files and trie."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import label_settings

from edge_icl.store import trie
from edge_icl.store.manifest import LabelsSetting, Manifest
from edge_icl.store.trie import Leaf, Trie, difference, split

SETTINGS = "5" * 64

ids = st.integers(0, 63).map(lambda n: n << 122)
held = st.sets(ids)
changed = st.one_of(st.sets(ids, max_size=3), st.sets(ids))
"""Ids that go if they are there, and come if they are not: most changes leave most pages."""


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that small sets split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pages(numbers: set[int], made: dict[str, Leaf]) -> tuple[Leaf, ...]:
    """Return the leaves of a set; those made before are the same objects, as a change leaves them."""
    ordered = sorted(numbers)
    found = [Leaf(path, len(ordered[part]), digest(f"{ordered[part]}")) for path, part in split("", ordered)]
    return tuple(made.setdefault(leaf.digest, leaf) for leaf in found)


@given(held, st.lists(changed, min_size=1, max_size=3), label_settings, label_settings)
def test_it_is_what_it_would_be_without_the_one_before(
    numbers: set[int], changes: list[set[int]], first: LabelsSetting, last: LabelsSetting
) -> None:
    made: dict[str, Leaf] = {}
    old = Manifest(SETTINGS, len(numbers), digest("0"), pages(numbers, made), first)
    data = old.encode()
    for step, change in enumerate(changes):
        numbers = numbers ^ change
        leaves = pages(numbers, made)
        count, clustering = len(numbers), digest(f"{step % 2}")  # the first step leaves the clustering

        new = old.after(count=count, clustering=clustering, pages=leaves, labels=last)
        data = new.encode(before=(old, data))

        alone = Manifest(SETTINGS, count, clustering, leaves, last)
        assert new == alone
        assert data == alone.encode()
        assert new.files == alone.files
        assert vars(new.trie) == vars(Trie(leaves))
        old = new


@given(held, changed)
def test_two_lists_of_leaves_differ_where_they_are_said_to(numbers: set[int], change: set[int]) -> None:
    made: dict[str, Leaf] = {}
    old, new = pages(numbers, made), pages(numbers ^ change, made)

    start, stop, end = difference(old, new)

    assert old[:start] == new[:start]
    assert old[stop:] == new[end:]
    assert start <= stop
    assert start <= end
    if start < min(stop, end):  # as little as possible
        assert old[start] != new[start]
        assert old[stop - 1] != new[end - 1]
