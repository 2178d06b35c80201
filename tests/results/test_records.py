"""What methods return: flat in tables, short in a terminal, safe in a notebook, sound in other processes."""

from __future__ import annotations

import asyncio
import copy
import html.parser
import pickle
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from expenses import EXAMPLES, SEED
from hypothesis import given
from hypothesis import strategies as st

import edge_icl
from edge_icl import Cancel, Memory
from edge_icl.aio import AsyncMemory
from edge_icl.answer.check import Check, Confused, HeldOut, LabelCheck, OtherEncoder, Wrong
from edge_icl.answer.suspect import Suspect
from edge_icl.display import tables
from edge_icl.results import Answer, Held, Near
from edge_icl.store.findings import Finding, Problem, Verification

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pandas")

HOSTILE = '<script src="https://x.example">alert(1)</script>\u202e\x1b[2J\U000e0041" onmouseover="x'
COLUMNS = ["id", "input", "output", "tags", "source"]


@pytest.fixture(scope="module")
def returned(fetched_models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One of everything that a store returns, of examples of which one is hostile and one mislabelled."""
    place = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_ICL_HOME", str(fetched_models.parent))
        with Memory.create(place / "store", seed=SEED, shots=4, labels="yes") as memory:
            found: dict[str, Any] = {"Added": memory.add_many([*EXAMPLES, ("Lunch with the board", "office")])}
            memory.add(HOSTILE, "office", tags=[HOSTILE], source=HOSTILE)
            found["examples"] = list(memory.examples())
            found["search"] = memory.search("Taxi", limit=3)
            questions = ["Taxi downtown", "Printer toner", HOSTILE]
            found["answers"] = [memory.ask(question, ask_model="never") for question in questions]
            found["written"] = memory.ask("Taxi downtown", labels="off", max_tokens=2)
            found["suggest"] = memory.suggest(["Bus to Rome", "Ink", HOSTILE])
            found["check"] = memory.check()
            found["held out"] = memory.check(held_out=[("Taxi", "travel"), ("Toner", "meals")])
            found["Report"] = memory.report()
            found["export"] = list(memory.export())
            found["Verification"] = memory.verify()
            with Memory.create(place / "other", like=memory) as other:
                found["Merged"] = other.merge(memory)
            found["Replaced"] = memory.replace(found["examples"][0].id, source="new")
            found["Renamed"] = memory.rename_label("office", "desk")
            found["Receipt"] = memory.forget(found["search"][0].id, similar=0.9)
            found["Settings"] = memory.settings
            found["Labelling"] = memory.labelling()
    found["Answer"] = found["answers"][0]
    return found


def every(value: Any) -> list[Any]:
    """Return the records in a value, and those in their fields."""
    if isinstance(value, dict):
        return [one for part in value.values() for one in every(part)]
    if isinstance(value, list | tuple):
        return [one for part in value for one in every(part)]
    if not is_dataclass(value):
        return []
    return [value, *(one for field in fields(value) for one in every(getattr(value, field.name)))]


def test_examples_are_a_table_with_their_fields_as_columns(returned: dict[str, Any]) -> None:
    table, found = pd.DataFrame(returned["examples"]), pd.DataFrame(returned["search"])

    assert list(table) == COLUMNS
    assert list(found) == [*COLUMNS, "similarity"]
    assert list(table["input"]) == [held.input for held in returned["examples"]]
    assert list(table["tags"]) == [held.tags for held in returned["examples"]]
    assert found["similarity"].is_monotonic_decreasing
    assert list(pd.DataFrame(held for held in returned["examples"])["output"]) == list(table["output"])


def test_what_is_asked_suggested_and_checked_is_a_table(returned: dict[str, Any]) -> None:
    answers = pd.DataFrame(returned["answers"])
    suspects = pd.DataFrame(returned["check"].suspects)

    assert list(answers)[:5] == ["question", "text", "kind", "probability", "unlike"]
    assert list(answers["kind"]) == ["judged", "recalled", "recalled"]
    assert list(answers["text"]) == [answer.text for answer in returned["answers"]]
    assert answers["probability"].between(0, 1).all()
    assert list(pd.DataFrame(returned["suggest"])) == ["position", "question", "probability", "similarity"]
    assert list(suspects) == [*COLUMNS, "likelier", "probability", "own"]
    assert "Lunch with the board" in list(suspects["input"])
    assert list(pd.DataFrame(returned["held out"].held_out.wrong)["input"]) == ["Toner"]


def test_an_example_keeps_its_example_and_is_what_a_store_takes(returned: dict[str, Any]) -> None:
    for held in (*returned["examples"], *returned["search"], *returned["check"].suspects):
        example = held.example
        assert (example.input, example.output) == (held.input, held.output)
        assert (example.tags, example.source) == (held.tags, held.source)
        assert Held.of(held.id, example) == Held(held.id, held.input, held.output, held.tags, held.source)
    suspect = returned["check"].suspects[0]
    assert suspect.held in returned["examples"]
    assert all(held.similarity is None for held in returned["examples"])
    assert all(isinstance(held, Near) for held in returned["search"])


def test_an_answer_is_its_text_and_a_line_that_tells_how_it_came_about(returned: dict[str, Any]) -> None:
    judged, recalled, hostile = returned["answers"]
    written = replace(returned["written"], complete=False)

    assert (str(judged), f"{recalled}") == ("travel", "office")
    assert str(replace(judged, text=None)) == ""
    assert repr(recalled) == ("Answer(question='Printer toner', text='office', kind='recalled', probability=1)")
    assert repr(written).startswith("Answer(question='Taxi downtown', text=")
    assert "kind='written', complete=False" in repr(written)
    assert "probability=" not in repr(written)
    long = repr(replace(hostile, question="x\n" * 500, text="y" * 1000))
    assert len(long) < 400
    assert "\n" not in long
    assert "\x1b" not in repr(hostile)


def test_what_a_terminal_shows_of_a_result_is_short(returned: dict[str, Any]) -> None:
    many = replace(returned["Receipt"], ids=("ab" * 16,) * 10_000)

    for one in (many, returned["Renamed"], returned["Added"], returned["Report"], returned["check"]):
        assert len(repr(one)) < 300
        assert "\n" not in repr(one)
    assert repr(many).startswith("Receipt(forgotten=10000, root_after='")


class Parsed(html.parser.HTMLParser):
    """The elements and attributes of HTML, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.text += data


TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "span"}
NAMES = ["Added", "Answer", "written", "check", "held out", "Receipt", "Replaced", "Renamed", "Verification"]


