"""A page: at most PAGE_MAX examples as canonical bytes, one safetensors file (docs/format.md, "page").

    ids      u8[n, 16]   sorted
    vectors  i8[n, d]
    offsets  u32[n + 1]  where each example's text begins in `text`
    text     u8          the canonical JSON of each example, one after another

Equal sets of rows give equal bytes. They are those that safetensors writes today, which a test compares; no
later release of it can change them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from edge_icl.cluster.points import Points
from edge_icl.errors import InputError, StoreDamagedError
from edge_icl.example import ID_BYTES, Example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")

COUNTS = re.compile(rb'"ids":\{"dtype":"U8","shape":\[([0-9]+),.*"text":\{"dtype":"U8","shape":\[([0-9]+)\]')
LONGEST_HEADER = 512

LONGEST_TEXT = (1 << 31) - (1 << 24)
"""Bytes of text in one page: with ids, vectors and offsets it is a file that can be read again, whose bytes are
fewer than `entries.MOST_BYTES`."""


class Row(NamedTuple):
    """One example as a page holds it.

    Attributes:
        id: 16 bytes.
        vector: i8[d].
        text: its canonical JSON.
    """

    id: bytes
    vector: NDArray[np.int8]
    text: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, as columns.

    Attributes:
        ids: u8[n, 16], sorted.
        vectors: i8[n, d].
        offsets: u32[n + 1].
        text: the examples' canonical JSON, one after another.
    """

    ids: NDArray[np.uint8]
    vectors: NDArray[np.int8]
    offsets: NDArray[np.uint32]
    text: bytes

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Page:
        """Lay out rows, at least one and sorted by id, as columns.

        Raises:
            InputError: together their texts are longer than a page can hold.
        """
        ids, vectors, texts = zip(*rows, strict=True)
        return cls(
            ids=np.frombuffer(b"".join(ids), np.uint8).reshape(-1, ID_BYTES),
            vectors=np.concatenate(vectors).reshape(len(vectors), -1),  # a third of the time of np.stack
            offsets=_ends([len(text) for text in texts]),
            text=b"".join(texts),
        )

    @classmethod
    def joined(cls, pages: Sequence[Page], dimension: int) -> Page:
        """Return the rows of pages, one page after another; none, with vectors of this dimension, of no pages.

        Raises:
            InputError: together their texts are longer than a page can hold.
        """
        if len(pages) == 1:
            return pages[0]
        return cls(
            ids=np.concatenate([np.empty((0, ID_BYTES), np.uint8), *(page.ids for page in pages)]),
            vectors=np.concatenate([np.empty((0, dimension), np.int8), *(page.vectors for page in pages)]),
            offsets=_ends([size for page in pages for size in np.diff(page.offsets).tolist()]),
            text=b"".join([page.text for page in pages]),
        )

    def where(self, kept: NDArray[np.bool_]) -> Page:
        """Return the rows for which `kept` is true."""
        if kept.all():
            return self
        # Rows that stay side by side are copied together: a forget leaves two pieces of a page.
        turns = np.flatnonzero(np.diff(kept, prepend=False, append=False))
        ends = self.offsets[turns].tolist()
        return Page(
            ids=self.ids[kept],
            vectors=self.vectors[kept],
            offsets=_ends(np.diff(self.offsets)[kept]),
            text=b"".join([self.text[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True)]),
        )

    def part(self, start: int, stop: int) -> Page:
        """Return the rows from `start` to before `stop`."""
        offsets = self.offsets[start : stop + 1]
        return Page(
            ids=self.ids[start:stop],
            vectors=self.vectors[start:stop],
            offsets=offsets - offsets[0],
            text=self.text[offsets[0] : offsets[-1]],
        )

    def merged(self, rows: Sequence[Row]) -> Page:
        """Return its rows and others, whose ids it does not have, sorted by id.

        Raises:
            InputError: together their texts are longer than a page can hold.
        """
        if not rows:
            return self
        new = Page.of(rows)
        if not len(self):
            return new
        ids = np.concatenate([self.ids, new.ids])
        order = np.argsort(ids.view(f"S{ID_BYTES}").ravel())
        texts = [*self.texts(), *new.texts()]
        ordered = [texts[i] for i in order.tolist()]
        return Page(
            ids=ids[order],
            vectors=np.concatenate([self.vectors, new.vectors])[order],
            offsets=_ends([len(text) for text in ordered]),
            text=b"".join(ordered),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def points(self) -> Points:
        """Return the page as the clustering sees it."""
        return Points(self.ids, self.vectors)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of the ids."""
        return map(Row, self.example_ids(), self.vectors, self.texts())

    def example_ids(self) -> list[bytes]:
        """Return the ids as bytes, sorted."""
        packed = self.ids.tobytes()
        return [packed[i : i + ID_BYTES] for i in range(0, len(packed), ID_BYTES)]

    def ascends(self) -> bool:
        """Tell whether its ids are sorted, each once."""
        column = self.ids.view(f"S{ID_BYTES}")
        return bool((column[1:] > column[:-1]).all())

    def texts(self) -> Iterator[bytes]:
        """Yield the canonical JSON of each example in the order of the ids."""
        return (self.text[a:b] for a, b in pairwise(self.offsets.tolist()))

    def find(self, example_id: bytes) -> int | None:
        """Return the row of an id, or None if the page does not hold it."""
        i = bisect_left(range(len(self)), example_id, key=lambda row: self.ids[row].tobytes())
        return i if i < len(self) and self.ids[i].tobytes() == example_id else None

    def text_of(self, i: int) -> bytes:
        """Return the canonical JSON of the i-th example."""
        return self.text[self.offsets[i] : self.offsets[i + 1]]

    def example(self, i: int) -> Example:
        """Return the i-th example.

        Raises:
            StoreDamagedError: its text is not that of an example.
        """
        return _read([self.text_of(i)])[0]

    def examples(self) -> Iterator[tuple[bytes, Example]]:
        """Return an iterator over all ids and examples in the order of the ids.

        Raises:
            StoreDamagedError: a text is not that of an example.
        """
        return zip(self.example_ids(), _read(list(self.texts())), strict=True)

    def outputs(self) -> list[str]:
        """Return the outputs of the examples in the order of the ids; equal ones are one object.

        Raises:
            StoreDamagedError: a text is not that of an example.
        """
        return _unchanged(Example.outputs_from_canonical, self.texts())


def _ends(sizes: Sequence[int] | NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return where texts of these sizes begin and end, one after another.

    Raises:
        InputError: together they are longer than a page can hold.
    """
    offsets = np.zeros(len(sizes) + 1, np.uint32)
    size = int(np.sum(sizes, dtype=np.int64))
    if size > LONGEST_TEXT:
        raise InputError(
            f"{len(sizes)} examples have {size:,} bytes of text and a page holds {LONGEST_TEXT:,}",
            "make inputs, outputs, tags or sources shorter",
        )
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def among(held: NDArray[np.uint8], ids: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell of ids u8[m, 16] which of them are among sorted ones u8[n, 16]."""
    if not len(held):
        return np.zeros(len(ids), np.bool_)
    column, wanted = (every.view(f"S{ID_BYTES}").ravel() for every in (held, ids))
    places = np.minimum(np.searchsorted(column, wanted), len(column) - 1)
    return np.asarray(column[places] == wanted)


def _read(texts: Sequence[bytes]) -> list[Example]:
    """Return the examples in these texts."""
    return _unchanged(Example.all_from_canonical, texts)


def _unchanged(read: Callable[[Iterable[bytes]], list[T]], texts: Iterable[bytes]) -> list[T]:
    """Read texts, of which the digest of their page says that they are unchanged."""
    try:
        return read(texts)
    except ValueError as error:
        hint = "find it with `edge-icl verify`"
        raise StoreDamagedError("a page holds a text that is not an example", hint) from error


def encode(page: Page) -> bytes:
    """Return the bytes of the page's file.

    Not through safetensors, which copies every column twice.
    """
    header, _ = _layout(len(page), page.vectors.shape[1], len(page.text))
    return b"".join([header, page.offsets.tobytes(), page.vectors.tobytes(), page.ids.tobytes(), page.text])


def decode(data: bytes, dimension: int) -> Page:
    """Read what `encode` wrote; ids and vectors are views of `data`.

    Not through safetensors, which copies every column and accepts them in any order: here the header has to be
    the one that `encode` writes.

    Raises:
        ValueError: these are not the bytes of a page with vectors of this dimension.
    """
    counts = COUNTS.search(data, 0, LONGEST_HEADER)
    if counts is None:
        raise ValueError("not a page")
    n, size = map(int, counts.groups())
    header, ends = _layout(n, dimension, size)
    if not data.startswith(header) or len(data) != ends[-1]:
        raise ValueError("not the columns of a page")
    offsets = np.frombuffer(data, np.uint32, n + 1, len(header)).copy()
    if offsets[0] != 0 or offsets[-1] != size or (offsets[1:] <= offsets[:-1]).any():
        raise ValueError("the page's offsets do not follow its text")
    return Page(
        ids=np.frombuffer(data, np.uint8, n * ID_BYTES, ends[1]).reshape(n, ID_BYTES),
        vectors=np.frombuffer(data, np.int8, n * dimension, ends[0]).reshape(n, dimension),
        offsets=offsets,
        text=data[ends[2] :],
    )


def _layout(n: int, dimension: int, size: int) -> tuple[bytes, tuple[int, int, int, int]]:
    """Return the header that safetensors writes for n rows with `size` bytes of text, and where columns end."""
    a, b, c, d = accumulate((4 * (n + 1), n * dimension, n * ID_BYTES, size))
    text = (
        f'{{"offsets":{{"dtype":"U32","shape":[{n + 1}],"data_offsets":[0,{a}]}},'
        f'"vectors":{{"dtype":"I8","shape":[{n},{dimension}],"data_offsets":[{a},{b}]}},'
        f'"ids":{{"dtype":"U8","shape":[{n},{ID_BYTES}],"data_offsets":[{b},{c}]}},'
        f'"text":{{"dtype":"U8","shape":[{size}],"data_offsets":[{c},{d}]}}}}'
    ).encode()
    text += b" " * (-len(text) % 8)
    header = len(text).to_bytes(8, "little") + text
    start = len(header)
    return header, (start + a, start + b, start + c, start + d)
