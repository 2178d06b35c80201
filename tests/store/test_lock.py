"""One writer at a time; a dead one does not block, a live one is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from stores import commit, make, reopen, row, rows, tree

from edge_icl.errors import StoreBusyError, StoreNotFoundError
from edge_icl.store import lock
from edge_icl.store.lock import locked
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from edge_icl.store.lock import locked
with locked(Path(sys.argv[1]), timeout=5):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_live_writer_is_waited_for_and_named(tmp_path: Path) -> None:
    store = make(tmp_path / "store")
    with holder(store.path) as process:
        with pytest.raises(StoreBusyError, match=f"process {process.pid}"), writing(store, timeout=0.05):
            pass
        process.stdin.close()
        process.wait()

    with writing(store, timeout=5):
        pass


def test_the_lock_of_a_dead_process_does_not_block(tmp_path: Path) -> None:
    store = make(tmp_path / "store")
    before = tree(store.path)
    with holder(store.path) as process:
        process.kill()
        process.wait()

    with writing(store, timeout=5):
        pass

    assert tree(store.path) == before


def test_threads_wait_for_each_other_and_lose_nothing(tmp_path: Path) -> None:
    store = make(tmp_path / "store")
    threads = [
        threading.Thread(target=lambda n=n: [commit(store, added=[row(i)]) for i in range(n, 40, 4)])
        for n in range(4)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert tree(store.path) == tree(make(tmp_path / "fresh", rows(range(40))).path)


def test_the_lock_file_is_empty_at_rest(tmp_path: Path) -> None:
    store = make(tmp_path / "store")
    with locked(store.path, timeout=1):
        assert (store.path / "lock").read_text() == f"process {os.getpid()}\n"

    assert (reopen(store.path).path / "lock").read_bytes() == b""


def test_a_store_that_was_removed_is_not_made_again_by_whoever_has_it_open(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(3)))
    shutil.rmtree(store.path)

    with pytest.raises(StoreNotFoundError, match="any more"), writing(store):
        pass

    assert not store.path.exists()


def test_nor_if_it_is_removed_just_before_it_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make(tmp_path / "store", rows(range(3)))
    monkeypatch.setattr(lock, "_refuse_foreign", lambda path: shutil.rmtree(path.parent))

    with pytest.raises(StoreNotFoundError, match="any more"), locked(store.path, timeout=1):
        pass

    assert not store.path.exists()


def test_who_reads_a_store_that_was_renamed_is_told_that_it_is_gone(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(3)))
    store.path.rename(tmp_path / "other")

    with pytest.raises(StoreNotFoundError, match="any more"):
        store.snapshot()
