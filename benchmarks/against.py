"""A store of 10,000 examples beside Chroma and sqlite-vec: forgetting one, and bytes on disk.

    pip install -r benchmarks/requirements.txt    (what is not installed is left out)
    python benchmarks/against.py [--examples 10000] [--forgets 60]

Every system is given the same texts and vectors, and forgets the same examples in turns, each in an open store,
by its own durable delete; ours also wipes. At the end our store is compared with one that never held them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from bars import Bar, exact, ratio, table
from common import SEED
from ghosts import files, installed, same
from rivals import Chroma, EdgeIcl, Rows, SqliteVecSecure, System
from synthetic import rows

from edge_icl import Example

LIMITS: dict[type[System], tuple[float, float]] = {Chroma: (1.0, 0.25), SqliteVecSecure: (3.0, 0.40)}
"""Of the time of one forget, and of the bytes per example, as shares of theirs."""


def data(count: int) -> Rows:
    some = list(rows(count))
    return Rows([Example.from_canonical(row.text) for row in some], np.stack([row.vector for row in some]))


def build(system: type[System], folder: Path, held: Rows) -> tuple[System, int]:
    """Return an open store of these rows, and its bytes on the disk."""
    folder.mkdir()
    store = system(folder)
    store.add(held)
    store.save()
    store.close()
    return system(folder), sum(path.stat().st_size for path in files(folder).values())


def delete_in_turns(stores: dict[type[System], System], ids: list[str]) -> dict[type[System], list[float]]:
    """Return the seconds of each delete; the systems take turns."""
    spent: dict[type[System], list[float]] = {system: [] for system in stores}
    for turn, id in enumerate(ids):
        for system, store in list(stores.items())[:: 1 if turn % 2 else -1]:
            begun = time.perf_counter()
            store.delete([id])
            store.save()
            spent[system].append(time.perf_counter() - begun)
    return spent


def bars(examples: int = 10_000, forgets: int = 60) -> list[Bar]:
    held = data(examples)
    chosen = np.random.default_rng(0).choice(examples, forgets, replace=False).tolist()
    rest = held.take(sorted(set(range(examples)) - set(chosen)))
    systems = [EdgeIcl, *(system for system in LIMITS if installed(system))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = {system: build(system, folder / system.__name__, held) for system in systems}
        spent = delete_in_turns({system: store for system, (store, _) in built.items()}, held.take(chosen).ids)
        for store, _ in built.values():
            store.close()
        build(EdgeIcl, folder / "never", rest)[0].close()
        alike = same(folder / EdgeIcl.__name__, folder / "never")
    content = sum(len(one.canonical()) + len(one.id(SEED)) for one in held.examples) + held.codes.nbytes
    disk = {system: size for system, (_, size) in built.items()}
    found = [
        exact(
            f"files that differ after {forgets} forgets from a store that never held them", int(not alike), 0
        ),
        exact("bytes on disk beyond text, id and vector, share", disk[EdgeIcl] / content - 1, 0.10),
    ]
    for system in systems[1:]:
        time_limit, size_limit = LIMITS[system]
        name = system.name
        found.append(ratio(f"forget one of {examples:,} / {name}", spent[EdgeIcl], spent[system], time_limit))
        found.append(exact(f"bytes per example / {name}", disk[EdgeIcl] / disk[system], size_limit))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--forgets", type=int, default=60)
    given = parser.parse_args()
    table("Beside others", bars(given.examples, given.forgets))


if __name__ == "__main__":
    main()
