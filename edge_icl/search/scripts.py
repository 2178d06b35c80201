r"""What an encoder reads of a text, told from the characters alone: without its vocabulary, in microseconds.

    >>> Sight(languages=("en",)).unread("Taxi to \u6771\u4eac, please")
    '\u6771\u4eac'

An encoder's vocabulary was made from the languages that it was trained on. Letters of other scripts are unknown
to it or read one by one, and texts of them all get much the same vector: any two different sentences in Thai
have a similarity of 1.00 with all-MiniLM-L6-v2. And what is longer than it reads is cut.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from edge_icl.search.matching import fold

LATIN = "LATIN"
"""The script of English, of which every vocabulary has letters; digits and punctuation go with it."""

_LANGUAGES = {
    "ARABIC": "ar fa ps sd ug ur",
    "ARMENIAN": "hy",
    "BENGALI": "as bn",
    "CYRILLIC": "be bg kk ky mk mn ru sr tg uk",
    "DEVANAGARI": "hi mr ne sa",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he yi",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "KHMER": "km",
    "LAO": "lo",
    "CJK": "ja zh",
    "IDEOGRAPHIC": "ja zh",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "ORIYA": "or",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
}
"""Script, as the names of its characters begin -> the languages that are written in it (ISO 639-1)."""

_NO_SCRIPT = frozenset({LATIN, "COMBINING", "MODIFIER"})

BYTES_OF_A_TOKEN = 2
"""A token of what people write is so long on average, at least: in English 5 bytes of UTF-8, in German 3."""

SURELY_READ = 2
"""The first max_tokens / 2 letters are read in any case, whatever stands between them."""

HALF = 2

FEW = 10
"""Emoji that are less than one in so many of a text's characters are an ornament of it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What an encoder reads.

    Attributes:
        languages: codes (ISO 639-1) of those that it was trained on; () where that is not known.
        max_tokens: longer texts are cut there.
    """

    languages: tuple[str, ...] = ("en",)
    max_tokens: int = 256
    _kept: _Unread = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look up the scripts once."""
        object.__setattr__(self, "_kept", _kept(scripts(self.languages)))

    @property
    def read_in_any_case(self) -> int:
        """So many letters of a text, its first ones, are read in any case."""
        return self.max_tokens // SURELY_READ

    def reads_whole(self, text: str) -> bool:
        """Tell whether a text is so short that it is not cut."""
        longest = BYTES_OF_A_TOKEN * self.max_tokens
        return len(text) <= longest and (text.isascii() or len(text.encode()) <= longest)

    def unread(self, text: str) -> str:
        """Return what the encoder does not read of a text that is not too long: "" for nothing.

        These are letters, signs and digits of scripts that none of its languages is written in, and emoji where
        they are a tenth of the text or more; folded.
        """
        if text.isascii():
            return ""
        found = letters(text).translate(self._kept)
        words = _without_emoji(found)
        return found if FEW * (len(found) - len(words)) >= len(text) else words

    def reads_nothing(self, text: str) -> bool:
        """Tell whether no letter, digit or emoji of a text is read, so that its vector says nothing."""
        return not text.isascii() and "" != letters(text) == self.unread(text)

    def compared(self, text: str) -> str:
        """Return what of a text must be compared as text: what is not read, or all if it is perhaps cut."""
        return self.unread(text) if self.reads_whole(text) else letters(text)

    def is_foreign(self, text: str) -> bool:
        """Tell whether more than half of a text's letters are of scripts that the encoder does not read."""
        if text.isascii():
            return False
        found = _without_emoji(letters(text))
        return HALF * len(found.translate(self._kept)) > len(found)


def scripts(languages: tuple[str, ...]) -> frozenset[str]:
    """Return the scripts of languages, the Latin one always among them."""
    return frozenset({LATIN, *(name for name, some in _LANGUAGES.items() if {*some.split()} & {*languages})})


def letters(text: str) -> str:
    """Return the letters, digits and symbols of a text, folded: no white space, punctuation, or the unseen."""
    return fold(text).translate(_LETTERS)


class _Letters(dict[int, int | None]):
    """For `str.translate`: a character stays, or is left out (None); filled as characters come."""

    def __missing__(self, code: int) -> int | None:
        """Decide about a character."""
        self[code] = found = code if self.keeps(chr(code)) else None
        return found

    def keeps(self, character: str) -> bool:
        """Tell whether a character says something by itself."""
        return unicodedata.category(character)[0] in "LMNS"


class _Unread(_Letters):
    """The same for what is not read by an encoder that reads some scripts."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__()
        self._known = known

    def keeps(self, character: str) -> bool:
        """Tell whether a character is not read."""
        kind = unicodedata.category(character)
        if kind[0] == "S":
            return _is_emoji(character)
        return kind[0] in "LMN" and not character.isascii() and script(character) not in self._known


def _without_emoji(text: str) -> str:
    """Return a text without its emoji."""
    return "".join(c for c in text if not _is_emoji(c))


def _is_emoji(character: str) -> bool:
    """Tell whether a character is an emoji, or what changes its skin."""
    return not character.isascii() and unicodedata.category(character) in {"So", "Sk"}


@lru_cache(maxsize=1 << 14)
def script(character: str) -> str:
    """Return the script of a letter, as Unicode names it; LATIN for signs that go with any script."""
    first = unicodedata.name(character, "").replace("-", " ").partition(" ")[0]
    return LATIN if first in _NO_SCRIPT else first


@lru_cache(maxsize=64)
def _kept(known: frozenset[str]) -> _Unread:
    """Return the table for some scripts; one for all that ask."""
    return _Unread(known)


_LETTERS = _Letters()
