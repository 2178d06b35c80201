"""A machine that computes otherwise is refused by its name, or its rows are marked."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from expenses import EXAMPLES, SEED

from edge_icl import InputError, MachineDiffersError, Memory, ModelMissingError
from edge_icl.batch import Labeler, Machine, canaries, process
from edge_icl.batch.columns import ADDED, Result, schema
from edge_icl.encode.encoder import Encoder
from edge_icl.models.catalogue import DEFAULT_LLM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = {"input": ["Taxi downtown", ""]}
HOST = platform.node()
FIRST = Machine(host="first", edge_icl="0.1.0", encoder="e" * 32, prior="p" * 32)
WITH_MODEL = replace(FIRST, llama_cpp="0.3.36", weights="w" * 64, fit="no layers", model="m" * 32)


@pytest.fixture
def store(models_home: Path) -> Path:
    with Memory.create("work", seed=SEED, shots=3) as memory:
        memory.add_many(EXAMPLES)
    return memory.path


@pytest.fixture
def label(store: Path) -> Iterator[Labeler]:
    yield (made := Labeler(store, ask_model="never"))
    made.close()


def test_equal_machines_differ_in_nothing_whatever_they_are_called() -> None:
    assert FIRST.differs(replace(FIRST, host="second")) == ()
    assert WITH_MODEL.differs(replace(WITH_MODEL, host="second")) == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"edge_icl": "9.9"}, "edge-icl has version 9.9, not 0.1.0"),
        ({"encoder": "x"}, "the encoder gives other vectors"),
        ({"prior": "x"}, "numpy gives other probabilities"),
        ({"llama_cpp": "9.9"}, "llama-cpp-python has version 9.9, not 0.3.36"),
        ({"weights": "x"}, "the model is another one"),
        ({"fit": "all layers"}, "the model passed its check with all layers, not no layers"),
        ({"model": "x"}, "llama.cpp gives other probabilities"),
    ],
)
def test_each_thing_that_differs_is_named(changed: dict[str, Any], told: str) -> None:
    assert WITH_MODEL.differs(replace(WITH_MODEL, **changed)) == (told,)


def test_one_that_asks_the_model_and_one_that_does_not_are_not_alike() -> None:
    for one, other in ((FIRST, WITH_MODEL), (WITH_MODEL, FIRST)):
        assert one.differs(other) == ("only one of them asks the model",)


def test_a_machine_is_read_back_from_json_and_nothing_else_is() -> None:
    for one in (FIRST, WITH_MODEL):
        assert Machine.from_json(json.loads(json.dumps(one.as_json()))) == one
    for wrong in ({}, FIRST.as_json() | {"encoder": None}, FIRST.as_json() | {"model": 1}, [], "x"):
        with pytest.raises(InputError, match="does not describe a machine"):
            Machine.from_json(wrong)  # type: ignore[arg-type]


@pytest.mark.campaign
def test_another_process_on_this_machine_computes_the_same(label: Labeler, store: Path) -> None:
    always = Labeler(store, ask_model="always")

    assert elsewhere(label)["machine"] == label.machine().as_json()
    assert elsewhere(always)["machine"] == always.machine().as_json()
    always.close()


def elsewhere(label: Labeler, **environment: str) -> dict[str, Any]:
    """What another process says of its machine, of `ROWS`, and of how it differs."""
    import os
    import pickle

    script = (
        "import json, pickle, sys\n"
        "label = pickle.loads(sys.stdin.buffer.read())\n"
        "said = {'machine': label.machine().as_json()}\n"
        "try:\n    said['rows'] = label({'input': ['Taxi downtown', '']})\n"
        "except Exception as error:\n    said['error'] = [type(error).__name__, str(error)]\n"
        "print(json.dumps(said))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        input=pickle.dumps(label),
        capture_output=True,
        check=True,
        env=os.environ | environment,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="kernels of numpy for x86")
def test_a_process_whose_kernels_round_otherwise_is_refused_or_marked(label: Labeler, store: Path) -> None:
    """For real: another processor's kernels of OpenBLAS, with which the prior's probabilities are others."""
    first = label.machine()
    other = {"OPENBLAS_CORETYPE": "Nehalem"}
    strict = Labeler(store, ask_model="never", machine=first)
    mixed = Labeler(store, ask_model="never", machine=first, allow_mixed=True)

    refused, marked, alike = elsewhere(strict, **other), elsewhere(mixed, **other), elsewhere(mixed)

    told = "numpy gives other probabilities"
    assert "rows" not in refused
    assert refused["error"][0] == "MachineDiffersError"
    assert f"the machine {HOST} computes otherwise than {HOST}: {told}; use machines" in refused["error"][1]
    assert marked["rows"]["machine"] == [f"{HOST}: {told}"] * 2
    assert alike["rows"]["machine"] == [None, None]
    assert alike["rows"] == mixed(ROWS)
    here, there = alike["rows"]["probability"][0], marked["rows"]["probability"][0]
    assert here != there
    assert here == pytest.approx(there, abs=1e-9)


@pytest.mark.campaign
def test_the_digests_see_a_single_step_of_a_single_number(
    label: Labeler, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records of machines that were altered: one number by the least that it can be."""
    always = Labeler(store, ask_model="always")
    first = always.machine()
    assert Labeler(store, ask_model="always", machine=first)(ROWS)["answer"] == ["travel", None]
    always.close()
    encode, measure = Encoder.encode, canaries.measure

    def stepped(self: Encoder, texts: Any, **how: Any) -> Any:
        vectors = encode(self, texts, **how)
        vectors[-1, 5] += 1
        return vectors

    monkeypatch.setattr(Encoder, "encode", stepped)
    monkeypatch.setattr(canaries, "measure", lambda model: [np.nextafter(one, 0) for one in measure(model)])

    told = ("the encoder gives other vectors", "llama.cpp gives other probabilities")
    assert first.differs(always.machine()) == told
    with pytest.raises(MachineDiffersError, match="; ".join(told)):
        Labeler(store, ask_model="always", machine=first)(ROWS)
    always.close()


