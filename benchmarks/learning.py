"""Does it matter which questions a user answers first? Accuracy after 50, 100 and 200 of 2,000.

    python benchmarks/learning.py [--seeds 5] [--rules useful random ...] [--tests 1000] [--taught 0]

2,000 rows are drawn, their labels are told one by one as a rule wants them, and the prior of what was told so
far is tried on test rows. The rules: that of `suggest` (useful); random order (random); what the prior is
least sure of (doubt); what is farthest from all that was told (far); the rule of `suggest` without a look at
how sure the prior is (spread), and with all of it in stores of every size (weighed). With --taught so many
other rows are in the store before. Where a rule asks the prior, it is fitted after every five answers: at each
would take days.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
from support.common import examples, show

from edge_icl.answer.usefulness import Copies, most_useful, weights
from edge_icl.cluster.points import Points
from edge_icl.encode.encoder import Encoder
from edge_icl.encode.settings import LIKENESS
from edge_icl.models.location import find_encoder
from edge_icl.prior.fitted import fit
from edge_icl.prior.statistics import Statistics
from edge_icl.search.similarity import cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_icl.prior.fitted import Prior

    Rows = tuple[NDArray[np.int8], list[str]]

SETS = ("banking77", "sst2")
POOL = 2000
SIZES = (50, 100, 200)
RULES = ("useful", "random", "doubt", "far", "spread", "weighed")
EACH = 5


class Session:
    """A user who answers the questions of a pool in the order that a rule wants.

    Args:
        before: what is in the store before.
        pool: vectors and labels of the questions.
        seed: of what is random.
    """

    def __init__(self, before: Rows, pool: Rows, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.before = before
        self.vectors, self.labels = pool
        self.told: list[int] = []
        self.near = np.full(len(self.labels), -1.0)
        self.sure = np.zeros(len(self.labels))
        if before[1]:
            self.near = cosines(before[0], self.vectors).max(1)

    def prior(self) -> Prior:
        """Return the prior of what was told so far."""
        vectors = np.concatenate([self.before[0], self.vectors[self.told]])
        labels = [*self.before[1], *(self.labels[i] for i in self.told)]
        ids = np.random.default_rng(0).integers(0, 256, (len(labels), 16)).astype(np.uint8)
        return fit(Points(ids, vectors), labels, Statistics.of(vectors, labels))

    def tell(self, rule: str) -> None:
        """Tell the label of the question that a rule wants next."""
        known = len(self.before[1]) + len(self.told)
        if rule in {"useful", "doubt", "weighed"} and known and len(self.told) % EACH == 0:
            self.sure = np.exp(self.prior().say(self.vectors)[0].max(1))
        left = np.setdiff1d(np.arange(len(self.labels)), self.told)
        if rule == "random":
            best = int(self.rng.choice(left))
        elif rule == "doubt":
            best = int(left[self.sure[left].argmin()])
        elif rule == "far":
            best = int(left[self.near[left].argmin()])
        else:
            seen = {"useful": known, "spread": 0, "weighed": 1 << 40}[rule]
            heavy = weights(self.sure[left], seen)
            read = np.zeros(len(left), np.bool_)
            copies = Copies(self.near[left] >= LIKENESS, LIKENESS, read.astype(np.intp), read)
            found = most_useful(self.vectors[left], self.near[left], heavy, 1, copies=copies)
            best = int(left[found[0]])
        self.told.append(best)
        self.near = np.maximum(self.near, cosines(self.vectors, self.vectors[best][None])[0])


def right(prior: Prior, test: Rows) -> float:
    """Return the share of test rows whose likeliest label is theirs, in percent."""
    logs, _ = prior.say(test[0])
    return 100 * float(
        np.mean([prior.labels[i] == label for i, label in zip(logs.argmax(1), test[1], strict=True)])
    )


def measure(name: str, rule: str, wanted: argparse.Namespace, train: Rows, test: Rows) -> tuple[object, ...]:
    """Return a row of the table."""
    found = []
    for seed in range(wanted.seeds):
        order = np.random.default_rng(seed).permutation(len(train[1]))
        pool, before = order[:POOL], order[POOL : POOL + wanted.taught]
        session = Session(some(train, before), some(train, pool), seed)
        reached = []
        while len(session.told) < SIZES[-1]:
            session.tell(rule)
            if len(session.told) in SIZES:
                reached.append(right(session.prior(), test))
        found.append(reached)
    means, spreads = np.mean(found, 0), np.std(found, 0, ddof=1 if wanted.seeds > 1 else 0)
    cells = [f"{mean:.1f} ± {spread:.1f}" for mean, spread in zip(means, spreads, strict=True)]
    return name, rule, *cells


def some(rows: Rows, chosen: NDArray[np.intp]) -> Rows:
    """Return some of the rows."""
    return rows[0][chosen], [rows[1][i] for i in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rules", nargs="+", default=RULES, choices=RULES)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--taught", type=int, default=0)
    wanted = parser.parse_args()
    location = find_encoder()
    with closing(Encoder(location.networks)) as encoder:
        table = []
        for name in wanted.sets:
            data = [examples(f"{name}/{part}") for part in ("train", "test")]
            data[1] = data[1][:: max(len(data[1]) // wanted.tests, 1)][: wanted.tests]
            train, test = [
                (encoder.encode([one.input for one in part]), [one.output for one in part]) for part in data
            ]
            table += [measure(name, rule, wanted, train, test) for rule in wanted.rules]
    header = ("set", "rule", *(f"{size} told" for size in SIZES))
    show(f"Accuracy (%), mean and deviation of {wanted.seeds} draws of {POOL:,} questions", table, header)


if __name__ == "__main__":
    main()
