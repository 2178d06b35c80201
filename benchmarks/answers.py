"""How often `ask` is right and how long it takes, by selection.

    python benchmarks/answers.py [--questions 200]

Banking77 (77 labels) and SST-2 (2 labels), every training example in the store, the default model and encoder,
8 shots, questions drawn at random with a fixed seed. Beside it the encoder alone: the majority of the 8 nearest
examples. Each selection answers the same questions, interleaved.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from common import SEED, examples, interval, load, show

from edge_icl import Memory, Options
from edge_icl.selection import SELECTIONS


def vote(memory: Memory, question: str) -> str:
    found = memory.search(question, limit=8)
    counts = Counter(held.output for held in found)
    return max(counts, key=lambda label: (counts[label], -[held.output for held in found].index(label)))


def percent(hits: list[float]) -> str:
    low, high = interval(hits, np.mean)
    return f"{np.mean(hits):.1%} ({low:.1%} to {high:.1%})"


def measure(name: str, count: int, folder: Path) -> None:
    rows = load(f"{name}/test")
    asked = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:count]]
    hits: dict[str, list[float]] = {select: [] for select in (*SELECTIONS, "vote of 8")}
    seconds: dict[str, list[float]] = {select: [] for select in SELECTIONS}
    with Memory.create(folder / name, seed=SEED) as memory:
        memory.add_many(examples(f"{name}/train"))
        memory.ask(asked[0]["input"])
        for row in asked:
            hits["vote of 8"].append(vote(memory, row["input"]) == row["output"])
            for select in SELECTIONS:
                answer = memory.ask(row["input"], Options(select=select))
                hits[select].append(answer.text == row["output"])
                seconds[select].append(answer.timings["total"])
        size = len(memory)
    table = [
        (select, percent(right), f"{np.median(seconds[select]):.3f}" if select in seconds else "")
        for select, right in hits.items()
    ]
    show(
        f"{name}: {len(asked)} questions, {size} examples",
        table,
        ("selection", "accuracy (95 % interval)", "seconds a question, median"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    count = parser.parse_args().questions
    with tempfile.TemporaryDirectory() as folder:
        for name in ("banking77", "sst2"):
            measure(name, count, Path(folder))


if __name__ == "__main__":
    main()
