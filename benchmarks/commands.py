"""What a command takes from the start of its process to its end, in a large store: time, and the most memory.

    python benchmarks/commands.py [--sizes 100000] [--rounds 3] [--only ask list ...]

Synthetic stores with 8 labels. Each command is a process of its own and they take turns; each `forget` takes
the next example. `search`, `add` and `ask` load the encoder, which must be on this machine. Memory is the most
that was resident, as Linux tells (VmHWM).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from support.common import show
from support.synthetic import fill, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Words = Callable[[], list[str]]

PROGRAM = """
import sys
from pathlib import Path
from edge_icl.cli.main import main
code = main(sys.argv[2:])
status = Path("/proc/self/status").read_text()
Path(sys.argv[1]).write_text(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
sys.exit(code)
"""

QUESTION = "taxi to the office"


class Spent(NamedTuple):
    """What one process took: seconds, and the most megabytes."""

    seconds: float
    megabytes: float


def commands(size: int) -> dict[str, Words]:
    """Return what is typed for each command, anew for each run of it."""
    ids: Iterator[str] = (row.id.hex() for row in rows(size))
    numbers = iter(range(size))
    return {
        "--version": lambda: ["--version"],
        "status": lambda: ["status"],
        "list": lambda: ["list"],
        "list --json": lambda: ["list", "--json"],
        "show ID": lambda: ["show", next(ids)],
        "search": lambda: ["search", QUESTION],
        "add": lambda: ["add", f"{QUESTION}, number {next(numbers)}", "taxi"],
        "forget ID --no-similar": lambda: ["forget", next(ids), "--yes", "--no-similar"],
        "forget ID": lambda: ["forget", next(ids), "--yes"],
        "fix": lambda: ["fix", next(ids), "coffee"],
        "verify": lambda: ["verify"],
        "ask": lambda: ["ask", QUESTION, "--ask-model", "never"],
    }


def run(store: Path, words: list[str], out: Path) -> Spent:
    begun = time.perf_counter()
    command = [sys.executable, "-c", PROGRAM, str(out), "--store", str(store), *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    spent = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr}")
    return Spent(spent, int(out.read_text(encoding="utf-8")) / 1000)


def measured(size: int, rounds: int, only: list[str]) -> dict[str, list[Spent]]:
    found: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store, out = Path(folder) / "store", Path(folder) / "memory"
        fill(store, size)
        some = {name: words for name, words in commands(size).items() if not only or name in only}
        for turn in range(rounds + 1):
            for name, words in some.items():
                spent = run(store, words(), out)
                if turn:  # the first one reads files that are in no cache yet
                    found.setdefault(name, []).append(spent)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[], metavar="COMMAND")
    given = parser.parse_args()
    for size in given.sizes:
        table = []
        for name, spent in measured(size, given.rounds, given.only).items():
            taken, held = zip(*spent, strict=True)
            table.append((name, f"{np.median(taken):.2f}", f"{max(held):.0f}"))
        header = ("command", "s", "resident, MB")
        show(f"{size:,} examples, medians of {given.rounds}, and the most memory", table, header)


if __name__ == "__main__":
    main()
