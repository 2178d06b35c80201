"""Labels that are probably one label written in two ways, and what a text that is no label was meant to be.

    >>> meant("travle", ["food", "travel"])
    ['travel']
    >>> look_alikes({"Travel": 1}, {"travel": 20})
    [LookAlike(new='Travel', known='travel', same=True)]

Two labels are look-alikes where a person reads the same (see `matching`), and where a letter is wrong, missing
or too many, or two neighbours have changed places, as in four of five slips (Damerau, "A technique for computer
detection and correction of spelling errors", Communications of the ACM 7(3), 1964). Labels that are both meant
may differ by a letter too, such as "plan a" and "plan b". So it must be in a word of some length, be no digit,
and not be the first letter of the label, which few slips change (Kukich, "Techniques for automatically
correcting words in text", ACM Computing Surveys 24(4), 1992).

What a user types or a file holds is stripped where it comes in: the command line and the tools of assistants do
that. `Memory.add` takes what a program gives to the letter: an id follows from it, and an import is the store
that was exported, byte for byte.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.display.unseen import blank, visible
from edge_icl.errors import InputError
from edge_icl.search.matching import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORTEST_WORD = 5
"""Letters of a word in which labels differ: shorter ones are often both meant, such as "time" and "timer"."""

MOST_NEW = 1000
"""Labels: more new ones at once are no slips."""

LONGEST = 100
"""Characters: longer outputs are no words that a user types."""

MOST_MEANT = 3

CLOSE = 0.7
"""How alike a text and what it was meant to be must be, from 0 to 1, by the measure of `difflib`."""

_ENDS = r"\s\u00ad\u061c\u180e\u200b-\u200f\u2060\ufeff"
"""White space, and characters without width."""

_AROUND = re.compile(rf"\A[{_ENDS}]+|[{_ENDS}]+\Z")
_JOINERS = "\u200c\u200d"
_VIRAMA = 9
"""The combining class of signs after which a joiner changes what is seen."""

_BETWEEN = re.compile(r"[\W_]+")
_SEPARATORS = frozenset(" _-")


def stripped(output: str) -> str:
    """Return an output of one line without white space around it, nor characters there that have no width.

    Lines of a longer text may begin with white space that belongs to them. A joiner stays where it changes the
    look of the letter before it, as in Arabic and in scripts of India.
    """
    bare = _AROUND.sub("", output)
    if len(bare.splitlines()) > 1:
        return output
    end = output[output.index(bare) + len(bare) :][:1]
    return bare + end if bare and end and end in _JOINERS and _joins(bare[-1]) else bare


def refuse_blank(input: str) -> None:
    """Refuse an input of characters that cannot be seen, which a slip of the clipboard brings.

    Raises:
        InputError: it is one.
    """
    if blank(input):
        raise InputError("the input is empty but for characters that cannot be seen", "give it some text")


class LookAlike(NamedTuple):
    """A label that is new, and the one that it probably should be.

    Attributes:
        new: the new label.
        known: the label that it looks like.
        same: whether both read the same; else they differ by a letter.
    """

    new: str
    known: str
    same: bool

    def __str__(self) -> str:
        new, known = visible(self.new), visible(self.known)
        if not self.same:
            return f"{new} is a new label, a letter from {known}"
        if self.new.casefold() == self.known.casefold():
            return f"{new} and {known} differ in case only"
        return f"{new} and {known} read the same"

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"label": self.new, "like": self.known, "reads_the_same": self.same}


def look_alikes(new: Mapping[str, int], known: Mapping[str, int]) -> list[LookAlike]:
    """Return the new labels that look like another label, in the order of the labels that are new.

    Of those that read the same, one is what the others should be: a known one if there is one, then the most
    frequent. Of two new labels that differ by a letter the rarer one is named, and none if they are equally
    frequent.

    Args:
        new: labels that were just taught, and how many examples have each.
        known: the other labels, the same.
    """
    if len(new) > MOST_NEW:
        return []
    every = {**known, **new}
    apart, same = _a_letter_apart(new, every), defaultdict(list)
    for label in every:
        same[fold(label)].append(label)

    def rank(label: str) -> tuple[bool, int, bool, str]:
        return label in new, -every[label], label != label.lower(), label

    found = []
    for label in new:
        twin = min(same[fold(label)], key=rank)
        near = [one for one in apart.get(label, ()) if one in known or every[one] > every[label]]
        if twin != label:
            found.append(LookAlike(label, twin, same=True))
        elif near:
            found.append(LookAlike(label, min(near, key=rank), same=False))
    return found


def meant(text: str, known: Iterable[str]) -> list[str]:
    """Return the labels that a text was probably meant to be, at most three: those of "did you mean"."""
    from difflib import get_close_matches

    wanted, folded = fold(text), {label: fold(label) for label in known}
    found = [label for label, one in folded.items() if one == wanted]
    found = found or [label for label, one in folded.items() if one_letter_away(one, wanted)]
    if not found:
        close = get_close_matches(wanted, {*folded.values()}, MOST_MEANT, CLOSE)
        found = sorted(
            (label for label in folded if folded[label] in close), key=lambda one: close.index(folded[one])
        )
    return found[:MOST_MEANT]


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return the same as a hint; empty where nothing can be told."""
    likely = meant(text, known)
    return f"did you mean {' or '.join(map(visible, likely))}?" if likely else ""


