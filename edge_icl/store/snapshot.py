"""One state of a store: a manifest and the files that it names, read when asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import chain
from string import hexdigits
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edge_icl.cluster import record
from edge_icl.cluster.points import BLOCK
from edge_icl.errors import AmbiguousIdError, ExampleNotFoundError
from edge_icl.example import ID_BYTES
from edge_icl.runtime.threads import each
from edge_icl.store.consistency import wrong_in_clustering
from edge_icl.store.manifest import clustering_file
from edge_icl.store.page_cache import damage_in
from edge_icl.store.pages import among
from edge_icl.store.trie import ID_BITS, Leaf, Numbers, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_icl.cluster.kmeans import Clustering
    from edge_icl.cluster.points import Points
    from edge_icl.example import Example
    from edge_icl.store.manifest import Manifest
    from edge_icl.store.page_cache import PageCache
    from edge_icl.store.pages import Page
    from edge_icl.store.settings import Settings

T = TypeVar("T")

SHORTEST_ID = 8
"""Hex digits of an id that are shown at least, as in git."""

MOST_NAMED = 3
"""Ids that are named at most where the beginning of an id fits several."""


class Snapshot:
    """One state of a store: a manifest and the files that it names, read when asked for.

    Args:
        page_cache: the pages that are in memory, and the reading of others.
        settings: the store's.
        data: the bytes of the manifest.
        manifest: what they say.
        clustering: the clustering of this state, if that is known.

    Attributes:
        page_cache: as given.
        settings: the store's.
        data: the bytes of the manifest.
        manifest: what the store held.
        root: the keyed digest of the manifest, in hex.
    """

    def __init__(
        self,
        page_cache: PageCache,
        settings: Settings,
        data: bytes,
        manifest: Manifest,
        *,
        clustering: Clustering | None = None,
    ) -> None:
        if clustering is not None:
            self.__dict__["clustering"] = clustering  # where `cached_property` keeps it
        self.settings = settings
        self.data = data
        self.manifest = manifest
        self.root = settings.digest(data)
        self.page_cache = page_cache

    def load(self) -> list[Page]:
        """Return all pages in the order of their ids, those that are not in memory read several at a time."""
        return list(each(self.page_cache.page, self._leaves()))

    def pages(self) -> Iterator[Page]:
        """Yield all pages in the order of their ids, each read when it is asked for."""
        return map(self.page_cache.page, self._leaves())

    def visit(self, work: Callable[[Page], T]) -> list[T]:
        """Return work(page) for all pages in the order of their ids; it runs on several threads.

        Pages that were not in memory do not stay there.
        """
        return list(each(lambda leaf: work(self.page_cache.peek(leaf)), self._leaves()))

    def holds(self, test: Callable[[Page], bool]) -> bool:
        """Tell whether test(page) is true of a page, in the order of their ids; those after it are not read.

        Pages that were not in memory do not stay there.
        """
        return any(test(self.page_cache.peek(leaf)) for leaf in self._leaves())

    @cached_property
    def clustering(self) -> Clustering:
        """The clustering of this state."""
        name = clustering_file(self.manifest.clustering)
        data = self.page_cache.read(name, self.manifest.clustering)
        with damage_in(name):
            clustering = record.decode(data, self.settings.clustering())
            if wrong := wrong_in_clustering(clustering, self.manifest.count):
                raise ValueError(wrong)
        return clustering

    def points(self) -> Points:
        """Return all ids and vectors, sorted by id."""
        return self.page_cache.points(self._leaves())

    def examples(self) -> Iterator[tuple[bytes, Example]]:
        """Yield all ids and examples in the order of the ids."""
        for page in self.pages():
            yield from page.examples()

    def ids(self) -> list[bytes]:
        """Return all ids, sorted."""
        return [*chain.from_iterable(page.example_ids() for page in self.pages())]

    def packed_ids(self) -> NDArray[np.uint8]:
        """Return all ids u8[n, 16], sorted; reads every page."""
        packed = b"".join(self.visit(lambda page: page.ids.tobytes()))
        return np.frombuffer(packed, np.uint8).reshape(-1, ID_BYTES)

    def locate(self, example_id: bytes) -> tuple[Page, int] | None:
        """Return the page and the row of an id, or None if no example has it; reads one page."""
        leaf = self.manifest.trie.leaf_of(int.from_bytes(example_id))
        if leaf is None:
            return None
        page = self.page_cache.page(leaf)
        i = page.find(example_id)
        return None if i is None else (page, i)

    def among(self, ids: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell of sorted ids u8[n, 16] which of them the store holds; reads the pages that they belong to.

        Of many ids the pages that were not in memory do not stay there.
        """
        numbers, trie = Numbers(ids.tobytes()), self.manifest.trie
        read = self.page_cache.page if len(ids) <= BLOCK else self.page_cache.peek
        found = np.zeros(len(ids), np.bool_)
        start = 0
        while start < len(ids) and (leaf := trie.first_from(numbers[start])):
            low, high = span(leaf.path)
            first = bisect_left(numbers, low, start)
            start = bisect_left(numbers, high, first)
            if first < start:
                found[first:start] = among(read(leaf).ids, ids[first:start])
        return found

    def known(self, ids: Iterable[bytes]) -> set[bytes]:
        """Return those of some ids that examples have."""
        return {id for id in ids if self.locate(id) is not None}

    def row(self, example_id: bytes) -> tuple[Page, int]:
        """Return the page and the row of an id.

        Raises:
            ExampleNotFoundError: no example has it.
        """
        found = self.locate(example_id)
        if found is None:
            self._check_clustering()
            raise _not_found(example_id.hex())
        return found

    def resolve(self, beginning: str) -> bytes:
        """Return the id that begins with these hex digits.

        Raises:
            ExampleNotFoundError: no id does, or these are not hex digits.
            AmbiguousIdError: several ids do.
        """
        digits = as_digits(beginning)
        if digits is None:
            raise _not_found(beginning)
        matches = self.beginning(digits)
        if len(matches) > 1:
            shown = ", ".join(map(self.short, matches[:MOST_NAMED]))
            more = ", …" if len(matches) > MOST_NAMED else ""
            raise AmbiguousIdError(
                f"the ids of {len(matches)} examples begin with {digits} ({shown}{more})", "give more digits"
            )
        if not matches:
            self._check_clustering()
            raise _not_found(beginning)
        return matches[0]

    def beginning(self, digits: str) -> list[bytes]:
        """Return the ids that begin with these hex digits, sorted; reads only their pages."""
        rest = ID_BITS - 4 * len(digits)
        low = int(digits or "0", 16) << rest
        high = low + (1 << rest)
        first, last = low.to_bytes(ID_BYTES), (high - 1).to_bytes(ID_BYTES)
        found: list[bytes] = []
        for leaf in self.manifest.trie.below(low, high):
            ids = self.page_cache.page(leaf).example_ids()
            found += ids[bisect_left(ids, first) : bisect_right(ids, last)]
        return found

    def _leaves(self) -> Sequence[Leaf]:
        """Return all leaves; if there are none, the clustering is checked first."""
        if not self.manifest.pages:
            self._check_clustering()
        return self.manifest.pages

    def _check_clustering(self) -> None:
        """Read the clustering, before saying that something is not there.

        Every page that was read confirms the manifest that names it. Where no page was read, an old or a
        foreign manifest could be taken for the store's own; but then the clustering that it names is missing.
        """
        _ = self.clustering

    def short(self, example_id: bytes) -> str:
        """Return the short id: its first digits, 8 at least, that no other id of the store begins with."""
        leaf = self.manifest.trie.leaf_of(int.from_bytes(example_id))
        ids = self.page_cache.page(leaf).example_ids() if leaf else []
        i = ids.index(example_id)
        beside = (other for other in ids[max(i - 1, 0) : i + 2] if other != example_id)
        shared = max((_shared_digits(example_id, other) for other in beside), default=0)
        outside = -(-len(leaf.path) // 4) if leaf else 0  # ids of other pages differ in these digits
        return example_id.hex()[: max(SHORTEST_ID, shared + 1, outside)]


def as_digits(text: str) -> str | None:
    """Return the hex digits of what may be an id, or the beginning of one; None if it can be neither."""
    digits = text.strip().lower()
    return digits if 0 < len(digits) <= 2 * ID_BYTES and not set(digits) - set("0123456789abcdef") else None


def _not_found(digits: str) -> ExampleNotFoundError:
    hint = "`edge-icl list` shows the ids"
    if not all(digit in hexdigits for digit in digits) or not 0 < len(digits) <= 2 * ID_BYTES:
        hint = f"an id is up to 32 hex digits: {hint}, and `edge-icl search TEXT` finds the example of a text"
    return ExampleNotFoundError(f"no example has the id {digits or repr(digits)}", hint)


def _shared_digits(one: bytes, other: bytes) -> int:
    """Return how many hex digits two ids share at their beginning."""
    return next(i for i, (a, b) in enumerate(zip(one.hex(), other.hex(), strict=True)) if a != b)
