"""Where the model is asked, what that costs and what it gains: always, never, and where it can matter.

    python benchmarks/when_to_ask.py [--questions 500] [--tasks TASK...] [--examples 512 ...]

Each question is asked in all three ways, in turns, in one process with everything warm. A mean time is divided
by that of "always", which is what the first version did. The time of a question is what `Answer.timings` says.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from support.common import SEED, load, show

from edge_icl import Example, Memory, Options

FEW_LABELS = ("navigate", "snarks", "sports_understanding", "epistemic_reasoning", "implicatures", "winowhy")
TASKS = ("banking77", "sst2", *(f"bbii/{name}" for name in FEW_LABELS))
SIZES = (512, 100_000)
HOW = {how: Options(labels="on", recall=False, ask_model=how) for how in ("always", "auto", "never")}


def measured(task: str, size: int, questions: int) -> list[tuple[object, ...]]:
    """Return a row for each way to ask."""
    rows = load(f"{task}/train")
    chosen = np.random.default_rng(0).permutation(len(rows))[:size]
    asked = [row for row in load(f"{task}/test") if "output" in row][:questions]
    found: dict[str, list[tuple[bool, bool, float]]] = {how: [] for how in HOW}
    with tempfile.TemporaryDirectory() as folder, Memory.create(Path(folder) / "store", seed=SEED) as memory:
        memory.add_many(Example.create(rows[i]["input"], rows[i]["output"]) for i in chosen)
        for options in HOW.values():
            memory.ask("warm", options)
        for row in asked:
            for how, options in HOW.items():
                answer = memory.ask(row["input"], options)
                seconds = answer.timings["total"]
                found[how].append((answer.text == row["output"], answer.asked_model, seconds))
        examples = len(memory)
    return [_row(task, examples, how, found[how], found["always"]) for how in HOW]


def _row(task: str, examples: int, how: str, some: list[Any], base: list[Any]) -> tuple[object, ...]:
    """Return what was measured in one way."""
    right, model, seconds = np.array(some, float).T
    always, _, slow = np.array(base, float).T
    low, high = np.quantile(seconds, [0.5, 0.95])
    return (
        task,
        f"{examples:,}",
        how,
        f"{100 * right.mean():.1f}",
        f"{100 * (right.mean() - always.mean()):+.1f}",
        f"{100 * model.mean():.0f} %",
        f"{1000 * seconds.mean():.1f}",
        f"{1000 * low:.1f}",
        f"{1000 * high:.1f}",
        f"{seconds.mean() / slow.mean():.2f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--examples", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    rows = []
    for task in given.tasks:
        for size in given.examples:
            rows += measured(task, size, given.questions)
            print(*rows[-3:], sep="\n", flush=True)
    header = ("task", "examples", "model", "right %", "to always", "asked", "mean ms", "p50", "p95", "time")
    show(f"{given.questions} questions a task", rows, header)


if __name__ == "__main__":
    main()
