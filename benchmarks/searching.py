"""Exact search over int8 vectors, against the speed of memory and against what a user would take instead.

    pip install -r benchmarks/requirements.txt
    python benchmarks/searching.py [--examples 1000000] [--rounds 15]

Memory's read bandwidth is that of a sum over a float64 array larger than any cache, on one thread as the search
is. The others search the same vectors for the nearest ten: faiss flat (exact, float32) and HNSW, usearch exact
(int8). Recall is against the exact answer; the questions are stored vectors with noise.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from bars import Bar, ratio, table, turns
from common import show
from synthetic import DIMENSION, SCALE, vectors

from edge_icl.cluster.kmeans import Points
from edge_icl.similarity import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Search = Callable[[NDArray[np.int8]], NDArray[np.intp]]

NEAREST = 10
QUESTIONS = 20
MEMORY_BYTES = 400 << 20
MOST_OF_A_GRAPH = 100_000
"""A graph of a million takes longer to build than everything else here."""


def flat(held: NDArray[np.int8]) -> Search:
    faiss = import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(held.astype(np.float32) / SCALE)
    return lambda asked: index.search(asked[None].astype(np.float32), NEAREST)[1][0]


def graph(held: NDArray[np.int8]) -> Search:
    faiss = import_module("faiss")
    index = faiss.IndexHNSWFlat(DIMENSION, 32, faiss.METRIC_INNER_PRODUCT)
    faiss.omp_set_num_threads(2)
    index.add(held.astype(np.float32) / SCALE)
    faiss.omp_set_num_threads(1)
    return lambda asked: index.search(asked[None].astype(np.float32), NEAREST)[1][0]


def usearch(held: NDArray[np.int8]) -> Search:
    found = import_module("usearch.index")
    return lambda asked: found.search(held, asked[None], NEAREST, "ip", exact=True, threads=1).keys[0]


def bandwidth_bar(held: NDArray[np.int8], asked: NDArray[np.int8], rounds: int) -> Bar:
    points = Points(np.zeros((len(held), 16), np.uint8), held)
    memory = np.ones(MEMORY_BYTES // 8)
    ours, reading = turns(lambda: search(points, asked[0], NEAREST), memory.sum, rounds=rounds)
    speeds = [held.nbytes / spent for spent in ours], [memory.nbytes / spent for spent in reading]
    print(f"search {np.median(speeds[0]) / 1e9:.1f} GB/s, memory {np.median(speeds[1]) / 1e9:.1f} GB/s")
    return ratio(f"search of {len(held):,} / reading memory, bytes a second", *speeds, 0.6, most=False)


def beside(held: NDArray[np.int8], asked: NDArray[np.int8], rounds: int) -> None:
    points = Points(np.zeros((len(held), 16), np.uint8), held)
    ways: dict[str, Search] = {"edge-icl, exact int8": lambda one: search(points, one, NEAREST)}
    for name, make in {"faiss, flat": flat, "faiss, HNSW": graph, "usearch, exact int8": usearch}.items():
        if name != "faiss, HNSW" or len(held) <= MOST_OF_A_GRAPH:
            ways[name] = make(held)
    truth = [set(search(points, one, NEAREST)) for one in asked]
    spent = turns(*(lambda way=way: way(asked[0]) for way in ways.values()), rounds=rounds)
    rows = []
    for (name, way), took in zip(ways.items(), spent, strict=True):
        recall = np.mean([len(truth[i] & set(way(one))) / NEAREST for i, one in enumerate(asked)])
        rows.append((name, f"{1000 * np.median(took):.2f}", f"{recall:.3f}"))
    show(f"The nearest ten of {len(held):,}, one thread", rows, ("system", "ms, median", "recall"))


def questions(held: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the first vectors with noise."""
    noise = np.random.default_rng(1).normal(0, 8, (QUESTIONS, DIMENSION))
    return np.clip(held[:QUESTIONS] + np.rint(noise), -127, 127).astype(np.int8)


def bars(examples: int = 1_000_000, rounds: int = 25) -> list[Bar]:
    held = vectors(examples)
    return [bandwidth_bar(held, questions(held), rounds)]


def compare(rounds: int) -> None:
    """Show the others beside ours."""
    for size in (10_000, MOST_OF_A_GRAPH):
        held = vectors(size)
        beside(held, questions(held), rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    compare(given.rounds)
    table("Search", bars(given.examples, given.rounds))


if __name__ == "__main__":
    main()
