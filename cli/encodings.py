r"""Encodings of files: what a mark tells, what is certain without one, and what a file looks like else.

    >>> begun(b"\xff\xfei\0n\0p\0u\0t\0"), begun(b"i\0n\0p\0u\0t\0")
    (Begun(name='utf-16-le', mark=b'\xff\xfe'), Begun(name='utf-16-le', mark=b''))

A file is read as UTF-8 unless its beginning shows something else beyond doubt, or the user names another one:
nothing is ever read by a guess. What is not UTF-8 then is guessed at for the advice alone, by chardet, of the
libraries that were measured the one that is right most often (see docs/faq.md). It takes long to load, and is
loaded only then.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category

import click

from edge_icl.cli.tables import cut, one_line
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

UTF8 = "utf-8"

SEEN = 8192
"""Bytes of a file's beginning that are looked at, at most."""

MARKS = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, which has the first two of its bytes
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order mark -> the encoding that it tells of."""

WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
"""Encodings that are known without a mark."""

CONTROLS = bytes({*range(32)} - {*b"\t\r\n"})
SHORTEST = 8
"""Bytes; fewer show nothing."""

NO_TEXT = {
    b"PK\x03\x04": "a workbook or an archive",
    b"\xd0\xcf\x11\xe0": "an old workbook",
    b"\x1f\x8b": "compressed",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
    b"PAR1": "a Parquet file",
}
"""How files begin that are often taken for text, and what they are."""

USUAL = {
    "cp1252": "Windows-1252", "cp1250": "Windows-1250", "cp1251": "Windows-1251", "cp1253": "Windows-1253",
    "cp1254": "Windows-1254", "cp1255": "Windows-1255", "cp1256": "Windows-1256", "cp1257": "Windows-1257",
    "cp1258": "Windows-1258", "cp874": "Windows-874", "cp932": "Shift JIS", "gb18030": "GB 18030",
    "big5": "Big5", "cp949": "Korean (Windows-949)", "euc_jp": "EUC-JP", "iso2022_jp": "ISO-2022-JP",
    "mac_roman": "Mac Roman", "iso8859_2": "ISO 8859-2", "iso8859_15": "ISO 8859-15", "iso8859_5": "ISO 8859-5",
    "iso8859_7": "ISO 8859-7", "iso8859_9": "ISO 8859-9", "koi8_r": "KOI8-R", "koi8_u": "KOI8-U",
    "cp866": "DOS 866", "cp850": "DOS 850", "cp852": "DOS 852", "cp437": "DOS 437",
    "mac_cyrillic": "Mac Cyrillic", "mac_latin2": "Mac Central Europe",
}  # fmt: skip
"""What files are in, if not in UTF-8: codec -> its name. Of those that give one text the first is meant."""

ALIKE = 0.6
"""From which likeness on a name is taken for a slip."""

_NOT_TEXT = {
    *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"),
}
"""What Python counts among its encodings, too."""

ASCII = 0x7F
"""The last of its bytes."""

_OTHER = r"[\u0370-\u06ff\u2500-\u259f]"
_SIGN = (
    r"[\xa1-\xa9\xac\xae-\xb3\xb6\xb8\xb9\xbc-\xbf\xd7\xf7\u02c6\u02dc\u2020-\u2030\u201a\u201e\u20ac\u2122]"
)
_CAPITAL = r"[\xc0-\xd6\xd8-\xde\u0152\u0160\u0178\u017d]"
UNLIKELY = (
    rf"[A-Za-z]{_OTHER}|{_OTHER}[A-Za-z]|[^\W\d_]{_SIGN}[^\W\d_]|[a-z]{_CAPITAL}|[\x7f-\x9f\ue000-\uf8ff]"
)
"""Letters of Latin and of Greek, Cyrillic, Hebrew or Arabic in one word; frames; signs and capitals within one;
what is no character. A pattern is compiled when it is first used."""

GUESSED = (
    *(
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "cp874",
        "cp866",
    ),
    *("cp437", "cp850", "cp852", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "iso8859-15", "koi8-r"),
    *("koi8-u", "mac-roman", "mac-cyrillic", "mac-latin2", "cp932", "euc_jis_2004", "cp949", "gb18030"),
    *("big5hkscs", "utf-16-le", "utf-16-be"),
)
"""Encodings that are considered, as chardet calls them; rare ones are guessed more often than they occur."""

MOST_USUAL, MORE_USUAL = "windows-1252", 1.3
"""By how much the most usual encoding of Western texts is likelier than the letters of a text show: a few
words, with names from several languages, looks like Polish or Romanian in another one as easily."""

SHOWN = 24
"""Columns."""

GUESSED_FROM = 1 << 16
"""Bytes."""


class Begun(NamedTuple):
    """What a file's beginning shows.

    Attributes:
        name: of the codec that decodes what comes after the mark.
        mark: the byte order mark; empty where there is none.
    """

    name: str
    mark: bytes = b""


def begun(head: bytes) -> Begun:
    """Return what the first bytes of a file show of its encoding; UTF-8 where they show nothing."""
    for mark, name in MARKS.items():
        if head.startswith(mark) and (len(head) > len(mark) or name == UTF8):
            return Begun(name, mark)
    return Begun(next((name for name in WIDE if _is_wide(head, name)), UTF8))


def checked(file: str, head: bytes, encoding: str | None) -> Begun:
    """Return what the first bytes of a file show of its encoding.

    Args:
        file: its name, for errors.
        head: the bytes.
        encoding: the codec that was named, if one was.

    Raises:
        InputError: they are no text, or have the mark of another encoding than the one that was named.
    """
    if kind := next((kind for sign, kind in NO_TEXT.items() if head.startswith(sign)), None):
        raise InputError(f"{file} is {kind}, not text", "save what is in it as CSV, in UTF-8")
    found = begun(head)
    if found.mark and encoding is not None and not found.name.startswith(encoding.removesuffix("-sig")):
        raise InputError(f"{file} is in {found.name}, and --encoding says {encoding}", "leave --encoding out")
    return found


def errors_of(name: str) -> str:
    """Return what becomes of bytes that are no text in an encoding: see `codecs.register_error`."""
    return "strict" if name.startswith(("utf-16", "utf-32")) else "surrogateescape"


def named(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Return the codec that an option names, as Python calls it.

    Raises:
        click.BadParameter: there is none of this name.
    """
    try:
        return None if value is None else codec(value)
    except InputError as error:
        raise click.BadParameter(str(error)) from None