def test_no_row_is_answered_where_the_machine_differs(
    label: Labeler, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(Result, "of", lambda found: asked.append(found) or Result())
    altered = replace(label.machine(), encoder="0" * 32)

    with pytest.raises(MachineDiffersError, match="the encoder gives other vectors"):
        Labeler(store, ask_model="never", machine=altered)(ROWS)
    assert asked == []


def test_the_column_stands_behind_the_others_and_must_be_free(label: Labeler, store: Path) -> None:
    import pyarrow as pa

    mixed = Labeler(store, ask_model="never", machine=label.machine(), allow_mixed=True)
    table = pa.table(ROWS)

    assert mixed(table).schema == schema(table.schema, mixed=True)
    assert [*mixed(ROWS)] == ["input", *ADDED, "machine"]
    with pytest.raises(InputError, match=r"to be added \(machine"):
        mixed(ROWS | {"machine": ["a", "b"]})


def test_without_the_model_being_asked_none_is_needed(store: Path, models_home: Path) -> None:
    import shutil

    shutil.rmtree(models_home / "models" / DEFAULT_LLM)
    label = Labeler(store, ask_model="never")
    first = label.machine()

    assert (first.llama_cpp, first.weights, first.fit, first.model) == (None,) * 4
    assert Labeler(store, ask_model="never", machine=first)(ROWS)["answer"] == ["travel", None]
    with pytest.raises(ModelMissingError):  # at the start, and not at the first row in doubt
        Labeler(store, machine=replace(WITH_MODEL, host="first"))(ROWS)
    label.close()


def test_nothing_is_computed_for_a_machine_that_nobody_asks_for(
    label: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "measured", None)

    assert label(ROWS)["answer"] == ["travel", None]


def test_a_process_is_measured_once(label: Labeler, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = label.machine()
    monkeypatch.setattr(process, "measured", None)

    for _ in range(2):
        Labeler(store, ask_model="never", machine=first)(ROWS)
    assert label.machine() is first


def test_the_texts_are_of_several_scripts_short_and_long() -> None:
    scripts = {name for text in canaries.TEXTS for name in map(script, text) if name}

    assert {"LATIN", "CYRILLIC", "ARABIC", "DEVANAGARI", "THAI", "HIRAGANA", "CJK", "HANGUL"} <= scripts
    assert min(map(len, canaries.TEXTS)) < 40
    assert max(map(len, canaries.TEXTS)) > 2000


def script(letter: str) -> str:
    import unicodedata

    return unicodedata.name(letter, " ").split()[0] if letter.isalpha() else ""
