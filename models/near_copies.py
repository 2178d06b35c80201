"""From which similarity on an encoder says that two inputs are nearly the same.

    >>> threshold(encoder)
    0.86

Found on fixed pairs (`common_pairs`): near copies, and pairs that share words or topic and mean other things.
It is the threshold that tells most of them right, by Youden's J ("Index for rating diagnostic tests", Cancer
1950).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_icl.models.common_pairs import DIFFERENT, NEAR_COPIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.encode.encoder import Encoder
    from edge_icl.models.common_pairs import Pair

_TRIED = np.arange(50, 100) / 100
_FEWEST = 12


def threshold(encoder: Encoder, *, otherwise: float) -> float:
    """Return the similarity, a multiple of 0.01.

    Args:
        encoder: it is loaded, and encodes the pairs.
        otherwise: what is returned where the encoder knows too few of the pairs.

    Raises:
        ModelFileError: the encoder fails.
    """
    near, different = _similarities(encoder, NEAR_COPIES), _similarities(encoder, DIFFERENT)
    if min(len(near), len(different)) < _FEWEST:
        return otherwise
    gains = [(near >= tried).mean() - (different >= tried).mean() for tried in _TRIED]
    best = np.flatnonzero(np.isclose(gains, max(gains)))[-1]  # of equals the strictest
    return float(_TRIED[best])


def _similarities(encoder: Encoder, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """Return the cosine of each pair whose texts the encoder knows."""
    ones, others = [pair.one for pair in pairs], [pair.other for pair in pairs]
    read = zip(encoder.readings(ones), encoder.readings(others), strict=True)
    known = np.array([one.known and other.known for one, other in read])
    first, second = (encoder.encode(texts).astype(np.float64)[known] for texts in (ones, others))
    lengths = np.sqrt(np.square(first).sum(1) * np.square(second).sum(1))
    return np.asarray((first * second).sum(1) / np.maximum(lengths, 1))
