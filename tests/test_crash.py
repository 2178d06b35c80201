"""Whatever the moment at which a writer stops, the store is the one before the change or the one after."""

from __future__ import annotations

from pathlib import Path

import pytest
from stores import Unflushed, make, row, rows, tree

from edge_icl.errors import StoreAccessError
from edge_icl.store import trie
from edge_icl.store.disk import Store
from edge_icl.store.writer import writing


class Crash(BaseException):
    """The power went."""


class Faulty(Unflushed):
    """A file system that stops at its n-th change, and does nothing afterwards.

    Attributes:
        left: how many changes still succeed.
        error: what every later one raises.
        torn: whether the write it stops at leaves half of its bytes.
    """

    def __init__(self, left: int, error: BaseException, *, torn: bool = False) -> None:
        self.left = left
        self.error = error
        self.torn = torn

    def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.error

    def open(self, path: Path, *, create: bool) -> int:
        self.count()
        return super().open(path, create=create)

    def write(self, file: int, data: bytes) -> None:
        if self.torn and self.left == 0:
            super().write(file, data[: len(data) // 2])
        self.count()
        super().write(file, data)

    def flush(self, file: int) -> None:
        self.count()

    def rename(self, source: Path, target: Path) -> None:
        self.count()
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self.count()
        super().unlink(path)

    def flush_directory(self, path: Path) -> None:
        self.count()


CHANGES = {
    "add": ([30], []),
    "add a batch": (range(30, 60), []),
    "forget": ([], [3]),
    "forget a batch": ([], range(20)),
    "both": (range(30, 40), range(5)),
    "forget all": ([], range(24)),
}


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that changes split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


def stopped(path: Path, files: Faulty, added: range, removed: range) -> bool:
    """Make a change on this file system; tell whether it stopped."""
    try:
        with writing(Store.open(path, files=files)) as writer:
            writer.commit(added=rows(added), removed=[row(number).id for number in removed])
    except (Crash, StoreAccessError):
        return True
    return False


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_a_crash_at_any_operation_leaves_the_store_before_or_after(
    tmp_path: Path, change: str, torn: bool
) -> None:
    added, removed = CHANGES[change]
    before = tree(make(tmp_path / "before", rows(range(24))).path)
    after = tree(make(tmp_path / "after", rows({*range(24), *added} - {*removed})).path)
    outcomes = []
    for n in range(10_000):
        store = make(tmp_path / f"store {n}", rows(range(24)))
        if not stopped(store.path, Faulty(n, Crash(), torn=torn), added, removed):
            break
        with writing(Store.open(store.path, files=Unflushed())):
            pass
        outcomes.append(tree(store.path))

    assert len(outcomes) > 10
    assert all(found in (before, after) for found in outcomes)
    assert (outcomes[0], outcomes[-1]) == (before, after)


@pytest.mark.parametrize("change", CHANGES)
def test_a_full_disk_changes_nothing(tmp_path: Path, change: str) -> None:
    """Writes and new files fail from some moment on; what is there can be overwritten and removed."""
    added, removed = CHANGES[change]

    class Full(Unflushed):
        def __init__(self, left: int) -> None:
            self.left = left

        def open(self, path: Path, *, create: bool) -> int:
            self.left -= create
            if create and self.left < 0:
                raise OSError(28, "No space left on device")
            return super().open(path, create=create)

    for n in range(10_000):
        store = make(tmp_path / f"store {n}", rows(range(24)))
        before = tree(store.path)
        try:
            with writing(Store.open(store.path, files=Full(n))) as writer:
                writer.commit(added=rows(added), removed=[row(number).id for number in removed])
        except StoreAccessError:
            assert tree(store.path) == before
        else:
            break

    assert n > 1


def test_ctrl_c_while_forgetting_is_heard_after_the_wipe(tmp_path: Path) -> None:
    after = tree(make(tmp_path / "after", rows(range(1, 24))).path)
    before = tree(make(tmp_path / "before", rows(range(24))).path)

    class Pressed(Unflushed):
        def __init__(self, left: int) -> None:
            self.left = left

        def unlink(self, path: Path) -> None:
            self.left -= 1
            if self.left == -1:
                raise KeyboardInterrupt
            super().unlink(path)

    for n in range(3):
        store = make(tmp_path / f"store {n}", rows(range(24)))
        files = Pressed(n)
        try:
            with writing(Store.open(store.path, files=files)) as writer:
                writer.commit(removed=[row(0).id])
        except KeyboardInterrupt:
            assert tree(store.path) in (before, after)
        assert tree(store.path) == after