def test_each_result_shows_itself_in_a_notebook(returned: dict[str, Any]) -> None:
    shown = {name: Parsed(returned[name]._repr_html_()) for name in NAMES}
    shown["written"] = Parsed(replace(returned["written"], complete=False)._repr_html_())
    shown["Receipt"] = Parsed(replace(returned["Receipt"], similar=tuple(returned["search"]))._repr_html_())
    shown["Held"] = Parsed(returned["search"][0]._repr_html_())
    shown["Suggestion"] = Parsed(returned["suggest"][0]._repr_html_())

    for one in shown.values():
        assert one.tags <= TAGS
        assert {name for name, _ in one.attributes} <= {"style", "dir", "lang"}
        assert not [value for _, value in one.attributes if "url" in (value or "")]
    for name, words in {
        "Answer": ["Taxi downtown", "travel", "judged", "Examples behind it"],
        "written": ["written, not complete"],
        "check": ["Possibly mislabelled", "Lunch with the board", "rather"],
        "Receipt": ["forgotten", returned["Receipt"].root_after, "Near copies left"],
        "Added": ["added13duplicates0"],
        "Held": [returned["search"][0].id[:8], returned["search"][0].input],
    }.items():
        assert all(word in shown[name].text for word in words), name


@given(st.text(), st.text())
def test_no_text_is_more_than_a_text_in_a_notebook(one: str, other: str) -> None:
    for said in (one, HOSTILE, one + HOSTILE):
        held = Near("ab" * 16, said, other, (said,), said, similarity=0.5)
        plain = Near("ab" * 16, "x", other and "x", ("x",), "x", similarity=0.5)
        found, known = Parsed(held._repr_html_()), Parsed(plain._repr_html_())

        assert found.tags <= TAGS
        assert {name for name, _ in found.attributes} == {name for name, _ in known.attributes}
        assert not {"\u202e", "\x1b", "\U000e0041"} & set(held._repr_html_())


