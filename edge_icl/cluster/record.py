"""A clustering as canonical bytes: one safetensors file, integers only (docs/format.md, "The clustering").

    distances        i64[m]
    counts           u32[T, m]
    sums             i32[T, m, d]
    start            i8[m, d]
    representatives  u8[m, 16]
    winners          u8[m, 16]

Equal clusterings give equal bytes. They are those that safetensors writes today, which a test compares; no
later release of it can change them.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_icl.cluster.kmeans import Clustering, Parameters
from edge_icl.example import ID_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXAMPLES = (1 << 24) - 1
"""Column sums of this many int8 vectors fit the 32 bits that the file gives them."""

KINDS = {"I64": "<i8", "U32": "<u4", "I32": "<i4", "I8": "i1", "U8": "u1"}
"""What numpy calls the types of safetensors."""

CLUSTERS = re.compile(rb'.{8}\{"distances":\{"dtype":"I64","shape":\[([0-9]{1,5})\]', re.DOTALL)
"""How a file begins, up to the number of clusters."""


def encode(clustering: Clustering) -> bytes:
    """Return the bytes of the clustering file."""
    iterations, m, dimension = clustering.sums.shape
    columns = _columns(iterations, m, dimension)
    arrays = (getattr(clustering, one.name).astype(KINDS[one.kind], copy=False) for one in columns)
    return b"".join([_header(columns), *(array.tobytes() for array in arrays)])


def decode(data: bytes, parameters: Parameters) -> Clustering:
    """Read what `encode` wrote: only that header is accepted, so nothing is made larger than the file is.

    Raises:
        ValueError: these are not the bytes of a clustering with these parameters.
    """
    found = CLUSTERS.match(data)
    if found is None:
        raise ValueError("not a clustering")
    m = int(found[1])
    columns = _columns(parameters.iterations, m, parameters.dimension)
    header = _header(columns)
    if m > parameters.shots or not data.startswith(header) or len(data) != len(header) + columns[-1].end:
        raise ValueError("the clustering has another shape than the settings say")
    arrays = {one.name: one.read(data, len(header)) for one in columns}
    arrays |= {name: arrays[name].astype(np.int64) for name in ("counts", "sums")}
    return Clustering(**arrays)


class _Column(NamedTuple):
    """One array in the file.

    Attributes:
        name: as safetensors and `Clustering` have it.
        kind: its type, as safetensors says it.
        shape: its shape.
        begin: its first byte, counted from the end of the header.
        end: the byte after its last.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    begin: int
    end: int

    def header(self) -> str:
        """Return what the header says of it."""
        shape = ",".join(map(str, self.shape))
        offsets = f"{self.begin},{self.end}"
        return f'"{self.name}":{{"dtype":"{self.kind}","shape":[{shape}],"data_offsets":[{offsets}]}}'

    def read(self, data: bytes, start: int) -> NDArray[Any]:
        """Return the array, a view of the file's bytes, given where its header ends."""
        flat = np.frombuffer(data, KINDS[self.kind], prod(self.shape), start + self.begin)
        return flat.reshape(self.shape)


def _columns(t: int, m: int, d: int) -> list[_Column]:
    """Return the arrays of m clusters in d dimensions and t iterations, in the order of the file."""
    arrays = (
        ("distances", "I64", (m,)),
        ("counts", "U32", (t, m)),
        ("sums", "I32", (t, m, d)),
        ("start", "I8", (m, d)),
        ("representatives", "U8", (m, ID_BYTES)),
        ("winners", "U8", (m, ID_BYTES)),
    )
    sizes = (np.dtype(KINDS[kind]).itemsize * prod(shape) for _, kind, shape in arrays)
    offsets = pairwise(accumulate(sizes, initial=0))
    return [_Column(*array, *ends) for array, ends in zip(arrays, offsets, strict=True)]


def _header(columns: list[_Column]) -> bytes:
    """Return the header that safetensors writes for these arrays."""
    text = f"{{{','.join(one.header() for one in columns)}}}".encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
