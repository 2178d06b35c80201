"""What another user put into a store, in place of its files and directories, leads no command out of it.

A store may come in an archive or on a stick. Whatever is done with it, all that lies outside stays as it is;
and what is done ends, with a result or one sentence.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stores
from alarm import no_hang
from campaigns import some
from repository import SUPPORT
from stores import HOME_KEY, KEY, check, commit, make, reopen, row, rows, tree

from edge_icl.errors import EdgeIclError
from edge_icl.store.findings import Problem
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.rewrapping import rewrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_icl.store.disk import Store

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has other kinds of files"),
    pytest.mark.usefixtures("kind"),
]


def link_to_folder(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "folder")


def link_to_file(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "letter")


def link_to_nothing(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "nothing")


def hard_link(path: Path, outside: Path) -> None:
    os.link(outside / "letter", path)


def folder_of_links(path: Path, outside: Path) -> None:
    path.mkdir()
    (path / "folder").symlink_to(outside / "folder")
    (path / "letter").symlink_to(outside / "letter")
    os.link(outside / "letter", path / "twin")


def pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path, outside: Path) -> None:
    # Bound by a short name: that of a socket may have some hundred bytes.
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(outside / "s"))
    (outside / "s").rename(path)


def device(path: Path, outside: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero


def huge(path: Path, outside: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


THINGS = [
    huge,
    link_to_folder,
    link_to_file,
    link_to_nothing,
    hard_link,
    folder_of_links,
    pipe,
    unix_socket,
    device,
]

PLACES = [
    "store.json",
    "manifest",
    "lock",
    "key",
    "pages",
    "clustering",
    "cache",
    "manifest.new",
    "key.new",
    "key.old",
    "pages.new",
    "rebuild",
    "stray",
    "a page",
    "the clustering",
    "a state",
    "pages/stray",
    "clustering/stray",
    "cache/stray",
    "cache/new",
]


def path_of(store: Store, place: str) -> Path:
    folders = {"a page": "pages", "the clustering": "clustering", "a state": "cache"}
    if place in folders:
        return min((store.path / folders[place]).iterdir())
    return store.path / place


def give_another_key(store: Store) -> None:
    if store.key is not None:
        rewrap(store, KEY.rewrapped(b"another"), timeout=1)


def keep_a_state(path: Path) -> None:
    store = reopen(path)
    state = PrefixCache(store, store.snapshot(), HOME_KEY)
    state.get("name")
    state.put("name", b"state")
    state.put("other", b"state")


OPERATIONS: dict[str, Callable[[Path], object]] = {
    "read": lambda path: reopen(path).read(lambda snapshot: [*snapshot.examples(), snapshot.clustering]),
    "add": lambda path: commit(reopen(path), added=[row(50)]),
    "forget": lambda path: commit(reopen(path), removed=[row(4).id]),
    "forget all": lambda path: commit(reopen(path), removed=[row(n).id for n in range(12)]),
    "keep a state": keep_a_state,
    "change the passphrase": lambda path: give_another_key(reopen(path)),
    "check": check,
    "check deeply": lambda path: check(path, deep=True),
}


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def all_of(outside: Path) -> dict[str, object]:
    """Return what a folder holds, with the modes of all."""
    return {**tree(outside), **{str(path): path.lstat().st_mode for path in outside.rglob("*")}}


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    """A store of 12 examples, with a state."""
    store = make(tmp_path / "honest", rows(range(12)))
    PrefixCache(store, store.snapshot(), HOME_KEY).put("name", b"state")
    return store.path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What is not the store's."""
    folder = tmp_path / "outside"
    (folder / "folder" / "deep").mkdir(parents=True)
    for name in ("letter", "folder/letter", "folder/deep/letter"):
        (folder / name).write_text("mine")
    return folder


@pytest.mark.parametrize("thing", THINGS)
def test_nothing_outside_is_touched_and_nothing_hangs(
    thing: Callable,
    honest: Path,
    outside: Path,
    tmp_path: Path,
    campaign: bool,
    count: Callable[[str, int], None],
) -> None:
    told: list[str] = []
    tried = list(product(PLACES, OPERATIONS.values()))[:: 1 if campaign else 17]
    for place, operation in tried:
        shutil.copytree(honest, tmp_path / "store")
        there = path_of(reopen(tmp_path / "store"), place)
        remove(there)
        thing(there, outside)
        before = all_of(outside)

        with no_hang():
            try:
                operation(tmp_path / "store")
            except EdgeIclError as error:
                told.append(str(error))

        assert all_of(outside) == before, (place, operation)
        shutil.rmtree(tmp_path / "store")
    assert 0 < len(told) < len(tried)
    assert not any("\n" in one for one in told)
    count("operations on stores with a link, a pipe or a device in them", len(tried))


@pytest.mark.parametrize("place", ["pages", "clustering", "cache", "store.json", "manifest", "a page"])
def test_verify_names_a_link_in_place_of_a_file_or_a_directory(
    place: str, honest: Path, tmp_path: Path
) -> None:
    there = path_of(reopen(honest), place)
    there.symlink_to(there.rename(tmp_path / "elsewhere"))

    findings = check(honest).differences

    assert (Problem.LINK, str(there.relative_to(honest))) in {(one.problem, one.path) for one in findings}


MOUNTS = ["pages", "clustering", "cache", "pages.new", "rebuild", "pages/stray", "clustering/stray", "a page"]


@pytest.mark.skipif(not shutil.which("unshare"), reason="only Linux mounts for one process alone")
@pytest.mark.parametrize("place", some(MOUNTS, "pages", "rebuild", "clustering/stray", "a page"))
def test_what_is_mounted_in_a_store_is_not_touched(place: str, honest: Path, outside: Path) -> None:
    there = path_of(reopen(honest), place)
    if not there.exists():
        there.mkdir()
    mounted = outside / "letter" if there.is_file() else outside / "folder"
    os.utime(honest / "pages")  # so that opening it looks for what a killed writer left
    before = all_of(outside)

    script = f"""
import sys, pathlib
sys.path[:0] = ["{SUPPORT}", "{Path(__file__).parent}"]
import stores, test_foreign
stores.encrypted = {stores.encrypted}
from edge_icl.errors import EdgeIclError
for operation in test_foreign.OPERATIONS.values():
    try:
        operation(pathlib.Path("{honest}"))
    except EdgeIclError:
        pass
"""
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind {mounted} {there} && {sys.executable} -c '{script}'"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if run.stderr.startswith(("unshare:", "mount:")):
        pytest.skip("this user may not mount")

    assert (run.returncode, run.stderr) == (0, "")
    assert all_of(outside) == before


def test_a_store_reached_by_a_link_works(honest: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(honest)

    commit(reopen(tmp_path / "link"), removed=[row(4).id])

    assert check(tmp_path / "link", deep=True).differences == ()
