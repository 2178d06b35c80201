"""What asking costs beyond llama.cpp's own work, and where the rest of the time goes.

    python benchmarks/asking.py [--questions 16] [--rounds 2] [--examples 1000] [--only bars] [--threads 1 2]

Banking77. The floor is llama.cpp itself (floor.py), given the same tokens after the same prefix; each question
is asked and evaluated in turns. Ours adds what it takes to know these tokens and to read an answer from the
logits: the question's vector, the choice of examples, the prior, the softmax of each label's tokens.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from support.bars import Bar, ratio, table, turns
from support.common import SEED, interval, load, show
from support.floor import Floor

from edge_icl import Example, Memory, Options
from edge_icl.runtime.cores import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT = 1.10
QUESTIONS = 16
ROUNDS = 2
ROUNDS_OF_PROCESSES = 5
MOST_TOKENS = 24
LABELS = (2, 6, 77, 150)
SHOTS = (2, 8, 32)

WRITTEN: dict[str, Any] = {"labels": "off", "select": "erase", "max_tokens": MOST_TOKENS}

WAYS = {
    "a label": Options(ask_model="always"),
    "a label, by the model alone": Options(prior=False),
    "a written answer": Options(labels="off", max_tokens=MOST_TOKENS),
    "a written answer, representatives only": Options(**WRITTEN),
}
DEFAULTS = {"auto": Options(), "always": Options(ask_model="always")}
BARS = ("a label", "a written answer", "a written answer, representatives only")
"""The model alone judges every label: ten times the work, and the same overhead."""

COLD = """
import json, sys, time
from edge_icl import Memory, Options
with Memory.open(sys.argv[2]) as memory:
    reply = memory.stream(sys.argv[3], Options(**json.loads(sys.argv[4])))
    next(reply)
    first = time.time()
    for _ in reply:
        pass
print(first - float(sys.argv[1]), time.time() - float(sys.argv[1]))
"""
"""A process of its own prints seconds from its start to the first token and to the last."""


class Scheduler(NamedTuple):
    """One way of asking: seconds a question, each the median of its turns."""

    ours: list[float]
    floor: list[float]
    embed: list[float]
    select: list[float]


def questions(count: int) -> list[str]:
    rows = load("banking77/test", made_up=True)
    return [row["input"] for row in rows[:: len(rows) // count]][:count]


def rows_of(labels: int, most: int) -> list[Example]:
    """Return examples with so many labels: those of Banking77, then names made of two of them."""
    rows = load("banking77/train", made_up=True)
    known = sorted({row["output"] for row in rows})
    kept = [row for row in rows if row["output"] in known[:labels]]
    some = [kept[i * len(kept) // most] for i in range(most)] if len(kept) > most else kept
    found = [Example.create(row["input"], row["output"]) for row in some]
    halves = [(one.split("_")[0], two.split("_", 1)[-1]) for one, two in zip(known, known[7:], strict=False)]
    made = sorted({f"{one}_{two}" for one, two in halves} - set(known)) + [f"{one}_again" for one in known]
    extra = max(labels - len(known), 0)
    return found + [
        Example.create(f"{row['input']} Again.", label)
        for row, label in zip(rows[1 :: len(rows) // max(extra, 1)], made[:extra], strict=False)
    ]


def store(path: Path, examples: Sequence[Example], shots: int = 8) -> Memory:
    memory = Memory.create(path, seed=SEED, shots=shots)
    memory.add_many(examples)
    return memory


def floor_of(
    memory: Memory, floors: dict[str, Floor], question: str, options: Options
) -> tuple[Callable[[], None], int]:
    """Return llama.cpp's part of one question, and how many tokens that is; asks it once."""
    reply = memory.stream(question, options)
    for _ in reply:
        pass
    _, model = memory._opened.engines.model()
    assert reply.prompt is not None
    prefix = reply.prompt.prefix
    if prefix not in floors:
        floors[prefix] = Floor(model, model.tokenize(prefix, start=True))
    tokens = model.tokenize(reply.prompt.question)
    if reply.answer.labels:
        return floors[prefix].labels(tokens, sorted(reply.answer.parts))
    work, text = floors[prefix].text(tokens, reply.prompt.stop, options.max_tokens)
    assert text == reply.answer.text, (text, reply.answer.text)
    return work, len(tokens)


