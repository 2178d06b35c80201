"""Rows are stale exactly where the store says otherwise now, or where an answer rested on what is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from expenses import EXAMPLES, PAIRS, SEED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repository import REPOSITORY
from small_encoders import FIRST, SECOND, imported_encoders, small_encoders  # noqa: F401 - fixtures

from edge_icl import InputError, Memory, StoreChangedError
from edge_icl.batch import Labeler, StaleRow, stale
from edge_icl.batch.columns import schema

WORDS = ("cat", "dog", "mat", "taxi", "airport", "pay my card")
INPUTS = [f"{a} {b}" for a in WORDS for b in WORDS]
POOL = [(text, label) for text in INPUTS for label in ("animal", "travel", "money")]
pairs = st.lists(st.sampled_from(POOL), max_size=4)
questions = st.lists(st.one_of(st.sampled_from(INPUTS), st.sampled_from(["", None, "zebra"])), max_size=6)
forgets = st.lists(st.integers(0, 99), max_size=3)
changes = st.tuples(pairs, forgets)
"""What is added, and which of the examples then there are forgotten."""


def labeler(store: Path, **more: Any) -> closing[Labeler]:
    return closing(Labeler(store, **{"ask_model": "never", **more}))


def change(memory: Memory, added: Sequence[tuple[str, str]], forgotten: Sequence[int]) -> None:
    """Add examples and forget some, all of them perhaps."""
    memory.add_many(added)
    ids = sorted(held.id for held in memory.examples())
    if gone := {ids[number % len(ids)] for number in forgotten if ids}:
        memory.forget(gone)


def labelled(store: Path, asked: Sequence[str | None]) -> dict[str, list[Any]]:
    with labeler(store) as label:
        return label({"input": [*asked]})


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs.filter(bool), questions, changes, questions, changes)
def test_any_rows_are_stale_where_they_differ_or_rested_on_what_is_gone_and_fresh_when_relabelled(
    small_encoders: Path,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
    taught: list[tuple[str, str]],
    first: list[str | None],
    between: tuple[Any, Any],
    second: list[str | None],
    after: tuple[Any, Any],
) -> None:
    """Rows that were labelled in two states of any store, which is then changed in any way."""
    store = tmp_path_factory.mktemp("store") / "store"
    with Memory.create(store, encoder=FIRST, shots=2) as memory:
        memory.add_many(taught)
        rows = labelled(store, first)
        change(memory, *between)
        memory.add("cat mat", "animal")  # or there may be nothing to label from
        rows = {name: rows[name] + more for name, more in labelled(store, second).items()}
        change(memory, *after)
        held, root = {one.id for one in memory.examples()}, memory.root
    fresh = labelled(store, first + second) if held else None

    with labeler(store) as label:
        found = stale(rows, label)

    new = fresh["answer"] if fresh else [None] * len(rows["input"])
    expected = []
    for index, old in enumerate(rows["answer"]):
        gone = {*rows["examples"][index]} - held
        if rows["root"][index] != root and (gone or new[index] != old):
            why = ("answer",) * (new[index] != old) + ("forgotten",) * bool(gone)
            expected.append(StaleRow(index, old, new[index], why, len(gone)))
    assert [*found.rows] == expected
    assert (found.count, found.asked) == (len(new), sum(one != root for one in rows["root"]))
    if fresh:
        assert found.table == fresh


@pytest.fixture
def store(small_encoders: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A store in which "cat mat" is taught twice, so that forgetting one changes its answer or not."""
    with Memory.create(tmp_path / "store", encoder=FIRST, shots=2) as memory:
        memory.add_many([("cat mat", "animal"), ("taxi airport", "travel"), ("pay my card", "money")])
    return tmp_path / "store"


def forget(store: Path, input: str) -> None:
    with Memory.open(store) as memory:
        memory.forget(memory.find(match=input))


def arrow(rows: dict[str, list[Any]]) -> pa.Table:
    return pa.table(rows, schema=schema(pa.schema([("input", pa.string())])))


@pytest.mark.parametrize(
    "as_kind",
    [arrow, lambda rows: arrow(rows).to_batches()[0], lambda rows: arrow(rows).to_pandas()],
    ids=["table", "batch", "frame"],
)
def test_rows_of_any_kind_are_compared_and_come_back_as_that_kind(
    store: Path, as_kind: Callable[[dict[str, list[Any]]], Any]
) -> None:
    asked = ["cat mat", "dog", "", None]
    rows = as_kind(labelled(store, asked))
    forget(store, "cat mat")

    with labeler(store) as label:
        found = stale(rows, label)
        fresh = label(rows[["input"]] if isinstance(rows, pd.DataFrame) else rows.select(["input"]))

    assert [row.index for row in found.rows] == [0, 1]
    assert found.rows[0].why == ("answer", "forgotten")
    assert type(found.table) is type(rows)
    if isinstance(rows, pd.DataFrame):
        read = found.table.assign(examples=[[*one] for one in found.table["examples"]])
        pd.testing.assert_frame_equal(read, fresh, check_dtype=False)
    else:
        assert found.table.equals(fresh)


def test_rows_that_are_as_the_store_says_are_not_asked_and_are_the_same_object(store: Path) -> None:
    rows = labelled(store, ["cat mat", "dog"])
    kept = {**rows, "answer": ["another", "thing"]}

    with labeler(store) as label:
        found = stale(kept, label)
        again = stale(kept, label, again=True)

    assert (found.rows, found.asked) == ((), 0)
    assert found.table is kept
    assert [row.why for row in again.rows] == [("answer",), ("answer",)]
    assert again.table == rows


