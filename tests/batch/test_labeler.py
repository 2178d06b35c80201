"""A labeler gives each row the answer that `ask` gives, whatever the batch, from one state of the store."""

from __future__ import annotations

import math
import os
import pickle
import shutil
import subprocess
import sys
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from campaigns import later
from expenses import EXAMPLES, PAIRS, SEED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_icl import EdgeIclError, InputError, Memory, Options, StoreChangedError, StoreNotFoundError
from edge_icl.batch import Labeler, process, unlabelled
from edge_icl.batch.columns import ADDED, Result, schema
from edge_icl.runtime import cores
from edge_icl.search import similarity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PRIOR = Options(ask_model="never")
TAUGHT = PAIRS[0][0]

texts = st.sampled_from(
    [
        TAUGHT,
        f"  {PAIRS[1][0]}\n",
        "Taxi downtown",
        "dinner",
        "cafe\u0301",
        "",
        " \n",
        "x\0",
        "\ud800",
        "a " * 300,
        None,
        7,
        math.nan,
        b"Taxi",
    ]
)


@pytest.fixture(scope="module")
def home(fetched_models: Path) -> Iterator[Path]:
    """A home with both default models, for all tests here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        yield fetched_models.parent


@pytest.fixture(scope="module")
def store(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of expenses; no test changes it."""
    path = tmp_path_factory.mktemp("stores") / "work"
    with Memory.create(path, seed=SEED, shots=3) as memory:
        memory.add_many(EXAMPLES)
    return path


@pytest.fixture(autouse=True)
def here(home: Path, shared_models: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ICL_HOME", str(home))


@pytest.fixture
def label(store: Path) -> Iterator[Labeler]:
    yield (made := Labeler(store, ask_model="never"))
    made.close()


def expected(memory: Memory, asked: Sequence[object], options: Options) -> dict[str, list[Any]]:
    """The columns that answers one by one would give."""
    rows = []
    for question in asked:
        try:
            answer = memory.ask(question, options)  # type: ignore[arg-type]
        except InputError as error:
            none = question is None or question != question  # noqa: PLR0124 - NaN
            rows.append((None, None, None, [], "the question is missing" if none else error.message))
        else:
            ids = dict.fromkeys(held.id for held in (*answer.examples, *answer.nearest))
            rows.append((answer.text, answer.probability, answer.asked_model, [*ids], None))
    names = ("answer", "probability", "asked_model", "examples", "error")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    return columns | {
        "root": [memory.root] * len(rows),
        "encoder": [memory.settings.encoder_digest] * len(rows),
    }


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])  # no row changes it
@given(st.lists(st.lists(texts, min_size=1, max_size=6), max_size=3), st.sampled_from([None, 0.05, 0.5]))
def test_each_row_gets_the_answer_that_it_gets_alone_in_any_batch(
    store: Path, batches: list[list[object]], abstain: float | None
) -> None:
    options = Options(ask_model="never", abstain=abstain)
    label = Labeler(store, ask_model="never", abstain=abstain)
    with Memory.open(store) as memory:
        for batch in batches:
            found = label({"input": batch, "n": [*range(len(batch))]})

            wanted = expected(memory, batch, options)
            assert [*found] == ["input", "n", *ADDED]
            assert found == {"input": batch, "n": [*range(len(batch))]} | wanted
    label.close()


@pytest.mark.parametrize(
    "options",
    [
        Options(ask_model="always"),
        later(Options(ask_model="always", select="nearest", prior=False)),
        Options(labels="off", max_tokens=4),
        later(Options(ask_model="auto")),
    ],
)
def test_also_where_the_model_is_asked(store: Path, options: Options) -> None:
    batch = ["Taxi downtown", TAUGHT, "", "Sandwich", "Taxi downtown"]
    named: Any = {field.name: getattr(options, field.name) for field in fields(options)}
    label = Labeler(store, **named)

    with Memory.open(store, threads=1) as memory:
        assert label({"input": batch}) == {"input": batch} | expected(memory, batch, options)
    label.close()


def test_a_question_that_is_too_long_for_the_model_is_one_bad_row(store: Path) -> None:
    label = Labeler(store, ask_model="always")

    found = label({"input": ["a " * 4200, TAUGHT]})

    assert found["answer"] == [None, "travel"]
    assert "tokens" in found["error"][0]
    label.close()


@pytest.mark.parametrize("ask_model", ["never", "auto"])
def test_texts_are_written_or_there_is_no_answer(tmp_path: Path, ask_model: Any) -> None:
    options, batch = Options(ask_model=ask_model, max_tokens=4), ["Hello", "Bye", "Hi"]
    with Memory.create(tmp_path / "stores" / "texts", labels="no") as memory:
        memory.add_many([("Hello", "Good morning to you, sir"), ("Bye", "See you soon, and take care")])
    label = Labeler(memory.path, ask_model=ask_model, max_tokens=4)

    with Memory.open(memory.path, threads=1) as memory:
        found = label({"input": batch})

        assert found == {"input": batch} | expected(memory, batch, options)
        assert (found["answer"][2] is None) == (ask_model == "never")
        assert (found["error"][2] is None) == (ask_model == "auto")
    label.close()


