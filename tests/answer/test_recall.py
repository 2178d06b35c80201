"""A question that was taught is answered with what was taught for it, and no model is needed for that."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import IDS, at_terminal, run
from hypothesis import given
from hypothesis import strategies as st
from stores import SETTINGS, commit, make, row

from edge_icl import Example, Memory, ModelMissingError, Options
from edge_icl.answer import recall
from edge_icl.example import folded
from edge_icl.results import Held
from edge_icl.store.pages import Row
from edge_icl.store.snapshot import Snapshot

pytest_plugins = ["cli_fixtures"]

TAUGHT = [
    ("Uber to the airport", "travel"),
    ("Write a line about our caf\u00e9 in Lyon", "Come in, sit down: we are open until midnight, every day."),
    ("Say \u201chello\u201d\nto the team", "Hello team, thank you for the good week!\nSee you on Monday."),
    ('A quote " and a \\ backslash', "Both are part of what was taught, to the letter."),
    ("\U0001f680\U0001f680", "to the moon"),
]
"""Labels and free texts, with accents, quotes, line breaks and what JSON escapes."""

WHITE = st.text(" \t\n\u00a0\u2028\u3000", min_size=1, max_size=3)


def rows(pairs: list[tuple[str, str]]) -> list[Row]:
    """Return examples as rows; any vector will do, since nothing looks at it."""
    some = [Example.create(*pair) for pair in pairs]
    return [Row(one.id(SETTINGS.seed), row(i).vector, one.canonical()) for i, one in enumerate(some)]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """A store whose encoder is not on this machine, and no other model either."""
    make(tmp_path / "taught", rows(TAUGHT))
    with Memory.open(tmp_path / "taught", create=False) as memory:
        yield memory


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """The same, for tests that only ask."""
    path = tmp_path_factory.mktemp("shared") / "taught"
    make(path, rows(TAUGHT))
    with Memory.open(path, create=False) as memory:
        yield memory


@pytest.mark.parametrize("options", [Options(), Options(labels="on"), Options(labels="off")])
@pytest.mark.parametrize(("question", "output"), TAUGHT)
def test_every_taught_input_gives_its_output_without_a_model(
    memory: Memory, question: str, output: str, options: Options
) -> None:
    answer = memory.ask(question, options)

    assert (answer.text, answer.kind, answer.asked_model, answer.probability) == (
        output,
        "recalled",
        False,
        1.0,
    )
    assert [held.output for held in answer.examples] == [output]
    assert "".join(memory.stream(question, options)) == output


@given(st.sampled_from(TAUGHT), st.data())
def test_a_text_that_a_person_calls_the_same_is_the_same(
    shared: Memory, pair: tuple[str, str], data: st.DataObject
) -> None:
    question, output = pair
    written = "".join(data.draw(WHITE) + word for word in question.split()) + data.draw(WHITE)
    form = data.draw(st.sampled_from(("NFC", "NFD")))

    assert shared.ask(unicodedata.normalize(form, written)).text == output


@given(
    st.lists(
        st.tuples(st.text('ab \u00a0\n"\\\u00e9', min_size=1).filter(folded), st.sampled_from("xyz")),
        max_size=60,
    ),
    st.text('ab \u00a0\n"\\\u00e9', min_size=1),
)
def test_what_is_found_is_what_reading_every_example_finds(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]], question: str
) -> None:
    snapshot = make(
        tmp_path_factory.mktemp("any") / "store", {one.id: one for one in rows(pairs)}.values()
    ).snapshot()
    wanted = folded(question)

    found = recall.taught(snapshot, question)

    naive = [id.hex() for id, one in snapshot.examples() if wanted and folded(one.input) == wanted]
    assert [held.id for held in found] == naive


def test_where_outputs_differ_the_most_frequent_is_given_then_the_smaller(memory: Memory) -> None:
    new = [
        ("Cab", "travel", ()),
        ("Cab", "taxi", ()),
        ("Cab ", "travel", ()),
        ("Bus", "b", ()),
        ("Bus", "a", ()),
    ]
    added = [Example.create(question, output, tags=tags) for question, output, tags in new]
    commit(
        memory._opened.store,
        added=[Row(one.id(SETTINGS.seed), row(90 + i).vector, one.canonical()) for i, one in enumerate(added)],
    )

    cab, bus = memory.ask("Cab"), memory.ask("Bus")

    assert (cab.text, cab.labels, cab.agreed) == ("travel", {"travel": 2 / 3, "taxi": 1 / 3}, False)
    assert (bus.text, bus.labels, bus.agreed) == ("a", {"a": 0.5, "b": 0.5}, False)
    assert Counter(held.output for held in cab.examples) == {"travel": 2, "taxi": 1}


def test_what_is_forgotten_is_not_recalled(memory: Memory) -> None:
    known = memory.ask("Uber to the airport").examples[0]

    memory.forget(known.id)

    with pytest.raises(ModelMissingError):
        memory.ask("Uber to the airport")


def test_who_does_not_want_recall_asks_the_models(memory: Memory) -> None:
    with pytest.raises(ModelMissingError):
        memory.ask("Uber to the airport", Options(recall=False))


def test_an_answer_that_must_keep_to_a_form_is_not_recalled(memory: Memory) -> None:
    with pytest.raises(ModelMissingError):
        memory.ask("Uber to the airport", Options(json_schema={"enum": ["travel"]}))


@pytest.mark.usefixtures("bare_home")
def test_the_command_recalls_one_question_and_files_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "questions.txt").write_text("Printer  paper\nSandwich at noon\n")

    shown = at_terminal("ask", "Printer \u00a0paper").out.splitlines()

    assert run("ask", "Printer paper").out == "office\n"
    assert run("ask", "--file", str(tmp_path / "questions.txt")).out == "office\nfood\n"
    assert shown[0] == "office"
    assert shown[2] == "taught: the question is the input of 1 example"
    assert shown[-1].startswith(IDS["Printer paper"][:8])
    assert json.loads(run("--json", "ask", "Printer paper").out)["kind"] == "recalled"
    assert "is not on this machine yet" in run("ask", "Printer paper", "--no-recall").err


@pytest.mark.usefixtures("home")
def test_a_second_output_is_told_with_a_command_that_corrects_it() -> None:
    added = run("add", "Printer  paper", "stationery")
    both = run("ask", "Printer paper")

    words = f"edge-icl fix {IDS['Printer paper'][:8]} stationery"
    assert added.err == f"edge-icl: Printer paper is already taught as office; to correct that: {words}\n"
    assert (both.out, both.err) == (
        "office\n",
        "edge-icl: this question was taught with different outputs: office, stationery\n",
    )
    assert run(*words.split()[1:]).code == 0
    assert (run("ask", "Printer paper").out, run("ask", "Printer paper").err) == ("stationery\n", "")


@pytest.mark.usefixtures("home")
def test_the_second_output_as_json() -> None:
    assert "contradictions" not in json.loads(run("--json", "add", "Tram", "travel").out)
    found = json.loads(run("--json", "add", "Printer  paper", "stationery").out)

    assert [(one["id"], one["output"]) for one in found["contradictions"]] == [(IDS["Printer paper"], "office")]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("asked", ["Printer paper", "Taxi downtown"])
@pytest.mark.parametrize("many", [False, True])
def test_texts_are_looked_through_when_all_vectors_are_in_one_place(
    asked: str, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or pages that are read for their texts would hold the vectors a second time."""
    found, in_place = recall.taught, list[bool]()

    with Memory.open() as memory:

        def taught(snapshot: Snapshot, question: str) -> list[Held]:
            in_place.append("points" in vars(memory._opened.cache.derived(snapshot)))
            return found(snapshot, question)

        monkeypatch.setattr(recall, "taught", taught)
        options = Options(ask_model="never")
        _ = list(memory.ask_many([asked], options)) if many else memory.ask(asked, options)

    assert in_place[:1] == [True]
