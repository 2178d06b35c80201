"""Which page an example belongs to: a function of the set of ids, and of nothing else.

Ids are uniformly distributed bits. Pages are the leaves of the binary trie over them: the path of a leaf is the
shortest beginning that at most PAGE_MAX ids of the set share. A leaf without ids has no page. So a change
concerns one leaf, and with a split or a merge its sibling:

    PAGE_MAX = 2, ids 00.. 01.. 10.. 11..  ->  leaves "0" and "1"
    then 011.. is added                    ->  leaves "00", "01" and "1"
    then it is removed                     ->  leaves "0" and "1", the same bytes as before

A path is a string of the characters 0 and 1; that of the trie's top is empty. Ids are integers of 128 bits
here, so that "all ids below a path" is a range; `Numbers` makes them of bytes when they are looked at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.example import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _typeshed import SupportsLenAndGetItem

    Sorted = SupportsLenAndGetItem[int]
    """Integers in order: a list of them, or `Numbers`."""

ID_BITS = 128
LAST = (1 << ID_BITS) - 1
"""The largest id."""

PAGE_MAX = 256
"""Chosen for forgetting: a page of 256 rows is about 115 kB, which is written in the time that one flush takes.
With smaller pages the manifest, which every commit writes whole, would be the larger part."""


class Leaf(NamedTuple):
    """A page as the manifest names it.

    Attributes:
        path: the bits that its ids share.
        count: how many examples it holds, 1 to PAGE_MAX.
        digest: the keyed digest of its file, in hex.
    """

    path: str
    count: int  # type: ignore[assignment]  # replaces a tuple's method, which is not used here
    digest: str


def difference(old: Sequence[Leaf], new: Sequence[Leaf]) -> tuple[int, int, int]:
    """Return where two lists of leaves differ: all but old[start:stop] and new[start:end] are the same objects.

    Returns:
        start, stop and end.
    """
    most = min(len(old), len(new))
    start = next((i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one is not other), most)
    backwards = enumerate(zip(reversed(old), reversed(new), strict=False))
    same = next((i for i, (one, other) in backwards if one is not other), most)
    same = min(same, most - start)
    return start, len(old) - same, len(new) - same


def span(path: str) -> tuple[int, int]:
    """Return the range [low, high) of the ids below a path."""
    rest = ID_BITS - len(path)
    low = (int(path, 2) << rest) if path else 0
    return low, low + (1 << rest)


def bits(number: int) -> str:
    """Return an id as a string of 128 bits."""
    return format(number, f"0{ID_BITS}b")


class Numbers:
    """Sorted ids as integers, made when they are looked at: an integer takes three times the memory of an id.

    Args:
        packed: the ids, 16 bytes each.
    """

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed) // ID_BYTES

    def __getitem__(self, i: int) -> int:
        return int.from_bytes(self._packed[ID_BYTES * i : ID_BYTES * (i + 1)])


class Trie:
    """The leaves of a set of ids, and how they change.

    Args:
        leaves: in the order of their paths.
        like: a trie that has most of these leaves; what it has worked out of them is taken over.

    Attributes:
        leaves: as given.
        lows: the smallest id that each may hold.
    """

    def __init__(self, leaves: Sequence[Leaf], *, like: Trie | None = None) -> None:
        self.leaves = leaves
        start, old_stop, stop = difference(like.leaves, leaves) if like else (0, 0, len(leaves))
        lows = [int(f"0{path}", 2) << (ID_BITS - len(path)) for path, _, _ in leaves[start:stop]]
        self.lows: list[int] = [*like.lows[:start], *lows, *like.lows[old_stop:]] if like else lows
        self._before = [0, *accumulate([leaf.count for leaf in leaves])]

    def leaf_of(self, number: int) -> Leaf | None:
        """Return the leaf that holds this id if any leaf does."""
        below = self.below(*span(bits(number)))
        return below[0] if below else None

    def first_from(self, number: int) -> Leaf | None:
        """Return the leaf that this id belongs to, or the next one after it; None if there is neither."""
        i = bisect_right(self.lows, number)
        if i and span(self.leaves[i - 1].path)[1] > number:
            return self.leaves[i - 1]
        return self.leaves[i] if i < len(self.leaves) else None

    def below(self, low: int, high: int) -> Sequence[Leaf]:
        """Return the leaves that share ids with the range [low, high)."""
        first, last = bisect_left(self.lows, low), bisect_left(self.lows, high)
        if first and span(self.leaves[first - 1].path)[1] > low:
            first -= 1
        return self.leaves[first:last]

    def regions(self, added: Sorted, removed: Sorted) -> Iterator[str]:
        """Yield the paths below which a change makes new leaves, in order; no other leaf changes.

        Below each, the old leaves give their examples, and `split` makes the new leaves.

        Args:
            added: ids that were not in the set, or are removed too, sorted.
            removed: ids that were in the set, sorted.
        """
        came = went = 0
        while came < len(added) or went < len(removed):
            next_added = added[came] if came < len(added) else LAST
            number = min(next_added, removed[went] if went < len(removed) else LAST)
            path, depth = bits(number), 0
            while not self._has(path[:depth]) and self._count_after(path[:depth], added, removed) > PAGE_MAX:
                depth += 1
            yield path[:depth]
            high = span(path[:depth])[1]
            came, went = bisect_left(added, high, came), bisect_left(removed, high, went)

    def follows_rule(self) -> bool:
        """Tell whether some set has these leaves: in order, disjoint, none too full, none too deep.

        A leaf is not too deep if it and its sibling do not fit into one page. A sibling that is not a leaf
        holds leaves, which are checked themselves.
        """
        nothing = Leaf("", 0, "")
        around = zip((nothing, *self.leaves), self.leaves, (*self.leaves[1:], nothing), strict=False)
        # Unpacked, since an attribute takes longer: a large store has thousands, checked when it is opened.
        for (left, before, _), (path, count, _), (right, after, _) in around:
            if not 0 < count <= PAGE_MAX:
                return False
            if before and (path <= left or path.startswith(left)):
                return False
            beside, there = (left, before) if path.endswith("1") else (right, after)
            full = len(beside) > len(path) or count + there > PAGE_MAX
            if path and not (full and beside.startswith(path[:-1])):
                return False
        return True

    def _has(self, path: str) -> bool:
        """Tell whether a leaf has this path."""
        i = bisect_left(self.lows, span(path)[0])
        return i < len(self.leaves) and self.leaves[i].path == path

    def _count_after(self, path: str, added: Sorted, removed: Sorted) -> int:
        """Return how many ids are below a path after the change; no leaf may lie above the path."""
        low, high = span(path)
        came = bisect_left(added, high) - bisect_left(added, low)
        went = bisect_left(removed, high) - bisect_left(removed, low)
        return self._count(low, high) + came - went

    def _count(self, low: int, high: int) -> int:
        """Return how many ids are in the range [low, high); no leaf may reach beyond it."""
        return self._before[bisect_left(self.lows, high)] - self._before[bisect_left(self.lows, low)]


def split(path: str, ids: Sorted) -> Iterator[tuple[str, slice]]:
    """Yield the leaves below a path, given the sorted ids there: each path and its slice of `ids`."""
    yield from _split(path, ids, 0, len(ids))


def _split(path: str, ids: Sorted, start: int, stop: int) -> Iterator[tuple[str, slice]]:
    """Yield the leaves of ids[start:stop], all of which are below the path."""
    if start == stop:
        return
    if stop - start <= PAGE_MAX:
        yield path, slice(start, stop)
        return
    middle = bisect_left(ids, span(path + "1")[0], start, stop)
    yield from _split(path + "0", ids, start, middle)
    yield from _split(path + "1", ids, middle, stop)
