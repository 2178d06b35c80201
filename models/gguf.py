"""Is this file a whole GGUF? A reader of its header, and nothing of its weights.

    >>> check(Path("model.gguf"))        # returns: llama.cpp may be given this file

llama.cpp takes a truncated file until it touches the missing pages, and its own complaint goes to stderr. The
`gguf` package decodes every string of the vocabulary to Python objects, which takes seconds; skipping over
them takes some 10 ms for 49,000 tokens.

The file may be anything at all: every length and count in it is held against the bytes that are left before
it is believed, so no header can ask for much memory or time.
"""

from __future__ import annotations

import mmap
import struct
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

from edge_icl.errors import ModelFileError

if TYPE_CHECKING:
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

_UINT32, _STRING, _ARRAY = 4, 8, 9
# Metadata type -> bytes: u8 i8 u16 i16 u32 i32 f32 bool, then u64 i64 f64.
_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

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


def check(path: Path) -> None:
    """Make sure that a file is a GGUF of a version that llama.cpp reads, and is all there.

    Raises:
        ModelFileError: it cannot be read, is no GGUF, is of another version, or is truncated or inconsistent.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelFileError(
                    f"{path} is not a GGUF file", "give the path of a model that llama.cpp can read"
                )
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _Header(path, data).check()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error


class _Header:
    """A position in the file, and what has been learnt on the way there."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self.data = data
        self.size = len(data)
        self.at = 4
        self.alignment = _ALIGNMENT

    def check(self) -> None:
        """Walk the whole header, then hold every tensor against the file's size."""
        version = self.take("<I")
        if version not in _VERSIONS:
            self.fail(f"is GGUF version {version}, and only 2 and 3 are supported")
        tensors, pairs = self.take("<Q"), self.take("<Q")
        if tensors > _MAX_TENSORS or pairs > _MAX_PAIRS:
            self.fail(f"claims {tensors} tensors and {pairs} metadata pairs, which no model has")
        for _ in range(pairs):
            self.skip_pair()
        ends = [self.tensor_end() for _ in range(tensors)]
        if not ends:
            self.fail("holds no tensors")
        end = -(-self.at // self.alignment) * self.alignment + max(ends)
        if end > self.size:
            self.fail(f"is truncated: it has {self.size} bytes, and its tensors end at {end}")

    def take(self, layout: str) -> Any:
        """Read one number and step over it."""
        at = self.at
        self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, at)[0]

    def skip(self, count: int) -> None:
        """Step over bytes that must be there."""
        if count > self.size - self.at:
            self.fail("is truncated inside its header")
        self.at += count

    def text(self) -> bytes:
        """Read a key or a tensor's name."""
        length = self.take("<Q")
        at = self.at
        self.skip(length)
        if length > _MAX_NAME:
            self.fail(f"has a name of {length} bytes")
        return self.data[at : self.at]

    def skip_pair(self) -> None:
        """Step over one key and its value; the alignment of tensors is the only value of interest."""
        key, kind = self.text(), self.take("<I")
        if key == b"general.alignment" and kind == _UINT32:
            self.alignment = self.take("<I")
            if self.alignment == 0 or self.alignment % 8:
                self.fail(f"asks for an alignment of {self.alignment} bytes")
        elif kind == _STRING:
            self.skip_strings(1)
        elif kind == _ARRAY:
            self.skip_array()
        elif kind in _SCALARS:
            self.skip(_SCALARS[kind])
        else:
            self.fail(f"has a metadata value of unknown type {kind}")

    def skip_array(self) -> None:
        """Step over an array; llama.cpp knows none inside another."""
        kind, count = self.take("<I"), self.take("<Q")
        if kind == _STRING:
            self.skip_strings(count)
        elif kind in _SCALARS:
            self.skip(count * _SCALARS[kind])
        else:
            self.fail(f"has an array of unknown type {kind}")

    def skip_strings(self, count: int) -> None:
        """Step over strings: the loop that a vocabulary spends its time in, hence the local names."""
        if count > min(_MAX_STRINGS, (self.size - self.at) // 8):
            self.fail("is truncated inside its header")
        data, size, at = self.data, self.size, self.at
        unpack = struct.Struct("<Q").unpack_from
        for _ in range(count):
            if at + 8 > size:
                self.fail("is truncated inside its header")
            at += 8 + unpack(data, at)[0]
        self.at = min(at, size)
        self.skip(at - self.at)

    def tensor_end(self) -> int:
        """Read one tensor's description; return where its data ends, counted from the first tensor's."""
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
        if offset % self.alignment or (shape and shape[0] % block):
            self.fail(f"has a misplaced tensor, {name[:64].decode(errors='replace')}")
        return int(offset + weights // block * length)

    def fail(self, complaint: str) -> NoReturn:
        """Give up on this file."""
        raise ModelFileError(f"{self.path} {complaint}", "fetch or copy it again")
