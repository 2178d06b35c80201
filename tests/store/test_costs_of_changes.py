"""What a change costs, in files, bytes, flushes and calls: counted, so no noisy machine hides a regression.

The numbers are those of today. A change that needs less lowers them; one that needs more has to say why.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from counting import Counting
from stores import SETTINGS, commit, make, row, rows

from edge_icl.cluster import certificate
from edge_icl.example import Example
from edge_icl.store import blocks, page_cache, plan, spool, trie
from edge_icl.store.disk import Store
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZES = (1_000, 10_000)
NEW = 20_000
SAMPLE = 40
"""Changes tried in each store: some refit, which is the other price."""

CALLS = {1_000: 4_650, 10_000: 5_350}
"""Most calls of functions in one forget without a refit, opening included, by the number of examples: a tenth
more than there are today. It grows with the lines of the manifest alone."""


@pytest.fixture(scope="module", params=SIZES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    path = tmp_path_factory.mktemp("costs") / "store"
    make(path, rows(range(request.param)))
    return path, request.param


def cheapest(path: Path, change: Callable[[Store, int], object]) -> Counting:
    """Return the counts of the change that cost least: one without a refit."""
    found = []
    for number in range(SAMPLE):
        files = Counting()
        change(Store.open(path, files=files), number)
        found.append(files)
    return min(found, key=lambda files: files.seen["bytes read"])


def forget(store: Store, number: int) -> None:
    commit(store, removed=[row(number).id])


def add(store: Store, number: int) -> None:
    commit(store, added=[row(NEW + number)])


@pytest.mark.parametrize("change", [forget, add])
def test_one_change_reads_and_writes_one_page_however_many_there_are(
    filled: tuple[Path, int], change: Callable[[Store, int], object]
) -> None:
    path, _ = filled
    found = cheapest(path, change)
    page = max(file.stat().st_size for file in (path / "pages").iterdir())
    others = (path / "manifest").stat().st_size + max(
        file.stat().st_size for file in (path / "clustering").iterdir()
    )

    assert Counter(found.read_files) == {"store.json": 1, "manifest": 2, "pages": 1, "clustering": 1}
    assert found.seen["bytes read"] <= page + 2 * others
    assert found.seen["files made"] == 3
    assert found.seen["files wiped"] == 2
    assert found.seen["bytes written"] <= 2 * (page + others)
    assert found.seen["flushes"] == 10


def test_the_next_change_of_an_open_store_does_not_read_the_clustering_back(filled: tuple[Path, int]) -> None:
    files = Counting()
    store = Store.open(filled[0], files=files)
    for number in range(200, 200 + SAMPLE):
        refit = commit(store, removed=[row(number).id]).refit
        files.clear()
        if not commit(store, added=[row(number)]).refit and not refit:
            break

    assert files.read_files == ["manifest", "pages"]


def test_a_forget_calls_little(filled: tuple[Path, int]) -> None:
    path, size = filled

    def profiled(number: int) -> int:
        calls = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            forget(Store.open(path), number)
        finally:
            sys.setprofile(None)
        return calls

    forget(Store.open(path), 100)  # what is imported on the first use
    assert min(profiled(number) for number in range(101, 101 + SAMPLE)) < CALLS[size]


def test_a_question_reads_every_file_once_and_a_second_one_only_the_manifest(filled: tuple[Path, int]) -> None:
    path, _ = filled
    files = Counting()
    store = Store.open(path, files=files)
    store.snapshot().points()
    pages = len(list((path / "pages").iterdir()))
    assert Counter(files.read_files)["pages"] == pages

    files.read_files.clear()
    points = store.read(lambda snapshot: snapshot.points())
    assert files.read_files == ["manifest"]
    assert points.vectors.shape == (len(points.ids), SETTINGS.dimension)
    assert points.vectors.dtype == np.int8


@pytest.mark.parametrize(
    ("kept", "held", "passes"),
    [(1 << 30, 1 << 30, 1), (0, 1 << 30, 1), (0, 0, 1 + SETTINGS.iterations + 1)],
    ids=["small", "moderate", "large"],
)
def test_a_refit_reads_a_large_store_in_every_pass_and_keeps_nothing_of_it(
    filled: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, kept: int, held: int, passes: int
) -> None:
    path, _ = filled
    monkeypatch.setattr(page_cache, "MOST_KEPT", kept)
    monkeypatch.setattr(blocks, "MOST_HELD", held)
    files = Counting()
    store = Store.open(path, files=files)
    start = store.snapshot().clustering.winners
    others = len(list((path / "pages").iterdir())) - 1

    assert commit(store, removed=[start[0].tobytes()]).refit
    assert Counter(files.read_files)["pages"] == 1 + passes * others

    files.read_files.clear()
    store.snapshot().points()
    assert Counter(files.read_files)["pages"] == 1 + (0 if kept else others)


def test_a_commit_holds_a_bounded_part_of_what_it_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many rows take no more memory, but for ids; they took several times their own size once."""
    monkeypatch.setattr(spool, "MOST_HELD", 2 << 20)
    monkeypatch.setattr(spool, "PART", 1 << 15)
    monkeypatch.setattr(plan, "MOST_HELD", 1 << 20)
    monkeypatch.setattr(trie, "PAGE_MAX", 16)
    monkeypatch.setattr(certificate, "BLOCK", 1 << 7)

    def some(count: int) -> Iterator[Row]:
        for number in range(count):
            example = Example.create(f"{number:016000}", "travel")
            yield Row(example.id(SETTINGS.seed), np.array([number % 99, 1, 2], np.int8), example.canonical())

    def peak(count: int) -> int:
        store = make(tmp_path / str(count))
        tracemalloc.start()
        try:
            commit(store, added=some(count))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)  # what is imported on the first use
    few, many = peak(700), peak(1_400)
    assert 3 * many < 1_400 * 16_000
    assert many < 1.5 * few
