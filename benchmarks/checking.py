"""Whether `check` finds a wrong label: one is planted among examples, and its place in the list is noted.

    python benchmarks/checking.py [--plantings 100] [--examples 512] [--sets banking77 sst2]

In each planting another random set of examples is taught, one of them, at random, with another of the labels,
at random. The data have wrong labels of their own, which come in the list as well, and examples that a judge of
this accuracy calls wrong. `ceiling` judges the examples of a planting by all other rows of the data set, with
their true labels. `5 %` plants that many wrong labels at once: how often
one is among the first three, and which share of them is among the first tenth of the examples.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from support.common import load

from edge_icl.cluster.points import Points
from edge_icl.encode.encoder import Encoder
from edge_icl.models.catalogue import DEFAULT_ENCODER
from edge_icl.models.location import find_encoder
from edge_icl.prior.fitted import fit
from edge_icl.prior.mislabelled import mislabelled
from edge_icl.prior.statistics import Statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS = 4096
"""Of a data set: more are not needed for random sets of examples."""

SHARE = 0.05


class Data(NamedTuple):
    """A data set: vectors i8[n, d] and labels."""

    vectors: NDArray[np.int8]
    labels: list[str]


class Planted(NamedTuple):
    """Examples with wrong labels: which, the vectors, the labels as taught, and the other rows of the data."""

    wrong: NDArray[np.intp]
    vectors: NDArray[np.int8]
    labels: list[str]
    others: NDArray[np.intp]


def encoded(name: str, encoder_name: str) -> Data:
    rows = load(f"{name}/train")
    order = np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]
    found = find_encoder(encoder_name)
    encoder = Encoder(found.networks)
    some = [rows[i] for i in order]
    return Data(encoder.encode([row["input"] for row in some]), [row["output"] for row in some])


def plant(data: Data, examples: int, count: int, draw: int) -> Planted:
    rng = np.random.default_rng(draw)
    order = rng.permutation(len(data.labels))
    labels = [data.labels[i] for i in order[:examples]]
    names = sorted(set(labels))
    wrong = rng.choice(examples, count, replace=False)
    for i in wrong:
        labels[i] = str(rng.choice([name for name in names if name != labels[i]]))
    return Planted(wrong, data.vectors[order[:examples]], labels, order[examples:])


def suspects(planted: Planted) -> list[int]:
    """Return the suspects as `check` lists them."""
    prior = fit(_points(planted.vectors), planted.labels, Statistics.of(planted.vectors, planted.labels))
    own = np.array([prior.labels.index(label) for label in planted.labels])
    return mislabelled(prior.leaving_out(np.arange(len(own))), own).rows.tolist()


def ceiling(data: Data, planted: Planted) -> list[int]:
    """Return the suspects of a judge who knows all other rows of the data set, and their true labels."""
    vectors, labels = data.vectors[planted.others], [data.labels[i] for i in planted.others]
    prior = fit(_points(vectors), labels, Statistics.of(vectors, labels))
    logs = np.array([prior.log_probabilities(vector) for vector in planted.vectors])
    own = np.array([prior.labels.index(label) for label in planted.labels])
    return mislabelled(logs, own).rows.tolist()


def _points(vectors: NDArray[np.int8]) -> Points:
    ids = np.arange(len(vectors), dtype=">u8").view(np.uint8).reshape(-1, 8)
    return Points(np.concatenate([ids, ids], axis=1), vectors)


def place(found: list[int], row: int) -> int:
    return found.index(row) + 1 if row in found else len(found) + 1000


def report(data: Data, name: str, examples: int, plantings: int) -> None:
    one = [plant(data, examples, 1, draw) for draw in range(plantings)]
    places = np.array([place(suspects(some), some.wrong[0]) for some in one])
    print(f"{name}: {examples} examples, {plantings} plantings of one wrong label", flush=True)
    for most in (1, 2, 3, 5, 10):
        print(f"  among the first {most:2}: {np.mean(places <= most):.2f}", flush=True)
    tried = one[: max(plantings // 4, 1)]
    known = np.array([place(ceiling(data, some), some.wrong[0]) for some in tried])
    others = len(data.labels) - examples
    print(f"  ceiling, judged by {others} other rows, n = {len(tried)}: first 3: {np.mean(known <= 3):.2f}")
    many = [plant(data, examples, round(SHARE * examples), 1000 + draw) for draw in range(plantings // 2)]
    lists = [(suspects(some), set(some.wrong.tolist())) for some in many]
    hit = np.mean([bool(wrong & set(found[:3])) for found, wrong in lists])
    share = np.mean([len(wrong & set(found[: examples // 10])) / len(wrong) for found, wrong in lists])
    print(
        f"  5 % wrong, n = {len(many)}: one in the first 3: {hit:.2f}; of them in the first tenth: {share:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--plantings", type=int, default=100)
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="an installed one")
    parser.add_argument("--sets", nargs="+", default=["banking77", "sst2"])
    asked = parser.parse_args()
    for name in asked.sets:
        report(encoded(name, asked.encoder), name, asked.examples, asked.plantings)


if __name__ == "__main__":
    main()
