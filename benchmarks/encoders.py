"""Which encoder is the right one? Accuracy of the prior alone with each, and what each costs a laptop.

    python benchmarks/encoders.py [--encoders NAME ...] [--sets NAME ...] [--pair TRAIN.jsonl TEST.jsonl] ...
        [--examples 8 32 128 512 2000] [--questions 300] [--repeats 1] [--draws 20] [--json]

Compares installed encoders, the first with each of the others; unless they are named, all that are here, the
default one first. The sets: two English ones of EDGE_ICL_DATA, any pair of files with an input and an output
in each line, and `languages/`: 40 rows of 4 labels each, plain daily life, in languages other than English.

Of a set with a test file n rows are drawn, and the first test rows asked, in an order that is fixed, since
files may be sorted; --repeats draws again. Of a language's rows 8 or 20 are drawn and the others asked, and
this --draws times. All encoders see the same rows. Each text is encoded once: its vector depends on nothing
else. The prior is fitted to the ids and vectors that a `Memory` would hold, without writing a store for each
draw: its answers are those of `Options(ask_model="never", recall=False, labels="on")`, which a test holds.

On a busy machine, OPENBLAS_NUM_THREADS=1 makes the many small fits several times faster.

Means are over sets and sizes. A difference has its 95 % bootstrap interval: over questions, or over a
language's draws.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.bars import turns
from support.common import SEED, interval, show, size_of
from support.sets import ENGLISH, GIVEN, OTHER, SETS, tasks

from edge_icl import EdgeIclError, Memory
from edge_icl.cluster.points import Points
from edge_icl.models import catalogue, location
from edge_icl.models.installed import InstalledEncoder
from edge_icl.prior.fitted import fit
from edge_icl.prior.opinion_pool import ranked
from edge_icl.prior.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from support.sets import Task

    from edge_icl import Example
    from edge_icl.encode.encoder import Encoder

    Document = dict[str, list[dict[str, Any]]]
    Vectors = dict[str, NDArray[np.int8]]

SIZES = (8, 32, 128, 512, 2000)
TIMED, ROUNDS = 128, 7
JOINED = "joined: "


@dataclass(frozen=True, slots=True)
class Cell:
    """What was measured of one set and size.

    Attributes:
        name: the set's.
        group: the set's.
        size: examples taught.
        right: percent right, by encoder: f64[questions], or f64[draws] of a language's set.
    """

    name: str
    group: str
    size: int
    right: dict[str, NDArray[np.float64]]

    def accuracy(self, encoder: str) -> float:
        return float(self.right[encoder].mean())


def answers(taught: list[Example], asked: list[Example], vectors: Vectors) -> list[str]:
    """Return the likeliest label of each question, as a `Memory` of these examples would without the model."""
    held = dict(sorted({example.id(SEED): example for example in taught}.items()))
    outputs = [example.output for example in held.values()]
    ids = np.frombuffer(b"".join(held), np.uint8).reshape(len(held), -1)
    known = np.array([vectors[example.input] for example in held.values()])
    prior = fit(Points(ids, known), outputs, Statistics.of(known, outputs))
    logs, _ = prior.say(np.array([vectors[example.input] for example in asked]))
    return [prior.labels[ranked(row)[0]] for row in logs]


def measured(task: Task, size: int, vectors: dict[str, Vectors]) -> Cell:
    """Return how often each encoder leads to the right answer."""
    right: dict[str, NDArray[np.float64]] = {}
    for name, some in vectors.items():
        found = [
            [100 * (answer == one.output) for answer, one in zip(answers(*split, some), split[1], strict=True)]
            for split in task.splits(size)
        ]
        right[name] = np.mean(found, 0 if task.asked else 1)
    return Cell(task.name, task.group, size, right)


def download(name: str) -> int | None:
    """Return the bytes to download for an encoder, or for all that it is joined of; None where not known."""
    source = location.find_encoder(name).record.source
    parts = source.removeprefix(JOINED).split(", ") if source.startswith(JOINED) else [name]
    sizes = [entry.size if (entry := catalogue.find(part)) else None for part in parts]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def cost(name: str, encoder: Encoder, seconds: Sequence[float]) -> dict[str, Any]:
    """Return what a laptop pays for an encoder."""
    return {
        "encoder": name,
        "texts a second": TIMED / float(np.median(seconds)),
        "bytes an example": encoder.dimension,
        "bytes on disk": size_of(location.path(name)),
        "bytes to download": download(name),
    }


def summary(cells: Sequence[Cell], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return each encoder's means, and where it is worst beside the first one."""
    groups = {group: [cell for cell in cells if cell.group == group] for group in (ENGLISH, OTHER, GIVEN)}
    found = []
    for name in names:
        gaps = [cell.right[name] - cell.right[names[0]] for cell in cells]
        worst = min(range(len(cells)), key=lambda i: gaps[i].mean())
        low, high = interval(list(gaps[worst]), np.mean)
        means = {
            group: float(np.mean([cell.accuracy(name) for cell in some]))
            for group, some in {**groups, "all": cells}.items()
            if some
        }
        found.append(
            {
                "encoder": name,
                "means": means,
                "worst": float(gaps[worst].mean()),
                "worst interval": [low, high],
                "worst at": f"{cells[worst].name}, {cells[worst].size}",
                "more than one point below": sum(float(gap.mean()) < -1 for gap in gaps),
            }
        )
    return found


