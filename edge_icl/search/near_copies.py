"""Near copies: examples whose inputs say nearly the same, so that a user who forgets one means the others too.

    >>> near_copies(snapshot, Asked(vectors, ["Taxi to the airport"]), Likeness(Sight(), 0.9))

Vectors tell that as far as the encoder reads the texts (see `scripts`). What it does not read is compared as
text: two inputs are near copies if their vectors are alike, and what is not read of them differs in one place
by three characters at most, and by no more than one in ten. Case, white space and punctuation do not count. Of
an input that is perhaps cut all is compared, but for its beginning, which surely was read: there the vectors
decide.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.results import Held
from edge_icl.search.scripts import letters
from edge_icl.search.similarity import cosines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from edge_icl.search.scripts import Sight
    from edge_icl.store.pages import Page
    from edge_icl.store.snapshot import Snapshot

MOST, ONE_IN = 3, 10
"""Characters in which two texts may differ: three, and one in ten of the shorter text."""

ENDING = 64
"""Characters that the ends of two long texts have in common at least, where their beginnings may differ."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """When two inputs say nearly the same.

    Attributes:
        sight: what the encoder reads: of that their vectors tell.
        threshold: from this similarity on their vectors say so; each encoder has its own.
    """

    sight: Sight
    threshold: float


class Asked(NamedTuple):
    """Inputs whose near copies are looked for.

    Attributes:
        vectors: i8[m, d], one each.
        texts: the inputs.
    """

    vectors: NDArray[np.int8]
    texts: Sequence[str]


def near_copies(snapshot: Snapshot, asked: Asked, likeness: Likeness) -> list[Held]:
    """Return the examples that are near copies of some inputs, each with its greatest similarity to them.

    In the order of their ids. No page that was not in memory stays there: a forget asks this of all of them.
    """
    others = Texts(asked.texts, likeness.sight)

    def look(page: Page) -> list[Held]:
        found = cosines(page.vectors, asked.vectors)
        ids = page.example_ids()
        near = []
        for i in np.flatnonzero(found.max(0) >= likeness.threshold).tolist():
            example = page.example(i)
            same = found[others.like(example.input), i]
            if len(same) and same.max() >= likeness.threshold:
                near.append(Held(ids[i].hex(), example, float(same.max())))
        return near

    return [one for found in snapshot.visit(look) for one in found]


class Texts:
    """Texts, found by what an encoder does not read of them.

    To compare each with each would take minutes where thousands are forgotten whose vectors are all the same.
    So a text is compared only with those that begin or end as it does.

    Args:
        texts: the texts.
        sight: what the encoder reads.
    """

    def __init__(self, texts: Sequence[str], sight: Sight) -> None:
        self._texts = texts
        self._sight = sight
        self._unread: defaultdict[str, list[int]] = defaultdict(list)
        self._long: defaultdict[str, list[int]] = defaultdict(list)
        for i, text in enumerate(texts):
            if sight.reads_whole(text):
                self._unread[sight.unread(text)].append(i)
            else:
                self._long[letters(text)].append(i)
        self._plain = np.array(self._unread.get("", ()), np.intp)

    def like(self, text: str) -> NDArray[np.intp]:
        """Return the positions of the texts that may be near copies of another, as far as texts tell."""
        if self._sight.reads_whole(text):
            unread = self._sight.unread(text)
            if not unread and not self._long:
                return self._plain
            found = self._parts.near(unread)
            if self._long:
                found = [*found, *self._wholes.near(letters(text))]
        else:
            found = self._everything.near(letters(text))
        return np.array(sorted(found), np.intp)

    @cached_property
    def _parts(self) -> _Index:
        """What is not read of the texts that are read to their end."""
        return _Index(self._unread)

    @cached_property
    def _wholes(self) -> _Index:
        """All of the texts that are perhaps cut."""
        return _Index(self._long, self._sight.read_in_any_case)

    @cached_property
    def _everything(self) -> _Index:
        """All of all texts."""
        found = defaultdict(list)
        for i, text in enumerate(self._texts):
            found[letters(text)].append(i)
        return _Index(found, self._sight.read_in_any_case)


class _Index:
    """Positions by text, for finding what is nearly the same.

    Two texts that differ in one place have half of one in common: what stands before it, or after it. So texts
    are found by their halves.

    Args:
        texts: text -> positions.
        free: so many characters at the beginning of longer texts may differ; 0 for none.
    """

    def __init__(self, texts: dict[str, list[int]], free: int = 0) -> None:
        self._texts = texts
        self._free = free
        self._halves: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._endings: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts:
            if len(text) >= ONE_IN:
                half = _half(len(text))
                self._halves[len(text), text[:half]].add(text)
                self._halves[-len(text), text[-half:]].add(text)
            if free and len(text) >= free + ENDING:
                self._endings[text[-ENDING:]].add(text)

    def near(self, text: str) -> list[int]:
        """Return the positions of the texts that are nearly the same as another."""
        found = {text} & self._texts.keys()
        for other in self._candidates(text):
            if nearly_the_same(text, other, free=self._free):
                found.add(other)
        return [i for one in found for i in self._texts[one]]

    def _candidates(self, text: str) -> Iterable[str]:
        """Yield texts that may be nearly the same, some of them twice."""
        for length in range(max(len(text) - MOST, ONE_IN), len(text) + MOST + 1):
            half = _half(length)
            yield from self._halves.get((length, text[:half]), ())
            yield from self._halves.get((-length, text[-half:]), ())
        if self._free and len(text) >= self._free + ENDING:
            yield from self._endings.get(text[-ENDING:], ())


def _half(length: int) -> int:
    """Return how many characters of such a text stand, at least, before or after the place that differs."""
    return (length - MOST + 1) // 2


def nearly_the_same(one: str, other: str, *, free: int = 0) -> bool:
    """Tell whether two texts differ in one place at most, and little.

    Args:
        one: a text; its letters, where `letters` gave it.
        other: another.
        free: where both are longer by `ENDING`, so many characters at the beginning may differ in any way; 0
            for none.
    """
    if one == other:
        return True
    shorter, longer = sorted((len(one), len(other)))
    most = min(MOST, shorter // ONE_IN)
    same_end = _shared(one[::-1], other[::-1])
    if free and shorter >= free + ENDING and same_end >= longer - free:
        return True
    same_begin = _shared(one, other)
    return longer - min(same_begin + same_end, shorter) <= most


def _shared(one: str, other: str) -> int:
    """Return with how many characters both begin."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