def test_a_row_that_does_not_say_what_it_rested_on_is_stale_as_far_as_anyone_can_tell(store: Path) -> None:
    rows = labelled(store, ["taxi airport", "taxi", ""])
    bare = {"input": rows["input"], "answer": rows["answer"]}
    rootless = {**bare, "examples": rows["examples"]}
    dated = {**bare, "root": rows["root"]}

    with labeler(store) as label:
        assert [row.why for row in stale(bare, label).rows] == [("unknown",)] * 2
        assert stale(bare, label, answers_only=True).rows == ()
        assert stale(rootless, label).rows == ()
        assert stale(dated, label).asked == 0
    forget(store, "cat mat")
    with labeler(store) as label:
        assert [row.why for row in stale(dated, label).rows] == [("unknown",)] * 2
        assert stale(dated, label).table.keys() == dated.keys()
    forget(store, "taxi airport")
    with labeler(store) as label:
        assert [row.why for row in stale(bare, label, answers_only=True).rows][:1] == [("answer",)]
        assert all("forgotten" in row.why for row in stale(rootless, label).rows)


def test_with_another_encoder_every_row_is_stale(store: Path, tmp_path: Path) -> None:
    rows = labelled(store, ["taxi airport", "cat", ""])
    with Memory.open(store) as memory:
        memory.reencode(tmp_path / "other", SECOND)

    with labeler(tmp_path / "other") as label:
        found = stale(rows, label)

    assert ["encoder" in row.why for row in found.rows] == [True] * 3
    with Memory.open(tmp_path / "other") as memory:
        assert found.table["encoder"] == [memory.settings.encoder_digest] * 3


def test_of_a_store_from_which_all_was_forgotten_every_answer_is_stale(store: Path) -> None:
    rows = labelled(store, ["taxi airport", "cat", ""])
    with Memory.open(store) as memory:
        memory.forget(memory.find())

    with labeler(store) as label:
        found = stale(rows, label)

    assert [(row.index, row.new) for row in found.rows] == [(0, None), (1, None)]
    assert found.table["answer"] == [None] * 3
    assert all("no examples" in error for error in found.table["error"])


def test_a_column_that_pandas_wrote_without_a_value_gets_one(store: Path) -> None:
    """Of an error that no row had, Arrow then knows no type."""
    rows = arrow(labelled(store, ["taxi airport", "cat"]))
    rows = rows.set_column(rows.schema.get_field_index("error"), "error", pa.nulls(2))
    with Memory.open(store) as memory:
        memory.forget(memory.find())

    with labeler(store) as label:
        found = stale(rows, label)

    assert all("no examples" in error for error in found.table["error"].to_pylist())


def test_a_store_that_changes_meanwhile_is_refused(store: Path) -> None:
    rows = labelled(store, ["taxi airport"])
    forget(store, "cat mat")
    with labeler(store, root=rows["root"][0]) as label:
        assert stale(rows, label).asked == 0
        with pytest.raises(StoreChangedError):
            stale(rows, label, again=True)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"answer": ["x"]}, "no column 'input'"),
        ({"input": ["x"]}, "no column 'answer'"),
        ({"input": ["x"], "answer": [7]}, "row 1 has no answer"),
        ({"input": ["x"], "answer": ["y"], "root": ["of a tree"]}, "row 1 has no root"),
        ({"input": ["x"], "answer": ["y"], "examples": [["one"]]}, "row 1 has no examples"),
        ({"input": ["x"], "answer": ["y"], "examples": ["one"]}, "row 1 has no examples"),
        ([], "not a table"),
    ],
)
def test_columns_that_are_not_of_a_labelling_are_refused(store: Path, rows: Any, words: str) -> None:
    with labeler(store) as label, pytest.raises(InputError, match=words):
        stale(rows, label)


@pytest.mark.campaign
def test_with_the_default_models_too(models_home: Path, tmp_path: Path) -> None:
    """Recalled, judged by the examples, judged by the model, and written."""
    store, options = tmp_path / "work", {"ask_model": "always", "max_tokens": 4}
    with Memory.create(store, seed=SEED, shots=3) as memory:
        memory.add_many(EXAMPLES)
        asked = [PAIRS[0][0], "Taxi downtown", "Dinner with the team", ""]
        with labeler(store, **options) as label:
            rows = label(pa.table({"input": asked}))
            assert stale(rows, label).asked == 0
        gone = memory.forget(memory.find(match=PAIRS[0][0]))
        with labeler(store, **options) as label:
            found, fresh = stale(rows, label), label(pa.table({"input": asked}))
        assert gone.ids[0] in rows["examples"].to_pylist()[1]

    assert [row.index for row in found.rows if row.forgotten][:2] == [0, 1]
    assert found.table.equals(fresh)
    assert found.table["asked_model"].to_pylist() == [True, True, True, None]


def test_the_lines_of_the_page_run_as_they_stand(models_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (REPOSITORY / "docs" / "fleet.md").read_text(encoding="utf-8")
    (program,) = [one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "found = stale(" in one]

    exec(compile(program, "fleet.md", "exec"), {})

    said = re.findall(r"  # (.*)", program)
    assert capsys.readouterr().out.splitlines() == said
