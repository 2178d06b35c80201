"""Exact search over int8 vectors, against the speed of memory and against what a user would take instead.

    pip install -r benchmarks/requirements.txt
    python benchmarks/searching.py [--examples 1000000] [--rounds 25] [--beside 10000 100000 1000000]
    python benchmarks/searching.py --examples 10000000 --beside 10000000     # 9 GB of memory

Memory's read bandwidth is that of numpy's sum or maximum of a float64 array larger than any cache, whichever is
the faster here, by as many threads: by one, by as many as search takes, and by one a core. "One thread" is one
processor for the whole process, so that nobody can take another.

The others search the same vectors for the nearest ten. Recall is against the exact answer, the greatest
products of the int8 vectors; the questions are stored vectors with noise, and every round asks the next one.
Each is also given as a share of memory's speed, as if it read every int8 component once: what fits into a
cache, or looks at few vectors only, may be above one. Of more than a million only what holds them in int8 is
measured.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from support.bars import Bar, ratio, table, turns
from support.common import interval, show
from support.synthetic import DIMENSION, vectors

from edge_icl.cluster.points import Points
from edge_icl.runtime.cores import usable_cpus
from edge_icl.runtime.threads import MOST_THREADS
from edge_icl.search.similarity import search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Search = Callable[[NDArray[np.int8]], object]
    """Returns the positions of the nearest ten of a vector, with as many threads as `usable_cpus`."""

NEAREST = 10
QUESTIONS = 20
MEMORY_BYTES = 400 << 20
PIECE = 50_000
SIZES = (10_000, 100_000, 1_000_000)
MOST_OF_A_GRAPH = 100_000
"""A graph of a million takes longer to build than all else here."""

MOST_IN_FULL = 1_000_000
"""More in float32, or in a database that is filled row by row, would take 15 GB or half an hour."""

EFFORTS = (16, 256)
"""How many candidates faiss's HNSW keeps: its default, and enough for good recall on easier vectors."""


@contextmanager
def processors(count: int) -> Iterator[None]:
    """Let this thread, and those that it starts, run on so many processors only."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def thread_counts() -> list[int]:
    """Return one, as many as search takes, and one a core, which may be more."""
    return sorted({1, min(usable_cpus(), MOST_THREADS), usable_cpus()})


def ours(held: NDArray[np.int8]) -> dict[str, Search]:
    points = Points(np.zeros((len(held), 16), np.uint8), held)
    return {"edge-icl, exact int8": lambda asked: search(points, asked, NEAREST)}


def add(index: Any, held: NDArray[np.int8]) -> Any:
    """Give a faiss index the vectors as float32, a piece at a time."""
    index.train(held[:PIECE].astype(np.float32))
    for start in range(0, len(held), PIECE):
        index.add(held[start : start + PIECE].astype(np.float32))
    return index


def faiss_search(index: Any, **options: int) -> Search:
    faiss = import_module("faiss")

    def found(asked: NDArray[np.int8]) -> object:
        faiss.omp_set_num_threads(usable_cpus())
        for name, value in options.items():
            setattr(index.hnsw, name, value)
        return index.search(asked[None].astype(np.float32), NEAREST)[1][0]

    return found


def flat(held: NDArray[np.int8]) -> dict[str, Search]:
    exact = add(import_module("faiss").IndexFlatIP(DIMENSION), held)
    return {"faiss, flat float32": faiss_search(exact)}


def flat_int8(held: NDArray[np.int8]) -> dict[str, Search]:
    faiss = import_module("faiss")
    kind = faiss.ScalarQuantizer.QT_8bit_direct_signed
    small = add(faiss.IndexScalarQuantizer(DIMENSION, kind, faiss.METRIC_INNER_PRODUCT), held)
    return {"faiss, flat int8": faiss_search(small)}


def graph(held: NDArray[np.int8]) -> dict[str, Search]:
    faiss = import_module("faiss")
    faiss.omp_set_num_threads(usable_cpus())
    index = add(faiss.IndexHNSWFlat(DIMENSION, 32, faiss.METRIC_INNER_PRODUCT), held)
    return {f"faiss, HNSW, efSearch {ef}": faiss_search(index, efSearch=ef) for ef in EFFORTS}


def usearch(held: NDArray[np.int8]) -> dict[str, Search]:
    found = import_module("usearch.index")

    def nearest(asked: NDArray[np.int8]) -> object:
        return found.search(held, asked, NEAREST, "ip", exact=True, threads=usable_cpus()).keys

    return {"usearch, exact int8": nearest}


def sqlite(held: NDArray[np.int8]) -> dict[str, Search]:
    """In memory, by squared distances: less time than its cosines, and the vectors have nearly one length."""
    connection = import_module("apsw").Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(import_module("sqlite_vec").loadable_path())
    connection.execute(f"CREATE VIRTUAL TABLE held USING vec0(embedding int8[{DIMENSION}])")
    with connection:
        connection.executemany(
            "INSERT INTO held (rowid, embedding) VALUES (?, vec_int8(?))",
            ((i, vector.tobytes()) for i, vector in enumerate(held)),
        )
    query = f"SELECT rowid FROM held WHERE embedding MATCH vec_int8(?) AND k = {NEAREST} ORDER BY distance"
    return {"sqlite-vec, int8": lambda asked: [row[0] for row in connection.execute(query, (asked.tobytes(),))]}


OTHERS: dict[Callable[[NDArray[np.int8]], dict[str, Search]], float] = {
    flat: MOST_IN_FULL,
    flat_int8: np.inf,
    graph: MOST_OF_A_GRAPH,
    usearch: np.inf,
    sqlite: MOST_IN_FULL,
}
"""What makes the others' ways, and of how many vectors at most."""


