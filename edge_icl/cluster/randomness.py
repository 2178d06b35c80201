"""Every random number of a store, from its seed through SHAKE-256.

A library's generator may change its stream in any release; a hash function cannot. Each use has a label of its
own, so that no two uses share a number.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = np.dtype("<u8")


def uniform_draws(seed: bytes, ids: NDArray[np.uint8], rounds: int) -> NDArray[np.uint64]:
    """Draw one 64-bit number for each example and round.

    Args:
        seed: the store's seed, 32 bytes.
        ids: u8[n, 16].
        rounds: how many numbers each example gets.

    Returns:
        u64[n, rounds]; row i depends on the seed and on ids[i] only.
    """
    seeded = hashlib.shake_256(seed + b"edge-icl/race/")
    packed, size = ids.tobytes(), ids.shape[1]
    drawn = bytearray()
    for start in range(0, len(packed), size):
        sponge = seeded.copy()
        sponge.update(packed[start : start + size])
        drawn += sponge.digest(rounds * WORD.itemsize)
    return np.frombuffer(drawn, WORD).astype(np.uint64).reshape(len(ids), rounds)


@lru_cache(maxsize=16)
def lattice_offset(seed: bytes, iteration: int, dimension: int, step: int) -> NDArray[np.int64]:
    """Draw the lattice's offset for one iteration.

    A 64-bit number modulo `step` favours small remainders by less than step / 2^64: far too little to notice.
    Offsets are kept once drawn: every change to a store asks for the same few, for some of them twice.

    Returns:
        i64[dimension], each in [0, step); read-only.
    """
    drawn = hashlib.shake_256(seed + b"edge-icl/lattice/" + iteration.to_bytes(4, "little"))
    words = np.frombuffer(drawn.digest(dimension * WORD.itemsize), WORD)
    offset = (words % np.uint64(step)).astype(np.int64)
    offset.setflags(write=False)
    return offset


def shuffle_draws(seed: bytes, ids: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Draw one 64-bit number for each example; sorting by it gives a random order of the set.

    Returns:
        u64[n]; each depends on the seed and on its id only.
    """
    seeded = hashlib.shake_256(seed + b"edge-icl/shuffle/")
    drawn = bytearray()
    for row in ids:
        sponge = seeded.copy()
        sponge.update(row.tobytes())
        drawn += sponge.digest(WORD.itemsize)
    return np.frombuffer(bytes(drawn), WORD).astype(np.uint64)
