"""Stores of any size, made from a seed: unit vectors around 64 centres, and texts of the length people write.

The rows go through the real store code; only the encoder is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from support.common import SEED

from edge_icl import Example, Memory
from edge_icl.store.disk import Store
from edge_icl.store.pages import Row
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

DIMENSION = 384
SCALE = 400
CENTRES = 64
SPREAD = 1.2
"""Length of the noise around a centre of length one: cosines within a cluster are near 0.4, as in Banking77."""

WORDS = ("taxi", "lunch", "hotel", "flight", "laptop", "coffee", "rent", "ticket")
PIECE = 50_000

DRAWN = 1_000_000
"""Vectors that are drawn; more of them are these with their components in another order, ten times as fast."""


def vectors(count: int, seed: int = 0) -> NDArray[np.int8]:
    """Return vectors i8[count, DIMENSION]; the first ones do not depend on the count."""
    centres = np.random.default_rng(seed).normal(size=(CENTRES, DIMENSION))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    found = np.empty((count, DIMENSION), np.int8)
    for start in range(0, min(count, DRAWN), PIECE):
        rng = np.random.default_rng((seed, start))
        noise = rng.normal(size=(PIECE, DIMENSION)) * (SPREAD / np.sqrt(DIMENSION))
        exact = (centres[rng.integers(CENTRES, size=PIECE)] + noise)[: count - start]
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
        found[start : start + PIECE] = np.clip(np.rint(SCALE * exact), -127, 127)
    for start in range(DRAWN, count, PIECE):
        order = np.random.default_rng((seed, start // DRAWN)).permutation(DIMENSION)
        drawn = found[start % DRAWN :][:PIECE][: count - start]
        found[start : start + PIECE] = drawn[:, order]
    return found


def rows(count: int, *, first: int = 0, seed: int = 0) -> Iterator[Row]:
    """Yield rows number `first` to `first + count`; a row does not depend on how many there are."""
    for i, vector in enumerate(vectors(first + count, seed)[first:], start=first):
        words = " ".join(WORDS[(i >> shift) % len(WORDS)] for shift in range(0, 24, 3))
        example = Example.create(f"{words} number {i}", WORDS[i % len(WORDS)])
        yield Row(example.id(SEED), vector, example.canonical())


def fill(path: Path, count: int) -> None:
    """Make a store of the first `count` rows."""
    Memory.create(path, seed=SEED).close()
    with writing(Store.open(path)) as writer:
        writer.commit(added=rows(count))
