"""Near copies: examples whose inputs say nearly the same, so that a user who forgets one means the others too.

    >>> near_copies(snapshot, Asked(vectors, ["Taxi to the airport"]), Likeness(Sight(), 0.9))

Vectors tell that as far as the encoder reads the texts (see `scripts`). What it does not read is compared as
text: two inputs are near copies if their vectors are alike, and what is not read of them differs in one place
by three characters at most, and by no more than one in ten. Case, white space and punctuation do not count. Of
an input that is perhaps cut all is compared, but for its beginning, which surely was read: there the vectors
decide. Where nothing is read, they are not asked.
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
    from collections.abc import Collection, Iterator, Sequence

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
        looked = found.max(0) >= likeness.threshold
        if others.unseen:
            looked |= np.array([not bytes(text).isascii() for text in page.texts()])
        for i in np.flatnonzero(looked).tolist():
            example = page.example(i)
            rows = others.like(example.input, found[:, i], likeness.threshold)
            if len(rows):
                near.append(Held(ids[i].hex(), example, float(found[rows, i].max())))
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
        self._nothing = np.array([sight.reads_nothing(text) for text in texts])

    @property
    def unseen(self) -> bool:
        """Whether there is one of which nothing is read."""
        return bool(self._nothing.any())

    def like(self, text: str, similarities: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
        """Return the positions of the texts of which another is a near copy.

        Args:
            text: the other.
            similarities: f64[m], of its vector to those of the texts.
            threshold: from this one on they are alike.
        """
        rows = self._compared(text)
        alike = similarities[rows] >= threshold
        if self.unseen and self._sight.reads_nothing(text):
            alike |= self._nothing[rows]
        return rows[alike]

    def _compared(self, text: str) -> NDArray[np.intp]:
        """Return the positions of the texts of which another may be a near copy, as far as texts tell."""
        whole = letters(text) if self._long or not self._sight.reads_whole(text) else ""
        seen = not self._sight.unread(text)
        if not self._sight.reads_whole(text):
            found = self._everything.near(whole, seen=seen)
        elif seen and not self._long:
            return self._plain
        else:
            found = self._parts.near(self._sight.unread(text), seen=False)
            if self._long:
                found += self._wholes.near(whole, seen=seen)
        return np.array(sorted(found), np.intp)

    @cached_property
    def _parts(self) -> _Index:
        """What is not read of the texts that are read to their end."""
        return _Index(self._unread)

    @cached_property
    def _wholes(self) -> _Index:
        """All of the texts that are perhaps cut."""
        return _Index(self._long, self._seen, self._sight.read_in_any_case)

    @cached_property
    def _everything(self) -> _Index:
        """All of all texts."""
        found = defaultdict(list)
        for i, text in enumerate(self._texts):
            found[letters(text)].append(i)
        return _Index(found, self._seen, self._sight.read_in_any_case)

    @cached_property
    def _seen(self) -> set[str]:
        """All of the texts that have no letter that is not read."""
        return {letters(text) for text in self._texts if not self._sight.unread(text)}


class _Index:
    """Positions by text, for finding what is nearly the same.

    Two texts that differ in one place have half of one in common: what stands before it, or after it. So texts
    are found by their halves.

    Args:
        texts: text -> positions.
        seen: those whose beginnings were read.
        free: of these, so many characters at the beginning may differ.
    """

    def __init__(self, texts: dict[str, list[int]], seen: Collection[str] = (), free: int = 0) -> None:
        self._texts = texts
        self._free = free
        self._halves: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._endings: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts:
            if len(text) >= ONE_IN:
                half = _half(len(text))
                self._halves[len(text), text[:half]].add(text)
                self._halves[-len(text), text[-half:]].add(text)
            if text in seen and len(text) >= free + ENDING:
                self._endings[text[-ENDING:]].add(text)

    def near(self, text: str, *, seen: bool) -> list[int]:
        """Return the positions of the texts that are nearly the same as another; `seen`: see above."""
        found = {text} & self._texts.keys()
        found |= {other for other in self._halved(text) if nearly_the_same(text, other)}
        if seen and len(text) >= self._free + ENDING:
            endings = self._endings.get(text[-ENDING:], ())
            found |= {other for other in endings if same_end(text, other, free=self._free)}
        return [i for one in found for i in self._texts[one]]

    def _halved(self, text: str) -> Iterator[str]:
        """Yield texts that have a half in common with another, some of them twice."""
        for length in range(max(len(text) - MOST, ONE_IN), len(text) + MOST + 1):
            half = _half(length)
            yield from self._halves.get((length, text[:half]), ())
            yield from self._halves.get((-length, text[-half:]), ())


def _half(length: int) -> int:
    """Return how many characters of such a text stand, at least, before or after the place that differs."""
    return (length - MOST + 1) // 2


def nearly_the_same(one: str, other: str) -> bool:
    """Tell whether two texts, as `letters` gives them, differ in one place at most, and little."""
    shorter, longer = sorted((len(one), len(other)))
    same = _shared(one, other) + _shared(one[::-1], other[::-1])
    return longer - min(same, shorter) <= min(MOST, shorter // ONE_IN)


def same_end(one: str, other: str, *, free: int) -> bool:
    """Tell whether two texts are the same but for so many characters at their beginnings."""
    return _shared(one[::-1], other[::-1]) >= max(len(one), len(other)) - free


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
