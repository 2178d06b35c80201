"""Stores as a whole: listed in any state; removed so that nothing is left; renamed in one step."""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import sys
from pathlib import Path

import killing
import pytest
import stores
from command import content
from keyrings import Drawer, drawer
from stores import QUICK, check, make, reopen, rows, tree

import edge_icl
from edge_icl import (
    InputError,
    Keyring,
    Memory,
    NotAStoreError,
    PassphraseError,
    StoreAccessError,
    StoreBusyError,
    StoreExistsError,
    StoreExposedError,
    StoreNotFoundError,
)
from edge_icl.access.stores import list_stores, look, remove_store, rename_store
from edge_icl.store import drafts, whole
from edge_icl.store.drafts import draft_of
from edge_icl.store.lock import locked

__all__ = ["drawer"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other kinds of files and rights")
traced = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="ptrace is Linux's"
)


@pytest.fixture
def folder(own_home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stores, which are plain unless a test asks for both kinds."""
    if "kind" not in request.fixturenames:
        monkeypatch.setattr(stores, "encrypted", False)
    path = own_home / "stores"
    path.mkdir(mode=0o700, parents=True)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("kind")
def test_a_removed_store_is_gone_with_all_that_was_in_it(folder: Path) -> None:
    make(folder / "other", rows(range(5)))
    store = make(folder / "work", rows(range(300)))
    (store.path / "cache" / "left").write_bytes(b"input 7")
    kept = tree(folder / "other")

    before = remove_store("work")

    assert (before.name, before.examples) == ("work", None if stores.encrypted else 300)
    assert names(folder) == ["other"]
    assert tree(folder / "other") == kept
    with pytest.raises(StoreNotFoundError):
        remove_store("work")


@pytest.mark.parametrize("how", ["removed", "renamed"])
def test_what_a_killed_first_change_left_goes_with_the_store(
    folder: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder / "work", rows(range(3)))
    make(draft_of(folder / "work"), rows(range(9)))
    monkeypatch.setattr(drafts, "ABANDONED", -1.0)  # as if hours had passed

    if how == "removed":
        remove_store("work")
    else:
        rename_store("work", "office")

    assert names(folder) == ([] if how == "removed" else ["office"])


def test_a_passphrase_that_an_earlier_store_leaves_in_the_keyring_keeps_nobody_from_removing_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder / "work", rows(range(3)))
    make(folder / ".work.0123abcd.removed", rows(range(4)))

    def finish(*_: object, **__: object) -> None:
        raise PassphraseError("its passphrase is kept", "delete it", committed=True)

    monkeypatch.setattr(whole, "finish", finish)

    with pytest.raises(PassphraseError, match="is kept"):
        remove_store("work")

    assert names(folder) == [".work.0123abcd.removed"]


def test_a_store_has_no_name_under_which_it_could_not_be_removed(folder: Path) -> None:
    longest = "é" * 118 + "e"
    make(folder / "old", rows(range(3)))

    for refused in (lambda: make(folder / (longest + "e")), lambda: rename_store("old", longest + "e")):
        with pytest.raises(InputError, match="has 237 bytes at most"):
            refused()
    rename_store("old", longest)

    assert remove_store(longest).examples == 3
    assert names(folder) == []


@posix
def test_a_path_that_cannot_be_one_is_refused_in_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "loop").symlink_to(folder / "loop")
    for path in ("a/\0", "a/\ud800", "~no user of this name/a", "loop", str(folder / "loop" / "a")):
        for used in (Memory.open, Memory.create, remove_store):
            with pytest.raises(InputError, match=r"cannot be a path|is not known|leads back to itself"):
                used(path)

    assert [(one.name, one.state) for one in list_stores()] == [("loop", "refused")]
    monkeypatch.setenv("EDGE_ICL_HOME", "~no user of this name")
    with pytest.raises(InputError, match="is not known"):
        list_stores()


def test_a_folder_of_stores_that_cannot_be_read_is_said_to_be_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)

    with pytest.raises(StoreAccessError, match=f"the folder of stores {folder} cannot be read: Permission"):
        list_stores()


@posix
@pytest.mark.parametrize("passphrase", [None, "secret"])
def test_a_pipe_in_place_of_its_settings_is_not_waited_for(folder: Path, passphrase: str | None) -> None:
    path = make(folder / "work", rows(range(3))).path
    (path / "store.json").unlink()
    os.mkfifo(path / "store.json")

    with pytest.raises(NotAStoreError, match=r"store\.json is not a file"):
        Memory.open("work", passphrase=passphrase)


@posix
@pytest.mark.usefixtures("kind")
def test_what_is_removed_is_overwritten_first(folder: Path, tmp_path: Path) -> None:
    """A second name of a file shows what the disk would hold: of one that is the store's, zeros."""
    if stores.encrypted:
        pytest.skip("without its passphrase nobody can tell whose the content is")
    store = make(folder / "work", rows(range(9)))
    page = min((store.path / "pages").iterdir())
    letter = tmp_path / "letter"
    letter.write_text("mine")
    os.link(page, tmp_path / "second")
    os.link(letter, store.path / "pages" / "stray")

    remove_store("work")

    assert set((tmp_path / "second").read_bytes()) == {0}
    assert letter.read_text() == "mine"


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("part", ["manifest", "store.json", "a page", "lock", "all but the settings"])
def test_a_damaged_store_is_listed_and_removed(folder: Path, part: str) -> None:
    store = make(folder / "work", rows(range(9)))
    if part == "all but the settings":
        for path in store.path.iterdir():
            if path.name != "store.json":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        page = min((store.path / "pages").iterdir())
        (page if part == "a page" else store.path / part).write_bytes(b"{")

    (found,) = list_stores()
    remove_store("work")

    assert found.name == "work"
    if part in ("manifest", "store.json") and not stores.encrypted:
        assert (found.state, found.examples) == ("damaged", None)
        assert "damaged" in found.detail
    assert names(folder) == []


def test_each_store_is_listed_with_what_is_known_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(folder / "plain", rows(range(7)))
    monkeypatch.setattr(stores, "encrypted", True)
    make(folder / "sealed", rows(range(7)))
    (folder / "notes").mkdir()
    (folder / "notes" / "a").write_text("b")
    (folder / "file").write_text("b")
    (folder / ".hidden").mkdir()
    before = content(folder)

    found = {one.name: one for one in edge_icl.list_stores()}

    assert sorted(found) == ["file", "notes", "plain", "sealed"]
    plain, sealed = found["plain"], found["sealed"]
    assert (plain.examples, plain.encoder, plain.encrypted, plain.state) == (7, "test", False, "ready")
    assert plain.bytes == sum(map(len, tree(folder / "plain").values()))
    assert (sealed.examples, sealed.encoder, sealed.encrypted, sealed.state) == (None, None, True, "ready")
    assert {found[name].state for name in ("file", "notes")} == {"not a store"}
    assert content(folder) == before


def test_without_a_home_there_are_no_stores(own_home: Path) -> None:
    assert list_stores() == []
    assert not own_home.exists()


@posix
def test_a_link_in_place_of_a_store_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    outside = make(tmp_path / "outside", rows(range(5))).path
    kept = tree(outside)
    (folder / "work").symlink_to(outside)

    for act in (lambda: remove_store("work"), lambda: rename_store("work", "other")):
        with pytest.raises(NotAStoreError, match=f"is a symbolic link.*{outside}"):
            act()

    assert tree(outside) == kept
    assert names(folder) == ["work"]


@posix
@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize(
    "part", ["pages", "clustering", "cache", "manifest", "store.json", "pages/stray", "key.new", "key.old"]
)
def test_a_link_in_a_store_is_removed_and_what_it_points_to_is_not(
    folder: Path, tmp_path: Path, part: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "letter").write_text("mine")
    store = make(folder / "work", rows(range(5))).path
    place = store / part
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(outside if part in ("pages", "clustering", "cache") else outside / "letter")

    try:
        remove_store("work")
    except NotAStoreError:
        assert part == "store.json"
    else:
        assert names(folder) == []

    assert tree(outside) == {"letter": b"mine"}


@pytest.mark.parametrize("thing", ["a file of the user", "a folder of the user", "a project"])
def test_a_folder_with_anything_else_in_it_is_left_alone(folder: Path, tmp_path: Path, thing: str) -> None:
    place = folder / "work"
    if thing == "a project":
        (place / "pages").mkdir(parents=True)
        (place / "store.json").write_text('{"state": {}}')
    else:
        make(place, rows(range(3)))
        (place / "thesis").mkdir()
        if thing == "a file of the user":
            (place / "thesis").rmdir()
            (place / "thesis").write_text("years of work")
    before = tree(place)

    for act in (lambda: remove_store("work"), lambda: rename_store("work", "other")):
        with pytest.raises(NotAStoreError):
            act()

    assert tree(place) == before


@pytest.mark.usefixtures("kind")
def test_a_store_that_is_being_changed_is_neither_removed_nor_renamed(folder: Path) -> None:
    store = make(folder / "work", rows(range(5)))
    with locked(store.path, timeout=0):
        for act in (
            lambda: remove_store("work", timeout=0),
            lambda: rename_store("work", "other", timeout=0),
        ):
            with pytest.raises(StoreBusyError, match=f"is being changed by process {os.getpid()}"):
                act()

    assert check(store.path).ok
    assert names(folder) == ["work"]


@posix
def test_a_store_that_another_user_may_write_to_is_not_removed(folder: Path) -> None:
    store = make(folder / "work", rows(range(5)))
    (store.path / "pages").chmod(0o777)

    with pytest.raises(StoreExposedError):
        remove_store("work")

    assert names(folder) == ["work"]


@pytest.mark.usefixtures("kind")
def test_a_renamed_store_is_the_same_under_another_name(folder: Path, tmp_path: Path) -> None:
    before = tree(make(folder / "work", rows(range(30))).path)

    assert rename_store("work", "office") == folder / "office"
    assert tree(folder / "office") == before
    assert rename_store("office", tmp_path / "elsewhere") == tmp_path / "elsewhere"
    assert rename_store(tmp_path / "elsewhere", "work") == folder / "work"

    assert tree(folder / "work") == before
    assert names(folder) == ["work"]
    assert check(folder / "work", deep=True).ok


@pytest.mark.parametrize(
    ("new", "error"),
    [
        ("other", StoreExistsError),
        ("work", StoreExistsError),
        ("notes", NotAStoreError),
        ("file", NotAStoreError),
    ],
)
def test_a_name_that_is_taken_stays_what_it_is(folder: Path, new: str, error: type[Exception]) -> None:
    make(folder / "work", rows(range(3)))
    make(folder / "other", rows(range(5)))
    (folder / "notes").mkdir()
    (folder / "file").write_text("b")
    before = tree(folder)

    with pytest.raises(error):
        rename_store("work", new)

    assert tree(folder) == before


def test_an_unknown_store_is_neither_removed_nor_renamed(folder: Path) -> None:
    make(folder / "work", rows(range(3)))
    for act in (lambda: remove_store("wrok"), lambda: rename_store("wrok", "other")):
        with pytest.raises(StoreNotFoundError, match=r"did you mean work\?"):
            act()
    assert names(folder) == ["work"]


def test_the_keyring_forgets_the_passphrase_of_a_removed_store_and_follows_a_renamed_one(
    folder: Path, models_home: Path, drawer: Drawer
) -> None:
    for name in ("work", "other"):
        with Memory.create(name, passphrase=Keyring(), stretch=QUICK) as memory:
            memory.add("Uber to the airport", "travel")
    assert len(drawer.held) == 2

    rename_store("work", "office")
    with Memory.open("office", create=False) as memory:
        assert memory.ask("Uber to the airport").text == "travel"
    remove_store("office")

    assert len(drawer.held) == 1
    with Memory.open("other", create=False) as memory:
        assert len(memory) == 1


def test_a_keyring_that_refuses_keeps_no_store(
    folder: Path, models_home: Path, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    Memory.create("work", passphrase=Keyring(), stretch=QUICK).close()
    monkeypatch.setattr(drawer, "delete_password", _refuse)

    with pytest.raises(PassphraseError, match="is removed and wiped, but its passphrase is kept") as caught:
        remove_store("work")

    assert caught.value.committed
    assert names(folder) == []


def _refuse(*_: str) -> None:
    from keyring.errors import KeyringLocked

    raise KeyringLocked("it is locked")


def test_a_renamed_store_still_uses_what_it_has_kept(folder: Path, models_home: Path) -> None:
    options = edge_icl.Options(labels="on", select="erase", ask_model="always")
    with Memory.open("work") as memory:
        memory.add("Uber to the airport", "travel")
        memory.add("Sandwich at noon", "food")
        said = memory.ask("Taxi downtown", options)
    kept = tree(folder / "work")
    assert any(name.startswith("cache/") and data for name, data in kept.items())

    rename_store("work", "office")

    with Memory.open("office", create=False) as memory:
        again = memory.ask("Taxi downtown", options)
        assert (again.text, again.labels) == (said.text, said.labels)
        memory.forget(*memory.ids())
    assert {name for name in tree(folder / "office") if name.startswith("cache/")} == {"cache/"}


@traced
@pytest.mark.usefixtures("kind")
def test_a_removal_that_is_killed_has_happened_or_not_and_the_next_one_finishes_it(
    folder: Path, tmp_path: Path, campaign: bool
) -> None:
    store = make(tmp_path / "model", rows(range(4))).path
    whole, states = tree(store), set()
    with killing.killer() as killer:
        for at in itertools.count(step=1 if campaign else 131):
            shutil.copytree(store, folder / "work")
            done = not killer.kill("stores", "remove", "work", "--yes", at=at)
            if (folder / "work").exists():
                assert tree(folder / "work") | {"lock": b""} == whole  # but for which process holds its lock
                assert check(folder / "work").ok
            states.add((names(folder) == ["work"], len(tree(folder))))
            if done:
                break
            if names(folder):
                remove_store("work")
            assert names(folder) == []
    assert names(folder) == []
    all_files = max(files for there, files in states if there)
    assert any(0 < files < all_files for there, files in states if not there)  # killed while it wiped


@traced
def test_what_a_killed_removal_leaves_is_wiped_by_list_too(folder: Path, tmp_path: Path) -> None:
    going = folder / ".work.0123abcd.removed"
    shutil.copytree(make(tmp_path / "model", rows(range(4))).path, going)
    make(folder / "work", rows(range(2)))
    with locked(going, timeout=0):
        list_stores()
        assert going.exists()  # the process that wipes it is still at it

    assert [one.name for one in list_stores()] == ["work"]

    assert names(folder) == ["work"]
    assert look(folder / "work").examples == 2


@traced
@pytest.mark.usefixtures("kind")
def test_a_rename_that_is_killed_has_happened_or_not(folder: Path, tmp_path: Path, campaign: bool) -> None:
    store = make(tmp_path / "model", rows(range(4))).path
    outcomes = set()
    with killing.killer() as killer:
        for at in itertools.count(step=1 if campaign else 43):
            shutil.copytree(store, folder / "work")
            done = not killer.kill("stores", "rename", "work", "office", at=at)
            (name,) = names(folder)
            outcomes.add(name)
            assert reopen(folder / name).snapshot().manifest.count == 4
            assert check(folder / name).ok
            shutil.rmtree(folder / name)
            if done:
                break
    assert (outcomes, name) == ({"work", "office"}, "office")
