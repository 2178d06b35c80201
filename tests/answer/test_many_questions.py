"""Many questions at once: each gets the answer that it gets alone, in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from expenses import EXAMPLES, PAIRS, SEED
from handles import without_models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_icl import AskCancelledError, InputError, Memory, ModelMissingError, Options
from edge_icl.runtime.cancel import Cancel
from edge_icl.store.disk import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl import Answer

PRIOR = Options(ask_model="never")
texts = st.sampled_from(
    [
        PAIRS[0][0],
        f"  {PAIRS[1][0]}\n",
        "Taxi downtown",
        "dinner",
        "a",
        "caf\u00e9",
        "cafe\u0301",
        "",
        " \n",
        "x\0",
    ]
)


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED, shots=3) as memory:
        memory.add_many(EXAMPLES)
        yield memory


def alone(memory: Memory, question: str, options: Options) -> Answer | str:
    """The answer to a question that is asked by itself, without its times; or why it has none."""
    try:
        return untimed(memory.ask(question, options))
    except InputError as error:
        return str(error)


def untimed(found: Answer | InputError) -> Answer | str:
    return str(found) if isinstance(found, InputError) else replace(found, timings={})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # no question changes it
@given(st.lists(texts, max_size=12), st.booleans(), st.sampled_from([None, 0.05, 0.5]))
def test_each_question_gets_the_answer_that_it_gets_alone(
    memory: Memory, questions: list[str], recall: bool, abstain: float | None
) -> None:
    options = replace(PRIOR, recall=recall, abstain=abstain)

    found = [untimed(one) for one in memory.ask_many(questions, options)]

    assert found == [alone(memory, one, options) for one in questions]


@pytest.mark.parametrize("options", [Options(ask_model="always"), Options(labels="off", max_tokens=3)])
def test_also_where_the_model_is_asked(memory: Memory, options: Options) -> None:
    questions = ["Taxi downtown", PAIRS[0][0], "", "Sandwich", "Taxi downtown"]

    found = [untimed(one) for one in memory.ask_many(questions, options)]

    assert found == [alone(memory, one, options) for one in questions]


def test_however_many_there_are(memory: Memory) -> None:
    questions = [f"Taxi to house {number}" for number in range(150)]

    found = [untimed(one) for one in memory.ask_many(iter(questions), PRIOR)]

    assert found == [alone(memory, one, PRIOR) for one in questions]


def test_what_was_taught_needs_no_encoder(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGE_ICL_HOME", str(tmp_path / "bare"))
    with without_models(Store.open(memory.path)) as bare:
        assert [answer.text for answer in bare.ask_many([input for input, _ in PAIRS])] == [
            output for _, output in PAIRS
        ]
        with pytest.raises(ModelMissingError):
            next(bare.ask_many(["Taxi downtown"]))


def test_an_option_that_is_not_valid_is_told_at_once(memory: Memory) -> None:
    for options in ({"abstain": 2}, {"select": "most"}, {"json_schema": {"type": "nothing"}}):
        with pytest.raises(InputError):
            memory.ask_many([], **options)


def test_a_change_meanwhile_is_in_the_answers_that_follow(memory: Memory) -> None:
    input, output = PAIRS[0]
    found = memory.ask_many([input, input], PRIOR)

    first = next(found)
    memory.forget(first.examples[0].id)
    second = next(found)

    assert (first.kind, first.text) == ("recalled", output)
    assert second.kind == "judged"
    assert first.examples[0].id not in {held.id for held in second.nearest}
    assert untimed(second) == alone(memory, input, PRIOR)


def test_what_is_taught_meanwhile_is_known(memory: Memory) -> None:
    found = memory.ask_many(["Taxi downtown"] * 2, PRIOR)

    first = next(found)
    memory.add("Taxi downtown", "meals")
    second = next(found)

    assert first.kind == "judged"
    assert untimed(second) == alone(memory, "Taxi downtown", PRIOR)
    assert (second.kind, second.text) == ("recalled", "meals")


def test_they_can_be_cancelled(memory: Memory) -> None:
    cancel = Cancel()
    found = memory.ask_many(["Taxi downtown"] * 3, PRIOR, cancel=cancel)
    next(found)
    cancel.set()

    with pytest.raises(AskCancelledError):
        next(found)


def test_progress_is_told_for_each(memory: Memory) -> None:
    told: list[tuple[str, int, int]] = []

    list(memory.ask_many(["Taxi", "", "Lunch"], PRIOR, progress=lambda *one: told.append(one)))

    assert told == [("ask", done, 3) for done in range(4)]