ARROW = {
    "string": pa.string(),
    "large string": pa.large_string(),
    "view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int8(), pa.string()),
}


@pytest.mark.parametrize("kind", ARROW)
def test_an_arrow_table_keeps_its_rows_columns_and_chunks(label: Labeler, kind: str) -> None:
    asked = ["Taxi downtown", None, TAUGHT, ""]
    pieces = [
        pa.array(asked[:3], pa.string()).cast(ARROW[kind]),
        pa.array(asked[3:], pa.string()).cast(ARROW[kind]),
    ]
    table = pa.table({"input": pa.chunked_array(pieces), "n": [1, 2, 3, 4]}).replace_schema_metadata({"a": "b"})

    found = label(table)

    assert found.schema.equals(schema(table.schema), check_metadata=True)
    assert found.select(["input", "n"]).equals(table)
    assert found.select(ADDED).to_pydict() == {name: label({"input": asked})[name] for name in ADDED}
    assert unlabelled(found).equals(table, check_metadata=True)


def test_a_record_batch_comes_back_as_one(label: Labeler) -> None:
    batch = pa.record_batch({"input": ["Taxi downtown", None]})

    found = label(batch)

    assert isinstance(found, pa.RecordBatch)
    assert found.schema == schema(batch.schema)
    assert found.column("answer").to_pylist() == ["travel", None]


def test_no_rows_are_no_rows_and_load_nothing(tmp_path: Path) -> None:
    label = Labeler(tmp_path / "nowhere")
    empty = pa.table({"input": pa.array([], pa.string())})

    assert label(empty).schema == schema(empty.schema)
    assert label({"input": []}) == {"input": []} | {name: [] for name in ADDED}


def test_a_column_of_nulls_or_of_other_things_has_no_answers(label: Labeler) -> None:
    nulls = label(pa.table({"input": pa.nulls(2)}))
    numbers = label(pa.table({"input": [1, 2]}))

    assert nulls.column("error").to_pylist() == ["the question is missing"] * 2
    assert numbers.column("error").to_pylist() == ["the question is int, not text"] * 2
    assert nulls.schema.field("answer").type == pa.string()


def test_bytes_that_are_not_text_though_arrow_says_so_are_one_bad_row(label: Labeler) -> None:
    data = pa.array([b"Taxi downtown", b"\xff\xfe", None], pa.binary())
    table = pa.table({"input": pa.Array.from_buffers(pa.string(), 3, data.buffers())})

    found = label(table)

    assert found.column("answer").to_pylist() == ["travel", None, None]
    assert found.column("error").to_pylist()[1].startswith("the question is not valid Unicode")


def test_arrays_of_numpy_come_back_as_arrays(label: Labeler) -> None:
    for asked in (np.array(["Taxi downtown", ""]), np.array(["Taxi downtown", None], object)):
        found = label({"input": asked})

        assert {type(values) for values in found.values()} == {np.ndarray}
        assert found["answer"].tolist() == ["travel", None]
        assert pa.table(found).column("answer").type == pa.string()
        assert pa.table(found).column("examples").type == pa.list_(pa.string())


def test_a_frame_of_pandas_comes_back_as_one_with_fixed_types(label: Labeler) -> None:
    frame = pd.DataFrame({"input": ["Taxi downtown", None, pd.NA]}, index=[7, 7, 9])

    found, bad, none = label(frame), label(frame[1:]), label(frame[:0])

    assert found["answer"].tolist() == ["travel", None, None]
    assert found.index.tolist() == [7, 7, 9]
    assert found["error"].tolist() == [None, *["the question is missing"] * 2]
    assert found.dtypes.equals(bad.dtypes)
    assert found.dtypes.equals(none.dtypes)
    assert unlabelled(found).equals(frame)


def test_a_column_that_is_not_there_is_told_with_those_that_are(label: Labeler) -> None:
    for rows in (
        {"inptu": ["a"], "n": [1]},
        pa.table({"inptu": ["a"], "n": [1]}),
        pd.DataFrame({"inptu": ["a"], "n": [1]}),
    ):
        with pytest.raises(InputError, match="no column 'input'; the columns are inptu, n; did you mean inptu"):
            label(rows)
    with pytest.raises(InputError, match="2 columns are called 'input'"):
        label(pa.Table.from_arrays([pa.array(["a"])] * 2, ["input", "input"]))
    with pytest.raises(InputError, match="the rows are list, not a table"):
        label([{"input": "a"}])
    with pytest.raises(InputError, match="not of one length"):
        label({"input": ["a"], "n": []})
    with pytest.raises(InputError, match="array of 2 dimensions"):
        label({"input": np.array([["a"]])})


def test_columns_of_an_earlier_run_are_not_overwritten(label: Labeler) -> None:
    labelled = label({"input": ["Taxi downtown"], "machine": ["lathe"]})

    with pytest.raises(InputError, match=r"to be added \(answer, probability"):
        label(labelled)
    assert label(unlabelled(labelled)) == labelled


