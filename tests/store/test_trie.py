"""Which pages a set of ids has is a function of the set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.store import trie
from edge_icl.store.trie import Leaf, Trie, span, split

ids = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(0, 40),  # ids that share a very long prefix
    st.integers(0, 40).map(lambda n: n << 122),
)


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that small sets split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


def leaves(numbers: set[int]) -> list[Leaf]:
    ordered = sorted(numbers)
    return [Leaf(prefix, len(ordered[part]), "") for prefix, part in split("", ordered)]


@given(st.sets(ids, max_size=60))
def test_every_leaf_is_the_shortest_prefix_that_few_enough_ids_share(numbers: set[int]) -> None:
    found = leaves(numbers)

    assert sum(leaf.count for leaf in found) == len(numbers)
    for leaf in found:
        low, high = span(leaf.path)
        assert leaf.count == sum(low <= number < high for number in numbers) <= 4
        if leaf.path:
            low, high = span(leaf.path[:-1])
            assert sum(low <= number < high for number in numbers) > 4
    assert Trie(found).follows_rule()


@given(st.sets(ids, max_size=60), st.sets(ids, max_size=60))
def test_a_change_makes_new_leaves_only_in_its_regions(before: set[int], after: set[int]) -> None:
    old = Trie(leaves(before))
    found: list[Leaf] = []
    end = 0

    for region in old.regions(sorted(after - before), sorted(before - after)):
        low, high = span(region)
        found += old.below(end, low)
        inside = sorted(number for number in after if low <= number < high)
        found += [Leaf(prefix, len(inside[part]), "") for prefix, part in split(region, inside)]
        end = high
    found += old.below(end, 1 << 128)

    assert found == leaves(after)


@given(st.sets(ids, min_size=1, max_size=60), ids)
def test_one_change_concerns_one_region(numbers: set[int], number: int) -> None:
    old = Trie(leaves(numbers - {number}))

    (region,) = old.regions([number], [])

    low, high = span(region)
    assert low <= number < high


@given(st.sets(ids, max_size=60), ids)
def test_an_id_is_found_in_its_leaf(numbers: set[int], other: int) -> None:
    found = Trie(leaves(numbers))

    for number in numbers:
        low, high = span(found.leaf_of(number).path)
        assert low <= number < high
    leaf = found.leaf_of(other)
    assert leaf is None or span(leaf.path)[0] <= other < span(leaf.path)[1]


@given(st.lists(st.text("01", max_size=4), max_size=8), st.integers(1, 4), st.booleans())
def test_leaves_follow_the_rule_if_ids_have_them(prefixes: list[str], count: int, orderly: bool) -> None:
    found = [Leaf(prefix, count, "") for prefix in (sorted(prefixes) if orderly else prefixes)]

    numbers = {span(leaf.path)[0] + i for leaf in found for i in range(count)}

    assert Trie(found).follows_rule() == (leaves(numbers) == found)


@pytest.mark.parametrize(
    "wrong",
    [
        [Leaf("0", 3, ""), Leaf("1", 1, "")],  # they would be one page
        [Leaf("1", 4, ""), Leaf("0", 4, "")],
        [Leaf("0", 5, ""), Leaf("1", 1, "")],
        [Leaf("0", 4, ""), Leaf("01", 4, ""), Leaf("1", 4, "")],
        [Leaf("", 0, "")],
        [Leaf("1", 4, "")],  # it would be the root
        [Leaf("00", 4, ""), Leaf("11", 4, "")],
        [Leaf("0", 4, ""), Leaf("10", 2, ""), Leaf("11", 2, "")],
    ],
)
def test_leaves_of_no_set_are_noticed(wrong: list[Leaf]) -> None:
    assert not Trie(wrong).follows_rule()
