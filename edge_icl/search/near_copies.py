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
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.results import Held
from edge_icl.search.similarity import cosines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.search.scripts import Look, Sight
    from edge_icl.store.pages import Page
    from edge_icl.store.snapshot import Snapshot

MOST, ONE_IN = 3, 10
"""Characters in which two texts may differ: three, and one in ten of the shorter text."""

EDGE = 8
"""Characters at the ends of texts that are looked at first."""

ENDING = 64
"""Characters that the ends of two long texts have in common at least, where their beginnings may differ."""


class Likeness(NamedTuple):
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
                near.append(Held.of(ids[i].hex(), example, float(found[rows, i].max())))
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
        self._sight = sight
        self._looks = [sight.look(text) for text in texts]
        self._nothing = np.array([look.nothing for look in self._looks])
        self._parts = _Index(look.unread if look.whole else None for look in self._looks)
        self._wholes = self._index(None if look.whole else look.letters for look in self._looks)
        self._plain = np.array(self._parts.same(""), np.intp)

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
        look = self._sight.look(text)
        rows = self._compared(look)
        alike = similarities[rows] >= threshold
        if look.nothing:
            alike |= self._nothing[rows]
        return rows[alike]

    def _compared(self, look: Look) -> NDArray[np.intp]:
        """Return the positions of the texts of which another may be a near copy, as far as texts tell."""
        if not look.whole:
            found = self._everything.near(look.letters, seen=not look.unread)
        elif not look.unread and not self._wholes:
            return self._plain
        else:
            found = self._parts.near(look.unread) + self._wholes.near(look.letters, seen=not look.unread)
        return np.array(sorted(found), np.intp)

    @cached_property
    def _everything(self) -> _Index:
        """All of all texts; the others have what is not read of those that are not cut, and those that are."""
        return self._index(look.letters for look in self._looks)

    def _index(self, texts: Iterable[str | None]) -> _Index:
        """Return an index of whole texts."""
        whole = [*texts]
        seen = {
            one for one, look in zip(whole, self._looks, strict=True) if one is not None and not look.unread
        }
        return _Index(whole, seen, self._sight.read_in_any_case)


class _Index:
    """Positions by text, for finding what is nearly the same.

    Two texts that differ in one place have half of one in common: what stands before it, or after it. So texts
    are found by their halves.

    Args:
        texts: texts, None where there is none.
        seen: those whose beginnings were read.
        free: of these, so many characters at the beginning may differ.
    """

    def __init__(self, texts: Iterable[str | None], seen: Collection[str] = (), free: int = 0) -> None:
        self._texts: defaultdict[str, list[int]] = defaultdict(list)
        self._free = free
        self._halves: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._endings: defaultdict[str, set[str]] = defaultdict(set)
        for i, one in enumerate(texts):
            if one is not None:
                self._texts[one].append(i)
        for text in self._texts:
            if len(text) >= ONE_IN:
                half = _half(len(text))
                self._halves[len(text), text[:half]].add(text)
                self._halves[-len(text), text[-half:]].add(text)
            if text in seen and len(text) >= free + ENDING:
                self._endings[text[-ENDING:]].add(text)

    def __len__(self) -> int:
        return len(self._texts)

    def same(self, text: str) -> list[int]:
        """Return the positions of a text."""
        return self._texts.get(text, [])

    def near(self, text: str, *, seen: bool = False) -> list[int]:
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
    # Thousands of mails may have most of their letters in common. Where two differ near an end, as nearly all
    # such do, all else must be the same.
    rest = longer - MOST - EDGE + 1
    if rest > EDGE and (
        (one[-EDGE:] != other[-EDGE:] and one[:rest] != other[:rest])
        or (one[:EDGE] != other[:EDGE] and one[-rest:] != other[-rest:])
    ):
        return False
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
