"""What is left on the disk of what was deleted: edge-icl beside systems that keep texts with their vectors.

    pip install -r benchmarks/requirements.txt    (what is not installed is left out)
    python benchmarks/ghosts.py [--examples 2000] [--delete 100] [--rounds 3]

Every system is given the same texts and vectors, deletes the same examples, is closed, and cleaned up as its
own documentation says. After each step every byte of every file in its folder is searched for

    texts    the UTF-8 bytes of a deleted input
    vectors  16 consecutive components of a deleted vector as it is stored, from any multiple of 16 on
    ids      the deleted id, as text or as bytes

and the folder is compared with one of a store that was never given the deleted examples, and was cleaned up in
the same way. Controls: before the delete all are found; after each step none is in the store that never held
them, and as many others, which were not deleted, all are. A count whose controls fail is "not measurable". A
deleted text is no part of another example's text, no deleted vector is another's, and JSON writes them as they
are. Every step has a process of its own, lest one store's memory reach another's files. Where rounds differ,
the table shows all that was seen.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
from support.common import examples, show, size_of
from support.indexes import INDEXES, number
from support.rivals import DATABASES, Rows, System

from edge_icl.encode.encoder import Encoder
from edge_icl.models.location import find_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = ParamSpec("P")
T = TypeVar("T")

SYSTEMS = (*DATABASES, *INDEXES)
RUN = 16
KINDS = ("texts", "vectors", "ids")


def data(count: int, deleted: int) -> tuple[Rows, list[int], list[int], Rows]:
    """Return examples, the places of those to delete and of as many to keep, and spare examples."""
    rng = np.random.default_rng(0)
    unique = list({example.input: example for example in examples("banking77/train")}.values())
    chosen = [unique[i] for i in rng.choice(len(unique), count + deleted, replace=False)]
    found = find_encoder()
    encoder = Encoder(found.networks)
    rows = Rows(chosen, encoder.encode([example.input for example in chosen]))
    texts = [example.input for example in chosen]
    vectors = [code.tobytes() for code in rows.codes]
    everything = "\n".join(texts)
    fit = [
        i
        for i in range(count)
        if len(texts[i]) >= RUN
        and json.dumps(texts[i]) == f'"{texts[i]}"'
        and everything.count(texts[i]) == 1
        and vectors.count(vectors[i]) == 1
    ]
    gone, kept = rng.choice(fit, (2, deleted), replace=False).tolist()
    return rows.take(range(count)), gone, kept, rows.take(range(count, count + deleted))


def needles(system: type[System], rows: Rows) -> dict[str, list[list[bytes]]]:
    """Return, for each kind and example, byte strings of which one at least is there if the example is."""
    stored = rows.codes if system.integer_vectors else rows.units
    return {
        "texts": [[example.input.encode()] for example in rows.examples],
        "vectors": [[part.tobytes() for part in vector.reshape(-1, RUN)] for vector in stored],
        "ids": [system.shapes(id) for id in rows.ids],
    }


def seen(folder: Path, wanted: Sequence[Sequence[bytes]]) -> int:
    """Return of how many examples at least one of the byte strings, 8 bytes at least, is in some file."""
    starts = np.array(sorted({int.from_bytes(one[:8], "little") for some in wanted for one in some}), np.uint64)
    there: set[bytes] = set()
    for path in files(folder).values():
        content = path.read_bytes()
        if len(content) < 8:
            continue
        everywhere = np.ndarray(len(content) - 7, "<u8", content, strides=(1,))
        hits = np.flatnonzero(np.isin(everywhere, starts))
        sizes = {len(one) for some in wanted for one in some}
        there |= {content[at : at + size] for at in hits for size in sizes}
    return sum(any(one in there for one in some) for some in wanted)


def files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def same(one: Path, other: Path) -> bool:
    left, right = files(one), files(other)
    return left.keys() == right.keys() and all(left[k].read_bytes() == right[k].read_bytes() for k in left)


def make(system: type[System], folder: Path, rows: Rows) -> System:
    """Make a store of these rows."""
    folder.mkdir(parents=True)
    store = system(folder)
    store.add(rows)
    store.save()
    return store


def build(system: type[System], folder: Path, rows: Rows) -> Path:
    """Make a store of these rows, search it, and close it."""
    store = make(system, folder, rows)
    for id, code in list(zip(rows.ids, rows.codes, strict=True))[:: len(rows.ids) // 20]:
        assert store.search(code)[0] in (id, str(number(id))), system.name
    store.close()
    return folder


def empty(system: type[System], folder: Path, deleted: Rows) -> None:
    """Delete examples as the system's documentation says, and close it."""
    store = system(folder)
    store.delete(deleted.ids)
    store.save()
    names = {name for id in deleted.ids for name in (id, str(number(id)))}
    assert not any(names & set(store.search(code)) for code in deleted.codes), system.name
    store.close()


