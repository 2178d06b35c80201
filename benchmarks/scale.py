"""What one change costs as a store grows: time, bytes and files, from 1,000 to 1,000,000 examples.

    python benchmarks/scale.py [--sizes 1000 10000 100000] [--changes 500]
    python benchmarks/scale.py --memory --sizes 200000 1000000    # what one commit of so many holds

Synthetic stores (`synthetic.py`) through the real store code. A change is durable and wiped when it is timed;
each is made by a store that was opened for it, so that reading the manifest is part of it. What is forgotten is
added again before the next one. The stores take turns. "Rebuilt" is a new store with all examples but one, and
the embedding of none.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from support.bars import Bar, ratio, seconds, table
from support.common import SEED, interval, show
from support.synthetic import DIMENSION, fill, rows

from edge_icl import Example, Memory
from edge_icl.store.disk import Store
from edge_icl.store.files import Files
from edge_icl.store.pages import Row
from edge_icl.store.writer import Change, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZES = (1_000, 10_000, 100_000)
BATCH = 1_000
PIECE = 10_000
"""Random vectors that are made at once."""


class Counting(Files):
    """The file system, and what was asked of it."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def read(self, path: Path) -> bytes:
        data = super().read(path)
        self.seen["files read"] += 1
        self.seen["bytes read"] += len(data)
        return data

    def open(self, path: Path, *, create: bool) -> int:
        self.seen["files written"] += 1
        return super().open(path, create=create)

    def write(self, file: int, data: bytes) -> None:
        self.seen["bytes written"] += len(data)
        super().write(file, data)

    def flush(self, file: int) -> None:
        self.seen["flushes"] += 1
        super().flush(file)

    def flush_overwritten(self, file: int) -> None:
        self.seen["flushes"] += 1
        super().flush_overwritten(file)

    def flush_directory(self, path: Path) -> None:
        self.seen["flushes"] += 1
        super().flush_directory(path)


class Taken(NamedTuple):
    """One change: its seconds, whether it refitted, and what it asked of the file system."""

    seconds: float
    refit: bool
    seen: Counter[str]


def change(path: Path, *, added: list[object], removed: list[bytes]) -> Taken:
    files = Counting()
    done: list[Change] = []

    def work() -> None:
        with writing(Store.open(path, files=files)) as writer:
            done.append(writer.commit(added=added, removed=removed))

    spent = seconds(work)
    return Taken(spent, done[0].refit, files.seen)


def drawn(size: int, count: int) -> list[Row]:
    """Return some rows of a store, in random order."""
    every = list(rows(size))
    return [every[i] for i in np.random.default_rng(0).choice(size, count, replace=False)]


def measure(paths: dict[int, Path], changes: int) -> dict[tuple[int, str], list[Taken]]:
    """Return what each change took, by size and kind; the stores take turns."""
    taken: dict[tuple[int, str], list[Taken]] = {}
    chosen = {size: drawn(size, changes) for size in paths}
    for turn in range(changes):
        for size, path in paths.items():
            row = chosen[size][turn]
            taken.setdefault((size, "forget"), []).append(change(path, added=[], removed=[row.id]))
            taken.setdefault((size, "add"), []).append(change(path, added=[row], removed=[]))
    for size, path in paths.items():
        batch = list(rows(BATCH, first=size))
        taken[size, f"add {BATCH:,}"] = [change(path, added=batch, removed=[])]
        taken[size, f"forget {BATCH:,}"] = [change(path, added=[], removed=[row.id for row in batch])]
    return taken


def milliseconds(taken: list[Taken]) -> str:
    if not taken:
        return ""
    values = [1000 * one.seconds for one in taken]
    low, high = interval(values)
    return f"{np.median(values):.1f} ({low:.1f} to {high:.1f}, n = {len(values)})"


def report(taken: dict[tuple[int, str], list[Taken]]) -> None:
    table_rows, counts = [], []
    for (size, kind), some in taken.items():
        quiet = [one for one in some if not one.refit]
        loud = [one for one in some if one.refit]
        mean = 1000 * np.mean([one.seconds for one in some])
        table_rows.append((f"{size:,}", kind, milliseconds(quiet), milliseconds(loud), f"{mean:.1f}"))
        for name, part in (("no", quiet), ("yes", loud)):
            if part:
                median = {what: np.median([one.seen[what] for one in part]) for what in part[0].seen}
                cells = (f"{median[what]:,.0f}" for what in ("files read", "bytes read", "files written"))
                more = (f"{median[what]:,.0f}" for what in ("bytes written", "flushes"))
                counts.append((f"{size:,}", kind, name, *cells, *more))
    header = ("examples", "change", "other changes, ms", "clustered again, ms", "mean")
    show("One change, durable and wiped", table_rows, header)
    header = (
        "examples",
        "change",
        "share clustered again",
        "files read",
        "bytes read",
        "files written",
        "bytes written",
        "flushes",
    )
    show("What it asks of the file system, medians (wiping is writing)", counts, header)


def judged(taken: dict[tuple[int, str], list[Taken]]) -> list[Bar]:
    large, small = ([one.seconds for one in taken[size, "forget"]] for size in (100_000, 1_000))
    mean = float(np.mean(large) / np.mean(small))
    median = ratio("forget one of 100,000 / of 1,000", large, small, 1.5)
    return [median, median._replace(measure="... the means", figure=mean, low=mean, high=mean, limit=3)]


def bars(sizes: Sequence[int] = SIZES, changes: int = 500) -> list[Bar]:
    """Measure, show, and return the bars, if their sizes are among those measured."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {size: Path(folder) / str(size) for size in sizes}
        for size, path in paths.items():
            fill(path, size)
        taken = measure(paths, changes)
        report(taken)
        rebuilt = {}
        for size in sizes:
            left = list(rows(size - 1))
            path = Path(folder) / f"again-{size}"
            Memory.create(path, seed=SEED).close()
            with writing(Store.open(path)) as writer:
                rebuilt[size] = seconds(lambda writer=writer, left=left: writer.commit(added=left))
        show(
            "Rebuilding", [(f"{size:,}", f"{spent:.2f}") for size, spent in rebuilt.items()], ("examples", "s")
        )
    return judged(taken) if set(SIZES) <= set(sizes) else []


def flowing(count: int) -> Iterator[Row]:
    """Yield rows that are made when they are asked for, with random vectors."""
    for start in range(0, count, PIECE):
        rng = np.random.default_rng(start)
        for i, vector in enumerate(rng.integers(-60, 61, (PIECE, DIMENSION), np.int8)[: count - start], start):
            example = Example.create(
                f"taxi to the airport and back to the hotel number {i:08}", f"label {i % 77}"
            )
            yield Row(example.id(SEED), vector, example.canonical())


def most_resident() -> float:
    """Return the most megabytes that were resident; not `ru_maxrss`, which starts at those of the parent."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def hold(size: int) -> None:
    """Print how many megabytes one commit of so many rows holds beside the program; once a process."""
    with tempfile.TemporaryDirectory() as folder:
        Memory.create(Path(folder) / "store", seed=SEED).close()
        before = most_resident()
        with writing(Store.open(Path(folder) / "store")) as writer:
            spent = seconds(lambda: writer.commit(added=flowing(size)))
        print(f"{size:,}: {most_resident() - before:.0f} MB, {spent:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        for size in given.sizes:
            subprocess.run([sys.executable, __file__, "--hold", str(size)], check=True)
        return
    if given.hold:
        hold(given.hold)
        return
    table("Bars", bars(given.sizes, given.changes))


if __name__ == "__main__":
    main()
