"""What encryption costs: a plain and an encrypted store of 10,003 examples, side by side.

    python benchmarks/sealing.py [--rounds 300]

Banking77. Both stores hold the same; each round does the same to both, in an order that alternates, so that
whatever else the machine does hits both alike. No encoder and no model takes part: they would hide the rest. A
change is one commit of a process that has just opened the store, durable and wiped when it returns; opening, in
which a passphrase is stretched, is measured apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from support.common import SEED, examples, interval, show

from edge_icl import Memory
from edge_icl.search.similarity import search
from edge_icl.store.audit import audit
from edge_icl.store.disk import Store
from edge_icl.store.keys import Key
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.writer import Change, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_icl.store.keys import WrappedKey
    from edge_icl.store.pages import Row
    from edge_icl.store.settings import Settings

PASSPHRASE = b"correct horse"
KEYS = {"plain": None, "encrypted": Key.from_seed(PASSPHRASE, SEED)}
STATE = np.random.default_rng(0).bytes(20_000_000)
"""As long as the state of a prefix of 900 tokens."""

HOME_KEY = bytes(32)


class Times:
    """Seconds by measure and kind of store."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, list[float]]] = {}

    @contextmanager
    def of(self, measure: str, kind: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds.setdefault(measure, {}).setdefault(kind, []).append(time.perf_counter() - begun)

    def rows(self) -> list[tuple[object, ...]]:
        """Return medians, and the median of the rounds' ratios with its interval."""
        rows = []
        for measure, kinds in self.seconds.items():
            ratios = [b / a for a, b in zip(kinds["plain"], kinds["encrypted"], strict=True)]
            low, high = interval(ratios)
            ratio = f"{np.median(ratios):.2f} ({low:.2f} to {high:.2f}, n = {len(ratios)})"
            rows.append((measure, *(f"{np.median(kinds[kind]) * 1000:.2f} ms" for kind in KEYS), ratio))
        return rows


def unlock(wrapped: WrappedKey) -> bytes:
    return wrapped.unwrap(PASSPHRASE)


def kinds(turn: int) -> list[str]:
    return list(KEYS) if turn % 2 else list(KEYS)[::-1]


def commit(store: Store, *, added: Sequence[Row] = (), removed: Sequence[bytes] = ()) -> Change:
    with writing(store) as writer:
        return writer.commit(added=added, removed=removed)


def taught(folder: Path) -> tuple[Settings, list[Row]]:
    with Memory.create(folder / "taught", seed=SEED) as memory:
        memory.add_many(examples("banking77/train"))
        return memory.settings, [row for page in memory._opened.store.snapshot().pages() for row in page.rows()]


def measure(folder: Path, rounds: int) -> list[tuple[object, ...]]:
    settings, rows = taught(folder)
    times = Times()
    for turn in range(rounds // 15):
        for kind in kinds(turn):
            store = Store.create(folder / f"{kind} {turn}", settings, key=KEYS[kind])
            with times.of("add all in one commit", kind):
                commit(store, added=rows)
    paths = {kind: folder / f"{kind} 0" for kind in KEYS}
    for turn, i in enumerate(np.random.default_rng(0).choice(len(rows), rounds, replace=False)):
        for kind in kinds(turn):
            store = Store.open(paths[kind], unlock=lambda _, key=KEYS[kind]: key.data if key else b"")
            with times.of("forget one", kind):
                commit(store, removed=[rows[i].id])
            with times.of("add one", kind):
                commit(store, added=[rows[i]])
    for turn in range(rounds // 5):
        for kind in kinds(turn):
            path = paths[kind]
            with times.of("open", kind):
                store = Store.open(path, unlock=unlock)
            now = store.snapshot()
            with times.of("first search, reading all pages", kind):
                search(now.points(), rows[turn].vector, 10)
            points = now.points()
            with times.of("search again", kind):
                search(points, rows[turn].vector, 10)
            with times.of("put a state of 20 MB into the cache", kind):
                PrefixCache(store, now, HOME_KEY).put("key", STATE)
            with times.of("get it", kind):
                state = PrefixCache(store, now, HOME_KEY).get("key")
            assert state == STATE
            with times.of("verify", kind):
                assert not audit(path, unlock=unlock, home_key=HOME_KEY).differences
    sizes = [sum(found.stat().st_size for found in path.glob("[!c]*/*")) for path in paths.values()]
    return [*times.rows(), ("bytes of pages", *(f"{size:,}" for size in sizes), f"{sizes[1] / sizes[0]:.4f}")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        header = ("measure", "plain", "encrypted", "ratio")
        show("A plain and an encrypted store", measure(Path(folder), rounds), header)


if __name__ == "__main__":
    main()
