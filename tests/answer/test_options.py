"""Options say what is wrong when they are made, and `ask` takes them by name."""

from __future__ import annotations

import asyncio
import copy
import pickle
from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import numpy as np
import pytest
from expenses import EXAMPLES, SEED
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_icl import InputError, Memory, Options
from edge_icl.aio import AsyncMemory
from edge_icl.answer.options import OptionFields, SelectMode
from edge_icl.answer.selection import SELECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LETTER = 'root ::= "a"'
VALID: dict[str, list[Any]] = {
    "select": ["auto", *SELECTIONS],
    "shots": [None, 1, np.int64(7)],
    "labels": ["auto", "on", "off"],
    "recall": [True, False],
    "ask_model": ["auto", "always", "never"],
    "abstain": [None, 0.05, np.float32(0.1)],
    "prior": [True, False],
    "prompt": ["auto", "plain", "chat"],
    "task": [None, "", "Classify the expense"],
    "max_tokens": [1, 256],
    "grammar": [None, LETTER],
    "json_schema": [None, {"type": "string"}],
}


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"labels": "yes"}, "labels cannot be 'yes'; did you mean on? choose one of auto, on, off"),
        ({"labels": True}, "labels cannot be True; did you mean on? choose one of auto, on, off"),
        ({"labels": ["on"]}, "labels cannot be ['on']; choose one of auto, on, off"),
        ({"labels": None}, "labels cannot be None; choose one of auto, on, off"),
        ({"ask_model": False}, "did you mean never? choose one of auto, always, never"),
        ({"ask_model": "allways"}, "did you mean always?"),
        ({"ask_model": 1}, "ask_model cannot be 1; choose one of"),
        ({"prompt": "poem"}, "prompt cannot be 'poem'; choose one of auto, plain, chat"),
        ({"select": "near"}, "did you mean nearest? choose one of auto, erase, nearest, hybrid, random, none"),
        ({"select": "x" * 10_000}, "choose one of auto, erase"),
        ({"shots": 0}, "shots cannot be 0; give a whole number, 1 or more, or None for the store's own"),
        ({"shots": -1, "select": "erase"}, "shots cannot be -1; give a whole number, 1 or more, or None"),
        ({"shots": True}, "shots cannot be True"),
        ({"task": 3}, "the task is int, not text; give it as a string"),
        ({"task": 0}, "the task is int, not text"),
        ({"task": "   "}, "the task is empty"),
        ({"task": "a\0b"}, "NUL"),
        ({"max_tokens": 0}, "max_tokens cannot be 0; give a whole number, 1 or more"),
        ({"max_tokens": "5"}, "max_tokens cannot be '5'"),
        ({"max_tokens": 5.0}, "max_tokens cannot be 5.0"),
        ({"max_tokens": True}, "max_tokens cannot be True"),
        ({"max_tokens": None}, "max_tokens cannot be None"),
        ({"recall": "no"}, "recall cannot be 'no'; give True or False"),
        ({"prior": 1}, "prior cannot be 1; give True or False"),
        ({"abstain": 0}, "abstain cannot be 0; it is a share of wrong answers: give one above 0"),
        ({"abstain": 1.0}, "abstain cannot be 1.0"),
        ({"abstain": 2}, "abstain cannot be 2"),
        ({"abstain": True}, "abstain cannot be True"),
        ({"abstain": "0.1"}, "abstain cannot be '0.1'"),
        ({"abstain": float("nan")}, "abstain cannot be nan"),
        ({"grammar": b"root"}, "the grammar is bytes, not text; give it in GBNF"),
        ({"json_schema": "{}"}, "the JSON schema is str, not a dict; give what json.loads makes of it"),
        ({"grammar": LETTER, "json_schema": {}}, "an answer cannot keep to a grammar and a JSON schema"),
        ({"grammar": LETTER, "labels": "on"}, "labels are chosen and not written"),
        ({"json_schema": {}, "labels": "on"}, "labels are chosen and not written"),
        ({"prior": False, "ask_model": "never"}, "without the prior only the model can judge"),
        ({"prior": False, "abstain": 0.1}, "how sure an answer is comes from the prior"),
        ({"labels": "off", "abstain": 0.1}, "how sure a written answer is cannot be told"),
        ({"grammar": LETTER, "abstain": 0.1}, "how sure a written answer is cannot be told"),
        ({"grammar": LETTER, "ask_model": "never"}, "only the model can write an answer"),
        ({"labels": "off", "recall": False, "ask_model": "never"}, "only the model can write an answer"),
    ],
)
def test_what_is_not_valid_is_refused_in_one_sentence_when_options_are_made(
    named: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        Options(**named)
    with pytest.raises(InputError) as again:
        replace(Options(), **named)

    assert told in str(caught.value) == str(again.value)
    assert len(str(caught.value)) < 300


@given(st.fixed_dictionaries({}, optional={name: st.sampled_from(some) for name, some in VALID.items()}))
def test_options_copy(named: dict[str, Any]) -> None:
    exclusive = {"labels", "recall", "prior", "abstain", "ask_model", "grammar", "json_schema"} & named.keys()
    try:
        options = Options(**named)
    except InputError:
        assume(len(exclusive) < 2)  # which the test above has
        raise

    assert {name: getattr(options, name) for name in named} == named
    assert options == pickle.loads(pickle.dumps(options)) == copy.deepcopy(options) == replace(options)


@pytest.mark.parametrize("name", VALID)
def test_each_valid_value_is_taken_by_itself(name: str) -> None:
    for value in VALID[name]:
        assert getattr(Options(**{name: value}), name) == value


def test_the_names_that_calls_take_are_the_fields_of_options_with_their_types() -> None:
    hints = get_type_hints(Options)

    assert get_type_hints(OptionFields) == hints
    assert list(hints) == [field.name for field in fields(Options)] == list(VALID)
    assert all(field.default is not MISSING for field in fields(Options))
    assert not OptionFields.__required_keys__


def test_the_selections_that_options_know_are_those_that_there_are() -> None:
    assert get_args(SelectMode) == ("auto", *SELECTIONS)


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED, shots=4) as memory:
        memory.add_many(EXAMPLES)
        yield memory


