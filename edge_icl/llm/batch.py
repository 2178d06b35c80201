"""The tokens of one call, as llama.cpp takes them."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def batch(
    library: Any,
    tokens: Sequence[int],
    positions: Sequence[int],
    sequences: Sequence[Sequence[int]],
    outputs: Sequence[bool],
) -> Any:
    """Return a `llama_batch`, whose pointers keep its arrays alive.

    Args:
        library: the module `llama_cpp`.
        tokens: what to evaluate.
        positions: each one's place in its sequences.
        sequences: which sequences each one belongs to.
        outputs: whether the logits after it will be asked for.
    """
    count = len(tokens)
    rows = [(ctypes.c_int32 * len(row))(*row) for row in sequences]
    row_pointers = [ctypes.cast(row, ctypes.POINTER(ctypes.c_int32)) for row in rows]
    made = library.llama_batch()
    made.n_tokens = count
    made.token = (ctypes.c_int32 * count)(*tokens)
    made.pos = (ctypes.c_int32 * count)(*positions)
    made.n_seq_id = (ctypes.c_int32 * count)(*map(len, rows))
    made.seq_id = (ctypes.POINTER(ctypes.c_int32) * count)(*row_pointers)
    made.logits = (ctypes.c_int8 * count)(*outputs)
    return made
