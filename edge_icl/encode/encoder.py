"""From texts to vectors: one network, or several side by side.

    >>> encoder = Encoder([Network(graph, tokenizer, EncoderSettings(384, 400, 256))])
    >>> encoder.encode(["Uber to the airport"]).shape
    (1, 384)

**A text's vector is a function of the text alone, bit for bit.** Dynamic quantization takes one activation
scale for a whole batch, so in a batch a text would leave its trace in its neighbours' vectors, and forgetting
it would not be forgetting it. So every text runs alone. Parallel single-threaded runs also give more texts a
second than batches do, because nothing is padded and no thread waits for another.
"""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.encode.network import LoadedNetwork
from edge_icl.encode.tokens import Reading
from edge_icl.runtime import fork, interruptible
from edge_icl.runtime.cores import usable_cpus
from edge_icl.runtime.progress import Progress, silent
from edge_icl.runtime.threads import each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.encode.settings import Network

_CHUNK = 16  # texts a worker takes at most at a time: enough to cost little, few enough to be interrupted
_CHUNKS = 4  # chunks a worker takes at least where there are enough texts, so that all end together
_READ = 256  # texts that are tokenized at a time


class Encoder:
    """A sentence encoder. Loads at `load` or the first `encode`; safe to use from several threads.

    Args:
        networks: one, or several whose vectors are put one after another.
        threads: how many texts run at a time; None for one a usable core.
    """

    def __init__(self, networks: Sequence[Network], *, threads: int | None = None) -> None:
        self.threads = threads if threads is not None else usable_cpus()
        self._networks = tuple(networks)
        ends = accumulate(network.settings.dimension for network in self._networks)
        self._columns = [slice(start, end) for start, end in pairwise([0, *ends])]
        self._lock = threading.Lock()
        self._loaded: tuple[LoadedNetwork, ...] | None = None
        fork.renewed(self)

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self._columns[-1].stop)

    def renew(self) -> None:
        """Begin again in a forked process, with files that are loaded there."""
        fork.leave(self._loaded)
        self._lock = threading.Lock()
        self._loaded = None

    def encode(self, texts: Sequence[str], *, progress: Progress = silent) -> NDArray[np.int8]:
        """Return one vector a text: int8 [texts, dimension], round(scale * (x - centre)) in [-127, 127].

        Args:
            texts: in any order and number; a vector depends on its own text alone.
            progress: called from this thread, stage "embed".

        Raises:
            ModelFileError: a graph or a tokenizer is missing, damaged or not an encoder, or gives NaN.
        """
        networks = self.load()
        vectors = np.empty((len(texts), self.dimension), np.int8)
        size = max(1, min(_CHUNK, len(texts) // (_CHUNKS * self.threads)))
        # A chunk goes through all networks at about the same time, so that one question takes no longer than
        # the slowest of them.
        parts = [(start, i) for start in range(0, len(texts), size) for i in range(len(networks))]

        def work(part: tuple[int, int]) -> int:
            start, i = part
            chunk = texts[start : start + size]
            vectors[start : start + size, self._columns[i]] = networks[i].vectors(chunk)
            return len(chunk) if i == 0 else 0

        progress("embed", 0, len(texts))
        done = 0
        with closing(each(work, parts, chunk=1, threads=self.threads)) as embedded:
            for count in embedded:
                done += count
                progress("embed", done, len(texts))
        return vectors

    def readings(self, texts: Sequence[str], *, progress: Progress = silent) -> list[Reading]:
        """Return how much of each text is read, by the network that reads most of it; no vector is made.

        Args:
            texts: in any order and number.
            progress: called from this thread, stage "read".

        Raises:
            ModelFileError: a graph or a tokenizer is missing, damaged or not an encoder.
        """
        networks = self.load()
        found: list[Reading] = []

        def work(start: int) -> list[Reading]:
            some = texts[start : start + _READ]
            several = zip(*(network.readings(some) for network in networks), strict=True)
            return [Reading(any(one.known for one in own), all(one.cut for one in own)) for own in several]

        progress("read", 0, len(texts))
        with closing(each(work, range(0, len(texts), _READ), chunk=1, threads=self.threads)) as read:
            for some in read:
                found += some
                progress("read", len(found), len(texts))
        return found

    def check(self) -> None:
        """Make sure that it gives a vector for texts of every kind and length, and knows all its tokens.

        Raises:
            ModelFileError: it does not, or puts no tokens before and after a text.
        """
        for network in self.load():
            network.check()

    def close(self) -> None:
        """Give the memory back. Calling it again does nothing; `encode` loads again."""
        with self._lock:
            self._loaded = None

    def load(self) -> tuple[LoadedNetwork, ...]:
        """Return the networks, loading them the first time.

        Raises:
            ModelFileError: a graph or a tokenizer is missing, damaged or not an encoder.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = interruptible.run(self._load_all)
            return self._loaded

    def _load_all(self) -> tuple[LoadedNetwork, ...]:
        """Load the networks at the same time."""
        return tuple(each(LoadedNetwork, self._networks, chunk=1, threads=len(self._networks)))
