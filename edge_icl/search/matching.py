r"""Finding a text in others as a person reads them: what looks the same is the same.

    >>> Pattern("Anna Berg").within("Letter to ANNA\u00a0Be\u00adrg")
    True

A name that was pasted from a mail or a web page has no-break spaces, soft hyphens or full-width letters in it,
which no reader sees. For a user who forgets by name a miss is a leak. So white space is folded, what cannot be
seen is ignored, and letters are compared in NFKC, upper and lower case alike; quotes are straight ones, and all
hyphens and dashes are one. Accents count: they are seen.

What cannot be seen may also stand where a space should be: "Anna\u200bBerg" is two words to a browser, and one
to the eye. It is found as either.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from edge_icl.display.unseen import IGNORABLE, unseen
from edge_icl.errors import InputError
from edge_icl.example import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_icl.results import Held

GAP = "\0"
"""Stands for what cannot be seen; no text of an example holds it."""

_PLAIN = re.compile(
    "(?P<apostrophe>[\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u00b4])"
    "|(?P<quote>[\u201c\u201d\u201e\u201f\u2033])"
    "|(?P<hyphen>[\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u02d7])"
)
"""What word processors put in the place of ', " and -."""

_WHITE = re.compile(r"\s{2,}|[^\S ]")


def fold(text: str) -> str:
    """Return what texts have in common that read the same. To fold it again changes nothing."""
    while True:
        folded = _folded(text, "").strip()
        if folded == text:
            return text
        text = folded  # what one step brings together, such as a letter and its accent, the next one may fold


class Pattern:
    """A text to find, as a person means it.

    Args:
        text: the text.

    Raises:
        InputError: it is not valid text, or nothing of it can be seen.
    """

    def __init__(self, text: str) -> None:
        text = normalise(text, "text")
        self._plain = text.casefold()
        self._folded = fold(text)
        if not self._folded:
            raise InputError(
                "nothing of the text can be seen",
                "give a word that the examples hold; `edge-icl list` shows them",
            )
        self._gapped = _folded(text, GAP).strip(f" {GAP}")
        self._wide = re.compile(_expression(self._gapped))

    def within(self, *texts: str) -> bool:
        """Tell whether one of the texts holds it, as a person reads them."""
        return any(map(self._within, texts))

    def plainly_within(self, *texts: str) -> bool:
        """Tell whether one of the texts holds it as it was given, except for upper and lower case."""
        return any(self._plain in text.casefold() for text in texts)

    def _within(self, text: str) -> bool:
        """Tell whether a text holds it."""
        gapped = _folded(text, GAP)
        if self._folded in gapped:
            return True
        if GAP not in gapped and GAP not in self._gapped:
            return False
        return self._folded in fold(text) or self._wide.search(gapped) is not None


def only_folded(examples: Iterable[Held], match: str | None) -> set[str]:
    """Return the ids of the examples that hold a text only as a person reads them, not as it was given.

    Args:
        examples: that hold it.
        match: the text; None for none, which they all hold.
    """
    if match is None:
        return set()
    pattern = Pattern(match)
    return {one.id for one in examples if not pattern.plainly_within(one.input, one.output)}


def as_json(examples: Iterable[Held], folded: set[str]) -> list[dict[str, Any]]:
    """Return the fields of examples for JSON, and which of them are among those of `only_folded`."""
    return [one.as_json() | ({"only_folded": True} if one.id in folded else {}) for one in examples]


def _folded(text: str, gap: str) -> str:
    """Return a text folded in one step, with a gap for each character that cannot be seen."""
    printable = text.isprintable()  # so without control and format characters, and most texts are
    if printable and text.isascii() and "  " not in text:
        return text.lower()
    if not printable or IGNORABLE.search(text):
        text = "".join(gap if unseen(c) else c for c in text)
    text = unicodedata.normalize("NFKC", _PLAIN.sub(_plain, text)).casefold()
    return _WHITE.sub(" ", _PLAIN.sub(_plain, unicodedata.normalize("NFKC", text)))


def _plain(found: re.Match[str]) -> str:
    """Return the character that a keyboard has for one that `_PLAIN` finds."""
    return {"apostrophe": "'", "quote": '"'}.get(found.lastgroup or "", "-")


def _expression(gapped: str) -> str:
    """Return a regular expression that finds a text in others: gaps may be anywhere, and stand for spaces."""
    found = ""
    for part in re.findall(f"[ {GAP}]+|[^ {GAP}]+", gapped):
        if part.strip(f" {GAP}"):
            found += f"{GAP}*".join(map(re.escape, part))
        else:
            found += f"[ {GAP}]{'+' if ' ' in part else '*'}"
    return found
