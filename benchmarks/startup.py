"""How soon a command is done, from the start of its process: against a process that imports click and numpy.

    python benchmarks/startup.py [--rounds 15]

A store of 1,000 examples. The commands take turns with the baseline; each `forget` takes the next example. All
have their byte code on the disk, as after an installation by pip, whatever PYTHONDONTWRITEBYTECODE says.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from support.bars import Bar, ratio, seconds, table
from support.synthetic import fill, rows

BASELINE = [sys.executable, "-c", "import click, numpy"]
COMMAND = [str(Path(sys.executable).with_name("edge-icl"))]
EXAMPLES = 1_000


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)


def bars(rounds: int = 15) -> list[Bar]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        fill(path, EXAMPLES)
        gone = (row.id.hex() for row in rows(rounds + 1))
        commands = {
            "--version": (lambda: [*COMMAND, "--version"], 1.0),
            "list": (lambda: [*COMMAND, "--store", str(path), "list"], 2.0),
            "forget ID": (
                lambda: [*COMMAND, "--store", str(path), "forget", next(gone), "--yes", "--no-similar"],
                2.0,
            ),
        }
        for make, _ in commands.values():
            run(make())
        ours: dict[str, list[float]] = {name: [] for name in commands}
        theirs: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, (make, _) in commands.items():
                theirs[name].append(seconds(partial(run, BASELINE)))
                ours[name].append(seconds(partial(run, make())))
    return [
        ratio(f"edge-icl {name} / import click, numpy", ours[name], theirs[name], limit)
        for name, (_, limit) in commands.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    table("Start-up, processes from start to end", bars(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
