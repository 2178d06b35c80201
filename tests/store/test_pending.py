"""A store that its first change makes: there with its examples, or not at all."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from stores import SETTINGS, Unflushed, check, make, reopen, rows, tree

from edge_icl.errors import NotAStoreError, StoreAccessError, StoreExistsError
from edge_icl.store import drafts
from edge_icl.store.disk import Store
from edge_icl.store.drafts import draft_of
from edge_icl.store.files import Files
from edge_icl.store.lock import locked
from edge_icl.store.pending import Pending
from edge_icl.store.writer import writing


def pending(path: Path, files: Files | None = None) -> Pending:
    return Pending(path, SETTINGS, files=files or Unflushed())


def fill(store: Store, numbers: range) -> None:
    with writing(store) as writer:
        writer.commit(added=rows(numbers))


def test_it_is_the_store_that_is_made_at_once(tmp_path: Path) -> None:
    store = pending(tmp_path / "store")
    before = store.snapshot()
    assert [*tmp_path.iterdir()] == []
    assert before.root == make(tmp_path / "other").snapshot().root
    assert store.is_current(before)

    fill(store, range(300))
    fill(store, range(290, 310))

    assert (store.path, store.commits) == (tmp_path / "store", 2)
    assert not store.is_current(before)
    assert tree(store.path) == tree(make(tmp_path / "at once", rows(range(310))).path)
    assert check(store.path, deep=True).ok
    assert sorted(path.name for path in tmp_path.iterdir()) == ["at once", "other", "store"]


def test_a_change_that_changes_nothing_makes_nothing(tmp_path: Path) -> None:
    store = pending(tmp_path / "store")

    fill(store, range(0))

    assert ([*tmp_path.iterdir()], store.commits, store.snapshot().manifest.count) == ([], 0, 0)
    fill(store, range(2))
    assert check(tmp_path / "store").ok


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_what_ends_the_change_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    store = pending(tmp_path / "store")
    with pytest.raises(error), writing(store):
        raise error
    assert ([*tmp_path.iterdir()], store.commits) == ([], 0)

    fill(store, range(2))

    assert check(tmp_path / "store").examples == 2


class Failing(Unflushed):
    """A file system whose n-th operation fails."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __getattribute__(self, name: str) -> object:
        if name in {
            "open",
            "write",
            "rename",
            "make_directory",
            "flush",
            "flush_directory",
            "rest",
            "close",
            "names",
        }:
            self.left -= 1
            if self.left == 0:
                raise OSError(28, "No space left on device")
        return super().__getattribute__(name)


def refused(store: Pending) -> StoreAccessError | None:
    """Fill a store; return what the file system refused."""
    try:
        fill(store, range(9))
    except StoreAccessError as error:
        return error
    return None


def test_whatever_fails_it_is_there_whole_or_not_at_all_under_its_own_name(tmp_path: Path) -> None:
    made = 0
    for at in range(1, 400):
        path = tmp_path / f"store {at}"
        store = pending(path, Failing(at))
        error = refused(store)
        if error is not None:
            assert str(path) in str(error)
            assert f"/.store {at}." not in str(error)
            assert error.committed == path.exists()
        if path.exists():
            made += 1
            assert check(path).examples == 9
        else:
            assert store.commits == 0
        left = [one for one in tmp_path.iterdir() if one.name.startswith(".")]
        for one in left:  # what could not be wiped either
            assert one.name.startswith(f".store {at}.")
        if store.files.left > 0:
            break
    assert 0 < made < at


def test_a_store_that_another_process_makes_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    store = pending(tmp_path / "store")
    theirs = tree(make(tmp_path / "store", rows(range(5))).path)

    with pytest.raises((StoreExistsError, NotAStoreError), match=r"type the same again|is a directory"):
        fill(store, range(9))
    with writing(Store.open(tmp_path / "store")):
        pass

    assert tree(tmp_path / "store") == theirs
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    with pytest.raises(NotAStoreError):
        pending(tmp_path / "store")


def test_of_two_that_are_made_at_once_one_is(tmp_path: Path) -> None:
    stores = [pending(tmp_path / "store") for _ in range(2)]

    def fill_both() -> None:
        with writing(stores[0]) as first:
            fill(stores[1], range(3))
            first.commit(added=rows(range(7)))

    with pytest.raises(StoreExistsError):
        fill_both()

    assert check(tmp_path / "store").examples == 3
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_threads_that_change_it_at_once_make_one_store(tmp_path: Path) -> None:
    store = pending(tmp_path / "store")
    threads = [threading.Thread(target=fill, args=(store, range(n, n + 5))) for n in range(0, 40, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (check(tmp_path / "store").examples, store.commits) == (40, 8)


def test_a_draft_is_left_alone_as_long_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "ABANDONED", 0.0)
    path = tmp_path / "store"
    left = draft_of(path)
    make(left, rows(range(3)))
    time.sleep(0.02)

    with locked(left, timeout=0):
        drafts.wipe_abandoned(Files(), path)
        assert tree(left)
    drafts.wipe_abandoned(Files(), path)

    assert [*tmp_path.iterdir()] == []


ACTIONS = {
    "opening": reopen,
    "changing": lambda path: fill(Store(path, SETTINGS, Unflushed()), range(4, 5)),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_what_a_killed_first_change_left_goes_also_where_the_store_was_made_since(
    tmp_path: Path, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store"
    make(path, rows(range(3)))
    left = make(draft_of(path), rows(range(9))).path
    ACTIONS[action](path)
    assert left.exists()  # it may be a slow process's

    monkeypatch.setattr(drafts, "ABANDONED", -1.0)  # as if hours had passed
    ACTIONS[action](path)

    assert not left.exists()
    assert check(path).ok


def test_a_draft_goes_also_where_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store"
    make(draft_of(path), rows(range(9)))
    before = SimpleNamespace(time=lambda: time.time() - 3600)
    monkeypatch.setattr(drafts, "time", before)

    make(path)

    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_draft_that_cannot_be_locked_keeps_nobody_from_making_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "ABANDONED", -1.0)
    path, letter = tmp_path / "store", tmp_path / "letter"
    letter.write_text("mine")
    left = make(draft_of(path), rows(range(9))).path
    (left / "lock").unlink()
    (left / "lock").symlink_to(letter)

    make(path, rows(range(3)))

    assert check(path).ok
    assert letter.read_text() == "mine"


def test_who_reads_an_empty_store_hears_that_another_process_has_made_it(tmp_path: Path) -> None:
    store = pending(tmp_path / "store")
    before = store.snapshot()
    make(tmp_path / "store", rows(range(5)))

    with pytest.raises(StoreExistsError, match="a program opens the store again"):
        store.read(lambda snapshot: snapshot.manifest.count)

    assert not store.is_current(before)