def beside(held: NDArray[np.int8], asked: NDArray[np.int8], rounds: int) -> None:
    """Show the others beside ours, on one processor and on more."""
    ways = ours(held)
    # Before the others are loaded: usearch makes numkong's symbols global, and simsimd loaded later takes them.
    truth = [set(way(one)) for way in ways.values() for one in asked]
    for make, most in OTHERS.items():
        if len(held) <= most:
            ways |= make(held)
    recalls = [
        np.mean([len(truth[i] & set(way(one))) / NEAREST for i, one in enumerate(asked)])
        for way in ways.values()
    ]
    memory = np.ones(MEMORY_BYTES // 8)
    for count in thread_counts():
        with processors(count), ThreadPoolExecutor(count) as pool:
            works = [*readers(memory, pool, count).values(), *(asking(way, asked) for way in ways.values())]
            one, other, *spent = turns(*works, rounds=rounds)
        reading = np.multiply(min(one, other, key=np.median), held.nbytes / memory.nbytes)
        rows = [
            (
                name,
                f"{1000 * np.median(took):.2f}",
                compared(took, spent[0]),
                compared(reading, took),
                f"{recall:.3f}",
            )
            for name, took, recall in zip(ways, spent, recalls, strict=True)
        ]
        title = f"The nearest ten of {len(held):,}; threads: {count}, turns: {rounds}"
        show(title, rows, ("system", "ms, median", "time / ours", "share of memory's speed", "recall"))


def asking(way: Search, asked: NDArray[np.int8]) -> Callable[[], object]:
    """Return what asks the next question, each time it is called."""
    rest = cycle(asked)
    return lambda: way(next(rest))


def compared(theirs: Sequence[float], ours: Sequence[float]) -> str:
    quotients = list(np.divide(theirs, ours))
    low, high = interval(quotients)
    return f"{np.median(quotients):.2f} ({low:.2f} to {high:.2f})"


def questions(held: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the first vectors with noise."""
    noise = np.random.default_rng(1).normal(0, 8, (QUESTIONS, DIMENSION))
    return np.clip(held[:QUESTIONS] + np.rint(noise), -127, 127).astype(np.int8)


def readers(
    memory: NDArray[np.float64], pool: ThreadPoolExecutor, count: int
) -> dict[str, Callable[[], object]]:
    """Return what reads all of an array, by as many threads."""
    parts = np.array_split(memory, count)
    return {"sum": lambda: list(pool.map(np.sum, parts)), "maximum": lambda: list(pool.map(np.max, parts))}


def bandwidth_bars(held: NDArray[np.int8], asked: NDArray[np.int8], rounds: int) -> list[Bar]:
    """Return the search against a reading of memory by as many threads."""
    memory = np.ones(MEMORY_BYTES // 8)
    (way,) = ours(held).values()
    bars = []
    for count in thread_counts():
        with processors(count), ThreadPoolExecutor(count) as pool:
            works = {"search": asking(way, asked), **readers(memory, pool, count)}
            spent = dict(zip(works, turns(*works.values(), rounds=rounds), strict=True))
        speeds = {
            name: [(held if name == "search" else memory).nbytes / one for one in took]
            for name, took in spent.items()
        }
        rows = [
            (
                name,
                f"{1000 * np.median(spent[name]):.1f}",
                f"{np.median(speed) / 1e9:.1f}",
                compared(speeds["search"], speed),
            )
            for name, speed in speeds.items()
        ]
        show(f"Bytes a second; threads: {count}", rows, ("pass", "ms", "GB/s", "search / this"))
        name = f"search of {len(held):,} / reading memory, bytes a second, threads: {count}"
        found = speeds.pop("search")
        fastest = max(speeds.values(), key=lambda speed: float(np.median(speed)))
        bars.append(ratio(name, found, fastest, 0.6, most=False))
    return bars


def bars(examples: int = 1_000_000, rounds: int = 25) -> list[Bar]:
    held = vectors(examples)
    return bandwidth_bars(held, questions(held), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000_000, help="of the bars; 0 for no bars")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--beside", type=int, nargs="*", default=SIZES)
    given = parser.parse_args()
    for size in given.beside:
        held = vectors(size)
        beside(held, questions(held), given.rounds)
    if given.examples:
        table("Search", bars(given.examples, given.rounds))


if __name__ == "__main__":
    main()
