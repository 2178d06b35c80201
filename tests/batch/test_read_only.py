"""A labeler writes nothing into a store: it may lie on a read-only mount, with whatever was left in it."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from expenses import EXAMPLES, PAIRS, SEED
from faults import Crash, Faulty
from stores import QUICK

from edge_icl import InputError, Keyring, Memory, PassphraseError, StoreNotFoundError
from edge_icl.access.cache_key import home_key
from edge_icl.access.passphrases import unlocking
from edge_icl.batch import Labeler
from edge_icl.store import drafts
from edge_icl.store.disk import Store
from edge_icl.store.reading import StoreReader
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "correct horse"
ROWS = {"input": ["Taxi downtown", PAIRS[0][0], ""]}
State = dict[str, tuple[bytes, int, int, int]]

pytestmark = pytest.mark.usefixtures("models_home")


def from_variable() -> str:
    """The passphrase, as a worker finds it."""
    return os.environ["SECRET"]


def state(path: Path) -> State:
    """All that is known of a directory, its files and folders: what any write to one of them would change."""
    found = {}
    for one in (path, *path.rglob("*")):
        status, data = one.lstat(), b"" if one.is_dir() else one.read_bytes()
        found[str(one)] = (data, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return found


@pytest.fixture(params=[None, SECRET], ids=["plain", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    return request.param


@pytest.fixture
def store(tmp_path: Path, passphrase: str | None) -> Path:
    """A store of each kind."""
    path = tmp_path / "stores" / "work"
    with Memory.create(path, seed=SEED, shots=3, passphrase=passphrase, stretch=QUICK) as memory:
        memory.add_many(EXAMPLES)
    return path


@pytest.fixture
def labelled(passphrase: str | None) -> Callable[..., dict[str, list[Any]]]:
    """Labels `ROWS` from a store, with nothing in memory that an earlier call has left there."""

    def label(path: Path, **options: Any) -> dict[str, list[Any]]:
        made = Labeler(path, passphrase=passphrase, **options)
        try:
            return made(ROWS)
        finally:
            made.close()

    return label


@pytest.mark.parametrize("ask_model", ["never", "always"])
def test_nothing_in_the_stores_folder_changes(
    store: Path, labelled: Callable[..., dict[str, list[Any]]], ask_model: str
) -> None:
    assert home_key(make=True)  # without one a cache keeps nothing anyway
    before = state(store)

    found = labelled(store, ask_model=ask_model)

    assert found["answer"] == ["travel", "travel", None]
    assert found["asked_model"] == [ask_model == "always", False, None]
    assert state(store) == before


@pytest.mark.campaign
def test_a_kept_state_is_used_and_stays_as_it_is(
    store: Path, labelled: Callable[..., dict[str, list[Any]]], passphrase: str | None
) -> None:
    fresh = labelled(store, ask_model="always")
    with Memory.open(store, passphrase=passphrase, threads=1) as memory:
        memory.ask(ROWS["input"][0], ask_model="always")
    before = state(store)
    assert [*(store / "cache").iterdir()]

    assert labelled(store, ask_model="always") == fresh
    assert state(store) == before


def interrupt_a_forget(path: Path, passphrase: str | None) -> None:
    """Forget an example, and stop when that is committed and nothing of it is wiped yet."""
    unlock = unlocking(passphrase)
    copy = path.with_name("copy")
    shutil.copytree(path, copy)

    def forget(there: Path, files: Faulty) -> None:
        opened = Store.open(there, unlock=unlock, files=files)
        files.live(files.stop)
        with writing(opened) as writer:
            writer.commit(removed=[EXAMPLES[0].id(SEED)])

    whole = Faulty()
    forget(copy, whole)
    last = len(whole.done) - 1 - whole.done[::-1].index("rename")
    faulty = Faulty()
    opened = Store.open(path, unlock=unlock, files=faulty)
    faulty.live(last + 2)
    with pytest.raises(Crash), writing(opened) as writer:
        writer.commit(removed=[EXAMPLES[0].id(SEED)])
    shutil.rmtree(copy)


def test_what_an_interrupted_change_left_stays_where_it_is(
    store: Path, labelled: Callable[..., dict[str, list[Any]]], passphrase: str | None
) -> None:
    interrupt_a_forget(store, passphrase)
    before = state(store)

    found = labelled(store, ask_model="never")

    assert EXAMPLES[0].id(SEED).hex() not in found["examples"][0]
    assert state(store) == before
    with Memory.open(store, passphrase=passphrase) as memory:  # which wipes it, so there was something
        assert memory.wiped > 0
        assert found["root"] == [memory.root] * 3
        assert found["probability"][0] == memory.ask(ROWS["input"][0], ask_model="never").probability


def test_no_store_means_that_nothing_is_tidied_up_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "ABANDONED", -1.0)
    path = tmp_path / "stores" / "work"
    draft = drafts.draft_of(path)
    with Memory.create(path, seed=SEED):
        path.rename(draft)
    before = state(draft)

    with pytest.raises(StoreNotFoundError):
        Labeler(path, ask_model="never")(ROWS)
    with pytest.raises(StoreNotFoundError):
        StoreReader.open(path)

    assert state(draft) == before
    with pytest.raises(StoreNotFoundError):
        Store.open(path)
    assert not draft.exists()


MOUNTED = """
import sys
from edge_icl.batch import Labeler
label = Labeler(sys.argv[1], ask_model="never", passphrase=sys.argv[2] or None)
print(label({"input": ["Taxi downtown", "Uber to the airport", ""]}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts as Linux does")
def test_a_store_on_a_read_only_mount_answers_the_same(
    store: Path, labelled: Callable[..., dict[str, list[Any]]], passphrase: str | None, tmp_path: Path
) -> None:
    interrupt_a_forget(store, passphrase)
    there = tmp_path / "mount"
    there.mkdir()
    mount = f"mount --bind {store} {there} && mount -o remount,ro,bind {there}"
    alone = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    if subprocess.run([*alone, "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("this user may mount nothing here")
    script = f'{mount} && ! touch {there}/x 2>/dev/null && exec "$0" -c "$1" {there} "$2"'

    ran = subprocess.run(
        [*alone, "sh", "-c", script, sys.executable, MOUNTED, passphrase or ""],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stderr == ""
    assert ran.stdout == f"{labelled(store, ask_model='never')}\n"


def test_an_encrypted_store_needs_its_passphrase_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stores" / "sealed"
    with Memory.create(path, passphrase=SECRET, stretch=QUICK) as memory:
        memory.add_many(EXAMPLES)
    monkeypatch.setenv("SECRET", SECRET)
    right = Labeler(path, passphrase=from_variable, ask_model="never")

    found = right(ROWS)

    assert pickle.loads(pickle.dumps(right))(ROWS) == found
    assert SECRET.encode() not in pickle.dumps(right)
    for wrong in (None, "another", Keyring()):
        with pytest.raises(PassphraseError):
            Labeler(path, passphrase=wrong)(ROWS)
    with pytest.raises(InputError, match="a function that other processes do not find; give a function at"):
        pickle.dumps(Labeler(path, passphrase=lambda: SECRET))
    local = Labeler(path, passphrase=lambda: SECRET, ask_model="never")
    assert local(ROWS) == found
    for one in (right, local):
        one.close()


def test_a_passphrase_for_a_plain_store_is_refused(tmp_path: Path) -> None:
    with Memory.create(tmp_path / "stores" / "plain") as memory:
        memory.add_many(EXAMPLES)

    with pytest.raises(PassphraseError, match="is not encrypted"):
        Labeler(memory.path, passphrase=SECRET)(ROWS)
