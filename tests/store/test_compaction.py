"""A store that has been larger does not show it by the size of its directories, and no moment is unsafe."""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
import stores
from faults import Count, Crash, Faulty, PowerLoss, Tree, lay_out
from stores import Unflushed, check, commit, make, reopen, row, rows, tree

from edge_icl.store import compaction, trie
from edge_icl.store.files import Files
from edge_icl.store.recovery import SECOND, at_rest
from edge_icl.store.writer import writing

pytestmark = pytest.mark.usefixtures("kind")

HELD, GONE = range(12), 4


@pytest.fixture(autouse=True)
def tiny_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four examples fill a page, so that a thousand have many pages."""
    monkeypatch.setattr(trie, "PAGE_MAX", 4)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every change make the directory again."""
    monkeypatch.setattr(compaction, "BLOCK", -1)
    monkeypatch.setattr(compaction, "LARGE", -1)


def size(store: stores.Store) -> int:
    return (store.path / "pages").stat().st_size


def test_the_directory_of_a_store_that_has_been_larger_is_as_large_as_that_of_another(tmp_path: Path) -> None:
    small = make(tmp_path / "small", rows(HELD))
    store = make(tmp_path / "store", rows(range(1500)))
    if size(store) <= 2 * size(small):
        pytest.skip("directories of this file system tell nothing")

    commit(store, removed=[one.id for one in rows(range(len(HELD), 1500))])

    assert size(store) == size(small)
    assert tree(store.path) == tree(small.path)
    assert check(store.path, deep=True).differences == ()
    assert at_rest(store.path)
    assert all(page.stat().st_nlink == 1 for page in (store.path / "pages").iterdir())


def test_a_directory_that_is_not_too_large_stays(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(300)))
    before = (store.path / "pages").stat().st_ino

    commit(store, removed=[row(GONE).id])

    assert (store.path / "pages").stat().st_ino == before


@pytest.fixture
def start(tmp_path: Path) -> Tree:
    return tree(make(tmp_path / "start", rows(HELD)).path)


@pytest.fixture
def after(tmp_path: Path) -> Tree:
    return tree(make(tmp_path / "after", rows(set(HELD) - {GONE})).path)


def forget(path: Path, files: Files) -> None:
    with writing(reopen(path, files=files)) as writer:
        writer.commit(removed=[row(GONE).id])


def judge(found: Tree, outcomes: tuple[Tree, Tree], path: Path) -> None:
    """Assert that an opening finds one of the outcomes in a tree, and leaves just that."""
    lay_out(found, path)
    seen = reopen(path, files=Unflushed()).read(lambda snapshot: [one.input for _, one in snapshot.examples()])
    assert tree(path) == outcomes[f"input {GONE}" not in seen]
    assert check(path).differences == ()
    shutil.rmtree(path)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("cut", [False, True], ids=["crash", "power cut"])
def test_a_crash_at_any_operation_leaves_the_store_before_or_after(
    tmp_path: Path, start: Tree, after: Tree, cut: bool, campaign: bool, count: Count
) -> None:
    fired, seen, n = True, set(), 0
    while fired:
        lay_out(start, place := tmp_path / f"place {n}", at_rest=True)
        files = PowerLoss(place, n)
        try:
            forget(place, files)
        except Crash:
            assert files.fired
        assert not files.remnants
        for found in files.outcomes(200 if campaign else 8) if cut else [tree(place)]:
            judge(found, (start, after), tmp_path / "judged")
        fired, n = files.fired, n + 1
        seen |= set(files.done)

    assert {"link", "swap"} <= seen
    count("operations stopped at by a crash", n)


@pytest.mark.usefixtures("always")
def test_a_kill_leaves_second_names_that_are_links_and_they_go_without_their_content(
    tmp_path: Path, start: Tree, after: Tree
) -> None:
    """In place, where wiping a second name would wipe the page."""
    n, kept = 0, 0
    while True:
        place = tmp_path / f"place {n}"
        lay_out(start, place, at_rest=True)
        files = Faulty(n)
        with suppress(Crash):
            forget(place, files)
        if not files.fired:
            break
        kept += (place / SECOND).exists()
        seen = reopen(place, files=Unflushed()).read(
            lambda snapshot: [one.input for _, one in snapshot.examples()]
        )
        assert tree(place) == (after if f"input {GONE}" not in seen else start)
        n += 1

    assert kept > 5


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("refused", ["link", "swap"])
def test_where_it_cannot_be_done_the_directory_stays(
    tmp_path: Path, start: Tree, after: Tree, refused: str
) -> None:
    class Poor(Unflushed):
        pass

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    setattr(Poor, refused, refuse)
    lay_out(start, tmp_path / "store", at_rest=True)

    forget(tmp_path / "store", Poor())

    assert tree(tmp_path / "store") == after


def test_what_somebody_put_where_second_names_are_is_wiped_and_nothing_beyond(tmp_path: Path) -> None:
    store, elsewhere = make(tmp_path / "store", rows(HELD)), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "letter").write_text("mine")
    for put in (
        lambda path: path.symlink_to(elsewhere),
        lambda path: path.write_text("input 4"),
        lambda path: (
            path.mkdir(),
            (path / "copy").write_text("input 4"),
            (path / "link").symlink_to(elsewhere),
        ),
    ):
        put(store.path / SECOND)

        reopen(store.path)

        assert at_rest(store.path)
        assert check(store.path).differences == ()
        assert (elsewhere / "letter").read_text() == "mine"
