"""Is it worth learning, from a store's own examples, how much to believe the model and what to show it?

    python benchmarks/weights.py --out weights.jsonl [--questions 60]

`ask` believes the model by a fixed function of the number of examples (`edge_icl/prior/evidence.py`), and for
labels shows it the representatives. Both could be chosen by asking the model about the store's own examples,
each left out, after every change. Here test questions stand for such examples: some of them choose the weight
(from the grid, by log loss, drawn to the fixed one as a prior would) or the selection (by log loss), and the
others tell whether it was the better choice. All of this is worked out from the parts of each answer, so every
store is asked only once with `erase` and once with `hybrid`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from support.common import SEED, interval, load, show

from edge_icl import Example, Memory, Options
from edge_icl.prior.evidence import weight
from edge_icl.store.settings import DEFAULT_SHOTS

STORES = (
    *itertools.product(["sst2"], [8, 32, 128, 512, 0]),
    *itertools.product(
        [f"bbii/{name}" for name in ("implicatures", "navigate", "sports_understanding", "winowhy")], [32, 128]
    ),
)
WEIGHTS = np.array([0, 0.1, 0.2, 0.3, 0.45, 0.65, 1.0, 1.5])
CHOOSING = (8, 16, 32)
"""How many answers choose."""
SPLITS = 200
FIRM = 2.0
"""Nats that a weight off by a factor e costs."""


class Heard(NamedTuple):
    """What was said of one question.

    Attributes:
        prior, model: f64[k], in nats, of the labels that were put to the model; the model's with weight 1.
        right: which of them is right, -1 if none.
    """

    prior: np.ndarray
    model: np.ndarray
    right: int


def ask(out: Path, questions: int) -> None:
    there = {tuple(json.loads(line)["key"]) for line in out.read_text().splitlines()} if out.exists() else set()
    with out.open("a") as file:
        for (name, size), select in itertools.product(STORES, ("erase", "hybrid")):
            train, test = load(f"{name}/train"), load(f"{name}/test")
            order = np.random.default_rng(2).permutation(len(train))[: size or None]
            todo = [i for i in range(min(questions, len(test))) if (name, size, select, i) not in there]
            if not todo:
                continue
            with (
                tempfile.TemporaryDirectory() as folder,
                Memory.create(Path(folder) / "s", seed=SEED) as memory,
            ):
                memory.add_many([Example.create(train[i]["input"], train[i]["output"]) for i in order])
                for i in todo:
                    answer = memory.ask(
                        test[i]["input"], Options(select=select, labels="on", ask_model="always", recall=False)
                    )
                    parts = {label: dict(part) for label, part in answer.parts.items()}
                    line = {"key": [name, size, select, i], "count": len(memory), "parts": parts}
                    file.write(json.dumps({**line, "output": test[i]["output"]}) + "\n")
            file.flush()
            print(name, size, select, flush=True)


def fixed_weight(examples: int) -> float:
    """Return the weight that `ask` takes; all stores here have two labels."""
    return weight(examples, labels=2, shots=DEFAULT_SHOTS)


def heard(line: dict[str, object]) -> Heard:
    labels, fixed = list(line["parts"]), fixed_weight(line["count"])
    model = np.array([line["parts"][label]["model"] for label in labels]) / fixed
    prior = np.array([sum(line["parts"][label].values()) for label in labels]) - fixed * model
    return Heard(prior, model, labels.index(line["output"]) if line["output"] in labels else -1)


def judged(one: Heard, weighed: float) -> tuple[bool, float]:
    """Return whether the answer is right, and its log loss among the labels put to the model."""
    scores = one.prior + weighed * one.model
    scores -= np.logaddexp.reduce(scores)
    return bool(scores.argmax() == one.right), -float(scores[one.right]) if one.right >= 0 else 0.0


def gains(answers: dict[str, list[Heard]], fixed: float) -> dict[tuple[str, int], float]:
    """Return for each thing learnt, and from how many answers, what it changes of the accuracy elsewhere."""
    erase, hybrid = answers["erase"], answers["hybrid"]
    hits, losses = np.array([[judged(one, w) for one in erase] for w in WEIGHTS]).transpose(2, 0, 1)
    plain = np.array([judged(one, fixed) for one in erase]).T
    other = np.array([judged(one, fixed) for one in hybrid]).T
    drawn = FIRM * np.log((WEIGHTS + 0.05) / (fixed + 0.05)) ** 2
    found = {}
    rng = np.random.default_rng(0)
    for many in CHOOSING:
        weights, selections = [], []
        for _ in range(SPLITS):
            order = rng.permutation(len(erase))
            choosing, rest = order[:many], order[many:]
            best = (losses[:, choosing].sum(1) + drawn).argmin()
            weights.append(hits[best, rest].mean() - plain[0, rest].mean())
            better = other[1, choosing].sum() < plain[1, choosing].sum()
            selections.append((other[0, rest].mean() - plain[0, rest].mean()) * better)
        found["weight", many] = float(np.mean(weights))
        found["selection", many] = float(np.mean(selections))
    found["hybrid always", 0] = float(other[0].mean() - plain[0].mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=60)
    given = parser.parse_args()
    ask(given.out, given.questions)
    stores: dict[tuple[str, int], dict[str, list[Heard]]] = {}
    counts = {}
    for line in map(json.loads, given.out.read_text().splitlines()):
        name, size, select, _ = line["key"]
        stores.setdefault((name, size), {}).setdefault(select, []).append(heard(line))
        counts[name, size] = line["count"]
    found = [gains(answers, fixed_weight(counts[store])) for store, answers in stores.items()]
    rows = []
    for what, many in found[0]:
        points = [100 * one[what, many] for one in found]
        low, high = interval(points, np.mean)
        rows.append((what, many or "", f"{np.mean(points):+.2f} ({low:+.2f} to {high:+.2f})"))
    title = f"Points of accuracy over the fixed rule, mean over {len(found)} stores (95 % interval over stores)"
    show(title, rows, ("chosen", "by so many answers", "points"))


if __name__ == "__main__":
    main()
