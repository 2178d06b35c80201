"""DSPy programs get demonstrations from a store, and none of them after it is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy.utils import DummyLM
from small_encoders import FIRST, imported_encoders

from edge_icl import ExampleNotFoundError, InputError, Memory
from edge_icl.dspy import EdgeDemos

__all__ = ["imported_encoders"]

ROWS = [
    dspy.Example(question="taxi to the airport", answer="travel").with_inputs("question"),
    dspy.Example(question="the cat sat on the mat", answer="pets").with_inputs("question"),
    dspy.Example(question="pay my card please", answer="money").with_inputs("question"),
]


@pytest.fixture
def memory(imported_encoders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """An empty store, and no cache of DSPy's."""
    monkeypatch.setenv("EDGE_ICL_HOME", str(imported_encoders.parent))
    monkeypatch.setenv("DSPY_CACHEDIR", str(tmp_path / "dspy"))
    with Memory.create(tmp_path / "store", encoder=FIRST) as made:
        yield made
    assert not (tmp_path / "dspy").exists()


@pytest.fixture
def lm() -> Iterator[DummyLM]:
    """DSPy's own stand-in for a model: it answers as a demonstration of the same question does."""
    made = DummyLM([{"answer": "unknown", "reasoning": "none"}] * 9, follow_examples=True)
    with dspy.context(lm=made):
        yield made


def prompt(lm: DummyLM) -> str:
    """Return all that the model was last shown."""
    return "\n".join(message["content"] for message in lm.history[-1]["messages"])


def test_a_program_is_shown_the_nearest_examples_of_each_question(memory: Memory, lm: DummyLM) -> None:
    demos = EdgeDemos(memory, k=1)
    program = demos.compile(dspy.Predict("question -> answer"), trainset=ROWS)

    assert len(memory) == 3
    for row in ROWS:
        assert program(question=row.question).answer == row.answer
        assert [other.question in prompt(lm) for other in ROWS] == [other is row for other in ROWS]


def test_what_is_forgotten_is_in_no_later_prompt_nor_in_the_program(
    memory: Memory, lm: DummyLM, tmp_path: Path
) -> None:
    lm.follow_examples = False
    demos = EdgeDemos(memory)
    program = demos.compile(dspy.ChainOfThought("question -> answer"), trainset=ROWS)
    program(question="a taxi")
    assert "travel" in prompt(lm)

    receipt = demos.forget(ROWS[0])

    program(question="a taxi")
    assert len(receipt.ids) == 1
    assert "travel" not in prompt(lm)
    assert "pets" in prompt(lm)
    program.save(tmp_path / "program.json")
    assert b"pets" not in (tmp_path / "program.json").read_bytes()


def test_examples_come_as_a_trainset_and_are_chosen_alone(memory: Memory) -> None:
    demos = EdgeDemos(memory, k=2)
    ids = demos.add([*ROWS[:2], {"question": "pay my card please", "answer": "money"}])

    assert sorted(one.question for one in demos.trainset()) == sorted(one.question for one in ROWS)
    assert {*demos.trainset()[0].inputs().keys()} == {"question"}
    assert [one.answer for one in demos.choose(question=ROWS[2].question)][-1] == "money"
    assert len(demos.forget(*ids).ids) == 3
    assert (demos.trainset(), demos.choose(question="a dog")) == ([], [])
    with pytest.raises(ExampleNotFoundError):
        demos.forget(ROWS[0])


def test_only_predictors_with_these_fields_get_them_and_a_caller_may_give_others(
    memory: Memory, lm: DummyLM
) -> None:
    class Two(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = dspy.Predict("text -> summary")
            self.second = dspy.Predict("question, text -> answer")

    lm.follow_examples = False
    student = Two()
    demos = EdgeDemos(memory)
    program = demos.compile(student, trainset=ROWS)

    program.second(question="a taxi", text="none")
    assert "travel" in prompt(lm)
    program.second(question="a taxi", text="none", demos=[])
    student.second(question="a taxi", text="none")
    assert "travel" not in prompt(lm)
    assert type(program.first) is dspy.Predict
    with pytest.raises(InputError, match="no predictor of the program has the inputs"):
        demos.compile(dspy.Predict("text -> summary"))


def test_a_compiled_program_is_copied_pickled_and_awaited(memory: Memory, lm: DummyLM, tmp_path: Path) -> None:
    program = EdgeDemos(memory, k=1).compile(dspy.Predict("question -> answer"), trainset=ROWS)
    program.save(tmp_path / "whole", save_program=True)
    loaded = dspy.load(tmp_path / "whole", allow_pickle=True)
    again = loaded.source

    answers = [one(question=ROWS[1].question).answer for one in (program.deepcopy(), loaded)] + [
        asyncio.run(program.acall(question=ROWS[1].question)).answer
    ]

    assert answers == ["pets"] * 3
    assert b"pets" not in (tmp_path / "whole" / "program.pkl").read_bytes()
    again.close()


def test_nothing_of_a_demonstration_is_in_dspys_cache(memory: Memory, lm: DummyLM) -> None:
    lm._cache_responses = True  # as with all its models but this one
    program = EdgeDemos(memory).compile(dspy.Predict("question -> answer"), trainset=ROWS)

    assert program(question=ROWS[0].question).answer == "travel"  # and there is no cache: see `memory`


def test_the_cache_is_not_used_unless_it_is_asked_for(memory: Memory) -> None:
    call = {"question": "a taxi", "config": {"temperature": 1}}

    assert EdgeDemos(memory).given(call)["config"] == {"cache": False, "temperature": 1}
    assert EdgeDemos(memory, cache=True).given(call)["config"] == {"temperature": 1}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "a", "answer": 3}, "the field 'answer' is int and not text"),
        (dspy.Example(question="a", answer="b", dspy_uuid="3"), "would not hold the field 'dspy_uuid'"),
        (dspy.Example(question="a"), "the field 'answer' is missing"),
    ],
)
def test_what_would_be_lost_is_refused(memory: Memory, row: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        EdgeDemos(memory).add([ROWS[0], row])

    assert len(memory) == 0
