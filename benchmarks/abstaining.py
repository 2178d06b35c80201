"""Answers that are left open: how many are wrong among those given, and whether unknown labels are noticed.

    python benchmarks/abstaining.py [--questions 500] [--rate 0.05] [--draws 3]

The first table asks questions whose labels were all taught. The second leaves a quarter of Banking77's labels
out of the store and asks about all: a question of such a label is answered wrongly whenever it is answered. Its
last columns are areas under the curve (AUC), by which three numbers tell questions of labels that were not
taught from others: the cosine of the nearest example, the distance to the nearest class under the pooled
covariance (Lee et al. 2018, arXiv 1807.03888), and the probability of the likeliest label. The prior alone
judges, as in most answers.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from support.common import load, seed, show

from edge_icl import Example, Memory, Options
from edge_icl.prior.discriminant import Scatter
from edge_icl.prior.statistics import Statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = (512, 100_000)
UNKNOWN = 19
SHRINKAGE = 0.5


def store(folder: str, draw: int, rows: list[dict[str, str]], size: int) -> Memory:
    """Return a store of some of the rows."""
    memory = Memory.create(Path(folder) / "store", seed=seed(draw))
    chosen = np.random.default_rng(draw).permutation(len(rows))[:size]
    memory.add_many(Example.create(rows[i]["input"], rows[i]["output"]) for i in chosen)
    return memory


def known(task: str, size: int, questions: int, rate: float, draws: int) -> tuple[object, ...]:
    """Return what was given, and how much of it was wrong, where all labels were taught."""
    options = Options(labels="on", recall=False, ask_model="never", abstain=rate)
    found, count = [], 0
    for draw in range(draws):
        with (
            tempfile.TemporaryDirectory() as folder,
            store(folder, draw, load(f"{task}/train"), size) as memory,
        ):
            for row in load(f"{task}/test")[:questions]:
                answer = memory.ask(row["input"], options)
                wrong = answer.text not in {None, row["output"]}
                found.append((answer.text is not None, wrong, answer.unlike))
            count = len(memory)
    given, wrong, unlike = np.array(found, float).mean(0)
    return task, f"{count:,}", len(found), f"{given:.3f}", f"{wrong / max(given, 1e-9):.3f}", f"{unlike:.3f}"


def unknown(size: int, questions: int, rate: float, draws: int) -> tuple[object, ...]:
    """Return the same where a quarter of the labels was not taught."""
    options = Options(labels="on", recall=False, ask_model="never", abstain=rate)
    found = []
    for draw in range(draws):
        rows, asked = load("banking77/train"), load("banking77/test")
        chance = np.random.default_rng(draw)
        hidden = set(chance.permutation(sorted({row["output"] for row in rows}))[:UNKNOWN])
        asked = [asked[i] for i in chance.permutation(len(asked))[:questions]]
        taught = [row for row in rows if row["output"] not in hidden]
        with tempfile.TemporaryDirectory() as folder, store(folder, draw, taught, size) as memory:
            answers = [memory.ask(row["input"], options) for row in asked]
            far = distances(memory, [row["input"] for row in asked])
        for row, answer, distance in zip(asked, answers, far, strict=True):
            wrong = answer.text not in {None, row["output"]}
            nearest = answer.nearest[0].similarity
            said = (answer.text is not None, wrong, answer.unlike, nearest, distance, answer.probability)
            found.append((row["output"] in hidden, *said))
    new, given, wrong, unlike, nearest, distance, sure = np.array(found, float).T
    old = new == 0
    return (
        f"{size:,}",
        len(found),
        f"{given[old].mean():.3f}",
        f"{given[~old].mean():.3f}",
        f"{wrong.sum() / max(given.sum(), 1):.3f}",
        f"{unlike[old].mean():.3f}",
        f"{unlike[~old].mean():.3f}",
        *(f"{area(values[old], values[~old]):.3f}" for values in (-nearest, distance, -sure)),
    )


def distances(memory: Memory, texts: list[str]) -> NDArray[np.float64]:
    """Return the squared distance f64[n] of texts to the nearest class, under the shrunk pooled covariance."""
    taught = list(memory.export())
    vectors = np.array([np.frombuffer(vector.components, np.int8) for _, vector in taught])
    outputs = [held.output for held, _ in taught]
    statistics = Statistics.of(vectors, outputs)
    scatter = Scatter(statistics, sorted(statistics.counts))
    rotated = scatter.rotated(memory._opened.embed(texts))
    variances = scatter._variances(SHRINKAGE)
    return ((rotated**2 / variances).sum(1) - 2 * scatter.scores(rotated, SHRINKAGE).max(1)).astype(float)


def area(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Return the share of pairs in which the second is greater, ties counted half."""
    pairs = high[:, None] - low[None]
    return float((pairs > 0).mean() + (pairs == 0).mean() / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--draws", type=int, default=3)
    given = parser.parse_args()
    how = (given.questions, given.rate, given.draws)
    rows = [known(task, size, *how) for task in ("banking77", "sst2") for size in SIZES]
    header: tuple[str, ...] = ("task", "examples", "questions", "given", "wrong among given", "called unlike")
    show(f"All labels taught, rate {given.rate}", rows, header)
    header = ("examples at most", "questions", "given, taught", "given, not taught", "wrong among given")
    header += ("unlike, taught", "unlike, not taught", "AUC nearest", "AUC distance", "AUC probability")
    some = [unknown(size, *how) for size in SIZES]
    show(f"{UNKNOWN} of 77 labels not taught, rate {given.rate}", some, header)


if __name__ == "__main__":
    main()
