"""Values in a GGUF's header that no model has, refused before llama.cpp sees them.

llama.cpp takes most of them and answers all the same, or ends the process, or takes all memory. What is left,
values that a model might have and this one has not, shows when the model is tried (`llm.trial`).
"""

from __future__ import annotations

import sys
from array import array
from math import inf, isfinite
from typing import TYPE_CHECKING

from edge_icl.models.header import Array

if TYPE_CHECKING:
    from edge_icl.models.header import Header

_RANGES = {
    # what follows the architecture's name -> the least and the most; the largest models known have 126 layers,
    # 256 heads, contexts of 10 million tokens and 512 experts
    b"block_count": (1, 512),
    b"context_length": (1, 1 << 27),
    b"embedding_length": (1, 1 << 20),
    b"feed_forward_length": (0, 1 << 24),
    b"vocab_size": (1, 1 << 24),
    b"attention.head_count": (0, 1 << 14),
    b"attention.head_count_kv": (0, 1 << 14),
    b"attention.key_length": (1, 1 << 16),
    b"attention.value_length": (1, 1 << 16),
    b"attention.sliding_window": (0, 1 << 27),
    b"rope.dimension_count": (0, 1 << 16),
    b"expert_count": (0, 1024),
    b"expert_used_count": (0, 1024),
    b"attention.layer_norm_epsilon": (0, 1),
    b"attention.layer_norm_rms_epsilon": (0, 1),
    b"rope.freq_base": (1e-3, inf),
    b"rope.scaling.factor": (0, inf),
}
_WITHOUT_HEADS = (b".ssm.", b".wkv.", b".shortconv.")
"""Keys of recurrent models, some of which have no heads."""

_TOKENS = b"tokenizer.ggml.tokens"
_OF_EACH = (b"tokenizer.ggml.scores", b"tokenizer.ggml.token_type")
_NONE = (0xFFFFFFFF, -1)
_MAY_BE_NONE = (b"padding", b"unknown", b"seperator", b"separator", b"mask", b"cls")
"""Tokens that some converters say are none; nothing here uses them."""

_HINT = "use another file of the model, from a source that you trust"


def check(header: Header) -> None:
    """Refuse a model whose metadata, which has been read, says what cannot be.

    Raises:
        ModelFileError: it does; says what.
    """
    _check_numbers(header)
    _check_ranges(header)
    _check_heads(header)
    _check_tokens(header)


def _check_numbers(header: Header) -> None:
    """Refuse NaN and infinity."""
    for key, value in header.noted.items():
        values = _floats(header, value) if isinstance(value, Array) else (value,)
        if not all(isfinite(one) for one in values if isinstance(one, float)):
            header.fail(f"has a number for {_shown(key)} that is not finite", _HINT)


def _floats(header: Header, found: Array) -> array[float] | tuple[()]:
    """Return the numbers of an array of fractions, none of other arrays."""
    if found.code not in "fd":
        return ()
    numbers: array[float] = array("f" if found.code == "f" else "d")
    numbers.frombytes(header.data[found.at : found.at + found.count * numbers.itemsize])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _check_ranges(header: Header) -> None:
    """Refuse sizes that no model has."""
    for name, (least, most) in _RANGES.items():
        value = _value(header, name)
        if isinstance(value, int | float) and not least <= value <= most:
            header.fail(f"has {value} for {_shown(name)}, which no model has", _HINT)


def _check_heads(header: Header) -> None:
    """Refuse heads that do not divide what they share."""
    heads, shared = _value(header, b"attention.head_count"), _value(header, b"attention.head_count_kv")
    width = _value(header, b"embedding_length")
    if heads == 0 and not any(part in key for key in header.noted for part in _WITHOUT_HEADS):
        header.fail("has no attention heads", _HINT)
    if isinstance(heads, int) and heads and isinstance(width, int):
        if width % heads and _value(header, b"attention.key_length") is None:
            header.fail(f"gives {width} dimensions to {heads} heads", _HINT)
        if isinstance(shared, int) and shared and heads % shared:
            header.fail(f"shares {shared} heads among {heads}", _HINT)


def _check_tokens(header: Header) -> None:
    """Refuse tokens that are not in the vocabulary."""
    tokens = header.noted.get(_TOKENS)
    if not isinstance(tokens, Array):
        return
    for key in _OF_EACH:
        found = header.noted.get(key)
        if isinstance(found, Array) and found.count != tokens.count:
            header.fail(f"has {found.count} for {_shown(key)} and {tokens.count} tokens", _HINT)
    for key, value in header.noted.items():
        if key.startswith(b"tokenizer.ggml.") and key.endswith(b"_token_id") and isinstance(value, int):
            unused = value in _NONE and key.split(b".")[2].startswith(_MAY_BE_NONE)
            if not (0 <= value < tokens.count or unused):
                header.fail(f"has {value} for {_shown(key)} and {tokens.count} tokens", _HINT)


def _value(header: Header, name: bytes) -> object:
    """Return a value of the architecture."""
    return header.noted.get(header.architecture + b"." + name)


def _shown(key: bytes) -> str:
    """Return a key as text."""
    return key.decode(errors="replace")
