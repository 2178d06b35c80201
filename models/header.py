"""The header of a GGUF file: a position in it, and what has been learnt on the way there.

    >>> with opened(Path("model.gguf")) as header:
    ...     header.check()

The `gguf` package decodes every string of the vocabulary to Python objects, which takes seconds; skipping over
them takes some 10 ms for 49,000 tokens.

The file may be anything at all: every length and count in it is held against the bytes that are left before
it is believed, so no header can ask for much memory or time.
"""

from __future__ import annotations

import mmap
import struct
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

from edge_icl.errors import ModelFileError
from edge_icl.models.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VERSIONS = (2, 3)
_ALIGNMENT = 32
_MAX_DIMENSIONS = 4
# Far above any model (unmerged experts make some 50,000 tensors; the largest vocabularies have 500,000
# merges), and low enough that a header made to waste time is read in about a second.
_MAX_PAIRS = 1 << 16
_MAX_TENSORS = 1 << 17
_MAX_STRINGS = 1 << 22
_MAX_NAME = 1 << 16

_OTHER = "use another file, such as a Q4_K_M of the same model"
_TRUNCATED = "copy it again, whole"

_STRING, _ARRAY = 8, 9
# Metadata type -> how `struct` reads it.
_SCALARS = dict(zip((*range(8), 10, 11, 12), map("<{}".format, "BbHhIif?Qqd"), strict=True))
_MAX_NOTED = 128  # longer keys and texts do not matter here
_MAX_PARTS = 1 << 16

_TENSOR_TYPES = {
    # ggml's tensor type -> (weights a block, bytes a block)
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    9: (32, 36),  # Q8_1
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
    40: (64, 36),  # NVFP4
    41: (128, 18),  # Q1_0
}


@contextmanager
def opened(path: Path) -> Iterator[Header]:
    """Open a file and give its header, of which nothing has been read yet.

    Raises:
        ModelFileError: the file cannot be read or is not a GGUF, or a method of the header finds something
            wrong.
    """
    try:
        with open_regular(path) as file:
            if file.read(4) != b"GGUF":
                raise ModelFileError(
                    f"{path} is not a GGUF file", "give the path of a model that llama.cpp can read"
                )
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield Header(path, data)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Array:
    """Where an array is.

    Attributes:
        code: how `struct` reads one of its numbers; "s" for texts.
        count: how many there are.
        at: where the first is.
    """

    code: str
    count: int
    at: int


