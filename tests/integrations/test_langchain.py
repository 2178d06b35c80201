"""The example selector works in LangChain's own prompts, and what it forgot is in none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.example_selectors import BaseExampleSelector
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    PromptTemplate,
)
from small_encoders import FIRST, imported_encoders

from edge_icl import ExampleNotFoundError, InputError, Memory
from edge_icl.langchain import EdgeExampleSelector

__all__ = ["imported_encoders"]

ROWS = [
    {"input": "taxi to the airport", "output": "travel"},
    {"input": "the cat sat on the mat", "output": "pets"},
    {"input": "pay my card please", "output": "money"},
]


@pytest.fixture
def memory(imported_encoders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """An empty store."""
    monkeypatch.setenv("EDGE_ICL_HOME", str(imported_encoders.parent))
    with Memory.create(tmp_path / "store", encoder=FIRST) as made:
        yield made


def test_a_prompt_shows_the_nearest_examples_the_nearest_last(memory: Memory) -> None:
    selector = EdgeExampleSelector(memory, k=2)
    selector.add_examples(ROWS)
    prompt = FewShotPromptTemplate(
        example_selector=selector,
        example_prompt=PromptTemplate.from_template("{input} -> {output}"),
        suffix="{input} ->",
        input_variables=["input"],
        example_separator="\n",
    )

    *shown, last, asked = prompt.format(input="taxi to the airport").splitlines()

    assert isinstance(selector, BaseExampleSelector)
    assert len(shown) == 1
    assert last == "taxi to the airport -> travel"
    assert asked == "taxi to the airport ->"
    near = memory.search("taxi to the airport", limit=2)
    assert [one["input"] for one in selector.select_examples({"input": "taxi to the airport"})] == [
        held.input for held in reversed(near)
    ]


def test_a_chat_shows_them_as_turns_and_awaits_them(memory: Memory) -> None:
    selector = EdgeExampleSelector(memory, k=1)
    turns = ChatPromptTemplate.from_messages([("human", "{input}"), ("ai", "{output}")])
    shots = FewShotChatMessagePromptTemplate(
        example_selector=selector, example_prompt=turns, input_variables=["input"]
    )
    prompt = ChatPromptTemplate.from_messages([shots, ("human", "{input}")])

    async def talk() -> list[list[str]]:
        id = await selector.aadd_example(ROWS[0])
        taught = await prompt.ainvoke({"input": "a taxi"})
        found = await selector.aselect_examples({"input": "a taxi"})
        assert found == [ROWS[0]]
        await selector.aforget(id)
        return [
            [one.content for one in said.to_messages()] for said in (taught, prompt.invoke({"input": "a taxi"}))
        ]

    assert asyncio.run(talk()) == [["taxi to the airport", "travel", "a taxi"], ["a taxi"]]


def test_keys_have_the_programs_names_and_are_read_back(memory: Memory) -> None:
    selector = EdgeExampleSelector(memory, input_keys=["context", "question"], output_keys=["answer", "why"])
    row = {"context": "two\nlines: here", "question": "a cat?", "answer": "the mat", "why": ""}

    id = selector.add_example(row)

    assert selector.select_examples({"question": "a dog?", "context": "none", "more": 3}) == [row]
    assert memory.get(id).input == "context: two\nlines: here\nquestion: a cat?"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"input": "a", "output": "b", "page": "3"}, "would not hold the field 'page'"),
        ({"input": "a"}, "the field 'output' is missing"),
        ({"input": "a", "output": 3}, "the field 'output' is int and not text"),
        ({"input": " ", "output": "b"}, "the input is empty"),
    ],
)
def test_what_would_be_lost_is_refused(memory: Memory, row: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        EdgeExampleSelector(memory).add_examples([ROWS[0], row])

    assert len(memory) == 0


def test_fields_that_could_not_be_told_apart_are_refused(memory: Memory) -> None:
    selector = EdgeExampleSelector(memory, input_keys=["a", "b"])

    with pytest.raises(InputError, match="begins with the name of a field"):
        selector.add_example({"a": "x\nb: y", "b": "z", "output": "o"})
    memory.add("not in lines", "o")
    with pytest.raises(InputError, match=r"does not have the fields \['a', 'b'\]"):
        selector.select_examples({"a": "x", "b": "y"})
    with pytest.raises(InputError, match="the field 'b' is missing"):
        selector.select_examples({"a": "x"})


def test_forgetting_takes_ids_rows_and_what_is_found(memory: Memory) -> None:
    selector = EdgeExampleSelector(memory)
    ids = selector.add_examples(ROWS)
    memory.add(ROWS[1]["input"], ROWS[1]["output"], tags=["mine"])

    receipt = selector.forget(ids[0], ROWS[1], *memory.find(match="card"))

    assert len(receipt.ids) == 4
    assert len(memory) == 0
    assert selector.select_examples({"input": "a taxi"}) == []
    with pytest.raises(ExampleNotFoundError):
        selector.forget(ROWS[0])


def test_lists_are_several_and_a_text_is_no_list_of_names(memory: Memory) -> None:
    selector = EdgeExampleSelector(memory)
    ids = selector.add_examples(ROWS)

    assert selector.forget([ids[0], ROWS[1]], *ids[2:]).ids == tuple(sorted(ids))
    for wrong in (5, None):
        with pytest.raises(InputError, match=f"^{type(wrong).__name__} is not an example; give a dict with"):
            selector.forget(wrong)
    with pytest.raises(
        InputError, match=r"^'question' is one name and not several; give it as a list: \['question'\]$"
    ):
        EdgeExampleSelector(memory, input_keys="question")


def test_a_store_is_made_by_its_name_and_closed_only_by_the_selector_that_opened_it(memory: Memory) -> None:
    with EdgeExampleSelector(memory.path, k=3, select="random") as selector:
        selector.add_examples(ROWS)
        assert len(selector.select_examples({"input": "a dog"})) == 3
    EdgeExampleSelector(memory).close()

    assert len(memory) == 3
    for wrong in ({"select": "best"}, {"k": -1}, {"input_keys": ()}, {"output_keys": ["input"]}):
        with pytest.raises(InputError):
            EdgeExampleSelector(memory, **wrong)
