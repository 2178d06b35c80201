"""What every machine of a fleet must compute alike, on fixed texts, as digests: equal ones, equal answers.

An answer is a function of vectors (the encoder's int8 kernels), of the prior (eigenvectors and exponentials:
numpy's kernels) and, where it is asked, of the model (llama.cpp's kernels). Each of these has kernels for
each kind of processor, and they round differently: OpenBLAS's for Nehalem in the place of those for Haswell
moved the probabilities of 99 of 100 questions, in their last digits. So each has a digest of its own, bit for
bit. That two machines agree on these texts is no proof for all texts; kernels that differ do so on nearly
every text, and here are some thousand numbers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.cluster.points import Points
from edge_icl.llm.selftest import measure
from edge_icl.models.common_texts import COMMON_TEXTS
from edge_icl.prior.fitted import fit
from edge_icl.prior.statistics import Statistics

if TYPE_CHECKING:
    from edge_icl.encode.encoder import Encoder
    from edge_icl.llm.model import Model

LONG = ("en", "ru", "zh", "hi")
"""Languages of which a text is of all lines, so that it is cut into windows; of each language one is a line."""

TEXTS = (
    *(lines[0] for lines in COMMON_TEXTS.values()),
    *(" ".join(COMMON_TEXTS[language]) for language in LONG),
)
"""Public, in sixteen languages and several scripts, short and long."""

LABELS = ("a", "b", "c", "d")
TAUGHT, ASKED = 48, 4
"""So many vectors are taught to the prior, and so many are asked."""


def of_encoder(encoder: Encoder) -> str:
    """Return a digest of the vectors of the texts; loads the encoder."""
    return _digest(encoder.encode(TEXTS))


def of_prior(dimension: int) -> str:
    """Return a digest of what the prior says of fixed vectors of so many components.

    They are no vectors of an encoder: then one with other kernels would change both digests, and it could not
    be told which of them it is.
    """
    count = TAUGHT + ASKED
    drawn = hashlib.shake_256(b"edge-icl/canaries/").digest(count * dimension)
    vectors = (np.frombuffer(drawn, np.uint8).reshape(count, dimension) % 61).astype(np.int8) - np.int8(30)
    vectors[np.arange(count), np.arange(count) % len(LABELS)] += np.int8(60)
    outputs = [LABELS[i % len(LABELS)] for i in range(TAUGHT)]
    ids = np.arange(TAUGHT, dtype=">u8").repeat(2).view(np.uint8).reshape(TAUGHT, 16)
    taught = vectors[:TAUGHT]
    prior = fit(Points(ids, taught), outputs, Statistics.of(taught, outputs))
    return _digest(np.array([prior.log_probabilities(vector) for vector in vectors[TAUGHT:]]))


def of_model(model: Model) -> str:
    """Return a digest of the log-probabilities of a text and of labels, evaluated as questions are."""
    return _digest(np.array(measure(model)))


def _digest(figures: np.ndarray[tuple[int, ...], np.dtype[np.int8 | np.float64]]) -> str:
    """Return a digest of numbers, to the last bit."""
    fixed = figures.astype(figures.dtype.newbyteorder("<"))
    return hashlib.blake2b(fixed.tobytes(), digest_size=16).hexdigest()
