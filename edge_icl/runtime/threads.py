"""The one way to work on many things with several threads: pages, texts to embed, parts of a search."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from edge_icl.runtime.cores import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from concurrent.futures import Future

T = TypeVar("T")
U = TypeVar("U")

CHUNK = 32
"""Pages that a thread reads at a time: 4 MB at most, a few milliseconds."""

MOST_THREADS = 4
"""More would wait for Python's lock; and so many cores read as fast as most machines' memory gives."""

_FEWEST_THREADS = 2
"""The first number of threads that is faster than the thread that calls."""


def each(
    work: Callable[[U], T],
    items: Sequence[U],
    *,
    chunk: int = CHUNK,
    fewest: int = 1,
    threads: int | None = None,
) -> Generator[T, None, None]:
    """Yield work(item) for every item, in their order; several threads do it if there are many items.

    The threads are only a few chunks ahead of the caller who takes the results, so results need little memory.
    Where the work fails, or the caller stops early, no thread begins another chunk.

    Args:
        work: called from any of the threads.
        items: what to work on.
        chunk: how many items a thread takes at a time.
        fewest: each thread gets at least so many chunks; for fewer, one thread is enough.
        threads: exactly so many, if there are as many chunks; None for one a usable processor, up to
            MOST_THREADS.
    """

    def some(start: int) -> list[T]:
        return [work(item) for item in items[start : start + chunk]]

    starts = range(0, len(items), chunk)
    threads = _enough(len(starts) // fewest) if threads is None else min(threads, len(starts))
    if threads < _FEWEST_THREADS:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads, "edge-icl-each") as pool:
        try:
            ahead: deque[Future[list[T]]] = deque()
            for start in starts:
                ahead.append(pool.submit(some, start))
                if len(ahead) > 2 * threads:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        except BaseException:  # damage or Ctrl-C: end after the chunks that are being worked on
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _enough(wanted: int) -> int:
    """Return how many threads to start where so many would have enough to do."""
    most = min(wanted, MOST_THREADS)
    return most if most < _FEWEST_THREADS else min(most, usable_cpus())
