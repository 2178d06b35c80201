"""How long ten million rows take on 1 to 256 cores, and what that costs: simulated from costs measured here.

    OMP_NUM_THREADS=1 python benchmarks/fleet.py [--store FOLDER] [--rows 6000] [--model-rows 300]

Three ways to label take turns, in blocks of 1,000: a `Labeler` in this process, with one thread; Ray with one
worker; Ray with two, on twice the rows, of which the first are the same. Each is timed from its first block to
its last, so what starts once (Ray, processes, models) is told apart. That gives the bars: two workers against
one, Ray against none, equal labels. Workers of Ray have one thread of numpy's BLAS, so this process must, too.

The simulation hands blocks to whichever worker is free. It has four costs: how long a worker takes to start,
how long a block takes on one core (drawn from those that were timed), how long the driver takes to hand one
out, and how many rows the model is asked about. It is compared with the runs of one and two workers before it
is believed for more. What it leaves out: a network and disks that are slower than this machine's, processors of
other kinds, workers that are taken away.
"""

from __future__ import annotations

import argparse
import heapq
import json
import tempfile
import time
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from support.bars import Bar, exact, ratio, table
from support.common import SEED, examples, interval, load, show

from edge_icl import Answer, Memory
from edge_icl.batch import Labeler
from edge_icl.ray import label, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK = 1000
ROWS = 10_000_000
CORES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
PRICE = 0.04
"""US dollars a core and hour: about what clouds ask for a general machine, on demand. An assumption."""

DIRECT = "this process"


class Timed(NamedTuple):
    """A run.

    Attributes:
        start: seconds to the first block.
        ends: seconds from the beginning at which each block was there.
        labels: a column of answers and one of probabilities.
    """

    start: float
    ends: list[float]
    labels: pa.Table

    def a_block(self, workers: int) -> float:
        """Return the seconds a block, once all workers are at work."""
        return (self.ends[-1] - self.ends[workers - 1]) / (len(self.ends) - workers)


class Costs(NamedTuple):
    """What a run is made of, in seconds.

    Attributes:
        start: until a worker has its store and its models, and its first block.
        blocks: of 1,000 rows on one core, as they were timed.
        handing: the driver's, for a block.
    """

    start: float
    blocks: Sequence[float]
    handing: float


@contextmanager
def opened(path: Path | None) -> Iterator[Path]:
    """Give the store with the examples, or make it."""
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "store"
        with Memory.create(made, seed=SEED) as memory:
            memory.add_many(examples("banking77/train", made_up=True))
        yield made


def questions(count: int) -> pa.Table:
    """Return so many rows, none of which was taught: test questions, with a number behind them."""
    texts = cycle([row["input"] for row in load("banking77/test", made_up=True)])
    return pa.table({"input": [f"{text} ({i})" for i, text in enumerate(islice(texts, count))]})


def direct(store: Path, rows: pa.Table, **options: Any) -> Timed:
    """Label in this process, with one thread."""
    labeler = Labeler(store, **options)
    begun, ends, made = time.perf_counter(), [], []
    for at in range(0, len(rows), BLOCK):
        made.append(labeler(rows.slice(at, BLOCK)))
        ends.append(time.perf_counter() - begun)
    return Timed(ends[0], ends, pa.concat_tables(made).select(["answer", "probability"]))


def with_ray(store: Path, rows: pa.Table, workers: int, **options: Any) -> Timed:
    """Label with Ray, on so many workers."""
    tables = [rows.slice(at, BLOCK).combine_chunks() for at in range(0, len(rows), BLOCK)]
    import ray.data

    begun, ends, made = time.perf_counter(), [], []
    labelled = label(ray.data.from_arrow(tables), store, workers=workers, **options)
    for block in labelled.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        made.append(block)
        ends.append(time.perf_counter() - begun)
    return Timed(ends[0], ends, pa.concat_tables(made).select(["answer", "probability"]))


