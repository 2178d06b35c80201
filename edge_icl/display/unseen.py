r"""What cannot be seen in a text, and texts with escapes for it.

>>> visible("Anna\u200bBerg")
'Anna\\u200bBerg'
"""

from __future__ import annotations

import re
import unicodedata

IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point, as far as categories do not tell: variation selectors, fillers."""

_ZERO_WIDTH_JOINER = "\u200d"
_JOINERS = f"\u200c{_ZERO_WIDTH_JOINER}"
_VIRAMA = 9
"""The combining class of what takes the vowel from a letter of India, and may be followed by a joiner."""

_EMOJI_STYLE = "\ufe0e\ufe0f"
_HAN_FORM = frozenset(map(chr, range(0xE0100, 0xE01F0)))
_SKIN = frozenset(map(chr, range(0x1F3FB, 0x1F400)))


def unseen(character: str) -> bool:
    """Tell whether a character cannot be seen and is not white space."""
    if character.isspace():
        return False
    return unicodedata.category(character) in {"Cf", "Cc"} or IGNORABLE.match(character) is not None


def blank(text: str) -> bool:
    """Tell whether nothing of a text can be seen."""
    return all(character.isspace() or unseen(character) for character in text)


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
    if text.isprintable() and not IGNORABLE.search(text):  # which most texts are
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