def codec(value: str) -> str:
    """Return the codec of this name, as Python calls it.

    Raises:
        InputError: there is none.
    """
    try:
        found = codecs.lookup(value).name
        io.TextIOWrapper(io.BytesIO(), found)  # some codecs, such as hex, are not for text
    except (LookupError, ValueError):
        pass
    else:
        return found
    from difflib import SequenceMatcher
    from encodings.aliases import aliases

    asked = value.lower().replace(" ", "-")
    texts = (alias for alias, name in aliases.items() if name not in _NOT_TEXT)
    known = (*USUAL, UTF8, "utf-16", "latin-1", *(alias.replace("_", "-") for alias in texts))
    near = max(known, key=lambda one: SequenceMatcher(None, asked, one).ratio())  # of equals the more usual
    alike = SequenceMatcher(None, asked, near).ratio() > ALIKE
    meant = f"did you mean {near}?" if alike else f"{', '.join([*USUAL][:3])} are some"
    raise InputError(f"there is no encoding {value!r}", meant)


OPTION = click.option(
    "--encoding",
    metavar="NAME",
    callback=named,
    help="How the file's text is encoded, if not in UTF-8 or UTF-16; such as cp1252.",
)
"""For commands that read a file of examples or questions."""


def advice(odd: Sequence[str], *, read_as: str | None = None, mixed: bool = False) -> str:
    """Return what a file looks like, with some of it, and how it is read then; else "".

    Args:
        odd: lines of it with a lone surrogate for each byte that could not be decoded.
        read_as: the codec that was named; None for UTF-8.
        mixed: whether other lines have letters in that encoding, so that no other is right for the whole file.
    """
    data = "\n".join(odd)[:GUESSED_FROM].encode(read_as or UTF8, "surrogateescape")
    found = guess(data)
    if found is None or (read_as is not None and codecs.lookup(found) == codecs.lookup(read_as)):
        return ""
    line = next(line for line in (_text(data, found) or "").splitlines() if not line.isascii())
    seen = line[max(line.rfind(" ", 0, next(i for i, c in enumerate(line) if not c.isascii())), 0) :]
    called = f"{USUAL.get(found, found)} ('{cut(one_line(seen), SHOWN)}')"
    if mixed:
        return f"part of it looks like {called} and part is {read_as or UTF8}: save all of it in UTF-8"
    return f"it looks like {called}: read it with --encoding {found}"


def guess(data: bytes) -> str | None:
    """Return the codec in which bytes probably are that are not UTF-8; None where they show too little."""
    if not _shows_something(data):
        return None
    import chardet

    ranked = chardet.detect_all(data, ignore_threshold=True, include_encodings=GUESSED)
    likely = [(one["encoding"], one["confidence"]) for one in ranked]
    texts = {name: text for name, _ in likely if name and (text := _text(data, name)) is not None}
    fit = [(name, sure) for name, sure in likely if name in texts and not re.search(UNLIKELY, texts[name])]
    if not fit:
        return None
    best = max(fit, key=lambda one: one[1] * (MORE_USUAL if one[0].lower() == MOST_USUAL else 1))[0]
    return next((one for one in USUAL if _text(data, one) == texts[best]), codecs.lookup(best).name)


def _shows_something(data: bytes) -> bool:
    """Tell whether there is a letter beside a byte that is not ASCII: one odd byte alone shows nothing."""
    for i, byte in enumerate(data):
        beside = data[max(i - 1, 0) : i] + data[i + 1 : i + 2]
        if byte > ASCII and (beside == b"  " or any(one > ASCII or chr(one).isalpha() for one in beside)):
            return True
    return False


def _text(data: bytes, name: str) -> str | None:
    """Return the text of bytes in an encoding, which may be cut off within a character; None if it has none."""
    try:
        return codecs.getincrementaldecoder(name)().decode(data)
    except (LookupError, ValueError):
        return None


def _is_wide(head: bytes, name: str) -> bool:
    """Tell whether bytes can be nothing but text in an encoding that takes several bytes for each character.

    Read as UTF-8, at least a quarter of them would be control characters; read so, none is.
    """
    if len(head) < SHORTEST or 4 * (len(head) - len(head.translate(None, CONTROLS))) < len(head):
        return False
    text = _text(head, name)
    return text is not None and all(c in "\t\r\n" or category(c)[0] != "C" for c in text)