def test_a_long_text_and_a_long_list_are_cut_and_say_so() -> None:
    many = [("x" * 1000,)] * 50
    shown = Parsed(tables.listing("Many", ["text"], many, total=70)).text

    assert shown.count("x" * 300 + " … (700 more characters)") == tables.MOST_ROWS
    assert shown.endswith("and 50 more")


def test_a_report_shows_its_own_page_in_a_frame_that_reaches_nothing(returned: dict[str, Any]) -> None:
    frame = Parsed(returned["Report"]._repr_html_())

    assert frame.tags == {"iframe"}
    assert dict(frame.attributes)["srcdoc"] == returned["Report"].html
    assert dict(frame.attributes)["sandbox"] == "allow-scripts"


def test_every_record_is_pickled_and_copied(returned: dict[str, Any]) -> None:
    more = [
        Verification(True, "r", 3, (Finding(Problem.DAMAGED, "pages/1", "cut"),), True, False),
        OtherEncoder("e", 3, 2, 1, (0.1, 0.2)),
        edge_icl.StoreInfo("a", Path("a"), 1, 1, False, "e", "ready", ""),
        edge_icl.Options(json_schema={"type": "string"}),
        edge_icl.Stretch(8, 1, 1),
        edge_icl.Keyring(),
        *EXAMPLES[:1],
    ]
    records = [*every(returned), *more]
    vectors = [vector for _, vector in returned["export"]]

    for one in (*records, *vectors):
        assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one) == copy.copy(one)
        assert type(pickle.loads(pickle.dumps(one))) is type(one)
    seen = {type(one) for one in records}
    assert {Answer, Held, Near, Suspect, Check, LabelCheck, Confused, HeldOut, Wrong} <= seen
    public = {getattr(edge_icl, name) for name in edge_icl.__all__}
    assert {kind for kind in public if is_dataclass(kind)} <= {*seen, edge_icl.FileExamples, edge_icl.Reencoded}


def test_every_error_is_pickled_with_its_hint() -> None:
    for name in edge_icl.__all__:
        kind = getattr(edge_icl, name)
        if isinstance(kind, type) and issubclass(kind, edge_icl.EdgeIclError):
            error = pickle.loads(pickle.dumps(kind("it broke", "mend it", committed=True)))
            assert (type(error), str(error), error.committed) == (kind, "it broke; mend it", True)


@pytest.mark.usefixtures("models_home")
def test_what_belongs_to_its_process_says_what_to_do_instead() -> None:
    with Memory.create("work", seed=SEED) as memory:
        memory.add_many(EXAMPLES)
        with memory.stream("Taxi downtown", ask_model="never") as reply:
            for one, instead in (
                (memory, "open the store"),
                (reply, "ask in the process"),
                (Cancel(), "cancel"),
            ):
                for way in (pickle.dumps, copy.copy, copy.deepcopy):
                    with pytest.raises(
                        TypeError, match=f"{type(one).__name__} belongs to its process .*: {instead}"
                    ):
                        way(one)

    async def of_a_loop() -> None:
        async with await AsyncMemory.open("work") as memory:
            for one in (memory, memory.stream("Taxi downtown")):
                with pytest.raises(TypeError, match="cannot be pickled or copied"):
                    pickle.dumps(one)

    asyncio.run(of_a_loop())
