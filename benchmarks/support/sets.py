"""What encoders are compared on: two English sets, files that are given, and small sets in other languages."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from support.common import DATA

from edge_icl import EdgeIclError, Example

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

ENGLISH, OTHER, GIVEN = "English", "other languages", "given"
PAIRS = ("banking77", "sst2")
LANGUAGES = Path(__file__).resolve().parents[1] / "languages"
SETS = (*PAIRS, *sorted(path.stem for path in LANGUAGES.glob("*.jsonl")))
OF_FORTY = (8, 20)


@dataclass(frozen=True, slots=True)
class Task:
    """A set, and what is taught and asked of it.

    Attributes:
        name: the set's.
        group: which mean it is part of.
        rows: to draw from.
        asked: test rows; none where those are asked that were not drawn.
        sizes: how many are drawn.
        draws: how often.
    """

    name: str
    group: str
    rows: list[Example]
    asked: list[Example]
    sizes: Sequence[int]
    draws: int

    def splits(self, size: int) -> Iterator[tuple[list[Example], list[Example]]]:
        """Yield what is taught and what is asked, for each draw."""
        for draw in range(self.draws):
            order = np.random.default_rng(draw).permutation(len(self.rows))
            asked = self.asked or [self.rows[i] for i in order[size:]]
            yield [self.rows[i] for i in order[:size]], asked

    def texts(self) -> set[str]:
        """Return every input that is taught or asked."""
        parts = [part for size in self.sizes for split in self.splits(size) for part in split]
        return {example.input for part in parts for example in part}


def read(path: Path) -> list[Example]:
    """Return the examples of a file of JSON lines; leave with a sentence where it is none."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [Example.create(row["input"], row["output"]) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, EdgeIclError) as error:
        sys.exit(f"{path} is not JSON lines with an input and an output each: {error!r}")


def tasks(given: argparse.Namespace) -> Iterator[Task]:
    """Yield the sets that are wanted and here."""
    pairs = [
        (ENGLISH, name, DATA / name / "train.jsonl", DATA / name / "test.jsonl")
        for name in PAIRS
        if name in given.sets
    ]
    pairs += [(GIVEN, f"{train.parent.name}/{train.stem}", train, test) for train, test in given.pair]
    for group, name, train, test in pairs:
        if group == ENGLISH and not (train.is_file() and test.is_file()):
            print(f"{name} is left out: set EDGE_ICL_DATA to the folder that holds it", file=sys.stderr)
            continue
        rows, asked = read(train), read(test)
        order = np.random.default_rng(0).permutation(len(asked))[: given.questions]
        sizes = sorted({min(size, len(rows)) for size in given.examples})
        yield Task(name, group, rows, [asked[i] for i in order], sizes, given.repeats)
    for name in given.sets:
        if name not in PAIRS:
            yield Task(name, OTHER, read(LANGUAGES / f"{name}.jsonl"), [], OF_FORTY, given.draws)