def alone(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Return what work returns, done by a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


def haunt(
    system: type[System], folder: Path, rows: Rows, gone: list[int], kept: list[int], spare: Rows
) -> list[tuple[str, ...]]:
    """Return the rows of the table for a system: after its delete, and after each clean-up."""
    deleted = rows.take(gone)
    rest = rows.take(sorted(set(range(len(rows.examples))) - set(gone)))
    wanted, others = needles(system, deleted), needles(system, rows.take(kept))
    held = alone(build, system, folder / "held", rows)
    never = alone(build, system, folder / "never", rest)
    back = alone(build, system, folder / "back", rest.take(range(len(rest.examples))[::-1]))
    again = alone(build, system, folder / "again", rest)
    alike = "no" if same(never, again) else "no; nor are two made alike"
    full = {kind: seen(held, wanted[kind]) == len(gone) for kind in KINDS}
    alone(empty, system, held, deleted)
    table = []
    for step, clean in {system.plain: None, **system.cleanups}.items():
        for each in (held, never, back) if clean else ():
            alone(clean, each, spare)
        counts = []
        for kind in KINDS:
            sound = full[kind] and not seen(never, wanted[kind]) and seen(held, others[kind]) == len(kept)
            counts.append(str(seen(held, wanted[kind])) if sound else "not measurable")
        equal = ["yes" if same(held, never) else alike, "yes" if same(held, back) else "no"]
        table.append((system.name, f"then {step}" if clean else step, *counts, *equal))
    return table


def every(cells: Sequence[str]) -> str:
    """Return a cell that shows what the same cell was in each round."""
    return " or ".join(sorted(set(cells)))


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def costs(systems: Sequence[type[System]], folder: Path, rows: Rows, gone: list[int]) -> list[tuple[str, ...]]:
    """Return the rows of the table of costs; the systems take turns, one search or one delete at a time."""
    ids = rows.ids
    stores, sizes = {}, {}
    for system in systems:
        own = build(system, folder / system.__name__, rows)
        sizes[system] = size_of(own)
        stores[system] = system(own)
    took: dict[tuple[type[System], str], list[float]] = defaultdict(list)
    for i in gone:
        for system, store in stores.items():
            store.search(rows.codes[i])
            took[system, "search"].append(timed(lambda store=store, i=i: store.search(rows.codes[i])))
    for i in gone:
        for system, store in stores.items():
            os.sync()  # what another left to be written later would make this one's flushes wait
            took[system, "delete"].append(timed(lambda store=store, i=i: store.delete([ids[i]])))
            took[system, "save"].append(timed(store.save))
    for store in stores.values():
        store.close()
    return [
        (
            system.name,
            system.plain,
            f"{np.median(took[system, 'delete']):.3f} ms" if system.save is not System.save else "",
            f"{np.median(np.add(took[system, 'delete'], took[system, 'save'])):.1f} ms",
            system.flushed,
            f"{np.median(took[system, 'search']):.2f} ms, {'exact' if system.exact else 'graph'}",
            f"{sizes[system] / len(ids):,.0f}",
        )
        for system in systems
    ]


def installed(system: type[System]) -> bool:
    """Return whether a system's packages are here, and say so if one is not."""
    for package in system.packages:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            print(f"{system.name} is left out: {package} is not installed")
            return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--delete", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows, gone, kept, spare = data(arguments.examples, arguments.delete)
    systems = [system for system in SYSTEMS if installed(system)]
    packages = dict.fromkeys(package for system in systems for package in system.packages)
    print(", ".join(f"{package} {metadata.version(package)}" for package in packages))
    parts = rows, gone, kept, spare
    with tempfile.TemporaryDirectory() as folder:
        table = []
        for system in systems:
            rounds = [Path(folder, f"{system.__name__}-{i}") for i in range(arguments.rounds)]
            results = zip(*(haunt(system, own, *parts) for own in rounds), strict=True)
            table += [tuple(map(every, zip(*result, strict=True))) for result in results]
        cost = costs(systems, Path(folder), rows, gone)
    left = (f"{kind} left" for kind in KINDS)
    header: tuple[str, ...] = ("system", "after", *left, "same bytes as never held", "... filled backwards")
    show(f"{len(gone)} of {len(rows.ids)} Banking77 examples deleted in one call", table, header)
    header = ("system", "delete", "in memory", "saved", "flushed", "nearest ten", "bytes per example")
    show(f"Medians of {len(gone)}, one at a time, in turn", cost, header)


if __name__ == "__main__":
    main()
