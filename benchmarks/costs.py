"""What forgetting one example costs, and one answer, by method, and where the sums of both cross.

    pip install -r benchmarks/requirements.txt
    python benchmarks/costs.py [--forgets 200] [--retrainings 10] [--questions 30]

Banking77, all training examples. edge-icl: `Memory.forget` of a random example, durable and wiped, refits
included; the example is added again before the next. Retraining: logistic regression on the int8 vectors
without the example, whole, and as SISA (Bourtoule et al., S&P 2021) only its shard; Auto-CoT: float
k-means anew. What retraining would have to write and wipe is left out, in its favour.

The view of the ERASE paper: a stretch with one forget and q questions costs forget + q · answer. Of two methods
the one with the cheaper forget is the cheaper one up to the q where the lines cross.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from accuracy import asking, auto_cot, regression, vote
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from support.common import SEED, examples, interval, load, show

from edge_icl import Memory, Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from accuracy import Found


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def forgetting(memory: Memory, count: int) -> list[float]:
    held = list(memory.examples())
    spent = []
    for i in np.random.default_rng(0).choice(len(held), count, replace=False):
        spent.append(memory.forget(held[i].id).seconds)
        memory.add_many([held[i].example])
    return spent


def retraining(memory: Memory, shards: int, count: int) -> list[float]:
    points = memory._opened.store.snapshot().points()
    outputs = np.array([held.output for held in memory.examples()])
    spent = []
    for i in np.random.default_rng(0).choice(len(outputs), count, replace=False):
        rows = np.arange(len(outputs))
        left = rows[(rows % shards == i % shards) & (rows != i)]
        x, y = points.vectors[left] / memory.settings.scale, outputs[left]
        spent.append(seconds(lambda x=x, y=y: LogisticRegression(C=10, max_iter=300).fit(x, y)))
    return spent


def clustering(memory: Memory, count: int) -> list[float]:
    exact = memory._opened.store.snapshot().points().vectors.astype(np.float64)
    picked = np.random.default_rng(0).choice(len(exact), count, replace=False)
    means = KMeans(memory.settings.shots, n_init=1, random_state=0)
    return [seconds(lambda i=i: means.fit(np.delete(exact, i, axis=0))) for i in picked]


def answering(ask: Callable[[str], Found], questions: list[str]) -> float:
    ask(questions[0])
    return float(np.median([seconds(lambda one=one: ask(one)) for one in questions]))


def row(name: str, forget: list[float], answer: float) -> tuple[object, ...]:
    low, high = interval(forget)
    forgotten = f"{np.median(forget) * 1000:.1f} ({low * 1000:.1f} to {high * 1000:.1f}, n = {len(forget)})"
    return (name, forgotten, f"{np.mean(forget) * 1000:.1f}", f"{answer * 1000:.1f}")


def crossings(costs: dict[str, tuple[float, float]]) -> list[tuple[object, ...]]:
    """Return for each pair of methods from how many questions a forget on the dearer forget pays."""
    rows = []
    for (one, (forget, answer)), (other, (dearer, cheaper)) in itertools.permutations(costs.items(), 2):
        if forget < dearer and answer > cheaper:
            rows.append((one, other, f"{(dearer - forget) / (answer - cheaper):,.1f}"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forgets", type=int, default=200)
    parser.add_argument("--retrainings", type=int, default=10)
    parser.add_argument("--questions", type=int, default=30)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    asked = [line["input"] for line in load("banking77/test")[: given.questions]]
    with tempfile.TemporaryDirectory() as folder, Memory.create(Path(folder) / "store", seed=SEED) as memory:
        memory.add_many(examples("banking77/train"))
        ours, shots = forgetting(memory, given.forgets), memory.settings.shots
        measured = {
            "edge-icl": (ours, answering(asking(memory, Options()), asked)),
            "edge-icl, the model alone, hybrid": (
                ours,
                answering(asking(memory, Options(select="hybrid", prior=False)), asked),
            ),
            "Auto-CoT, the model alone": (
                clustering(memory, given.retrainings),
                answering(auto_cot(memory, shots), asked),
            ),
            "vote of 8": (ours, answering(vote(memory), asked)),
            **{
                f"logistic regression, {shards} shards": (
                    retraining(memory, shards, given.retrainings),
                    answering(regression(memory, shards), asked),
                )
                for shards in (1, 5, 20)
            },
        }
    show(
        "Banking77, 9,999 examples: milliseconds",
        [row(name, *figures) for name, figures in measured.items()],
        ("method", "forget one, median (95 % interval)", "mean", "one answer"),
    )
    show(
        "Questions a forget from which the second method is the cheaper one",
        crossings({name: (float(np.mean(spent)), answer) for name, (spent, answer) in measured.items()}),
        ("cheaper to forget", "cheaper to ask", "questions"),
    )


if __name__ == "__main__":
    main()