def test_options_by_name_are_those_of_the_record_and_come_before_them(memory: Memory) -> None:
    question, record = "Taxi downtown", Options(labels="on", ask_model="never")
    said = memory.ask(question, record)

    by_name = memory.ask(question, labels="on", ask_model="never")
    both = memory.ask(question, Options(labels="off", ask_model="never"), labels="on")
    (of_many,) = memory.ask_many([question], labels="on", ask_model="never")
    with memory.stream(question, labels="on", ask_model="never") as reply:
        text = "".join(reply)

    assert (said.kind, said.text) == ("judged", text)
    for other in (by_name, both, of_many, reply.answer):
        assert replace(other, timings={}) == replace(said, timings={})


def test_an_option_that_there_is_not_is_a_type_error_that_says_what_was_meant(memory: Memory) -> None:
    async def of(call: str, *args: Any, **named: Any) -> None:
        async with await AsyncMemory.open("work") as other:
            done = getattr(other, call)("Taxi downtown", *args, **named)
            await (anext(done) if call == "ask_many" else done)

    for call in ("ask", "ask_many", "stream", "select"):
        with pytest.raises(TypeError, match=r"there is no option lables: did you mean labels\?"):
            getattr(memory, call)("Taxi downtown", lables="on")
        with pytest.raises(TypeError, match=r"there is no option lables: did you mean labels\?"):
            asyncio.run(of(call, lables="on"))
        with pytest.raises(TypeError, match="the options are str, not Options: give them by name"):
            getattr(memory, call)("Taxi downtown", "on")
        with pytest.raises(InputError, match=r"labels cannot be 'yes'; did you mean on\?"):
            asyncio.run(of(call, labels="yes"))
