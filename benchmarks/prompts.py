"""Which prompt format ranks the default model's answers best: plain lines, or the model's own chat template.

    python benchmarks/prompts.py [--questions 60]

SST-2 and two BIG-bench tasks with two labels each, 1,000 training examples at most in the store, 8 shots.
Beside accuracy the area under the curve of the second label's probability, which no threshold spoils: a small
model often leans to one label. Both formats answer the same questions, interleaved; without examples too, and
with a task in words, which is tried where prompts are short.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np
from support.common import SEED, examples, interval, load, show

from edge_icl import Memory, Options

TASKS = {
    "sst2": "Say whether the review is negative or positive.",
    "bbii/implicatures": "Say whether the second speaker's answer means yes or no.",
    "bbii/sports_understanding": "Say whether the sentence about sports is plausible or implausible.",
}
SELECTS = {False: ("erase", "nearest", "none"), True: ("erase", "none")}
"""By whether there is a task."""

FORMATS = ("plain", "chat")
MOST_EXAMPLES = 1000


def area(rows: np.ndarray) -> np.floating:
    """Return the area under the curve of rows of (probability of the second label, is it the second)."""
    first, second = rows[rows[:, 1] == 0, 0], rows[rows[:, 1] == 1, 0]
    above = (second[:, None] > first).mean() + (second[:, None] == first).mean() / 2
    return np.float64(above)


def area_interval(rows: np.ndarray, *, draws: int = 1000) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    found = [area(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(draws)]
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def measure(name: str, task: str | None, count: int, folder: Path) -> list[tuple[str, ...]]:
    rows = load(f"{name}/test")
    asked = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:count]]
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {
        pair: [] for pair in itertools.product(SELECTS[task is not None], FORMATS)
    }
    with Memory.create(folder / f"{name.replace('/', '-')}{bool(task)}", seed=SEED, task=task) as memory:
        memory.add_many(examples(f"{name}/train")[:MOST_EXAMPLES])
        for row in asked:
            for (select, form), answers in found.items():
                answer = memory.ask(
                    row["input"], Options(select=select, labels="on", prior=False, prompt=form, recall=False)
                )
                _, second = sorted(answer.labels)
                answers.append((answer.labels[second], row["output"] == second, answer.text == row["output"]))
    return [
        (name, "yes" if task else "no", select, form, *cells(np.array(answers, float)))
        for (select, form), answers in found.items()
    ]


def cells(answers: np.ndarray) -> tuple[str, str]:
    """Return area and accuracy with their intervals."""
    low, high = area_interval(answers[:, :2])
    least, most = interval(list(answers[:, 2]), np.mean)
    return (
        f"{area(answers[:, :2]):.2f} ({low:.2f} to {high:.2f})",
        f"{answers[:, 2].mean():.0%} ({least:.0%} to {most:.0%})",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=60)
    count = parser.parse_args().questions
    with tempfile.TemporaryDirectory() as folder:
        table = [
            row
            for name, task in TASKS.items()
            for wanted in (None, task)
            for row in measure(name, wanted, count, Path(folder))
        ]
    header = ("data", "task in words", "selection", "format", "area (95 % interval)", "accuracy")
    show(f"{count} questions each", list(table), header)


if __name__ == "__main__":
    main()
