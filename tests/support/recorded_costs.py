"""What the main paths cost, counted and not timed, and the record in costs.json that tests compare with.

    make counts        # python tests/support/recorded_costs.py: count, and record what has changed

Files, bytes and flushes are the same everywhere. Instructions are those that valgrind's callgrind counts, in
one thread, with one hash seed and without Python's collector of cycles. They depend on how Python and numpy
were built, and not on what else the machine does. The record says where it was made: make it where CI runs.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from command import PROGRAM
from paths import QUIET, SIZES, YARDSTICK, mark
from repository import DATA, SUPPORT
from stores import SETTINGS, commit, make, row

from edge_icl.cli.machine import flags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.store.disk import Store
    from edge_icl.store.pages import Row

RECORD = DATA / "costs.json"
INSTRUCTIONS = "instructions"

REAL = replace(SETTINGS, dimension=384, scale=400, shots=8, step=480)
"""Vectors and shots as users have them; a coarse lattice, so that most changes are without a refit."""

TURNS = 2
"""Changes without a refit that are made in each store; the last one counts."""

SPREAD = 0.0025
"""How far two counts of the same may be apart. Among ten, five of them while three other programs kept two
cores busy, it was 0.13 % at most, on any path; with one from another checkout, its stores on another file
system, 0.25 %."""

ALIKE = 4 * SPREAD
"""How far those of the yardstick may be from the record for this to be such a machine."""

TOLERANCE = 8 * SPREAD
"""How far those of a path may be from the record, either way: other makes of processors were not tried."""

PACKAGES = ("click", "filelock", "numpy", "platformdirs", "safetensors", "simsimd")
"""Other people's code on these paths: a release of theirs may explain a difference."""

CALLGRIND = ("--quiet", "--tool=callgrind", "--combine-dumps=yes", f"--dump-before={mark.__name__}")

# Order in sets, threads of BLAS and the language would change the numbers; and so would "rep movsb", which
# copies a block by one instruction and is counted for each byte.
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS",
}

COMMANDS = {
    "edge-icl --version": ["--version"],
    f"edge-icl list, {SIZES[0]:,} examples": ["list"],
    f"edge-icl forget ID, {SIZES[0]:,} examples": ["forget", "ID", "--yes", "--no-similar"],
}

LONG = COMMANDS.keys() - {"edge-icl --version"}
"""Of these, those that load much more."""

Counts = dict[str, dict[str, int]]
"""Path -> what is counted -> how much."""


class Where(NamedTuple):
    """What instructions depend on besides our code."""

    machine: str
    python: str
    numpy: str


def here() -> Where:
    wide = " with AVX2" if "avx2" in flags() else ""
    return Where(
        f"{platform.machine()}{wide}",
        ".".join(platform.python_version_tuple()[:2]),
        ".".join(np.__version__.split(".")[:2]),
    )


def versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}


def has_valgrind() -> bool:
    return shutil.which("valgrind") is not None


def build(folder: Path) -> None:
    """Make the stores, and find what can be changed in them without a refit."""
    quiet = {}
    for size in SIZES:
        rows = [row(number, settings=REAL) for number in range(size)]
        store = make(folder / str(size), rows, settings=REAL)
        quiet[size] = [one.id.hex() for one in _quiet(store, rows)]
    (folder / QUIET).write_text(json.dumps(quiet))


def _quiet(store: Store, rows: Sequence[Row]) -> list[Row]:
    """Return the first rows whose forgetting takes no refit, nor adding them again."""
    found = []
    for one in rows:
        both = commit(store, removed=[one.id]), commit(store, added=[one])
        if not any(change.refit for change in both):
            found.append(one)
        if len(found) == TURNS:
            break
    return found


