"""Small stores for tests: few dimensions, tiny pages, and no waiting for the disk.

Plain ones, or encrypted ones where a test asks for the fixture `kind`: what is said of bytes holds for both.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import strategies as st

from edge_icl.cluster import certificate
from edge_icl.cluster.points import Points
from edge_icl.example import Example
from edge_icl.store import audit, plan, snapshot, spool
from edge_icl.store.disk import Store
from edge_icl.store.files import Files
from edge_icl.store.keys import Key, Stretch
from edge_icl.store.manifest import AUTO, LABELS_SETTINGS, LabelsSetting
from edge_icl.store.pages import Row
from edge_icl.store.settings import Settings
from edge_icl.store.writer import Change, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edge_icl.store.findings import Verification
    from edge_icl.store.keys import WrappedKey

DIMENSION = 3
SETTINGS = Settings(
    seed=bytes(range(32)),
    encoder="test",
    encoder_digest="none",
    dimension=DIMENSION,
    scale=100,
    shots=3,
    iterations=2,
    step=20,
)
PARAMETERS = SETTINGS.clustering()

QUICK = Stretch(memory=8, passes=1, lanes=1)
"""The least that a passphrase can cost."""

PASSPHRASE = b"correct horse"
KEY = Key.from_seed(PASSPHRASE, SETTINGS.seed, stretch=QUICK)
HOME_KEY = bytes(range(32, 64))
"""The key of the home of most tests."""

encrypted = False
"""Whether `make` and `create` encrypt; the fixture `kind` sets it."""


class Unflushed(Files):
    """The file system without flushes: for tests that say nothing about power cuts."""

    def flush(self, file: int) -> None:
        """Leave it to the operating system."""

    def flush_overwritten(self, file: int) -> None:
        """Leave it to the operating system."""

    def flush_directory(self, path: Path) -> None:
        """Leave it to the operating system."""


@cache
def row(number: int, *, settings: Settings = SETTINGS) -> Row:
    """Return the row of example number n: text, id and vector are functions of n."""
    example = Example.create(f"input {number}", f"output {number % 4}")
    rng = np.random.default_rng(number)
    centre = np.array([(number % 3 - 1) * 70, (number % 2) * 60, 0][: settings.dimension])
    centre = np.resize(centre, settings.dimension)
    vector = np.clip(centre + rng.normal(0, 25, settings.dimension), -127, 127).astype(np.int8)
    vector.setflags(write=False)  # every caller gets this one
    return Row(example.id(settings.seed), vector, example.canonical())


def variant(number: int, step: int) -> Row:
    """Return the row of an example with another vector, as another processor may make it; 0 for the same."""
    plain = row(number)
    return plain._replace(vector=np.clip(plain.vector.astype(int) + 9 * step, -127, 127).astype(np.int8))


def rows(numbers: Iterable[int]) -> list[Row]:
    return [row(number) for number in numbers]


def points(some: Sequence[Row], dimension: int = DIMENSION) -> Points:
    """Return rows as the clustering sees them."""
    some = sorted(some, key=lambda one: one.id)
    ids = np.frombuffer(b"".join(one.id for one in some), np.uint8).reshape(-1, 16)
    return Points(ids, np.array([one.vector for one in some], np.int8).reshape(-1, dimension))


def make(
    path: Path, some: Iterable[Row] = (), *, settings: Settings = SETTINGS, labels: LabelsSetting = AUTO
) -> Store:
    """Return a fresh store with these rows, added in one commit."""
    store = create(path, settings, labels=labels, files=Unflushed())
    commit(store, added=list(some))
    return store


def create(
    path: Path,
    settings: Settings = SETTINGS,
    *,
    labels: LabelsSetting = AUTO,
    files: Files | None = None,
) -> Store:
    """Return a new store of the kind that is asked for, with the one data key of all tests."""
    return Store.create(path, settings, labels=labels, key=KEY if encrypted else None, files=files)


def unlock(wrapped: WrappedKey) -> bytes:
    return wrapped.unwrap(PASSPHRASE)


def reopen(path: Path, *, files: Files | None = None) -> Store:
    return Store.open(path, unlock=unlock, files=files)


def check(path: Path, **how: object) -> Verification:
    return audit.audit(path, unlock=unlock, **{"home_key": HOME_KEY, **how})


def replace_file(store: Store, old: str, new: str, data: bytes) -> None:
    """Put content in a file's place as a program that has the key can."""
    (store.path / old).unlink()
    store.folder.create({new: data})


def commit(
    store: Store,
    *,
    added: Sequence[Row] = (),
    removed: Sequence[bytes] = (),
    labels: LabelsSetting | None = None,
) -> Change:
    with writing(store) as writer:
        return writer.commit(added=added, removed=removed, labels=labels)


@contextmanager
def little_memory() -> Iterator[None]:
    """Let changes in the block be made as those that memory should not hold.

    Rows go through a temporary file in runs of two, pages are written two at a time, and nothing is followed.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "MOST_HELD", 2 * (spool.OVERHEAD + 64))
        patch.setattr(spool, "PART", 1)
        patch.setattr(plan, "MOST_HELD", 800)
        patch.setattr(certificate, "BLOCK", 0)
        patch.setattr(snapshot, "BLOCK", 0)
        yield


def tree(path: Path) -> dict[str, bytes]:
    """Return every file below a directory, and its bytes; directories end with a slash."""
    return {
        f"{found.relative_to(path)}{'/' * found.is_dir()}": b"" if found.is_dir() else found.read_bytes()
        for found in sorted(path.rglob("*"))
    }


numbers = st.integers(0, 60)
"""Numbers of examples; few enough that they repeat."""

label_settings = st.sampled_from(LABELS_SETTINGS)

vectors = st.lists(st.integers(-127, 127), min_size=DIMENSION, max_size=DIMENSION)
