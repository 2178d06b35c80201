"""What an encoder's vectors depend on besides its files: in the catalogue, in its record and in its digest.

    >>> EncoderSettings(dimension=384, scale=400, max_tokens=256).as_json()
    {'dimension': 384, 'scale': 400, 'max_tokens': 256}

Imports nothing heavy, since looking for an encoder must cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What an encoder's vectors depend on besides its files.

    A store names its encoder by a digest that these settings are part of. A field that is added later must have
    a default, with which encoders work as they did before: a default is not part of the digest.

    Attributes:
        dimension: components of a vector.
        scale: a component of 1.0 is stored as this integer.
        max_tokens: longer texts are cut here.
    """

    dimension: int
    scale: int
    max_tokens: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults, as records and digests hold them."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave; other fields may be there too.

        Raises:
            KeyError: a field is missing.
            ValueError: one is not a positive integer.
        """
        numbers = [read[name] for name in ("dimension", "scale", "max_tokens")]
        if not all(type(number) is int and number > 0 for number in numbers):
            raise ValueError("not positive integers")
        return cls(*numbers)
