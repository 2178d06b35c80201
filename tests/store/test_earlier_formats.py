"""Stores that earlier versions made open and change as the day they were made.

`data/format-1` was made by version 0.1.0. It is never made again: a store of a later format gets a folder of
its own beside it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import independent
import numpy as np
import pytest
import stores
from command import run
from numpy.typing import NDArray
from repository import DATA

from edge_icl import Memory, Options
from edge_icl.answer.engines import Engines
from edge_icl.store.settings import Settings

PASSPHRASE = "correct horse"
HOW = Settings(
    seed=bytes(range(32)),
    encoder="test",
    encoder_digest="7e57",
    dimension=4,
    scale=100,
    shots=3,
    iterations=2,
    step=20,
    task="Ordne die Ausgabe ein",
)
TAXI = (84, -28, 9, 1)
HELD = {
    "Uber to the airport",
    "Taxi downtown",
    "Bus ticket",
    "Lunch with a client",
    'Café "Größenwahn"\n2 \u00d7 cake',
    "Printer paper",
    "\U0001f5a8\ufe0f toner\u2028black",
}


@pytest.fixture(params=["plain", "encrypted"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a store of format 1, with the modes and the empty directory that git does not keep."""
    monkeypatch.setattr(stores, "encrypted", request.param == "encrypted")
    copy = tmp_path / "store"
    shutil.copytree(DATA / "format-1" / request.param, copy)
    (copy / "cache").mkdir()
    for found in [copy, *copy.rglob("*")]:
        found.chmod(0o700 if found.is_dir() else 0o600)
    return copy


def opened(path: Path) -> Memory:
    return Memory.open(path, create=False, passphrase=PASSPHRASE if stores.encrypted else None)


def files(path: Path) -> dict[str, bytes]:
    return {name: data for name, data in stores.tree(path).items() if not name.endswith("/")}


def test_it_opens_lists_searches_and_verifies(path: Path) -> None:
    before = files(path)

    with opened(path) as memory:
        assert memory.settings == HOW
        assert memory.root == "83fbb916987a9cddeaddf07da390b541a5b4385289e354d1eef192e48e6c77f4"
        assert {one.input for one in memory.examples()} == HELD
        (found,) = memory.find(tag="expenses", source="bank.csv")
        assert (found.id, found.output) == (memory.get(found.id[:8]).id, "travel")
        assert found.example.tags == ("2026", "expenses")
        assert {one.input for one in memory.find(match="CAFÉ")} == {'Café "Größenwahn"\n2 \u00d7 cake'}
        assert memory.verify(deep=True).ok

    assert files(path) == before


def test_the_nearest_examples_are_found_by_their_vectors(path: Path) -> None:
    with opened(path) as memory:
        known = {held.input: vector.components for held, vector in memory.export()}

    assert known["Taxi downtown"] == known["Bus ticket"] == np.array(TAXI, np.int8).tobytes()
    _, held = independent.read(files(path), PASSPHRASE.encode())
    assert {one.input: np.array(one.vector, np.int8).tobytes() for one in held} == known


class OfThatTime:
    """In place of the encoder that the store was made with, which is on no machine."""

    def encode(self, texts: Sequence[str], **_: object) -> NDArray[np.int8]:
        """Return the vector of "Taxi downtown" for every text."""
        return np.array([TAXI] * len(texts), np.int8)


@pytest.mark.usefixtures("models_home")
def test_it_answers_and_a_forget_wipes_what_that_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(path)
    monkeypatch.setattr(Engines, "encoder", lambda _: OfThatTime())

    with opened(path) as memory:
        answer = memory.ask("Taxi to the airport", Options(labels="on", select="erase", ask_model="always"))

        shown = {bytes.fromhex(held.id) for held in answer.examples}
        assert shown == set(memory._opened.store.snapshot().clustering.representative_ids())
        assert answer.text == "travel"
        assert memory.ask("Taxi to the airport", Options(labels="off", max_tokens=4)).text
        kept = [name for name in files(path) if name.startswith("cache/")]
        assert kept
        assert {name: data for name, data in files(path).items() if name not in kept} == before
        assert memory.verify(deep=True).ok

        memory.forget(memory.find(tag="expenses")[0].id)
        assert not any(name.startswith("cache/") for name in files(path))
        assert memory.verify(deep=True).ok


def test_the_commands_read_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (path / "key").exists():
        monkeypatch.setenv("EDGE_ICL_PASSPHRASE", PASSPHRASE)

    listed = run("--store", str(path), "list", "--json")

    assert {json.loads(line)["input"] for line in listed.out.splitlines()} == HELD
    assert run("--store", str(path), "verify", "--deep").code == 0


def test_a_setting_for_labels_is_taken_back_to_the_byte(path: Path) -> None:
    before = files(path)

    with opened(path) as memory:
        assert memory.labels_setting == "auto"
        assert not memory.set_labels("auto")
        assert files(path) == before
        assert memory.set_labels("yes")
        assert {name for name, data in files(path).items() if data != before[name]} == {"manifest"}
        assert memory.verify(deep=True).ok
        memory.set_labels("auto")

    assert files(path) == before


def test_after_a_forget_it_is_byte_for_byte_a_store_made_today(path: Path, tmp_path: Path) -> None:
    rows = [row for page in stores.reopen(path).snapshot().load() for row in page.rows()]
    with pytest.MonkeyPatch.context() as patch:
        if stores.encrypted:
            patch.setattr(
                stores, "KEY", stores.Key.from_seed(stores.PASSPHRASE, HOW.seed, stretch=stores.QUICK)
            )
        whole = stores.make(tmp_path / "whole", rows, settings=HOW)
        assert files(whole.path) == files(path)

        (path / "cache").rmdir()  # some copies lose it, and the next change of the store makes it again
        with opened(path) as memory:
            gone = {held.id for held in memory.find(tag="expenses")}
            memory.forget(*gone)
            assert memory.verify(deep=True).ok
        never = stores.make(tmp_path / "never", [row for row in rows if row.id.hex() not in gone], settings=HOW)

    assert len(gone) == 2
    assert stores.tree(path) == stores.tree(never.path)
