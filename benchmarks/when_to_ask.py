"""Where the model is asked, what that costs and what it gains: always, never, and where it can matter.

    python benchmarks/when_to_ask.py [--questions 500] [--tasks TASK...] [--examples 512 ...] [--how auto ...]

Each question is asked in all ways, in turns, in one process with everything warm. The time of a question is
what `Answer.timings` says; the mean is divided by that of the first way, which is "always", as the first
version did. ECE is the expected calibration error in ten bins of equal width (Guo et al. 2017, arXiv
1706.04599), of the probability of the answer.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.common import SEED, load, show

from edge_icl import Example, Memory, Options

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW_LABELS = ("navigate", "snarks", "sports_understanding", "epistemic_reasoning", "implicatures", "winowhy")
TASKS = ("banking77", "sst2", *(f"bbii/{name}" for name in FEW_LABELS))
SIZES = (512, 100_000)
HOW = {how: Options(labels="on", recall=False, ask_model=how) for how in ("always", "auto", "never")}


def measured(task: str, size: int, questions: int, ways: list[str]) -> list[tuple[object, ...]]:
    """Return a row for each way to ask."""
    rows = load(f"{task}/train")
    chosen = np.random.default_rng(0).permutation(len(rows))[:size]
    asked = [row for row in load(f"{task}/test") if "output" in row][:questions]
    found: dict[str, list[tuple[bool, bool, float, float]]] = {how: [] for how in ways}
    with tempfile.TemporaryDirectory() as folder, Memory.create(Path(folder) / "store", seed=SEED) as memory:
        memory.add_many(Example.create(rows[i]["input"], rows[i]["output"]) for i in chosen)
        for how in ways:
            memory.ask("warm", HOW[how])
        for row in asked:
            for how in ways:
                answer = memory.ask(row["input"], HOW[how])
                right, sure = answer.text == row["output"], answer.probability or 0.0
                found[how].append((right, answer.asked_model, answer.timings["total"], sure))
        examples = len(memory)
    return [_row(task, examples, how, found[how], found[ways[0]]) for how in ways]


def _row(task: str, examples: int, how: str, some: list[Any], base: list[Any]) -> tuple[object, ...]:
    """Return what was measured in one way."""
    right, model, seconds, sure = np.array(some, float).T
    always, _, slow, _ = np.array(base, float).T
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
        f"{calibration_error(sure, right):.3f}",
    )


def calibration_error(sure: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return how far probabilities f64[n] are from the share of right answers, over ten bins."""
    bins = np.minimum((10 * sure).astype(int), 9)
    gaps = [abs((sure - right)[bins == i].sum()) for i in range(10)]
    return float(sum(gaps) / len(sure))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--examples", type=int, nargs="+", default=SIZES)
    parser.add_argument(
        "--how", choices=tuple(HOW), nargs="+", default=tuple(HOW), help="the first is divided by"
    )
    given = parser.parse_args()
    rows = []
    for task in given.tasks:
        for size in given.examples:
            rows += measured(task, size, given.questions, given.how)
            print(*rows[-len(given.how) :], sep="\n", flush=True)
    header = (
        "task",
        "examples",
        "model",
        "right %",
        "to always",
        "asked",
        "mean ms",
        "p50",
        "p95",
        "time",
        "ECE",
    )
    show(f"{given.questions} questions a task", rows, header)


if __name__ == "__main__":
    main()
