"""What is written is the user's alone, whatever the umask; a store that is in others' reach is refused."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import tiny
from command import IDS, refused, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stores import HOME_KEY, commit, make, row, rows

from edge_icl import EdgeIclError, Memory, StoreExposedError
from edge_icl.models.importing import import_model
from edge_icl.store.prefix_cache import PrefixCache

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes and owners")

READERS = ("status", "list", "export", "verify", "verify --deep")
WRITERS = (f"forget {IDS['Printer paper']} --yes", "forget --all --yes")


@contextmanager
def masking(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder: Path) -> set[tuple[bool, int]]:
    """Return the modes below a folder, each with whether it is that of a folder."""
    return {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a path to another user; where that is not allowed, become another user."""
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr("os.geteuid", lambda: 12345)


@given(st.integers(0, 0o777))
@example(0)
@example(0o777)
@settings(max_examples=25)
def test_every_file_and_folder_is_the_users_alone_whatever_the_umask(mask: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", f"{folder}/data/home")
        patch.setattr(
            sys, "frozen", True, raising=False
        )  # the model is tried in this process, which is quicker
        (Path(folder) / "tiny.gguf").write_bytes(tiny.llama())
        with masking(mask):
            store = make(Path(folder) / "data" / "stores" / "store", rows(range(10)))
            PrefixCache(store, store.snapshot(), HOME_KEY).put("state", b"of the representatives")
            held = modes(Path(folder) / "data")
            commit(store, removed=[row(3).id])
            import_model("mine", Path(folder) / "tiny.gguf")

        assert held | modes(Path(folder) / "data") == {(True, 0o700), (False, 0o600)}


@pytest.mark.usefixtures("home")
def test_what_a_command_writes_is_the_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    for mask in (0, 0o777):
        with masking(mask):
            assert run("export", "--file", str(tmp_path / f"{mask}.jsonl")).code == 0
        assert stat.S_IMODE((tmp_path / f"{mask}.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize("command", [*READERS, *WRITERS])
@pytest.mark.parametrize("part", ["", "manifest", "pages"])
def test_a_store_that_others_may_write_to_is_neither_read_nor_changed(
    bare_home: Path, command: str, part: str
) -> None:
    path = bare_home / "stores" / "default" / part
    for bit in (stat.S_IWGRP, stat.S_IWOTH):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | bit)

        refused(run(*command.split()), str(path), f"chmod -R go-w {path}")

        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~bit)
    assert run("list").code == 0


@pytest.mark.parametrize("command", [*READERS, *WRITERS])
@pytest.mark.parametrize("part", ["stores/default", "stores/default/store.json", "stores", ""])
def test_a_store_of_somebody_else_is_neither_read_nor_changed(
    bare_home: Path, command: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_away(bare_home / part, monkeypatch)

    refused(run(*command.split()), " belongs to user ", "run this as that user", "sudo chown -R ")


@pytest.mark.parametrize("open_store", [Memory.open, Memory.create])
@pytest.mark.parametrize("part", ["stores", ""])
def test_no_store_lies_in_a_folder_that_others_may_write_to(
    models_home: Path, part: str, open_store: Callable[[str], Memory]
) -> None:
    (models_home / "stores").mkdir(mode=0o700)
    folder = models_home / part
    for mode in (0o777, 0o707):
        folder.chmod(mode)
        with pytest.raises(StoreExposedError, match="chmod -R go-w"):
            open_store("work")
        assert not (models_home / "stores" / "work").exists()


def test_a_folder_of_everybodys_is_fine_where_each_keeps_what_is_theirs(
    models_home: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    Memory.create(shared / "store").close()
    Memory.open(shared / "store").close()


def test_a_group_that_is_one_user_is_nobody_else(models_home: Path, tmp_path: Path) -> None:
    status = tmp_path.stat()
    if status.st_gid != status.st_uid:
        pytest.skip("this user has no group of the same number")
    folder = tmp_path / "project"
    folder.mkdir()
    folder.chmod(0o775)

    Memory.create(folder / "store").close()
    Memory.open(folder / "store").close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_folder_that_a_group_may_write_to_is_refused(models_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    os.chown(folder, -1, 12345)
    folder.chmod(0o770)

    with pytest.raises(EdgeIclError, match="may be written to by others"):
        Memory.create(folder / "store")
