"""The bytes of a store are a function of its settings and its set of examples, and of nothing else."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import (
    SETTINGS,
    Unflushed,
    check,
    commit,
    create,
    label_settings,
    make,
    numbers,
    reopen,
    row,
    rows,
    tree,
)

from edge_icl.errors import (
    AmbiguousIdError,
    ExampleNotFoundError,
    NotAStoreError,
    StoreChangedError,
    StoreDamagedError,
    StoreFormatError,
    StoreNotFoundError,
)
from edge_icl.runtime.threads import CHUNK
from edge_icl.store import entries, pages, trie
from edge_icl.store.manifest import LabelsSetting, page_file
from edge_icl.store.page_cache import PageCache
from edge_icl.store.settings import Settings
from edge_icl.store.writer import writing

some = st.sets(numbers, max_size=12)
changes = st.lists(st.tuples(some, some, st.none() | label_settings), max_size=8)


pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that small stores split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


@given(changes, label_settings)
def test_any_sequence_of_changes_equals_a_fresh_store(
    steps: list[tuple[set[int], set[int], LabelsSetting | None]], begun: LabelsSetting
) -> None:
    with TemporaryDirectory() as folder:
        store = make(Path(folder) / "long", labels=begun)
        held: set[int] = set()
        labels = begun
        for added, removed, setting in steps:
            gone = removed & held
            ids = [row(number).id for number in gone]
            commit(store, added=rows(added - gone), removed=ids, labels=setting)
            held, labels = (held | added) - gone, setting or labels
            store = reopen(store.path, files=Unflushed())
        fresh = make(Path(folder) / "fresh", rows(held), labels=labels)

        assert tree(store.path) == tree(fresh.path)
        assert check(store.path).differences == ()


@given(st.lists(numbers, unique=True, max_size=20), st.randoms(use_true_random=False))
def test_one_by_one_in_any_order_equals_one_batch(order: list[int], random: object) -> None:
    with TemporaryDirectory() as folder:
        batch = make(Path(folder) / "batch", rows(order))
        single = make(Path(folder) / "single")
        random.shuffle(order)
        for number in order:
            commit(single, added=[row(number)])

        assert tree(single.path) == tree(batch.path)


def test_thousands_are_forgotten_in_one_commit(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(4000)))

    commit(store, removed=[row(number).id for number in range(4000) if number % 4])

    assert tree(store.path) == tree(make(tmp_path / "fresh", rows(range(0, 4000, 4))).path)


def test_a_setting_is_made_and_taken_back_without_a_trace(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    before = tree(store.path)

    change = commit(store, labels="yes")

    assert change.root_before != change.root_after == store.snapshot().root
    assert [name for name, data in tree(store.path).items() if data != before[name]] == ["manifest"]
    again = commit(store, labels="yes")
    assert again.root_before == again.root_after == change.root_after
    commit(store, labels="auto")
    assert tree(store.path) == before


@pytest.mark.parametrize("held", [range(10), ()], ids=["examples", "nothing"])
def test_a_store_made_again_has_the_setting_too(tmp_path: Path, held: Iterable[int]) -> None:
    store = make(tmp_path / "store", rows(held), labels="no")

    assert check(store.path, deep=True).differences == ()
    assert reopen(store.path).snapshot().manifest.labels == "no"
    assert reopen(store.path).snapshot().root != make(tmp_path / "other", rows(held)).snapshot().root


def test_adding_twice_is_adding_once(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    before = tree(store.path)

    change = commit(store, added=rows([3, 3, 4]))

    assert (change.root_before, len(change.added)) == (change.root_after, 0)
    assert tree(store.path) == before


def test_forgetting_what_is_not_there_changes_nothing(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    before = tree(store.path)

    with pytest.raises(ExampleNotFoundError):
        commit(store, removed=[row(3).id, row(99).id])

    assert tree(store.path) == before


def test_one_change_writes_one_page(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(60)))
    before = tree(store.path)

    commit(store, removed=[row(7).id])

    gone = [name for name in before.keys() - tree(store.path).keys() if name.startswith("pages/")]
    assert len(gone) <= 2


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    make(tmp_path / "home" / "stores" / "store", rows(range(10)))

    for path in (tmp_path / "home", *(tmp_path / "home").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_another_process_makes_first_serves_for_both(tmp_path: Path) -> None:
    class Overtaken(Unflushed):
        def make_directory(self, path: Path) -> None:
            if path.name in ("home", "stores"):
                path.mkdir(mode=0o700)
            super().make_directory(path)

    path = tmp_path / "home" / "stores" / "store"

    assert reopen(create(path, SETTINGS, files=Overtaken()).path).settings == SETTINGS


def test_a_reader_sees_the_state_before_or_after_a_change(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(20)))
    reader = reopen(store.path)
    seen = []

    def look(snapshot: object) -> list[str]:
        if not seen:
            seen.append(1)
            commit(store, removed=[row(number).id for number in range(20)], added=rows(range(30, 40)))
        return [example.input for _, example in snapshot.examples()]

    assert sorted(reader.read(look)) == [f"input {number}" for number in range(30, 40)]


def test_a_change_and_its_reversal_do_not_look_like_damage(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(20)))
    reader = reopen(store.path)
    calls = []

    def look(snapshot: object) -> int:
        calls.append(1)
        if len(calls) == 1:
            commit(store, removed=[row(number).id for number in range(20)])
            try:
                return len(list(snapshot.examples()))
            finally:
                commit(store, added=rows(range(20)))
        return len(list(snapshot.examples()))

    assert reader.read(look) == 20


def test_damage_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(20)))
    page = next((store.path / "pages").iterdir())
    data = bytearray(page.read_bytes())
    data[100] ^= 1
    page.write_bytes(data)

    with pytest.raises(StoreDamagedError, match=page.name):
        reopen(store.path).read(lambda snapshot: list(snapshot.examples()))
    page.unlink()
    with pytest.raises(StoreDamagedError, match=page.name):
        reopen(store.path).read(lambda snapshot: list(snapshot.examples()))


def test_a_large_store_is_read_whole_and_its_damage_named(tmp_path: Path) -> None:
    held = sorted(rows(range(400)), key=lambda row: row.id)
    store = make(tmp_path / "store", held)
    snapshot = reopen(store.path).snapshot()
    points = snapshot.points()

    assert [key.tobytes() for key in points.ids] == [row.id for row in held]
    assert points.vectors.tolist() == [row.vector.tolist() for row in held]
    for page in snapshot.pages():
        assert np.shares_memory(page.vectors, points.vectors)  # a second copy would double what asking needs

    files = sorted((store.path / "pages").iterdir())
    assert len(files) > 2 * CHUNK  # so that several threads read
    files[-1].write_bytes(files[-1].read_bytes()[:-1] + b"?")
    with pytest.raises(StoreDamagedError, match=rf"pages/{files[-1].name} is damaged"):
        reopen(store.path).read(lambda snapshot: snapshot.points())


def test_damaged_settings_and_manifest_are_noticed_when_opening(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(6)))
    for name in ("store.json", "manifest", *(["key"] if store.key else [])):
        sound = (store.path / name).read_bytes()
        for position in range(0, len(sound), 5):
            data = bytearray(sound)
            data[position] ^= 1
            (store.path / name).write_bytes(data)
            with pytest.raises((StoreDamagedError, StoreFormatError)):
                reopen(store.path).read(lambda snapshot: (list(snapshot.examples()), snapshot.clustering))
        (store.path / name).write_bytes(sound)


def test_another_store_in_its_place_is_never_taken_for_it(tmp_path: Path) -> None:
    """One that was made again with another encoder has the same seed, and vectors that mean something else."""
    store = make(tmp_path / "store", rows(range(9)))
    store.path.rename(tmp_path / "old")
    other = replace(SETTINGS, encoder_digest="another")
    before = tree(make(tmp_path / "store", rows(range(5)), settings=other).path)

    with pytest.raises(StoreChangedError, match="another store is at"):
        store.read(lambda snapshot: snapshot.manifest.count)
    with pytest.raises(StoreChangedError, match="open it again"):
        commit(store, added=rows(range(20, 22)))

    assert tree(tmp_path / "store") == before
    (tmp_path / "store").rename(tmp_path / "other")
    (tmp_path / "old").rename(tmp_path / "store")
    assert store.snapshot().manifest.count == 9


def test_pages_may_be_read_while_others_are_dropped(tmp_path: Path) -> None:
    """What names the pages that stay stands for another thread, which reads one at each look."""
    store = make(tmp_path / "store", rows(range(60)))
    snapshot = store.snapshot()
    leaves = [*snapshot.manifest.pages]
    cache = PageCache(store._read_named, SETTINGS.dimension)
    for leaf in leaves[: len(leaves) // 2]:
        cache.page(leaf)

    class Reading(frozenset[str]):
        def __contains__(self, name: object) -> bool:
            for leaf in leaves:
                cache.page(leaf)
            return super().__contains__(name)

    kept = leaves[0]
    cache.keep(SimpleNamespace(files=Reading({page_file(kept.digest)})))

    assert cache.page(kept).ids.tobytes() == snapshot.page_cache.page(kept).ids.tobytes()


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_what_was_copied_from_a_medium_that_cannot_be_written_is_wiped_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path / "store", rows(range(9)))
    for path in store.path.rglob("*"):
        if path.is_file() and path.name != "lock":
            path.chmod(0o444)
    opened = entries.open_file

    def refusing(path: Path, flags: int, mode: int = 0) -> int:
        if flags & os.O_WRONLY and path.exists() and not path.stat().st_mode & stat.S_IWUSR:
            raise PermissionError(13, "Permission denied", str(path))  # what root does not hear
        return opened(path, flags, mode)

    monkeypatch.setattr(entries, "open_file", refusing)

    commit(store, removed=[row(4).id])

    assert tree(store.path) == tree(make(tmp_path / "fresh", rows({*range(9)} - {4})).path)


def test_a_task_is_part_of_the_settings_and_leaves_no_trace_where_there_is_none() -> None:
    with_task = replace(SETTINGS, task="Classify the expense")
    assert Settings.decode(with_task.encode()) == with_task
    assert b"task" not in SETTINGS.encode()
    for task in ('""', '" a"', '"a\\u0000"', '"\\ud800"', '"e\\u0301"', "5", "null", f'"{"x" * 1001}"'):
        data = with_task.encode().replace(b'"Classify the expense"', task.encode())
        with pytest.raises(StoreDamagedError):
            Settings.decode(data)


def test_ids_are_found_by_any_unique_prefix(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(40)))
    snapshot = store.snapshot()

    for number in range(40):
        example_id = row(number).id
        assert snapshot.resolve(example_id.hex()) == snapshot.resolve(snapshot.short(example_id)) == example_id
        assert snapshot.resolve(snapshot.short(example_id).upper()) == example_id
    with pytest.raises(AmbiguousIdError, match="examples begin with"):
        snapshot.resolve(max("0123456789abcdef", key=lambda d: sum(row(n).id.hex()[0] == d for n in range(40))))
    for wrong in ("", "xyz", "0" * 33, "../manifest"):
        with pytest.raises(ExampleNotFoundError):
            snapshot.resolve(wrong)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_text("x")
    (tmp_path / "empty").mkdir()

    with pytest.raises(StoreNotFoundError):
        reopen(tmp_path / "nothing")
    with pytest.raises(StoreNotFoundError):
        reopen(tmp_path / "empty")
    for name in ("file", "folder"):
        with pytest.raises(NotAStoreError):
            reopen(tmp_path / name)
        with pytest.raises(NotAStoreError):
            create(tmp_path / name, SETTINGS)
    assert tree(tmp_path) == {"empty/": b"", "file": b"x", "folder/": b"", "folder/x": b"x"}


def test_what_a_writer_left_behind_is_wiped_by_the_next(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    before = tree(store.path)
    page = pages.encode(pages.Page.of([row(99)]))
    store.folder.create({page_file(store.settings.digest(page)): page})
    secret = store.path / page_file(store.settings.digest(page))  # as a killed writer leaves a page
    size = secret.stat().st_size
    (store.path / "manifest.new").write_bytes(b"secret")
    (store.path / "clustering" / "x").write_bytes(b"secret")
    twin = tmp_path / "twin"
    twin.hardlink_to(secret)

    with writing(store):
        pass

    assert tree(store.path) == before
    assert twin.read_bytes() == bytes(size)


def test_what_lies_between_holes_is_overwritten_and_they_are_not_filled(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    secret = store.path / "pages" / "stray"
    with secret.open("wb") as file:
        for place in (0, 1 << 20, 1 << 30):
            file.seek(place)
            file.write(b"secret")
        file.truncate(1 << 40)

    with secret.open("rb", buffering=0) as file, writing(store):
        assert not secret.exists()
        for place in (0, 1 << 20, 1 << 30):
            file.seek(place)
            assert file.read(6) == bytes(6)


def test_forgotten_texts_are_overwritten_not_only_unlinked(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    links = []
    for i, page in enumerate((store.path / "pages").iterdir()):
        links.append(tmp_path / f"link {i}")
        links[-1].hardlink_to(page)

    commit(store, removed=[row(4).id])

    assert not any(b"input 4" in link.read_bytes() for link in links)
    assert any(set(link.read_bytes()) == {0} for link in links)
