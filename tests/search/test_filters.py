"""Examples that fit all that is said of them, in every way in which they are asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from handles import without_models
from hypothesis import given
from hypothesis import strategies as st
from stores import DIMENSION, SETTINGS, make

from edge_icl import Example, InputError, Memory
from edge_icl.aio import AsyncMemory
from edge_icl.example import normalise
from edge_icl.store.pages import Row

TEXTS = st.sampled_from(["Anna Berg", "anna berg", "Bus to Berg", "travel", "Travel", "food"])
EXAMPLES = st.builds(
    Example.create,
    TEXTS,
    TEXTS,
    tags=st.sets(st.sampled_from(["2025", "2026"])),
    source=st.none() | st.sampled_from(["me", "mail"]),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "match": st.sampled_from(["berg", "ANNA\u00a0BERG", "e", "nothing"]),
        "output": TEXTS | st.just("nothing"),
        "source": st.sampled_from(["me", "mail", "Mail"]),
        "tag": st.sampled_from(["2025", "202"]),
    },
)


def store(path: Path, examples: list[Example]) -> Memory:
    return without_models(make(path, [row(one) for one in examples]))


def row(example: Example, component: int = 1) -> Row:
    return Row(example.id(SETTINGS.seed), np.full(DIMENSION, component, np.int8), example.canonical())


def fits(one: Example, match: str = "", output: str = "", source: str = "", tag: str = "") -> bool:
    """Tell the same in the simplest way; no text here needs more to be read as a person reads it."""
    wanted = match.replace("\u00a0", " ").casefold()
    return (
        (wanted in one.input.casefold() or wanted in one.output.casefold())
        and output in ("", one.output)
        and source in ("", one.source)
        and (not tag or tag in one.tags)
    )


@given(examples=st.lists(EXAMPLES, max_size=12), filters=FILTERS)
def test_every_way_finds_those_that_fit_all_filters(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Example], filters: dict[str, str]
) -> None:
    memory = store(tmp_path_factory.mktemp("filters") / "store", examples)

    found = memory.find(**filters)

    assert {one.example for one in found} == {one for one in examples if fits(one, **filters)}
    assert [one.id for one in found] == sorted(one.id for one in found)
    assert list(memory.examples(**filters)) == found
    assert [one for one, _ in memory.export(**filters)] == found


def test_each_example_is_exported_with_its_own_vector(tmp_path: Path) -> None:
    some = [Example.create(f"input {n}", "travel" if n % 2 else "food") for n in range(9)]
    memory = without_models(make(tmp_path / "store", [row(one, n) for n, one in enumerate(some)]))

    found = {held.input: vector.components for held, vector in memory.export(output="travel")}

    assert found == {f"input {n}": bytes([n] * DIMENSION) for n in (1, 3, 5, 7)}


@pytest.mark.parametrize("name", ["match", "output", "source", "tag"])
@pytest.mark.parametrize("text", ["", " ", "a\0b"])
def test_a_filter_that_no_example_can_fit_is_an_error_before_anything_is_read(
    tmp_path: Path, name: str, text: str
) -> None:
    memory = store(tmp_path / "store", [])

    for ask in (memory.find, memory.examples, memory.export):
        with pytest.raises(InputError):
            ask(**{name: text})


@given(
    examples=st.lists(
        st.builds(
            lambda *texts: Example.create(*texts[:2], tags=texts[2:3], source=texts[3]),
            *[
                st.sampled_from(
                    ['"output":"a"', 'a"', "a", "\\\\", "\u00e4", "line\nbreak", '{"output":"b"}', "b"]
                )
            ]
            * 4,
        ),
        max_size=5,
    ),
    output=st.sampled_from(["a", "b", '"', "output", "\u00e4", "a\u0308", "line\nbreak", "\\\\"]),
)
def test_an_output_is_known_exactly_where_an_example_has_it(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Example], output: str
) -> None:
    memory = store(tmp_path_factory.mktemp("known") / "store", examples)

    assert memory.has_output(output) == (normalise(output, "output") in memory.outputs())


def test_the_same_holds_for_asyncio(models_home: Path) -> None:
    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            await memory.add("Uber to the airport", "travel", tags=["2026"])
            await memory.add("Bus to the airport", "travel")
            await memory.add("Sandwich", "food")
            found = await memory.find(output="travel", match="airport", tag="2026")
            assert [one.input for one in found] == ["Uber to the airport"]
            assert {one.input for one in await memory.examples(output="travel")} == {
                "Uber to the airport",
                "Bus to the airport",
            }
            assert len(await memory.examples()) == 3
            assert await memory.has_output("food")
            assert not await memory.has_output("Food")

    asyncio.run(main())
