"""What an encoder's vectors depend on besides its files: in the catalogue, in its record and in its digest.

    >>> EncoderSettings(dimension=384, scale=400, max_tokens=256).as_json()
    {'dimension': 384, 'scale': 400, 'max_tokens': 256}

Imports nothing heavy, since looking for an encoder must cost nothing.
"""

from __future__ import annotations

import binascii
import sys
from array import array
from dataclasses import dataclass, fields, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Pooling = Literal["mean", "first"]
"""How the tokens' states become one vector: their mean, or the first token's."""

LIKENESS = 0.9
"""From which similarity on two inputs say nearly the same, where an encoder's record does not say it."""

SPREAD = 400 / sqrt(384)
"""What the standard deviation of a stored component is to be. Then 127 is six of them: of the default encoder's
components none of 10,000 real sentences reaches that."""

CENTRE_UNIT = 1 << 15
"""A centre's components are whole numbers of such parts."""

MOST_WINDOWS = 16
"""Of a longer text the rest is not read: with 256 tokens in a window that is a text of some 12 pages, and more
than a model's context usually takes."""

LONGEST_INSTRUCTION = 1000


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What an encoder's vectors depend on besides its files.

    A store names its encoder by a digest that these settings are part of. A field that is added later must have
    a default, with which encoders work as they did before: a default is not part of the digest.

    Attributes:
        dimension: components of a vector.
        scale: a component of 1.0 is stored as this integer.
        max_tokens: what the network reads at a time, with the tokens before and after a text.
        pooling: how the tokens become one vector.
        instruction: a text put in front of each input, as some encoders want it.
        centre: what is subtracted from a vector before it is rounded: base64 of i16[dimension], little-endian,
            in units of 1 / CENTRE_UNIT; "" for nothing.
        windows: how many are read of a longer text; its vector is the direction of their mean.
        parts: encoders side by side; then the vectors are theirs, one after another.
    """

    dimension: int
    scale: int
    max_tokens: int
    pooling: Pooling = "mean"
    instruction: str = ""
    centre: str = ""
    windows: int = 1
    parts: tuple[EncoderSettings, ...] = ()

    @classmethod
    def side_by_side(cls, parts: Iterable[EncoderSettings]) -> Self:
        """Return the settings of several encoders, at least one, side by side."""
        parts = tuple(parts)
        longest = max(part.max_tokens for part in parts)
        return cls(sum(part.dimension for part in parts), parts[0].scale, longest, parts=parts)

    def reading_long_texts(self) -> Self:
        """Return the same with all windows of long texts read, as stores made now do."""
        if self.parts:
            return replace(self, parts=tuple(part.reading_long_texts() for part in self.parts))
        return replace(self, windows=MOST_WINDOWS)

    def as_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults, as records and digests hold them."""
        found = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }
        return found | ({"parts": [part.as_json() for part in self.parts]} if self.parts else {})

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave; other fields may be there too.

        Raises:
            KeyError: a field is missing.
            ValueError: one is not what it must be, such as a positive integer.
        """
        numbers = [read[name] for name in ("dimension", "scale", "max_tokens")]
        windows, texts = read.get("windows", 1), [read.get(name, "") for name in ("instruction", "centre")]
        pooling, parts = read.get("pooling", "mean"), read.get("parts", [])
        if not all(type(number) is int and number > 0 for number in (*numbers, windows)):
            raise ValueError("not positive integers")
        if not all(isinstance(text, str) for text in texts) or pooling not in get_args(Pooling):
            raise ValueError("not a text, or no pooling")
        if len(texts[0]) > LONGEST_INSTRUCTION or not isinstance(parts, list):
            raise ValueError("an instruction that is too long, or parts that are not a list")
        dimension, scale, longest = numbers
        made = cls(
            dimension,
            scale,
            longest,
            pooling=pooling,
            instruction=texts[0],
            centre=texts[1],
            windows=windows,
            parts=tuple(EncoderSettings.from_json(part) for part in parts),
        )
        made._check_parts()
        if made.centre and len(numbers_of(made.centre)) != made.dimension:
            raise ValueError("a centre of another dimension")
        return made

    def _check_parts(self) -> None:
        """Raise ValueError for parts that do not make this encoder."""
        if self.parts and (any(part.parts for part in self.parts) or self != self.side_by_side(self.parts)):
            raise ValueError("parts that do not make the whole")


class Network(NamedTuple):
    """One network of an encoder.

    Attributes:
        graph: its ONNX file: input_ids int64 [1, tokens] to a float vector of length 1.
        tokenizer: its `tokenizer.json`.
        settings: what its vectors depend on besides these files.
    """

    graph: Path
    tokenizer: Path
    settings: EncoderSettings


def text_of(numbers: Iterable[int]) -> str:
    """Return a centre as settings hold it.

    Raises:
        OverflowError: a number has more than 16 bits.
    """
    found = array("h", numbers)
    return binascii.b2a_base64(_little_endian(found).tobytes(), newline=False).decode()


def numbers_of(centre: str) -> array[int]:
    """Return the numbers of a centre, in units of 1 / CENTRE_UNIT.

    Raises:
        ValueError: the text is not what `text_of` gives.
    """
    found = array("h")
    found.frombytes(binascii.a2b_base64(centre, strict_mode=True))
    return _little_endian(found)


def _little_endian(numbers: array[int]) -> array[int]:
    """Return the numbers with their bytes in the order of files, or back."""
    if sys.byteorder == "big":
        numbers = array("h", numbers)
        numbers.byteswap()
    return numbers
