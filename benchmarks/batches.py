"""What a question costs that is put to the model where it matters only: in a file, alone, and in a new process.

    python benchmarks/batches.py [--store FOLDER] [--questions 500] [--alone 25] [--rounds 5] [--new 15]

Banking77, all training examples, questions of its test set. Four ways take turns: a new process of
`edge-icl ask --file F --out G`, all at their defaults; `Memory.ask_many` of an open store; `Memory.ask`, one
question after the other, at its defaults; and the same with the model always asked, on other questions in each
turn. The last two and `ask_many` are warm; the process starts, loads and fits anew. Then `edge-icl ask` for one
question that the model is not asked, a process each: the processor's time, by all of its threads.

`--store` takes a store that holds the examples already, so that they need not be embedded again.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from support.bars import Bar, median, ratio, seconds, table
from support.common import SEED, examples, load, show

from edge_icl import Answer, Memory, Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND = str(Path(sys.executable).with_name("edge-icl"))
LIMIT = 5.0
"""Of questions a second, as a multiple of those with the model always asked."""

SHARE = 0.2
"""Of the time of a question, as a share of one with the model always asked."""

WARM = 10.0
"""Of milliseconds for a label, the store open."""

COLD = 0.5
"""Of seconds of the processor for a label, from the start of a process."""

ALWAYS = Options(ask_model="always")
MADE = "ask --file, a new process"
MANY = "ask_many"
ALONE = "ask, one at a time"
MODEL = "ask, one at a time, the model always asked"


def questions(count: int) -> list[str]:
    rows = load("banking77/test", made_up=True)
    return [row["input"] for row in rows[:: max(len(rows) // count, 1)]][:count]


@contextmanager
def opened(path: Path | None) -> Iterator[Memory]:
    """Open the store with the examples, or make it."""
    if path is not None:
        with Memory.open(path, create=False) as memory:
            yield memory
        return
    with tempfile.TemporaryDirectory() as folder, Memory.create(Path(folder) / "store", seed=SEED) as memory:
        memory.add_many(examples("banking77/train", made_up=True))
        yield memory


def in_a_process(memory: Memory, asked: Sequence[str], folder: Path) -> None:
    """Ask a file of questions with the command."""
    file, out = folder / "questions.csv", folder / "answered.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("input",), *((text,) for text in asked)])
    command = [COMMAND, "--store", str(memory.path), "ask", "--file", str(file), "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out.unlink()


def alone(memory: Memory, asked: Sequence[str], options: Options) -> None:
    for text in asked:
        memory.ask(text, options)


def measured(memory: Memory, asked: Sequence[str], few: int, rounds: int) -> dict[str, list[float]]:
    """Return for each way the seconds a question, a number a turn."""
    spent: dict[str, list[float]] = {MADE: [], MANY: [], ALONE: [], MODEL: []}
    alone(memory, asked[:2], ALWAYS)
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            some = [asked[(turn * few + i) % len(asked)] for i in range(few)]
            works = {
                MODEL: (partial(alone, memory, some, ALWAYS), few),
                MADE: (partial(in_a_process, memory, asked, Path(folder)), len(asked)),
                MANY: (lambda: list(memory.ask_many(asked)), len(asked)),
                ALONE: (partial(alone, memory, asked, Options()), len(asked)),
            }
            order = list(works) if turn % 2 else list(reversed(works))
            for way in order:
                work, count = works[way]
                spent[way].append(seconds(work) / count)
    return spent


def cold(memory: Memory, asked: Sequence[str]) -> list[float]:
    """Return the processor's seconds of a process for each question."""
    ask = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    spent = []
    for text in asked:
        before = os.times()
        ask([COMMAND, "--store", str(memory.path), "ask", "--ask-model", "never", text])
        after = os.times()
        spent.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    return spent


def bars(
    path: Path | None = None, count: int = 500, few: int = 25, rounds: int = 5, new: int = 15
) -> list[Bar]:
    asked = questions(count)
    with opened(path) as memory:
        spent = measured(memory, asked, few, rounds)
        processes = cold(memory, asked[:new])
        put = np.mean([isinstance(one, Answer) and one.asked_model for one in memory.ask_many(asked)])
    rows = [
        (way, f"{1000 * np.median(found):.1f}", f"{1 / np.median(found):.0f}") for way, found in spent.items()
    ]
    show(
        f"Banking77, {len(asked)} questions, medians of {rounds}; the model is asked for {put:.1%} of them",
        rows,
        ("way", "ms a question", "questions a second"),
    )
    return [
        ratio(f"questions a second, {way} / {MODEL}", spent[MODEL], spent[way], limit, most=False)
        for way, limit in ((MADE, LIMIT), (MANY, LIMIT))
    ] + [
        ratio("ask, a label / the model always asked", spent[ALONE], spent[MODEL], SHARE),
        median("ask, a label, warm, ms", [1000 * each for each in spent[ALONE]], WARM),
        median("ask, a label, a new process, seconds of the processor", processes, COLD),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--alone", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--new", type=int, default=15, help="new processes")
    given = parser.parse_args()
    table("Questions", bars(given.store, given.questions, given.alone, given.rounds, given.new))


if __name__ == "__main__":
    main()