def in_turns(memory: Memory, asked: Sequence[str], options: Options, rounds: int) -> Scheduler:
    """Ask each question and let llama.cpp evaluate it, in turns."""
    floors: dict[str, Floor] = {}
    found = Scheduler([], [], [], [])
    for question in asked:
        timings: list[dict[str, float]] = []
        raw, _ = floor_of(memory, floors, question, options)

        def ours(question: str = question, timings: list[dict[str, float]] = timings) -> None:
            timings.append(dict(memory.ask(question, options).timings))

        for column, spent in zip((found.ours, found.floor), turns(ours, raw, rounds=rounds), strict=True):
            column.append(float(np.median(spent)))
        found.embed.append(float(np.median([one["embed"] for one in timings])))
        found.select.append(float(np.median([one["select"] for one in timings])))
    for floor in floors.values():
        floor.close()
    return found


def parts(way: str, found: Scheduler) -> tuple[object, ...]:
    """Return a row: milliseconds, then percents of the floor by part, medians over the questions."""
    ours, floor, embed, select = map(np.array, found)
    shares = [ours / floor - 1, embed / floor, select / floor, (ours - floor - embed - select) / floor]
    low, high = interval(list(ours / floor))
    return (
        way,
        len(ours),
        f"{1000 * np.median(ours):.0f}",
        f"{1000 * np.median(floor):.0f}",
        f"{np.median(ours / floor):.3f} ({low:.3f} to {high:.3f})",
        *(f"{np.median(share):+.1%}" for share in shares),
    )


def bars(count: int = QUESTIONS, rounds: int = ROUNDS, examples: int = 1000) -> list[Bar]:
    asked, rows, found = questions(count), [], []
    with tempfile.TemporaryDirectory() as folder, store(Path(folder) / "s", rows_of(77, examples)) as memory:
        for way in BARS:
            spent = in_turns(memory, asked, WAYS[way], rounds)
            rows.append(parts(way, spent))
            found.append(ratio(f"ask, {way} / llama.cpp on its tokens", spent.ours, spent.floor, LIMIT))
    header = ("what", "n", "ask, ms", "floor, ms", "ratio", "more", "vector", "choice", "rest")
    show(f"Asking, prefix cached, Banking77, {examples} examples, 8 shots", rows, header)
    return found


def by_labels(asked: Sequence[str], rounds: int) -> None:
    rows: list[tuple[object, ...]] = []
    for count in LABELS:
        with tempfile.TemporaryDirectory() as folder, store(Path(folder) / "s", rows_of(count, 500)) as memory:
            for way in ("a label", "a label, by the model alone"):
                options = WAYS[way]
                new = [memory.ask(question, options).timings["total"] for question in asked]
                spent = in_turns(memory, asked, options, rounds)
                rows.append((count, *parts(way, spent)[:6], f"{1000 * np.median(new):.0f}"))
    header = ("labels", "what", "n", "ask, ms", "floor, ms", "ratio", "more", "first time, ms")
    show("By number of labels; the first time, labels are new to the process", rows, header)


