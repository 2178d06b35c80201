"""A store of 10,000 examples beside Chroma and sqlite-vec: forgetting one, and bytes on disk.

    pip install -r benchmarks/requirements.txt    (what is not installed is left out)
    python benchmarks/against.py [--examples 10000] [--forgets 60]

Every system is given the same texts and vectors, and forgets the same examples in turns, each in an open store,
by its own durable delete; ours also wipes. At the end our store is compared with one that never held them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ghosts import installed, make, same
from support.bars import Bar, exact, ratio, table, turns
from support.common import SEED, size_of
from support.rivals import Chroma, EdgeIcl, Rows, SqliteVecSecure, System
from support.synthetic import rows

from edge_icl import Example

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS: dict[type[System], tuple[float, float]] = {Chroma: (1.0, 0.25), SqliteVecSecure: (3.0, 0.40)}
"""Of the time of one forget, and of the bytes per example, as shares of theirs."""


def data(count: int) -> Rows:
    some = list(rows(count))
    return Rows([Example.from_canonical(row.text) for row in some], np.stack([row.vector for row in some]))


def deleting(store: System, ids: list[str]) -> Callable[[], None]:
    """Return what deletes the next of these, durably."""
    left = iter(ids)

    def work() -> None:
        store.delete([next(left)])
        store.save()

    return work


def bars(examples: int = 10_000, forgets: int = 60) -> list[Bar]:
    held = data(examples)
    chosen = np.random.default_rng(0).choice(examples, forgets, replace=False).tolist()
    rest = held.take(sorted(set(range(examples)) - set(chosen)))
    systems: list[type[System]] = [EdgeIcl, *(system for system in LIMITS if installed(system))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = {system: folder / system.__name__ for system in systems}
        for system, path in own.items():
            make(system, path, held).close()
        never = folder / "never"
        make(EdgeIcl, never, rest).close()
        disk = {system: size_of(path) for system, path in own.items()}
        stores = [system(own[system]) for system in systems]
        gone = held.take(chosen).ids
        took = turns(*(deleting(store, gone) for store in stores), rounds=forgets, warm=0)
        spent = dict(zip(systems, took, strict=True))
        for store in stores:
            store.close()
        alike = same(own[EdgeIcl], never)
    content = sum(len(one.canonical()) + len(one.id(SEED)) for one in held.examples) + held.codes.nbytes
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
