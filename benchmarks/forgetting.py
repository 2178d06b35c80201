"""What a store of 10,003 examples costs: adding, disk, forgetting, verifying.

    python benchmarks/forgetting.py [--forgets 300]

Banking77. Each forget is one commit through `Memory.forget`, durable and wiped when it returns, and the
forgotten example is added again before the next, so that every forget starts from the same store.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from support.common import SEED, examples, interval, show, size_of

from edge_icl import Memory
from edge_icl.answer.engines import Engines


def timed(values: list[float]) -> str:
    low, high = interval(values)
    return f"{np.median(values) * 1000:.1f} ms ({low * 1000:.1f} to {high * 1000:.1f}, n = {len(values)})"


def measure(folder: Path, forgets: int) -> list[tuple[object, ...]]:
    some = examples("banking77/train")
    with Memory.create(folder / "store", seed=SEED) as memory:
        encoder = Engines(memory.settings).encoder()
        encoder.encode(["warm up"])
        begun = time.perf_counter()
        encoder.encode([example.input for example in some])
        encoding = time.perf_counter() - begun
        begun = time.perf_counter()
        added = memory.add_many(some)
        adding = time.perf_counter() - begun
        held = list(memory.examples())
        root = memory.root
        content = sum(len(one.example.canonical()) + 16 + memory.settings.dimension for one in held)
        disk = size_of(memory.path)
        plain, refit, readd = [], [], []
        for i in np.random.default_rng(0).choice(len(held), forgets, replace=False):
            with Memory.open(memory.path) as fresh:
                receipt = fresh.forget(held[i].id)
            (refit if receipt.refit else plain).append(receipt.seconds)
            begun = time.perf_counter()
            memory.add_many([held[i].example])
            readd.append(time.perf_counter() - begun)
        assert memory.root == root
        begun = time.perf_counter()
        assert memory.verify().ok
        shallow = time.perf_counter() - begun
        begun = time.perf_counter()
        assert memory.verify(deep=True).ok
        deep = time.perf_counter() - begun
        return [
            ("examples", added.added),
            ("add all, in one commit", f"{adding:.2f} s"),
            ("the encoder alone, same texts", f"{encoding:.2f} s (add is {adding / encoding:.2f} times that)"),
            ("bytes on disk per example", f"{disk / len(held):.1f}"),
            ("... beyond text, id and vector", f"{disk / content - 1:.1%}"),
            ("forget by id", timed(plain)),
            ("forget by id, clustered again", timed(refit)),
            ("forget by id, mean of all", f"{np.mean(plain + refit) * 1000:.1f} ms"),
            ("share of forgets that cluster again", f"{len(refit) / forgets:.1%}"),
            ("add one, embedding included", timed(readd)),
            ("verify", f"{shallow:.2f} s"),
            ("verify --deep", f"{deep:.2f} s"),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forgets", type=int, default=300)
    forgets = parser.parse_args().forgets
    with tempfile.TemporaryDirectory() as folder:
        show("A Banking77 store", measure(Path(folder), forgets), ("measure", "value"))


if __name__ == "__main__":
    main()