def one_letter_away(one: str, other: str) -> bool:
    """Tell whether a letter too many, too few or wrong, or two that changed places, is all that differs."""
    return _difference(one, other) is not None


def slipped(one: str, other: str, *, shortest: int = SHORTEST_WORD) -> bool:
    """Tell whether one of two labels is probably the other one with a slip in it.

    Args:
        one: a label, folded.
        other: the other one, folded.
        shortest: letters of the word that the slip is in.
    """
    found = _difference(one, other)
    if found is None or found[0] == 0:
        return False
    at, letters = found
    if not all(c in _SEPARATORS or _is_letter(c) for c in letters):
        return False
    if _SEPARATORS.intersection(letters):
        return min(len(one), len(other)) >= shortest
    return min(len(_word(one, at)), len(_word(other, at))) >= shortest


def _a_letter_apart(new: Iterable[str], every: Iterable[str]) -> dict[str, list[str]]:
    """Return of each new label the others of which one has probably a slip in it.

    Two texts that differ by a letter are the same once each has lost one, or one of them has; so few pairs are
    compared (Bocek, Hunt and Stiller, "Fast similarity search in large dictionaries", 2007).
    """
    shorter, found = defaultdict(list), defaultdict(list)
    for label in new:
        for text in _shortened(label):
            shorter[text].append(label)
    for other in every:
        for label in {one for text in _shortened(other) for one in shorter.get(text, ())}:
            if slipped(fold(label), fold(other)):
                found[label].append(other)
    return found


def _shortened(label: str) -> set[str]:
    """Return a folded label, and what is left of it without each of its letters; nothing of a long one."""
    text = fold(label)
    return set() if len(text) > LONGEST else {text, *(text[:i] + text[i + 1 :] for i in range(len(text)))}


def _difference(one: str, other: str) -> tuple[int, str] | None:
    """Return where two texts begin to differ, and the letters that do, if that is a letter; else None."""
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        longer, shorter = max(one, other, key=len), min(one, other, key=len)
        return (len(shorter), longer[-1]) if len(longer) == len(shorter) + 1 else None
    a, b = one[start:], other[start:]
    if len(a) > 1 and len(b) > 1 and (a[1], a[0]) == (b[0], b[1]) and a[2:] == b[2:]:
        return start, a[:2]
    if a[1:] == b[1:]:
        return start, a[0] + b[0]
    if a[1:] == b:
        return start, a[0]
    return (start, b[0]) if a == b[1:] else None


def _word(text: str, at: int) -> str:
    """Return the word of a text that a place is in, or at the end of."""
    start = max((found.end() for found in _BETWEEN.finditer(text, 0, at)), default=0)
    end = _BETWEEN.search(text, at)
    return text[start : end.start() if end else len(text)]


def _is_letter(character: str) -> bool:
    """Tell whether a character is a letter of an alphabet, of which a word has several."""
    return character.isalpha() and unicodedata.east_asian_width(character) not in "WF"


def _joins(character: str) -> bool:
    """Tell whether a joiner after a character changes what is seen."""
    return unicodedata.combining(character) == _VIRAMA or unicodedata.bidirectional(character) == "AL"
