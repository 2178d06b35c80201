"""Rows on their way into a store: in any order and of any number, given back sorted by id, each id once.

    with spooled(rows, path) as batch:
        len(batch), batch.ids      known without the rows
        for row in batch: ...      as often as needed

Up to MOST_HELD bytes of them are in memory. Whenever there are more, those so far are sorted and written to a
temporary file as a run, and what is given back is merged from all runs: an external merge sort. Only ids stay
in memory, 16 bytes a row.

The file has no name, or one that the system removes with it, and what is written to it is enciphered with a key
that exists in this process's memory only. So whatever ends the process, nothing is left that anyone could read,
and nothing has to be wiped. The cipher is the stream of SHAKE-256 of the key and the position, which is part of
Python; no position is written twice.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import chain, compress
from operator import itemgetter
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.errors import StoreAccessError
from edge_icl.example import ID_BYTES
from edge_icl.store import pages
from edge_icl.store.os_errors import UNCHANGED, access
from edge_icl.store.pages import Page, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Choose = Callable[[Row, Row], Row]
    """From two rows with one id, in the order in which they came, to the one that stays."""

MOST_HELD = 64 << 20
"""Bytes of rows in memory: 70,000 short texts with vectors of 384 components."""

PART = 1 << 18
"""Bytes of rows that are written and read at once. Of each run there is one such part in memory."""

OVERHEAD = 400
"""Bytes that Python takes for a row beside its text and its vector."""

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows sorted by id, each id once.

    Attributes:
        ids: u8[n, 16].
    """

    ids: NDArray[np.uint8]
    _rows: Callable[[], Iterable[Row]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Batch:
        """Return rows that are sorted and in memory."""
        return cls(
            np.frombuffer(b"".join([row.id for row in rows]), np.uint8).reshape(-1, ID_BYTES), lambda: rows
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows())

    def where(self, kept: NDArray[np.bool_]) -> Batch:
        """Return those rows for which `kept` is true."""
        if kept.all():
            return self
        chosen = kept.tobytes()
        return Batch(self.ids[kept], lambda: compress(self._rows(), chosen))


NOTHING = Batch.of([])


def latest(_earlier: Row, later: Row) -> Row:
    """Let the row stay that came last."""
    return later


@contextmanager
def spooled(rows: Iterable[Row], path: Path, *, choose: Choose = latest) -> Iterator[Batch]:
    """Give rows sorted by id, each id once, while the block runs.

    Args:
        rows: the rows; a batch is given as it is.
        path: the store's directory, which need not exist; the temporary file is on its disk where that can be.
        choose: which of two rows with one id stays.

    Raises:
        StoreAccessError: the operating system refused.
        InputError: together, few texts are longer than a page can hold.
    """
    if isinstance(rows, Batch):
        yield rows
        return
    with ExitStack() as opened:
        yield _sorted(rows, path, choose, opened)


def _sorted(rows: Iterable[Row], path: Path, choose: Choose, opened: ExitStack) -> Batch:
    """Return rows as a batch, which lasts until what is `opened` is closed."""
    held: dict[bytes, Row] = {}
    size = 0
    spool: _Spool | None = None
    for row in rows:
        known = held.get(row.id)
        held[row.id] = row if known is None else choose(known, row)
        size += len(row.text) + len(row.vector) + OVERHEAD
        if size > MOST_HELD:
            spool = spool or opened.enter_context(closing(_Spool(path)))
            spool.write(_in_order(held))
            held, size = {}, 0
    last = _in_order(held)
    if spool is None:
        return Batch.of(last)
    if last:
        spool.write(last)
    return Batch(spool.ids(), partial(spool.rows, choose))


def _in_order(held: dict[bytes, Row]) -> list[Row]:
    return [held[id] for id in sorted(held)]


class _Part(NamedTuple):
    """Where some rows are in the file.

    Attributes:
        start: of their bytes.
        size: of these.
        digest: of these, before they are enciphered.
    """

    start: int
    size: int
    digest: bytes


def _temporary(path: Path) -> IO[bytes]:
    """Return a temporary file, on the disk that the store is on if this user may make one there."""
    import tempfile  # takes longer to import than a small change takes in all

    try:
        return tempfile.TemporaryFile(dir=next(above for above in path.parents if above.exists()))
    except PermissionError:
        return tempfile.TemporaryFile()


class _Spool:
    """Runs of rows in a temporary file.

    Args:
        path: the store's directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with access(path, "changed"):
            self._file = _temporary(path)
        self._key = os.urandom(_KEY_BYTES)
        self._end = self._dimension = 0
        self._runs: list[list[_Part]] = []
        self._ids = bytearray()

    def close(self) -> None:
        """Give the disk space back."""
        with suppress(OSError):  # what could not be written before is of no use
            self._file.close()

    def write(self, rows: Sequence[Row]) -> None:
        """Write a run: at least one row, sorted by id, each id once.

        Raises:
            StoreAccessError: the operating system refused.
            InputError: the text of one is longer than a page can hold.
        """
        self._dimension = len(rows[0].vector)
        self._ids += b"".join([row.id for row in rows])
        self._runs.append([self._written(some) for some in _parts(rows)])

    def ids(self) -> NDArray[np.uint8]:
        """Return all ids u8[n, 16], sorted, each once."""
        every = np.frombuffer(self._ids, f"S{ID_BYTES}").copy()
        every.sort()
        first = np.ones(len(every), np.bool_)
        first[1:] = every[1:] != every[:-1]
        return every[first].view(np.uint8).reshape(-1, ID_BYTES)

    def rows(self, choose: Choose) -> Iterator[Row]:
        """Yield all rows, sorted by id, each id once.

        Raises:
            StoreAccessError: the operating system refused, or the disk gave other bytes than it was given.
        """
        held: Row | None = None
        for row in merge(
            *map(self._run, self._runs), key=itemgetter(0)
        ):  # of equals, the earlier run's is first
            if held is not None and held.id == row.id:
                held = choose(held, row)
                continue
            if held is not None:
                yield held
            held = row
        if held is not None:
            yield held

    def _run(self, parts: Sequence[_Part]) -> Iterator[Row]:
        """Yield the rows of a run."""
        return chain.from_iterable(self._read(part).rows() for part in parts)

    def _written(self, rows: Sequence[Row]) -> _Part:
        """Write some rows to the end of the file, and return where they are."""
        data = pages.encode(Page.of(rows))
        part = _Part(self._end, len(data), _digest(data))
        with access(self._path, "changed"):
            self._file.seek(part.start)
            self._file.write(self._enciphered(part.start, data))
        self._end += part.size
        return part

    def _read(self, part: _Part) -> Page:
        """Return rows that were written."""
        with access(self._path, "changed"):
            self._file.seek(part.start)
            data = self._enciphered(part.start, self._file.read(part.size))
        if _digest(data) != part.digest:
            raise StoreAccessError(f"a temporary file beside {self._path} is not what was written", UNCHANGED)
        return pages.decode(data, self._dimension)

    def _enciphered(self, start: int, data: bytes) -> bytes:
        """Encipher the bytes for a position of the file, or decipher those that are there."""
        stream = hashlib.shake_256(self._key + start.to_bytes(8)).digest(len(data))
        return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8)).tobytes()


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut rows into parts of about PART bytes."""
    start = size = 0
    for i, row in enumerate(rows):
        size += len(row.text) + len(row.vector)
        if size >= PART:
            yield rows[start : i + 1]
            start, size = i + 1, 0
    if start < len(rows):
        yield rows[start:]


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