def handing(blocks: int = 400) -> float:
    """Return the seconds that Ray takes for a block about which nothing is to be done: the driver's at most."""
    import ray.data

    rows = questions(BLOCK).combine_chunks()
    tables = [rows] * blocks
    begun = time.perf_counter()
    passed = ray.data.from_arrow(tables).map_batches(
        lambda block: block, batch_format="pyarrow", batch_size=None, num_cpus=1
    )
    passing = passed.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    ends = [time.perf_counter() - begun for _ in passing]
    return (ends[-1] - ends[blocks // 4]) / (len(ends) - 1 - blocks // 4)


def simulated(costs: Costs, blocks: int, workers: int, rng: np.random.Generator) -> float:
    """Return the seconds until all blocks are labelled, each by the worker that is free first."""
    free = [costs.start] * workers
    driver = 0.0
    for spent in rng.choice(np.array(costs.blocks), blocks):
        begun = max(heapq.heappop(free), driver)
        driver = begun + costs.handing
        heapq.heappush(free, driver + float(spent))
    return max(free)


def bars(runs: dict[str, list[Timed]], workers: Sequence[int]) -> list[Bar]:
    """Return the bars of two workers against one, of Ray against none, and of equal labels."""
    rates = {name: [one.a_block(_workers(name)) for one in made] for name, made in runs.items()}
    found = [ratio("Ray with one worker, against none: seconds a block", rates["1"], rates[DIRECT], 1.10)]
    for count in workers[1:]:
        what = f"rows a second: {count} workers against one"
        found.append(ratio(what, rates["1"], rates[str(count)], 0.8 * count, most=False))
    first = runs[DIRECT][0].labels
    other = sum(not one.labels.slice(0, len(first)).equals(first) for made in runs.values() for one in made)
    return [*found, exact("runs in which a label or a probability is another one", other, 0)]


def _workers(name: str) -> int:
    return 1 if name == DIRECT else int(name)


def told(costs: dict[str, Costs], price: float) -> None:
    """Print time and money for ten million rows, and where more cores do not help any more."""
    rng = np.random.default_rng(0)
    for name, one in costs.items():
        alone = simulated(one, ROWS // BLOCK, 1, rng)
        lines: list[tuple[object, ...]] = []
        for cores in CORES:
            spent = simulated(one, ROWS // BLOCK, cores, rng)
            money = cores * spent / 3600 * price
            lines.append((cores, f"{spent / 3600:.2f}", f"{money:.2f}", f"{alone / spent / cores:.2f}"))
        show(f"{ROWS:,} rows, {name}", lines, ("cores", "hours", "US dollars", "of ideal"))
        print(f"\nthe driver alone would keep up with {np.mean(one.blocks) / one.handing:,.0f} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", type=Path, help="a store with Banking77's training examples")
    parser.add_argument("--rows", type=int, default=6000, help="rows a worker")
    parser.add_argument("--model-rows", type=int, default=300, help="rows about which the model is asked")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--price", type=float, default=PRICE, help="US dollars a core and hour")
    parser.add_argument("--out", type=Path, help="write all figures to this file, as JSON")
    given = parser.parse_args()
    # One core more than workers, as Ray counts: what hands rows to them is not kept waiting.
    with opened(given.store) as store, running(workers=max(given.workers) + 1):
        measure(store, given)


def measure(store: Path, given: argparse.Namespace) -> None:
    """Run in turns, then simulate, and tell."""
    rows = questions(given.rows * max(given.workers))
    some = rows.slice(0, given.rows)
    direct(store, rows.slice(0, BLOCK), ask_model="never")
    runs: dict[str, list[Timed]] = {DIRECT: [], **{str(count): [] for count in given.workers}}
    for _ in range(given.rounds):
        runs[DIRECT].append(direct(store, some, ask_model="never"))
        for count in given.workers:
            part = rows.slice(0, given.rows * count)
            runs[str(count)].append(with_ray(store, part, count, ask_model="never"))
    table("labelling with Ray, the examples alone", bars(runs, given.workers))

    a_block = [spent for one in runs["1"] for spent in np.diff([0.0, *one.ends])[1:]]
    start = float(np.median([one.start for one in runs["1"]]) - np.median(a_block))
    alone = Costs(start, a_block, handing())
    asked = _asked(store, given.model_rows)
    share = _share(store)
    with_model = [spent + share * BLOCK * asked for spent in a_block]
    costs = {
        "the examples alone": alone,
        f"the model asked where it can matter ({share:.0%} of the rows)": alone._replace(blocks=with_model),
        "the model always asked": alone._replace(blocks=[spent + BLOCK * asked for spent in a_block]),
    }
    figures = [
        ("seconds to start a worker", f"{start:.1f}"),
        ("seconds for 1,000 rows on one core", f"{np.median(a_block):.2f}"),
        ("seconds of the model for a row", f"{asked:.3f}"),
        ("seconds of the driver for a block, at most", f"{alone.handing:.4f}"),
    ]
    show("costs", figures, ("what", "figure"))
    told(costs, given.price)
    _check(alone, runs, given.workers)
    if given.out is not None:
        written = {name: [one.ends for one in made] for name, made in runs.items()}
        of_costs = {name: one._asdict() for name, one in costs.items()}
        given.out.write_text(json.dumps({"runs": written, "costs": of_costs}, indent=1))


def _asked(store: Path, count: int) -> float:
    """Return the seconds that the model takes for a row, on one core."""
    rows = questions(count)
    with Memory.open(store, create=False, threads=1) as memory:
        texts = rows["input"].to_pylist()
        for _ in memory.ask_many(texts[:3], ask_model="always"):
            pass
        spent = []
        for mode in ("never", "always"):
            begun = time.perf_counter()
            for _ in memory.ask_many(texts, ask_model=mode):
                pass
            spent.append(time.perf_counter() - begun)
    return (spent[1] - spent[0]) / count


def _share(store: Path, count: int = 1000) -> float:
    """Return of how many rows in one the model is asked by default."""
    with Memory.open(store, create=False, threads=1) as memory:
        answers = memory.ask_many(questions(count)["input"].to_pylist()[:count])
        return float(np.mean([isinstance(answer, Answer) and answer.asked_model for answer in answers]))


def _check(costs: Costs, runs: dict[str, list[Timed]], workers: Sequence[int]) -> None:
    """Print what the simulation says of the runs that were made, beside what they took."""
    rng = np.random.default_rng(1)
    lines = []
    for count in workers:
        made = [one.ends[-1] for one in runs[str(count)]]
        blocks = len(runs[str(count)][0].ends)
        said = float(np.median([simulated(costs, blocks, count, rng) for _ in range(200)]))
        low, high = interval(made)
        measured = f"{np.median(made):.1f} ({low:.1f} to {high:.1f})"
        lines.append((count, f"{said:.1f}", measured, f"{said / np.median(made):.2f}"))
    show("the simulation against the runs, seconds", lines, ("workers", "simulated", "measured", "ratio"))


if __name__ == "__main__":
    main()
