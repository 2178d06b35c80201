"""The main paths of the library, done one after another: the program that `counts` counts in.

    python tests/support/paths.py FOLDER [SIZE]

FOLDER holds stores as `recorded_costs.build` makes them; those of more than SIZE examples are left alone. Each
path stands between two calls of `mark`, where valgrind writes down how far it has counted, so that start-up and
imports are left out. Each is done at least twice, or after one in a smaller store, and the last one counts:
what a process does once is left out too. For each it tells a line of JSON: its name, and what it asked of the
file system.

The encoder and llama.cpp are not here: how fast they are is not decided in this repository. Nor is the prior of
labels, which is LAPACK's work. Imports little, since valgrind runs all of it, fifty times slower.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from counting import Counting

from edge_icl.search.finding import nearest
from edge_icl.search.near_copies import Asked, Likeness, near_copies
from edge_icl.search.scripts import Sight
from edge_icl.store.audit import audit
from edge_icl.store.disk import Store
from edge_icl.store.writer import Change, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge_icl.cluster.points import Points
    from edge_icl.results import Held
    from edge_icl.store.files import Files
    from edge_icl.store.pages import Row

    Named = tuple[str, Callable[[], object]]

SIZES = (1_000, 10_000)
QUIET = "quiet.json"
"""In the folder: ids that can be forgotten and added again without a refit, by the size of the store."""

mark = os.getsid
"""A function of the C library under the same name, which nothing else calls."""

YARDSTICK = "yardstick"
LIMIT = 10
SIMILAR = 0.9


def paths(folder: Path, sizes: Sequence[int], files: Files) -> Iterator[Named]:
    """Yield the paths and their names, each to be done before the next is asked for."""
    yield from twice(YARDSTICK, yardstick)
    quiet = json.loads((folder / QUIET).read_bytes())
    for size in sizes:
        path = folder / str(size)
        for key in quiet[str(size)]:
            yield from there_and_back(path, files, size, bytes.fromhex(key))
        yield from twice(f"open {size:,} and read all vectors", partial(everything, path, files))
        yield from searches(path, files, size)
    for size in (sizes[0], *sizes):
        path = folder / str(size)
        winner = Store.open(path).snapshot().clustering.winners[0].tobytes()  # it decides all that comes after
        yield f"forget one of {size:,}, with a refit", partial(change, path, files, removed=[winner])
    yield from twice(f"verify {sizes[0]:,}", partial(audit, folder / str(sizes[0]), files=files))


def twice(name: str, work: Callable[[], object]) -> Iterator[Named]:
    yield name, work
    yield name, work


def there_and_back(path: Path, files: Files, size: int, key: bytes) -> Iterator[Named]:
    gone: list[Row] = []
    yield f"forget one of {size:,}", lambda: gone.extend(change(path, files, removed=[key]).removed)
    yield f"add one to {size:,}", lambda: change(path, files, added=gone)


def change(path: Path, files: Files, *, added: Sequence[Row] = (), removed: Iterable[bytes] = ()) -> Change:
    with writing(Store.open(path, files=files)) as writer:
        return writer.commit(added=added, removed=removed)


def everything(path: Path, files: Files) -> Points:
    return Store.open(path, files=files).snapshot().points()


def searches(path: Path, files: Files, size: int) -> Iterator[Named]:
    snapshot = Store.open(path).snapshot()
    points = snapshot.points()
    alike = points._replace(vectors=np.where(points.vectors < 0, -20, 20).astype(np.int8))

    def twins() -> list[Held]:
        asked = Asked(points.vectors[:1], ["Taxi to the airport"])
        return near_copies(Store.open(path, files=files).snapshot(), asked, Likeness(Sight(), SIMILAR))

    for name, held in {"in memory": alike, "of several lengths in memory": points}.items():
        yield from twice(f"search {size:,} {name}", partial(nearest, snapshot, held, held.vectors[0], LIMIT))
    yield from twice(f"open {size:,} and find what is nearly the same", twins)


def yardstick() -> None:
    """Do what is not ours and our paths are made of: it shows whether Python costs what it cost elsewhere."""
    array = np.arange(384)
    for i in range(20):
        text = json.dumps({"number": i, "path": str(Path("pages") / f"{i:064x}")}, sort_keys=True)
        fields = json.loads(text)
        Path(fields["path"]).parent.exists()
        re.findall(r'"([a-z]+)": ', text)
        np.array_equal((array * i)[::2].sum(), array.sum())
        sorted({f"{i * j % 97:032b}" for j in range(50)})


def main() -> None:
    """Do all of it, in one thread: how threads take turns is chance."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    gc.disable()  # whom it strikes is chance too
    files = Counting()
    largest = int(sys.argv[2]) if sys.argv[2:] else SIZES[-1]
    for name, work in paths(Path(sys.argv[1]), [size for size in SIZES if size <= largest], files):
        files.clear()
        gc.collect()
        mark(0)
        work()
        mark(0)
        print(json.dumps({"path": name, **files.seen}))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
