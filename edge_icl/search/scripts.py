r"""What an encoder reads of a text, told from the characters alone: without its vocabulary, in microseconds.

    >>> Sight(languages=("en",)).look("Taxi to \u6771\u4eac, please").unread
    '\u6771\u4eac'

An encoder's vocabulary was made from the languages that it was trained on. Letters of other scripts are unknown
to it or read one by one, and texts of them all get much the same vector: any two different sentences in Thai
have a similarity of 1.00 with all-MiniLM-L6-v2. And what is longer than it reads is cut.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.display.unseen import unseen

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Look(NamedTuple):
    """What an encoder sees of a text.

    Attributes:
        text: the text.
        whole: whether it is surely so short that it is not cut.
        unread: what it does not read of it: letters, signs and digits of scripts that none of its languages is
            written in, and emoji where they are a tenth of the text or more; folded. "" for nothing.
        folded: its letters, see there; "" where all of it is read, so that they are seldom asked for.
    """

    text: str
    whole: bool
    unread: str = ""
    folded: str = ""

    @property
    def letters(self) -> str:
        """Its letters, digits and symbols; see `letters`."""
        return self.folded or letters(self.text)

    @property
    def compared(self) -> str:
        """What must be compared as text: what is not read, or all if it is perhaps cut."""
        return self.unread if self.whole else self.letters

    @property
    def nothing(self) -> bool:
        """Whether no letter, digit or emoji of it is read, so that its vector says nothing."""
        return "" != self.unread == self.folded


class Sight:
    """What an encoder reads.

    Args:
        languages: codes (ISO 639-1) of those that it was trained on; () where that is not known.
        max_tokens: what it reads at a time.
    """

    def __init__(self, languages: tuple[str, ...] = ("en",), max_tokens: int = 256) -> None:
        self.max_tokens = max_tokens
        self._unread = _unread(scripts(languages))

    @property
    def read_in_any_case(self) -> int:
        """So many letters of a text, its first ones, are read in any case."""
        return self.max_tokens // SURELY_READ

    def look(self, text: str) -> Look:
        """Return what the encoder sees of a text."""
        longest = BYTES_OF_A_TOKEN * self.max_tokens
        if text.isascii():
            return Look(text, len(text) <= longest)
        folded = letters(text)
        whole = len(text) <= longest and len(text.encode()) <= longest
        unread = folded.translate(self._unread)
        words = unread.translate(_WORDS)
        emoji = len(unread) - len(words)
        return Look(text, whole, unread if FEW * emoji >= len(text) else words, folded)

    def is_foreign(self, text: str) -> bool:
        """Tell whether more than half of a text's letters are of scripts that the encoder does not read."""
        if text.isascii():
            return False
        found = letters(text).translate(_WORDS)
        return HALF * len(found.translate(self._unread)) > len(found)


def scripts(languages: tuple[str, ...]) -> frozenset[str]:
    """Return the scripts of languages, the Latin one always among them."""
    return frozenset({LATIN, *(name for name, some in _LANGUAGES.items() if {*some.split()} & {*languages})})


def letters(text: str) -> str:
    """Return the letters, digits and symbols of a text, folded: no white space, punctuation, or the unseen."""
    if text.isascii():
        return text.lower().translate(_LETTERS)
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).translate(_LETTERS)


class _Kept(dict[int, int | None]):
    """For `str.translate`: a character stays, or is left out (None); filled as characters come.

    Args:
        keeps: tells whether a character stays.
    """

    def __init__(self, keeps: Callable[[str], bool]) -> None:
        super().__init__()
        self._keeps = keeps

    def __missing__(self, code: int) -> int | None:
        """Decide about a character."""
        self[code] = found = code if self._keeps(chr(code)) else None
        return found


def _says_something(character: str) -> bool:
    """Tell whether a character is a letter, a sign of one, a digit or a symbol, and can be seen."""
    return unicodedata.category(character)[0] in "LMNS" and not unseen(character)


def _is_no_emoji(character: str) -> bool:
    """Tell whether a character is neither an emoji nor what changes its skin."""
    return character.isascii() or unicodedata.category(character) not in {"So", "Sk"}


_LETTERS, _WORDS = _Kept(_says_something), _Kept(_is_no_emoji)


@lru_cache(maxsize=1 << 14)
def script(character: str) -> str:
    """Return the script of a letter, as Unicode names it; LATIN for signs that go with any script."""
    first = unicodedata.name(character, "").replace("-", " ").partition(" ")[0]
    return LATIN if first in _NO_SCRIPT else first


@lru_cache(maxsize=64)
def _unread(known: frozenset[str]) -> _Kept:
    """Return what keeps, of letters, those that are not of some scripts, and emoji; one for all that ask."""

    def keeps(character: str) -> bool:
        if unicodedata.category(character)[0] == "S":
            return not _is_no_emoji(character)
        return not character.isascii() and script(character) not in known

    return _Kept(keeps)