def count(*, large: bool = True) -> Counts:
    """Return what the paths cost here; no instructions where valgrind is not installed.

    Args:
        large: whether to count what takes longest, too: instructions of the large store's paths, and `LONG`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stores").mkdir()
        build(folder / "stores")
        commands = [name for name in COMMANDS if has_valgrind() and (large or name not in LONG)]
        return _paths(folder, SIZES if large else SIZES[:-1]) | _commands(folder, commands)


def _paths(folder: Path, sizes: Sequence[int]) -> Counts:
    """Return what the paths cost: what they ask of files in all stores, instructions in these."""
    with _fresh(folder) as stores:
        lines = [json.loads(line) for line in _python(SUPPORT / "paths.py", stores).splitlines()]
    if has_valgrind():
        with _fresh(folder) as stores:
            totals = _instructions(folder, SUPPORT / "paths.py", stores, str(sizes[-1]))
        others = [f"{size:,}" for size in SIZES if size not in sizes]
        done = [line for line in lines if not any(size in line["path"] for size in others)]
        # What stands before each mark: in turns what lies between two paths, and a path.
        for line, total in zip(done, totals[1::2], strict=True):
            line[INSTRUCTIONS] = total
    return {line.pop("path"): line for line in lines}


def _commands(folder: Path, names: Sequence[str]) -> Counts:
    """Return the instructions of commands, from the start of their process to its end."""
    found: Counts = {}
    gone = json.loads((folder / "stores" / QUIET).read_bytes())[str(SIZES[0])][0]
    for name in names:
        line = ["-c", PROGRAM, *(gone if word == "ID" else word for word in COMMANDS[name])]
        with _fresh(folder) as stores:  # once without valgrind: later the byte code is there
            _python(*line, "--store", stores / str(SIZES[0]))
        with _fresh(folder) as stores:
            totals = _instructions(folder, *line, "--store", stores / str(SIZES[0]))
        found[name] = {INSTRUCTIONS: sum(totals)}
    return found


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    """Give a copy of the stores, since nobody changes them in the same way twice."""
    stores = shutil.copytree(folder / "stores", folder / "used")
    yield stores
    shutil.rmtree(stores)


def _instructions(folder: Path, *words: str | Path) -> list[int]:
    """Return the instructions up to each mark, and up to the end, each from the one before."""
    out = folder / "callgrind.out"
    _python(*words, under=[shutil.which("valgrind") or "", *CALLGRIND, f"--callgrind-out-file={out}"])
    return [int(total) for total in re.findall(r"^totals: (\d+)$", out.read_text(), re.MULTILINE)]


def _python(*words: str | Path, under: Sequence[str] = ()) -> str:
    """Return what a program of Python tells, run in an environment of its own."""
    command = [*under, sys.executable, *map(str, words)]
    return subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


class Record(NamedTuple):
    """What is recorded.

    Attributes:
        where: where its instructions were counted.
        packages: other people's code that was there.
        paths: the counts.
    """

    where: Where
    packages: dict[str, str]
    paths: Counts

    @classmethod
    def read(cls) -> Record:
        fields = json.loads(RECORD.read_bytes())
        return cls(Where(**fields["where"]), fields["packages"], fields["paths"])

    def write(self) -> None:
        fields = self._asdict() | {"where": self.where._asdict()}
        RECORD.write_text(json.dumps(fields, indent=1, sort_keys=True) + "\n")

    def is_of(self, where: Where, counts: Counts) -> bool:
        """Tell whether instructions can be compared: also two builds of one Python differ."""
        mine, theirs = (one[YARDSTICK][INSTRUCTIONS] for one in (self.paths, counts))
        return where == self.where and near(theirs, mine, ALIKE)


def near(number: int, recorded: int, share: float) -> bool:
    return abs(number - recorded) <= share * recorded


def merged(old: Record, new: Record) -> Record:
    """Return the new record, with the old numbers where they are the same: so a diff shows what has changed."""
    paths = {name: dict(counts) for name, counts in new.paths.items()}
    if old.is_of(new.where, new.paths):
        for name in paths.keys() & old.paths.keys():
            recorded = old.paths[name][INSTRUCTIONS]
            if near(paths[name][INSTRUCTIONS], recorded, SPREAD):
                paths[name][INSTRUCTIONS] = recorded
    return new._replace(paths=paths)


def main() -> None:
    if not has_valgrind():
        sys.exit("instructions are counted with valgrind, which is not installed: apt install valgrind")
    new = Record(here(), versions(), count())
    if RECORD.exists():
        old = Record.read()
        if not old.is_of(new.where, new.paths):
            print(f"another Python or numpy than before, or another build: {new.where}")  # noqa: T201 - a program
        new = merged(old, new)
    new.write()
    print(f"{RECORD} is written: git diff shows what has changed")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