class Header:
    """A position in the file, and what has been learnt on the way there.

    Attributes:
        tensors: how many the file claims.
        noted: the numbers and short texts of the metadata that have been passed, and where its arrays are.
    """

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self.data = data
        self.size = len(data)
        self.at = 4
        self.tensors = 0
        self.noted: dict[bytes, Any] = {}

    def check(self) -> None:
        """Walk the whole header, then hold every tensor against the file's size."""
        self.read()
        alignment = self.number(b"general.alignment", default=_ALIGNMENT)
        if alignment == 0 or alignment % 8:
            self.fail(f"asks for an alignment of {alignment} bytes")
        places = sorted(self.tensor(alignment) for _ in range(self.tensors))
        if not places and self.parts <= 1:  # the first of several parts may be metadata alone
            self.fail("holds no tensors")
        if any(start < end for (_, end), (start, _) in pairwise(places)):
            self.fail("has tensors that overlap")
        end = -(-self.at // alignment) * alignment + max(end for _, end in places) if places else 0
        if end > self.size:
            self.fail(f"is truncated: it has {self.size} bytes, and its tensors end at {end}", _TRUNCATED)

    def read(self) -> None:
        """Walk the metadata."""
        deque(self.pairs(), maxlen=0)

    def pairs(self) -> Iterator[bytes]:
        """Walk the metadata from the beginning, and give each key once its value has been passed."""
        version = self.take("<I")
        if version not in _VERSIONS:
            self.fail(f"is GGUF version {version}, and only 2 and 3 are supported")
        self.tensors, pairs = self.take("<Q"), self.take("<Q")
        if self.tensors > _MAX_TENSORS or pairs > _MAX_PAIRS:
            self.fail(f"claims {self.tensors} tensors and {pairs} metadata pairs, which no model has")
        for _ in range(pairs):
            yield self.pair()

    def number(self, key: bytes, *, default: int) -> int:
        """Return a count of the metadata, where its key has been passed."""
        value = self.noted.get(key, default)
        if type(value) is not int or value < 0:
            self.fail(f"has no count for {key.decode(errors='replace')}")
        return value

    @property
    def part(self) -> int:
        """Which part of its model this file is, from 0 on."""
        return self.number(b"split.no", default=0)

    @property
    def parts(self) -> int:
        """How many files its model comes in."""
        count = self.number(b"split.count", default=1)
        if count > _MAX_PARTS:
            self.fail(f"claims to be one of {count} parts")
        return count

    @property
    def name_of_context(self) -> bytes:
        """The key of the context's length, which begins with the name of the architecture."""
        return self.architecture + b".context_length"

    @property
    def architecture(self) -> bytes:
        """The name of the architecture, where it has been passed."""
        name = self.noted.get(b"general.architecture")
        return name if isinstance(name, bytes) else b""

    def take(self, layout: str) -> Any:
        """Read one number and step over it."""
        at = self.at
        self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, at)[0]

    def skip(self, count: int) -> None:
        """Step over bytes that must be there."""
        if count > self.size - self.at:
            self.fail("is truncated inside its header", _TRUNCATED)
        self.at += count

    def text(self) -> bytes:
        """Read a key or a tensor's name."""
        length = self.take("<Q")
        at = self.at
        self.skip(length)
        if length > _MAX_NAME:
            self.fail(f"has a name of {length} bytes")
        return self.data[at : self.at]

    def pair(self) -> bytes:
        """Step over one key and its value, and note what is short; return the key."""
        key, kind = self.text(), self.take("<I")
        at = self.at
        value: Any = None
        if kind == _STRING:
            self.skip_strings(1)
            value = self.data[at + 8 : min(self.at, at + 8 + _MAX_NOTED)]
        elif kind == _ARRAY:
            value = self.array()
        elif kind in _SCALARS:
            value = self.take(_SCALARS[kind])
        else:
            self.fail(f"has a metadata value of unknown type {kind}")
        if len(key) <= _MAX_NOTED:
            self.noted[key] = value
        return key

    def array(self) -> Array:
        """Step over an array; llama.cpp knows none inside another."""
        kind, count = self.take("<I"), self.take("<Q")
        found = Array(_SCALARS.get(kind, "<s")[1], count, self.at)
        if kind == _STRING:
            self.skip_strings(count)
        elif kind in _SCALARS:
            self.skip(count * struct.calcsize(_SCALARS[kind]))
        else:
            self.fail(f"has an array of unknown type {kind}")
        return found

    def skip_strings(self, count: int) -> None:
        """Step over strings: the loop that a vocabulary spends its time in, hence the local names."""
        if count > min(_MAX_STRINGS, (self.size - self.at) // 8):
            self.fail("is truncated inside its header", _TRUNCATED)
        data, size, at = self.data, self.size, self.at
        unpack = struct.Struct("<Q").unpack_from
        for _ in range(count):
            if at + 8 > size:
                self.fail("is truncated inside its header", _TRUNCATED)
            at += 8 + unpack(data, at)[0]
        self.at = min(at, size)
        self.skip(at - self.at)

    def tensor(self, alignment: int) -> tuple[int, int]:
        """Read one tensor's description; return where its data begin and end, counted from the first one's."""
        name = self.text()
        dimensions = self.take("<I")
        if dimensions > _MAX_DIMENSIONS:
            self.fail(f"has a tensor of {dimensions} dimensions")
        shape = [self.take("<Q") for _ in range(dimensions)]
        kind, offset = self.take("<I"), self.take("<Q")
        if kind not in _TENSOR_TYPES:
            self.fail(f"has a tensor of type {kind}, which this version does not know")
        block, length = _TENSOR_TYPES[kind]
        weights = prod(shape)
        if weights == 0:
            self.fail(f"has an empty tensor, {name[:64].decode(errors='replace')}")
        if offset % alignment or (shape and shape[0] % block):
            self.fail(f"has a misplaced tensor, {name[:64].decode(errors='replace')}")
        return offset, int(offset + weights // block * length)

    def fail(self, complaint: str, hint: str = _OTHER) -> NoReturn:
        """Give up on this file."""
        raise ModelFileError(f"{self.path} {complaint}", hint)
