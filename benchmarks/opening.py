"""Where the time of opening a store and one search goes, in a fresh process, and what of it nobody can save.

    python benchmarks/opening.py [--sizes 10000 100000 1000000] [--rounds 5] [--stores FOLDER] [--command]

Synthetic stores, their files in the page cache. Each of these is a process of its own, and they take turns:

    search   start: the interpreter and imports; open: store.json and the manifest; points: all pages read,
             checked, decoded and placed; search: the nearest ten and their texts; again: the same once more
    read     the same pages, by as many threads, read into a buffer that is there already
    check    the same, and their digests (BLAKE2b), which the format demands: the floor of `points`
    decode   the pages as the library reads, checks and decodes them, and none kept: the rest is placing

The question is a stored vector with noise, so the encoder is left out. With --command, `edge-icl search TEXT`
takes its turn too, from start to end; it loads the encoder, which must be on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from searching import NEAREST, questions
from support.bars import seconds
from support.common import interval, show
from support.synthetic import fill

from edge_icl.runtime.cores import usable_cpus
from edge_icl.runtime.threads import MOST_THREADS
from edge_icl.search.finding import nearest
from edge_icl.store.disk import Store
from edge_icl.store.manifest import page_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_icl.store.snapshot import Snapshot

    Taken = dict[str, float]
    """Seconds by step, and megabytes."""

SIZES = (10_000, 100_000, 1_000_000)
LARGEST_PAGE = 4 << 20
COMMAND = Path(sys.executable).with_name("edge-icl")
STEPS = ("start", "open", "points", "search", "again", "read", "check", "decode", "command")


class Laps:
    """Seconds between one lap and the next."""

    def __init__(self, begun: float) -> None:
        self.taken: Taken = {}
        self._last = begun

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self.taken[step], self._last = now - self._last, now


def search(path: Path, begun: float) -> Taken:
    """Open a store and search it, in the steps in which a program does."""
    laps = Laps(begun)
    laps.lap("start")
    now = Store.open(path).snapshot()
    laps.lap("open")
    points = now.points()
    laps.lap("points")
    asked = questions(points.vectors)[0]
    laps.lap("question")
    nearest(now, points, asked, NEAREST)
    laps.lap("search")
    nearest(now, points, asked, NEAREST)
    laps.lap("again")
    return {**laps.taken, "MB": resident()}


def resident() -> float:
    """Return the most megabytes that were resident; not `ru_maxrss`, which starts at those of the parent."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def read(path: Path, _: float) -> Taken:
    now = Store.open(path).snapshot()
    return {"read": seconds(lambda: each_page(path, now, lambda _page: None))}


def check(path: Path, _: float) -> Taken:
    now = Store.open(path).snapshot()
    return {"check": seconds(lambda: each_page(path, now, now.settings.digest))}


def decode(path: Path, _: float) -> Taken:
    now = Store.open(path).snapshot()
    return {"decode": seconds(lambda: now.visit(lambda _page: None))}


PROCESSES: dict[str, Callable[[Path, float], Taken]] = {
    "search": search,
    "read": read,
    "check": check,
    "decode": decode,
}


def each_page(path: Path, now: Snapshot, work: Callable[[memoryview], object]) -> None:
    """Read all pages of a store, each thread into one buffer, and do something with their bytes."""
    names = [path / page_file(leaf.digest) for leaf in now.manifest.pages]
    threads = min(usable_cpus(), MOST_THREADS)

    def some(part: Sequence[Path]) -> None:
        buffer = memoryview(bytearray(LARGEST_PAGE))
        for name in part:
            file = os.open(name, os.O_RDONLY)
            work(buffer[: os.readv(file, [buffer])])
            os.close(file)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(some, (names[i::threads] for i in range(threads))))


def process(name: str, path: Path) -> Taken:
    """Return what a fresh process takes."""
    begun = time.monotonic()
    if name == "command":
        subprocess.run([COMMAND, "--store", path, "search", "taxi lunch"], check=True, capture_output=True)
        return {"command": time.monotonic() - begun}
    command = [sys.executable, __file__, "--process", name, str(path), "--begun", repr(begun)]
    found: Taken = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def measure(path: Path, names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Return what each step took, by name; the processes take turns, after one round that does not count."""
    taken: dict[str, list[float]] = {}
    for i in range(rounds + 1):
        for name in names:
            for step, value in process(name, path).items():
                taken.setdefault(step, []).extend([value] if i else [])
    return taken


def report(taken: dict[int, dict[str, list[float]]], rounds: int) -> None:
    steps = [step for step in STEPS if step in next(iter(taken.values()))]
    header = ("seconds", *(f"{size:,}" for size in taken))
    rows = [(step, *(f"{np.median(found[step]):.3f}" for found in taken.values())) for step in steps]
    rows.append(("most resident, MB", *(f"{np.median(found['MB']):.0f}" for found in taken.values())))
    show(f"From the start of a process to one search, medians of {rounds}", rows, header)
    rows = [
        (f"points / {floor}", *(quotient(found["points"], found[floor]) for found in taken.values()))
        for floor in ("read", "check", "decode")
    ]
    show("How far from the floors", rows, ("ratio", *header[1:]))


def quotient(ours: Sequence[float], floor: Sequence[float]) -> str:
    quotients = list(np.divide(ours, floor))
    low, high = interval(quotients)
    return f"{np.median(quotients):.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stores", type=Path, help="keep the stores here, and use those that are here")
    parser.add_argument("--command", action="store_true", help="also time `edge-icl search`")
    parser.add_argument("--process", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--begun", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.process:
        name, path = given.process
        print(json.dumps(PROCESSES[name](Path(path), given.begun)))
        return
    names = [*PROCESSES, *(["command"] if given.command else [])]
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in given.sizes:
            path = (given.stores or Path(folder)) / f"store-{size}"
            if not path.exists():
                fill(path, size)
            taken[size] = measure(path, names, given.rounds)
    report(taken, given.rounds)


if __name__ == "__main__":
    main()
