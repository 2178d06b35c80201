"""A row that takes the place of one with its id, and what other stores hold: the bytes are those of the set."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from faults import Crash, Faulty
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import (
    SETTINGS,
    Unflushed,
    commit,
    make,
    numbers,
    reopen,
    replace_file,
    row,
    rows,
    tree,
    variant,
)

from edge_icl import StoreDamagedError
from edge_icl.store import pages, trie
from edge_icl.store.manifest import Manifest, page_file
from edge_icl.store.pages import Page, Row
from edge_icl.store.union import PastReaderError, share, united
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.store.disk import Store

pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that small stores split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


some = st.sets(numbers, max_size=12)

FEW = max(settings.default.max_examples // 6, 1)
"""A commit, or a store, for each example and kind of store."""


@given(
    held=st.sets(numbers, min_size=1, max_size=20),
    replaced=some,
    added=some,
    removed=some,
    step=st.integers(-3, 3),
)
def test_a_row_takes_the_place_of_one_with_its_id_in_the_commit_that_adds_and_removes_others(
    tmp_path_factory: pytest.TempPathFactory,
    held: set[int],
    replaced: set[int],
    added: set[int],
    removed: set[int],
    step: int,
) -> None:
    folder = tmp_path_factory.mktemp("replaced")
    others = replaced & held
    gone = (removed & held) - others
    new = [variant(number, step) for number in others]
    store = make(folder / "store", rows(held))

    change = commit(store, added=[*rows(added - held), *new], removed=[row(n).id for n in others | gone])

    left = (held | added) - gone - others
    assert tree(store.path) == tree(make(folder / "fresh", [*rows(left), *new]).path)
    assert {one.id for one in change.added} == {row(n).id for n in (added - held) | others}


def test_wherever_a_commit_is_cut_off_that_replaces_rows_the_store_is_before_or_after_it(
    tmp_path: Path,
) -> None:
    before = make(tmp_path / "store", rows(range(9)))
    new = [variant(number, 1) for number in range(3)]
    states = [tree(before.path), tree(make(tmp_path / "after", [*rows(range(3, 9)), *new]).path)]
    seen = set()
    for moment in range(200):
        path = tmp_path / "tried"
        shutil.copytree(before.path, path)
        files = Faulty(moment)
        with suppress(Crash):
            commit(reopen(path, files=files), added=new, removed=[one.id for one in new])
        reopen(path, files=Unflushed())
        seen.add(states.index(tree(path)))
        shutil.rmtree(path)
        if not files.fired:
            break
    assert seen == {0, 1}
    assert not files.fired


def test_a_row_that_is_here_and_does_not_go_stays_as_it_is(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(9)))
    before = tree(store.path)

    change = commit(store, added=[variant(number, 1) for number in range(9)])

    assert not len(change.added)
    assert tree(store.path) == before


@given(here=some, there=some, left=some, step=st.integers(-1, 1))
@settings(max_examples=FEW)
def test_a_share_has_the_rows_that_count_and_sorts_the_others(
    tmp_path_factory: pytest.TempPathFactory, here: set[int], there: set[int], left: set[int], step: int
) -> None:
    folder = tmp_path_factory.mktemp("shared")
    one = make(folder / "here", rows(here))
    other = make(folder / "there", [variant(number, step) for number in there])

    found = share(one.snapshot(), other.snapshot(), {row(number).id for number in left})

    ids = {row(number).id: number for number in here | there}
    smaller = {n for n in here & there if variant(n, step).vector.tobytes() < row(n).vector.tobytes()}
    assert {ids[one.id] for one in found.rows()} == ((there - here) | smaller) - left
    assert {ids[one] for page in found.smaller for one in page.example_ids()} == smaller - left
    assert len(found.both) == len(here & there)
    assert len(found.left_out) == len((there - here) & left)
    assert [one.id for one in found.rows()] == sorted(one.id for one in found.rows())


def test_of_rows_with_one_id_the_one_with_the_smallest_bytes_is_left() -> None:
    first, second = variant(1, 0), variant(1, 2)
    least = min(first, second, key=lambda one: one.vector.tobytes())

    for order in ([first], [second], [first]), ([second], [first]):
        assert [*united(map(iter, order))] == [least]


def forged(path: Path, some: list[Row]) -> Store:
    """Return a store whose page another program has written, with digests that are right."""
    store = make(path, rows([1]))
    page = Page.of(sorted(some))
    data = pages.encode(page)
    old = store.snapshot().manifest
    leaf = old.pages[0]._replace(count=len(page), digest=SETTINGS.digest(data))
    new = Manifest(old.settings, len(page), old.clustering, (leaf,))
    replace_file(store, page_file(old.pages[0].digest), page_file(leaf.digest), data)
    replace_file(store, "manifest", "manifest", new.encode())
    return store


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row(2)._replace(id=row(3).id), "has another text than its id says"),
        (row(2)._replace(text=b'{"input":"x"}'), "has a text that is not an example"),
        (row(2)._replace(text=row(2).text + b" "), "is not in canonical form"),
        (row(2)._replace(vector=np.array([-128, 0, 0], np.int8)), "has a vector with a component of -128"),
    ],
)
def test_what_is_no_example_does_not_come(tmp_path: Path, wrong: Row, said: str) -> None:
    here, there = make(tmp_path / "here", rows([1])), forged(tmp_path / "there", [wrong])

    with pytest.raises(StoreDamagedError, match=said):
        share(here.snapshot(), there.snapshot())


def test_a_page_of_this_store_that_is_damaged_is_not_taken_for_the_others(tmp_path: Path) -> None:
    here, there = make(tmp_path / "here", rows(range(9))), make(tmp_path / "there", rows(range(5, 12)))
    file = next((here.path / "pages").iterdir())
    file.write_bytes(b"x" * file.stat().st_size)

    with pytest.raises(PastReaderError) as caught:
        share(here.snapshot(), there.snapshot())

    assert isinstance(caught.value.error, StoreDamagedError)
    assert file.name in caught.value.error.message


def test_the_writer_has_the_lock_of_the_one_store_only(tmp_path: Path) -> None:
    here, there = make(tmp_path / "here", rows(range(4))), make(tmp_path / "there", rows(range(2, 9)))

    with writing(there), writing(here) as writer:
        found = share(writer.snapshot, there.snapshot())
        writer.commit(added=found.rows())

    assert tree(here.path) == tree(make(tmp_path / "fresh", rows(range(9))).path)