def shown(document: Document, names: Sequence[str]) -> None:
    """Print all that was measured as tables."""
    rows = [
        (cell["set"], cell["size"], *(f"{cell['accuracy'][name]:.1f}" for name in names))
        for cell in document["cells"]
    ]
    rows += [
        (f"mean, {group}", "", *(f"{one['means'][group]:.1f}" for one in document["summary"]))
        for group in document["summary"][0]["means"]
    ]
    show("Right answers of the prior alone, %", rows, ("set", "examples", *names))
    rows = [
        (
            one["encoder"],
            f"{one['means']['all'] - document['summary'][0]['means']['all']:+.1f}",
            f"{one['worst']:+.1f} ({one['worst interval'][0]:+.1f} to {one['worst interval'][1]:+.1f})",
            one["worst at"],
            f"{one['more than one point below']} of {len(document['cells'])}",
        )
        for one in document["summary"][1:]
    ]
    header = ("encoder", "mean", "worst (95 % interval)", "at", "more than 1 below")
    if rows:
        show(f"Points to {names[0]}", rows, header)
    rows = [
        (
            one["encoder"],
            f"{one['texts a second']:,.0f}",
            f"{document['costs'][0]['texts a second'] / one['texts a second']:.2f}",
            one["bytes an example"],
            f"{one['bytes on disk'] / 1e6:.0f}",
            "not known" if one["bytes to download"] is None else f"{one['bytes to download'] / 1e6:.0f}",
        )
        for one in document["costs"]
    ]
    header = ("encoder", "texts a second", "time", "bytes an example", "MB on disk", "MB to download")
    show("What a laptop pays", rows, header)


def compared(names: Sequence[str], wanted: Sequence[Task]) -> Document:
    """Return what is measured of encoders, the first one being compared with."""
    texts = sorted(set().union(*(task.texts() for task in wanted)))
    with ExitStack() as stack:
        encoders = {}
        for name in names:
            store = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "store"
            memory = stack.enter_context(Memory.create(store, seed=SEED, encoder=name))
            encoders[name] = memory._opened.engines.encoder()
        vectors = {name: dict(zip(texts, one.encode(texts), strict=True)) for name, one in encoders.items()}
        timed = [texts[i % len(texts)] for i in np.random.default_rng(0).permutation(TIMED * 9)[:TIMED]]
        works = [lambda one=one: one.encode(timed) for one in encoders.values()]
        spent = turns(*works, rounds=ROUNDS)
        costs = [cost(name, one, some) for (name, one), some in zip(encoders.items(), spent, strict=True)]
    cells = [measured(task, size, vectors) for task in wanted for size in task.sizes]
    return {
        "cells": [
            {
                "set": cell.name,
                "group": cell.group,
                "size": cell.size,
                "accuracy": {name: cell.accuracy(name) for name in names},
            }
            for cell in cells
        ],
        "summary": summary(cells, names),
        "costs": costs,
    }


def here() -> list[str]:
    """Return the encoders that are installed, the default one first."""
    names = [model.name for model in location.installed() if isinstance(model, InstalledEncoder)]
    return sorted(names, key=lambda name: (name != catalogue.DEFAULT_ENCODER, name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", help="installed ones; the others are compared with the first")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS)
    parser.add_argument(
        "--pair", nargs=2, type=Path, action="append", default=[], metavar=("TRAIN", "TEST"), help="JSON lines"
    )
    parser.add_argument("--examples", type=int, nargs="+", default=SIZES)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=1, help="draws of a set that has a test file")
    parser.add_argument("--draws", type=int, default=20, help="draws of a language's set")
    parser.add_argument("--json", action="store_true", help="print one JSON document in place of tables")
    given = parser.parse_args()
    try:
        names = given.encoders or here()
        document = compared(names, list(tasks(given)))
    except EdgeIclError as error:
        sys.exit(f"{error}; {error.hint}" if error.hint else str(error))
    if given.json:
        print(json.dumps(document, indent=2))
    else:
        shown(document, names)


if __name__ == "__main__":
    main()
