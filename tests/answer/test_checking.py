"""`Memory.check`: how good a store is, by its own examples or by held-out rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_icl import Check, Example, InputError, Memory, ModelMissingError, StoreEmptyError
from edge_icl.aio import AsyncMemory
from edge_icl.answer import checking, in_turn
from edge_icl.encode.vector import Vector
from edge_icl.models.importing import import_model

SEED = bytes(range(32))
PAIRS = [
    ("Taxi to the airport", "travel"),
    ("Train ticket to Berlin", "travel"),
    ("Flight to Oslo", "travel"),
    ("Bus to the station", "travel"),
    ("Lunch with a client", "meals"),
    ("Dinner with the team", "meals"),
    ("Breakfast at the hotel", "meals"),
    ("Sandwich at noon", "meals"),
    ("Printer paper", "office"),
    ("Pens and pencils", "office"),
    ("A stapler for the desk", "office"),
    ("Envelopes and stamps", "office"),
]


def taught(*pairs: tuple[str, str]) -> list[Example]:
    return [Example.create(*pair) for pair in pairs]


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED, shots=4) as memory:
        memory.add_many(taught(*PAIRS))
        yield memory


def test_a_good_store_is_mostly_right_and_nothing_of_it_changes(memory: Memory) -> None:
    root = memory.root

    found = memory.check()

    assert (found.examples, found.tested, memory.root) == (12, 12, root)
    assert found.accuracy >= 0.75
    assert found.interval[0] < found.accuracy <= found.interval[1]
    assert [(one.label, one.count) for one in found.labels] == [("meals", 4), ("office", 4), ("travel", 4)]
    assert sum(one.right for one in found.labels) == found.right
    assert sum(one.count for one in found.confused) == found.tested - found.right
    assert (found.duplicates, found.contradictions, found.single, found.unread, found.cut) == ((),) * 5


def test_a_wrong_label_comes_first_with_the_right_one_beside_it(memory: Memory) -> None:
    memory.add("Tram to the airport", "meals")

    suspect = memory.check().suspects[0]

    assert (suspect.held.input, suspect.held.output, suspect.likelier) == (
        "Tram to the airport",
        "meals",
        "travel",
    )
    assert suspect.own < suspect.probability <= 1


def test_inputs_that_a_person_calls_the_same_are_found(memory: Memory) -> None:
    memory.add_many(taught(("Printer  paper\n", "office"), ("Flight to Oslo ", "meals")))

    found = memory.check()

    (same,), (other,) = found.duplicates, found.contradictions
    assert {held.input for held in same} == {"Printer paper", "Printer  paper\n"}
    assert {held.output for held in other} == {"travel", "meals"}


def test_a_label_with_one_example_is_told_and_counts_as_wrong(memory: Memory) -> None:
    memory.add("Password reset", "it")

    found = memory.check()

    assert found.single == ("it",)
    assert next(one for one in found.labels if one.label == "it").right == 0
    assert "it" not in {suspect.held.output for suspect in found.suspects}


def test_inputs_that_the_encoder_cannot_read_are_found(memory: Memory) -> None:
    unread = ["สวัสดีครับ ผมชื่อ", "\U0001f355\U0001f355", "x" * 200]
    read = ["Taxi \N{TAXI} to the hotel", "кто ты", "Über den Wolken"]
    memory.add_many(taught(*((text, "meals") for text in unread + read)))

    assert {held.input for held in memory.check().unread} == set(unread)


def test_inputs_longer_than_the_encoder_reads_are_found(models_home: Path, tmp_path: Path) -> None:
    made = import_model("small", tiny.bert(tmp_path / "small")).settings
    most = (made.max_tokens - 2) * made.windows
    longer, fits = "taxi " * (most + 1), "taxi " * most

    with Memory.create("work", encoder="small") as memory:
        added = memory.add_many(taught((longer, "travel"), (fits, "travel")))

        assert (added.cut, [held.input for held in memory.check().cut]) == (1, [longer])


def test_of_free_text_there_is_no_accuracy_but_all_else(memory: Memory) -> None:
    memory.set_labels("no")
    memory.add("Printer  paper", "office")

    found = memory.check()

    assert (found.accuracy, found.interval, found.tested, found.suspects) == (None, None, 0, ())
    assert "free text" in found.untested
    assert len(found.duplicates) == 1
    assert found.single == ()


def test_one_output_says_nothing(models_home: Path) -> None:
    with Memory.create("work") as memory:
        memory.add("Taxi", "travel")

        assert memory.check().untested == "all examples have one output"


def test_an_empty_store_is_refused(models_home: Path) -> None:
    with Memory.create("work") as memory, pytest.raises(StoreEmptyError, match="holds no examples to check"):
        memory.check()


def test_held_out_rows_are_judged_by_all_examples(memory: Memory) -> None:
    rows = [
        ("Ferry to Oslo", "travel"),
        ("Supper", "meals"),
        ("Taxi to the  airport", "travel"),
        ("Rent", "flat"),
    ]

    found = memory.check(held_out=rows)

    assert (found.tested, found.held_out.rows, found.held_out.taught) == (4, 4, 1)
    assert found.held_out.untaught == ("flat",)
    assert [(one.label, one.count) for one in found.labels] == [("flat", 1), ("meals", 1), ("travel", 2)]
    assert ("Rent", "flat") in {(one.input, one.output) for one in found.held_out.wrong}
    assert len(found.held_out.wrong) == found.tested - found.right
    assert found.suspects == ()


@pytest.mark.parametrize("rows", [[], [("one",)], ["text"], [("a", "b", "c")], [1], [("", "travel")]])
def test_held_out_rows_that_are_none_are_refused(memory: Memory, rows: list[object]) -> None:
    with pytest.raises(InputError):
        memory.check(held_out=rows)


def test_of_too_many_examples_a_sample_is_left_out(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_PAIRS", 12 * 5)

    found = memory.check()

    assert (found.examples, found.tested, sum(one.count for one in found.labels)) == (12, 5, 5)


def test_progress_is_told_to_its_end(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "MOST_SHARES", 3 * 5)
    told: list[tuple[str, int, int]] = []

    memory.check(progress=lambda *one: told.append(one))

    assert [one for one in told if one[0] == "judge"] == [("judge", done, 12) for done in (0, 5, 10, 12)]
    assert told[-1] == ("read", 12, 12)


def test_it_is_the_same_for_asyncio(memory: Memory) -> None:
    async def main() -> Check:
        async with await AsyncMemory.open("work") as other:
            return await other.check()

    assert asyncio.run(main()) == memory.check()


def made(path: Path, numbers: list[int], extra: list[int]) -> Check:
    """Check a store that was given examples in an order, and others that it forgot."""
    with Memory.create(path, seed=SEED) as memory:
        dimension, digest = memory.settings.dimension, memory.settings.encoder_digest
        for some in (numbers, extra):
            vectors = [
                Vector(digest, np.random.default_rng(n % 7).integers(-9, 9, dimension, np.int8).tobytes())
                for n in some
            ]
            texts = [(f"input {n % 5}" + " " * (n % 2) + f"{n % 3}", f"label {n % 4}") for n in some]
            ids = memory.add_many(
                [Example.create(*pair, source=f"{n}") for n, pair in zip(some, texts, strict=True)],
                vectors=vectors,
            ).ids
        if extra:
            memory.forget(*ids)
        return memory.check()


@given(st.permutations(range(14)), st.lists(st.integers(20, 40), unique=True, max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_a_function_of_the_set_of_examples(
    models_home: Path, tmp_path_factory: pytest.TempPathFactory, order: list[int], extra: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("stores")

    one, other = made(folder / "a", list(range(14)), []), made(folder / "b", list(order), extra)

    assert one == other
    assert one.as_json() == other.as_json()


def test_without_the_encoder_the_store_is_checked_all_the_same(memory: Memory, tmp_path: Path) -> None:
    memory.close()
    path = memory.path
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(tmp_path / "nothing"))
        with Memory.open(path) as bare:
            found = bare.check()
            with pytest.raises(ModelMissingError):
                bare.check(held_out=[("Ferry", "travel")])

    assert (found.tested, found.unread, found.cut) == (12, None, None)
