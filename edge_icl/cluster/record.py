"""A clustering as canonical bytes: one safetensors file, integers only (docs/format.md, "clustering")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from edge_icl.cluster.kmeans import Clustering, Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXAMPLES = (1 << 24) - 1
"""Column sums of this many int8 vectors fit the 32 bits that the file gives them."""


def encode(clustering: Clustering) -> bytes:
    """Return the bytes of the clustering file."""
    return safetensors.numpy.save(
        {
            "winners": clustering.winners,
            "start": clustering.start,
            "counts": clustering.counts.astype(np.uint32),
            "sums": clustering.sums.astype(np.int32),
            "representatives": clustering.representatives,
            "distances": clustering.distances,
        }
    )


def decode(data: bytes, parameters: Parameters) -> Clustering:
    """Read what `encode` wrote.

    Raises:
        ValueError: these are not the bytes of a clustering with these parameters.
    """
    try:
        arrays = safetensors.numpy.load(data)
        m = len(arrays["winners"])
        shapes = _shapes(parameters, m)
        if m > parameters.shots or {name: (a.dtype, a.shape) for name, a in arrays.items()} != shapes:
            raise ValueError("the clustering has another shape than the settings say")
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError("not a clustering") from error
    wide: dict[str, NDArray[np.int64]] = {name: arrays[name].astype(np.int64) for name in ("counts", "sums")}
    return Clustering(
        winners=arrays["winners"],
        start=arrays["start"],
        representatives=arrays["representatives"],
        distances=arrays["distances"],
        **wide,
    )


def _shapes(parameters: Parameters, m: int) -> dict[str, tuple[np.dtype[np.generic], tuple[int, ...]]]:
    """Return the type and shape that each array must have for m clusters."""
    t, d = parameters.iterations, parameters.dimension
    return {
        "winners": (np.dtype(np.uint8), (m, 16)),
        "start": (np.dtype(np.int8), (m, d)),
        "counts": (np.dtype(np.uint32), (t, m)),
        "sums": (np.dtype(np.int32), (t, m, d)),
        "representatives": (np.dtype(np.uint8), (m, 16)),
        "distances": (np.dtype(np.int64), (m,)),
    }
