"""A receipt is held against the store as it is, also while another process changes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stores import SETTINGS, commit, make, row, rows, unlock

from edge_icl.access.verification import verify
from edge_icl.errors import InputError
from edge_icl.results import RECEIPT
from edge_icl.store.findings import Problem
from edge_icl.store.snapshot import Snapshot

pytestmark = pytest.mark.usefixtures("kind")


def receipt(*gone: int, root: str = "") -> dict[str, object]:
    return {"ids": [row(number).id.hex() for number in gone], "root_after": root}


def test_a_receipt_is_held_against_each_of_its_ids(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))

    found = verify(store.path, receipt=receipt(3, 77, 5, root=store.snapshot().root), unlock=unlock)

    assert [(one.problem, one.path) for one in found.differences] == [
        (Problem.PRESENT, row(3).id.hex()),
        (Problem.PRESENT, row(5).id.hex()),
    ]
    assert found.moved_on is False
    assert verify(store.path, receipt=receipt(77), unlock=unlock).moved_on is True


def test_a_change_while_the_ids_are_looked_for_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    locate = Snapshot.locate
    changes = [0]

    def look(snapshot: Snapshot, example_id: bytes) -> object:
        if changes and snapshot.manifest.count == 10:
            commit(store, removed=[row(changes.pop()).id])
        return locate(snapshot, example_id)

    monkeypatch.setattr(Snapshot, "locate", look)

    assert verify(store.path, receipt=receipt(77), unlock=unlock).ok


def test_a_receipt_is_checked_before_the_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a receipt"):
        verify(tmp_path / "store", receipt={"ids": [row(3).id.hex()[:8]], "root_after": ""})


def test_a_receipt_of_another_store_says_nothing_of_this_one(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))
    other = make(tmp_path / "other", [], settings=replace(SETTINGS, seed=bytes(32)))
    ours, theirs = (one.settings.digest(RECEIPT) for one in (store, other))
    gone = receipt(77, root=store.snapshot().root)

    assert verify(store.path, receipt=gone | {"store": ours}, unlock=unlock).same_store is True
    with pytest.raises(InputError, match="of another store"):
        verify(store.path, receipt=gone | {"store": theirs}, unlock=unlock)
    with pytest.raises(InputError, match="not a receipt"):
        verify(store.path, receipt=gone | {"store": 3}, unlock=unlock)


def test_of_an_earlier_receipt_the_store_is_known_while_its_root_is_the_same(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(10)))

    assert verify(store.path, receipt=receipt(77, root=store.snapshot().root), unlock=unlock).same_store is True
    assert verify(store.path, receipt=receipt(77), unlock=unlock).same_store is False
