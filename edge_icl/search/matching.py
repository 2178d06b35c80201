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

from edge_icl.errors import InputError
from edge_icl.example import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_icl.results import Held

GAP = "\0"
"""Stands for what cannot be seen; no text of an example holds it."""

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point, as far as categories do not tell: variation selectors, fillers."""

_PLAIN = re.compile(
    "(?P<apostrophe>[\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u00b4])"
    "|(?P<quote>[\u201c\u201d\u201e\u201f\u2033])"
    "|(?P<hyphen>[\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u02d7])"
)
"""What word processors put in the place of ', " and -."""

_ZERO_WIDTH_JOINER = "\u200d"
_JOINERS = f"\u200c{_ZERO_WIDTH_JOINER}"
_VIRAMA = 9
"""The combining class of what takes the vowel from a letter of India, and may be followed by a joiner."""

_EMOJI_STYLE = "\ufe0e\ufe0f"
_HAN_FORM = frozenset(map(chr, range(0xE0100, 0xE01F0)))
_SKIN = frozenset(map(chr, range(0x1F3FB, 0x1F400)))

_WHITE = re.compile(r"\s{2,}|[^\S ]")


def unseen(character: str) -> bool:
    """Tell whether a character cannot be seen and is not white space."""
    if character.isspace():
        return False
    return unicodedata.category(character) in {"Cf", "Cc"} or _IGNORABLE.match(character) is not None


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


def visible(text: str) -> str:
    r"""Return a text with escapes for what cannot be seen in it, odd white space too: `Anna\u200bBerg`."""
    spaced = re.sub("(?<= ) ", r"\\u0020", text)
    return "".join(_escaped(c) if unseen(c) or (c.isspace() and c != " ") else c for c in spaced)


def shown(text: str, *, before: str = "", json: bool = False) -> str:
    r"""Return a text as a terminal may show it: what it would obey, or hide, is escaped, as `visible` does.

    That is all that is no letter, mark, digit, symbol or punctuation: escape sequences, marks that turn the
    direction of writing, tag characters that spell a hidden text, and so on. Line breaks and tabs stay.

    Some characters that cannot be seen are part of honest writing, and a text in Persian or Hindi, or a family
    of emoji, would be unreadable without: joiners stay where the names of the internet may hold them (RFC 5892,
    appendix A) and between emoji, and one variation selector after a symbol or a Han character. Nowhere else:
    sixteen of them in a row would be a hidden text again.

    Args:
        text: the text.
        before: the character in front of it, if there is one.
        json: write the escapes of JSON, of which `text` is a document.
    """
    if text.isprintable() and not _IGNORABLE.search(text):  # which most texts are
        return text
    framed, escaped = f"{before or ' '}{text} ", _escaped_in_json if json else _escaped
    return "".join(
        c if c in "\n\t" or _fine(c, framed[i], framed[i + 2]) else escaped(c) for i, c in enumerate(text)
    )


def _fine(character: str, left: str, right: str) -> bool:
    """Tell whether a terminal may show a character between these two as it is."""
    if character in _JOINERS:
        return _joins(character, left, right)
    if character in _EMOJI_STYLE:
        return unicodedata.category(left) in {"So", "Sm", "Po", "Nd"}
    if character in _HAN_FORM:
        return unicodedata.name(left, "").startswith("CJK ")
    printable = character.isprintable() or unicodedata.category(character) == "Zs"  # spaces deceive no reader
    return printable and not unseen(character)


def _joins(character: str, left: str, right: str) -> bool:
    """Tell whether a joiner does something that is seen between these two."""
    if unicodedata.combining(left) == _VIRAMA:
        return True
    if character == _ZERO_WIDTH_JOINER:
        return _emoji(left) and _emoji(right)
    return unicodedata.bidirectional(left) == unicodedata.bidirectional(right) == "AL"


def _emoji(character: str) -> bool:
    """Tell whether a character is an emoji, or changes one that is before it."""
    return unicodedata.category(character) == "So" or character in _EMOJI_STYLE or character in _SKIN


def _escaped(character: str) -> str:
    """Return a character as Python can write it."""
    code = ord(character)
    return {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(character) or (
        f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
    )


def _escaped_in_json(character: str) -> str:
    """Return a character as JSON can write it: one or two units of UTF-16."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _folded(text: str, gap: str) -> str:
    """Return a text folded in one step, with a gap for each character that cannot be seen."""
    printable = text.isprintable()  # so without control and format characters, and most texts are
    if printable and text.isascii() and "  " not in text:
        return text.lower()
    if not printable or _IGNORABLE.search(text):
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
