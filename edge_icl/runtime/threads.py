"""Work on many things of a store by several threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from edge_icl.runtime.cores import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

T = TypeVar("T")
U = TypeVar("U")

CHUNK = 32
"""Pages that a thread reads at a time: 4 MB at most, a few milliseconds."""

MOST_THREADS = 4
"""More would wait for Python's lock."""


def each(work: Callable[[U], T], items: Sequence[U], *, chunk: int = CHUNK, fewest: int = 1) -> Iterator[T]:
    """Yield work(item) for every item, in their order; done by several threads if there are many.

    The threads are only a few chunks ahead of whoever takes the results, so that those need no memory.

    Args:
        work: called from any of the threads.
        items: what for.
        chunk: items that a thread takes at a time.
        fewest: chunks for each thread at least; one thread is enough for less.
    """

    def some(start: int) -> list[T]:
        return [work(item) for item in items[start : start + chunk]]

    starts = range(0, len(items), chunk)
    threads = min(len(starts) // fewest, MOST_THREADS)
    if threads < 2 or (threads := min(threads, usable_cpus())) < 2:  # noqa: PLR2004 - two are the first that help
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads, "edge-icl-read") as pool:
        try:
            ahead: deque[Future[list[T]]] = deque()
            for start in starts:
                ahead.append(pool.submit(some, start))
                if len(ahead) > 2 * threads:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        except BaseException:  # damage or Ctrl-C: leave after the chunks at hand
            pool.shutdown(wait=False, cancel_futures=True)
            raise
