r"""A vector on its way from one store to another, with the name of the encoder that made it.

    >>> Vector("1f0c", b"\x7f\x81").text()
    'f4E='

int8 kernels round differently on different processors, so a vector is computed once and then travels with its
example. It is of use only where the same encoder made the others.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.errors import InputError
from edge_icl.runtime.arguments import each

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edge_icl.store.settings import Settings

MISSING = -128
"""A component that no encoder gives: the first one where a vector is still to be made."""

_NEVER = b"\x80"
"""The same as a byte."""

_AS_EXPORTED = "give it as Memory.export did, or leave it out"


@dataclass(frozen=True, slots=True)
class Vector:
    """The vector of an example.

    Attributes:
        encoder: the digest of the encoder that made it.
        components: one int8 a byte, none of them -128.

    Raises:
        InputError: it is not a vector that an encoder can give.
    """

    encoder: str
    components: bytes

    def __post_init__(self) -> None:
        """Refuse what a store must not hold."""
        if not isinstance(self.encoder, str):
            kind = type(self.encoder).__name__
            raise InputError(f"the encoder of a vector is {kind}, not text", _AS_EXPORTED)
        if not isinstance(self.components, bytes):
            kind = type(self.components).__name__
            raise InputError(f"the components of a vector are {kind}, not bytes", _AS_EXPORTED)
        if not self.components:
            raise InputError("a vector has no components", _AS_EXPORTED)
        if _NEVER in self.components:
            raise InputError("a vector has a component of -128, which no encoder gives", _AS_EXPORTED)

    def text(self) -> str:
        """Return the components in base64."""
        return base64.b64encode(self.components).decode()

    @classmethod
    def from_text(cls, encoder: object, text: object) -> Vector:
        """Read what `text` wrote; what a file says is checked.

        Raises:
            InputError: these are not the components of a vector.
        """
        if not isinstance(encoder, str) or not isinstance(text, str):
            raise InputError("its vector and its encoder are not both text", "leave both out")
        try:
            components = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            components = b""
        if not components or _NEVER in components:
            raise InputError("its vector is damaged", "leave it and its encoder out")
        return cls(encoder, components)


def own(vector: Vector | None, settings: Settings) -> NDArray[np.int8] | None:
    """Return a vector i8[d] if the encoder of a store made it, else None.

    Raises:
        InputError: it is no vector, or has another dimension.
    """
    if not isinstance(vector, Vector | None):
        raise InputError(f"{type(vector).__name__} is not a vector", "make it with Vector, or give None")
    if vector is None or vector.encoder != settings.encoder_digest:
        return None
    found = np.frombuffer(vector.components, np.int8)
    if len(found) != settings.dimension:
        raise InputError(
            f"a vector has {len(found)} components and the store's have {settings.dimension}",
            "leave the vectors out",
        )
    return found


def usable(
    ids: Iterable[bytes], vectors: Iterable[Vector | None], settings: Settings
) -> dict[bytes, NDArray[np.int8]]:
    """Return the vectors i8[d] that the encoder of a store made, by the ids of their examples.

    Args:
        ids: one for each vector.
        vectors: None for an example that comes without one.
        settings: the store's.

    Raises:
        InputError: a vector is none, has another dimension, or one example comes with two vectors.
        ValueError: there are not as many vectors as ids.
    """
    found: dict[bytes, NDArray[np.int8]] = {}
    named, given = [*ids], [*each(vectors, "vectors")]
    if len(given) != len(named):
        raise ValueError(
            f"vectors has {len(given)} elements, not {len(named)}: give one for each text, or None"
        )
    for id, vector in zip(named, given, strict=True):
        new = own(vector, settings)
        if new is None:
            continue
        if not np.array_equal(found.setdefault(id, new), new):
            raise InputError(
                f"the example {id.hex()} comes with two different vectors", "leave one of them out"
            )
    return found