def by_default(asked: Sequence[str], rounds: int, threads: Sequence[int]) -> None:
    """Print what a label takes when nothing but `ask_model` is said."""
    rows: list[tuple[object, ...]] = []
    for count in LABELS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s"
            store(path, rows_of(count, 500)).close()
            for many, (way, options) in itertools.product(threads, DEFAULTS.items()):
                with Memory.open(path, threads=many) as memory:
                    memory.ask(asked[0], Options(ask_model="always"))  # all is loaded
                    first = [memory.ask(question, options) for question in asked]
                    again = [memory.ask(question, options) for _ in range(rounds) for question in asked]
                spent = [1000 * answer.timings["total"] for answer in again]
                low, high = interval(spent)
                new = 1000 * np.median([answer.timings["total"] for answer in first])
                put = f"{sum(answer.asked_model for answer in first)} of {len(first)}"
                cells = (f"{np.median(spent):.1f} ({low:.1f} to {high:.1f})", f"{new:.1f}")
                rows.append((count, many, way, put, *cells))
                forget_prefixes(path)
    header = ("labels", "threads", "ask_model", "asked the model", "ask, ms", "first time, ms")
    show(f"A label by default, {len(asked)} questions, {rounds} times each", rows, header)


def places(memory: Memory) -> dict[str, Callable[[], None]]:
    """Return where a prefix may be, each with what drops it from the places before."""
    _, model = memory._opened.engines.model()

    def window() -> None:
        with model.lock:
            model.window.empty()

    def memory_too() -> None:  # the window too
        memory._opened.cache.asker(memory._opened.store.snapshot()).clear()

    def disk_too() -> None:
        memory_too()
        forget_prefixes(memory.path)

    return {
        "in the window": lambda: None,
        "in memory": window,
        "on the disk": memory_too,
        "nowhere": disk_too,
    }


def forget_prefixes(path: Path) -> None:
    for entry in (path / "cache").iterdir():
        entry.unlink()


def warm(memory: Memory, question: str, prepare: Callable[[], None]) -> tuple[float, float]:
    prepare()
    reply = memory.stream(question, Options(**WRITTEN))
    for _ in reply:
        pass
    spent = reply.answer.timings
    return spent["embed"] + spent["select"] + spent["first"], spent["total"]


def cold(path: Path, question: str, *, kept: bool) -> tuple[float, float]:
    if not kept:
        forget_prefixes(path)
    command = [sys.executable, "-c", COLD, str(time.time()), str(path), question, json.dumps(WRITTEN)]
    first, last = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(first), float(last)


def cells(found: list[tuple[float, float]]) -> tuple[str, ...]:
    return tuple(f"{1000 * np.median(column):.0f}" for column in zip(*found, strict=True))


def by_shots(question: str, rounds: int) -> None:
    """Print seconds to the first token and to the last, by where the prefix is and by process."""
    rows: list[tuple[object, ...]] = []
    for shots in SHOTS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s"
            with store(path, rows_of(77, 500), shots) as memory:
                warm(memory, question, lambda: None)
                prompt = memory.stream(question, Options(**WRITTEN)).prompt
                assert prompt is not None
                length = memory._opened.engines.model()[1].count(prompt.prefix)
                for where, prepare in places(memory).items():
                    found = [warm(memory, question, prepare) for _ in range(rounds)]
                    rows.append((shots, length, "warm", where, *cells(found)))
            for where in ("on the disk", "nowhere"):
                found = [cold(path, question, kept=where != "nowhere") for _ in range(rounds)]
                rows.append((shots, length, "new", where, *cells(found)))
    header = ("shots", "tokens of prefix", "process", "prefix is", "first token, ms", "last token, ms")
    show(f"A written answer from representatives, median of {rounds}", rows, header)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, usable_cores()}))
    parser.add_argument("--only", choices=("bars", "default", "labels", "shots"))
    given = parser.parse_args()
    asked = questions(given.questions)
    if given.only in {None, "bars"}:
        table("Asking", bars(given.questions, given.rounds, given.examples))
    if given.only in {None, "default"}:
        by_default(asked[:8], given.rounds, given.threads)
    if given.only in {None, "labels"}:
        by_labels(asked[:8], 2)
    if given.only in {None, "shots"}:
        by_shots(asked[1], ROUNDS_OF_PROCESSES)


if __name__ == "__main__":
    main()
