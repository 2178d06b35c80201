"""Whether a file that is said to be in another encoding is in UTF-8 all the same.

    >>> stream = Watched(io.BytesIO("Café".encode()), "rows.csv", "cp1252")
    >>> stream.read1()
    Traceback (most recent call last):
    edge_icl.errors.InputError: rows.csv is in utf-8, and --encoding says cp1252; leave --encoding out

Most codecs make some text of any bytes, so `Café` would be taught as `CafÃ©`. The bytes are looked at while
they are read: the first letters that are not ASCII may come late in a file.
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

from edge_icl.cli.encodings import USUAL, UTF8
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from typing import BinaryIO

NEVER = {one for one in USUAL if one.startswith(("cp12", "iso8859", "mac", "koi8", "cp437", "cp85"))}
NEVER |= {"iso8859_1"}
"""Encodings in which a text with letters that are not ASCII is never, by chance, valid UTF-8."""

RARELY = 16
"""In other encodings so many letters are never that."""


class Watched(io.BufferedIOBase):
    """The bytes of a file, on their way to a decoder.

    Args:
        stream: gives the bytes.
        name: of the file, for errors.
        encoding: the codec that was named; one of Unicode's own is not watched.
    """

    def __init__(self, stream: BinaryIO, name: str, encoding: str) -> None:
        super().__init__()
        self._stream = stream
        self._name = name
        self._encoding = encoding
        self._decoder = None if encoding.startswith("utf") else codecs.getincrementaldecoder(UTF8)()
        self._left = 1 if encoding.replace("-", "_") in NEVER else RARELY

    def readable(self) -> bool:
        """Return that it is read."""
        return True

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._stream.tell()

    def read1(self, size: int = -1, /) -> bytes:
        """Read what there is.

        Raises:
            InputError: it is in UTF-8.
        """
        data: bytes = self._stream.read1(size)  # type: ignore[attr-defined]
        if self._decoder is not None:
            self._look(data)
        return data

    def _look(self, data: bytes) -> None:
        """Raise once the bytes so far can be nothing but UTF-8; stop looking once they are not."""
        assert self._decoder is not None
        try:
            text = self._decoder.decode(data)
        except UnicodeDecodeError:
            self._decoder = None
            return
        self._left -= sum(not character.isascii() for character in text)
        if self._left <= 0:
            raise InputError(
                f"{self._name} is in {UTF8}, and --encoding says {self._encoding}", "leave --encoding out"
            )
