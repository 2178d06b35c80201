"""Stores to be shown on a page: few words, vectors of our own, so that no model is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from small_encoders import FIRST

from edge_icl import Example, Memory, Vector

SEED = bytes(range(32))


def stored(path: Path, examples: Iterable[Example], *, passphrase: str | None = None) -> Memory:
    """Make a store of examples; needs the fixture `small_encoders`. Like outputs have like vectors."""
    memory = Memory.create(path, seed=SEED, encoder=FIRST, passphrase=passphrase)
    examples = [*examples]
    if examples:
        memory.add_many(examples, vectors=[vector(memory, one) for one in examples])
    return memory


def vector(memory: Memory, example: Example) -> Vector:
    """Return a vector that is a function of the input, near those of other examples of the output."""
    settings = memory.settings
    centre, own = (
        np.random.default_rng([*text.encode()]).integers(-40, 41, settings.dimension)
        for text in (example.output, example.input)
    )
    return Vector(settings.encoder_digest, (2 * centre + own).astype(np.int8).tobytes())