def test_only_columns_of_a_labeler_are_dropped() -> None:
    names = [*ADDED, "machine"]

    assert [*unlabelled({name: [] for name in ["input", *names]})] == ["input"]
    assert [*unlabelled({name: [] for name in ["machine", "input", *ADDED]})] == ["machine", "input"]


def test_copies_go_to_other_processes_and_answer_from_one_root(store: Path, tmp_path: Path) -> None:
    script = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())({'input': ['Taxi downtown']}))"
    label = Labeler(store, ask_model="never")

    sent = pickle.dumps(label)
    ran = subprocess.run([sys.executable, "-c", script], input=sent, capture_output=True, check=True)

    assert len(sent) < 1000
    assert ran.stdout.decode() == f"{label({'input': ['Taxi downtown']})}\n"
    label.close()


def test_a_process_loads_once_for_all_copies(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    real = process._opened
    monkeypatch.setattr(process, "_opened", lambda source: opened.append(source) or real(source))
    label = Labeler(store, ask_model="never")
    for _ in range(3):
        pickle.loads(pickle.dumps(label))({"input": ["Taxi downtown"]})

    assert len(opened) == 1
    label.close()
    label({"input": ["Taxi downtown"]})
    assert len(opened) == 2
    label.close()


def test_several_threads_label_at_once(label: Labeler) -> None:
    rows = {"input": ["Taxi downtown", TAUGHT, "dinner"] * 4}
    wanted, found = label(rows), []

    threads = [threading.Thread(target=lambda: found.append(label(rows))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [wanted] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_process_labels_too(label: Labeler) -> None:
    rows = {"input": ["Taxi downtown", TAUGHT]}
    wanted = label(rows)
    child = os.fork()
    if child == 0:
        os._exit(0 if label(rows) == wanted else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_one_thread_means_that_a_search_starts_no_others(
    store: Path, label: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "_allowed", lambda: range(4))
    monkeypatch.setattr(cores, "_granted", lambda: 4)
    monkeypatch.setattr(similarity, "SHARE", 1)
    shares: list[int] = []
    real = similarity._shares
    monkeypatch.setattr(similarity, "_shares", lambda n: shares.append(len(found := real(n))) or found)
    free = Labeler(store, ask_model="never", threads=None)

    for one in (label, free):
        one({"input": ["Taxi downtown"]})
        one.close()

    assert shares == [1, 4]


@pytest.fixture
def own(store: Path, tmp_path: Path) -> Iterator[Memory]:
    """A copy of the store, to be changed."""
    shutil.copytree(store, tmp_path / "own")
    with Memory.open(tmp_path / "own") as memory:
        yield memory


def test_another_root_is_refused_at_the_first_rows_and_between_batches(own: Memory) -> None:
    late, label = Labeler(own.path, root=own.root, ask_model="never"), Labeler(own.path, ask_model="never")
    rows = {"input": ["Taxi downtown"]}
    label(rows)
    before = own.root

    own.add("Bus", "travel")

    for one in (label, late):
        with pytest.raises(StoreChangedError, match=f"its root is {own.root}, and .* from {before}; label all"):
            one(rows)
    again = Labeler(own.path, ask_model="never")
    assert again(rows)["root"] == [own.root]
    again.close()


def test_a_change_in_the_middle_of_a_batch_ends_it(own: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    label = Labeler(own.path, ask_model="never")
    real, seen = Result.of, []

    def change(found: Any) -> Result:
        if not seen:
            own.add("Bus", "travel")
        seen.append(found)
        return real(found)

    monkeypatch.setattr(Result, "of", change)
    with pytest.raises(StoreChangedError):
        label({"input": ["Taxi downtown", "dinner", TAUGHT]})
    assert len(seen) == 1
    label.close()


def test_a_store_that_is_gone_or_was_never_there_is_said_to_be(own: Memory, tmp_path: Path) -> None:
    label = Labeler(own.path, ask_model="never")
    label({"input": [TAUGHT]})
    shutil.rmtree(own.path)

    for one in (label, Labeler(own.path)):
        with pytest.raises(StoreNotFoundError, match=r"no store at .*own on the machine .*; give a path"):
            one({"input": [TAUGHT, "Taxi"]})
    label.close()


def test_another_store_at_the_path_is_opened_anew(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "own"
    first = Labeler(path, ask_model="never")
    shutil.copytree(store, path)
    first({"input": ["Taxi downtown"]})
    shutil.rmtree(path)
    with Memory.create(path) as memory:
        memory.add("Taxi downtown", "other")

    second = Labeler(path, ask_model="never")

    assert second({"input": ["Taxi downtown"]})["answer"] == ["other"]
    with pytest.raises(StoreChangedError):
        first({"input": ["Taxi downtown"]})
    second.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": 1},
        {"column": None},
        {"machine": "this"},
        {"allow_mixed": True},
        {"threads": 0},
        {"abstain": 2},
        {"json_schema": {"type": "nothing"}},
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_loaded(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(EdgeIclError):
        Labeler(tmp_path / "nowhere", **wrong)
    with pytest.raises(TypeError):
        Labeler(tmp_path / "nowhere", nonsense=1)
