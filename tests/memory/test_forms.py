"""What callers pass: examples in any form, ids in any form, and a store that Python's own words work on."""

from __future__ import annotations

import pickle
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from small_encoders import FIRST, imported_encoders, small_encoders
from stores import QUICK, tree

from edge_icl import Example, ExampleNotFoundError, Held, InputError, Memory, Options, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["imported_encoders", "small_encoders"]

SEED = bytes(32)
PAIRS = [("taxi to the airport", "travel"), ("lunch with a client", "meals"), ("paper and pens", "office")]
EXAMPLES = [Example(*pair) for pair in PAIRS]


class Word(StrEnum):
    """A label as programs have them."""

    TRAVEL = "travel"


@pytest.fixture
def memory(small_encoders: Path) -> Iterator[Memory]:
    with Memory.create("work", encoder=FIRST, seed=SEED) as memory:
        yield memory


@pytest.fixture
def taught(memory: Memory) -> Memory:
    memory.add_many(PAIRS)
    return memory


def test_examples_are_the_same_in_every_form(memory: Memory, small_encoders: Path, tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("input,output\n" + "".join(f"{a},{b}\n" for a, b in PAIRS), encoding="utf-8")
    frame = pd.DataFrame(PAIRS, columns=["text", "label"])
    memory.add_many(EXAMPLES)
    forms = [
        PAIRS,
        [list(pair) for pair in PAIRS],
        (pair for pair in PAIRS),
        zip(frame["text"], frame["label"], strict=True),
        frame.itertuples(index=False),
        [{"input": a, "output": b} for a, b in PAIRS],
        [{"output": b, "tags": None, "source": None, "input": a} for a, b in PAIRS],
        [PAIRS[0], EXAMPLES[1], {"input": PAIRS[2][0], "output": np.str_(PAIRS[2][1])}],
        [(PAIRS[0][0], Word.TRAVEL), *EXAMPLES[1:]],
        list(memory),
        memory.examples(),
        read(file),
    ]
    for form in forms:
        before = memory.root
        memory.forget(memory)
        added = memory.add_many(form)

        assert (added.added, memory.root) == (len(PAIRS), before)
    assert {type(held.output) for held in memory} == {str}


def test_a_dict_brings_tags_and_a_source(memory: Memory) -> None:
    memory.add_many([{"input": "a", "output": "b", "tags": {"y", "x"}, "source": "bank"}])

    assert [held.example for held in memory] == [Example("a", "b", ("x", "y"), "bank")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "a", "label": "b"}, "an example has no field text, label; did you mean input and output? "),
        ({"input": "a", "output": "b", "tag": "c"}, "an example has no field tag; did you mean tags? "),
        (
            {"input": "a", "output": "b", "id": "0f", 3: None, "w": 1, "x": 2},
            "an example has no field id, 3, w and 1 more; ",
        ),
    ],
)
def test_a_dict_with_other_fields_is_told_what_may_be_meant(
    memory: Memory, fields: dict[object, object], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        memory.add_many([PAIRS[0], fields])

    assert str(refused.value) == f"examples[1]: {said}its fields are input, output, tags and source"
    assert len(memory) == 0


def test_a_data_frame_is_told_which_columns_to_give(memory: Memory) -> None:
    frame = pd.DataFrame(PAIRS, columns=["input", "output"])

    with pytest.raises(InputError, match=r"the examples are a data frame; give zip\(frame\[INPUT\], "):
        memory.add_many(frame)


@pytest.mark.parametrize(
    "form",
    [
        lambda memory, ids: ids,
        lambda memory, ids: [ids],
        lambda memory, ids: [ids[0], [ids[1]]],
        lambda memory, ids: [{id[:12] for id in ids}],
        lambda memory, ids: [np.array(ids)],
        lambda memory, ids: [memory.get(id) for id in ids],
        lambda memory, ids: [held for held in memory.search("taxi", limit=3) if held.id in ids],
        lambda memory, ids: [memory.ask("taxi", Options(ask_model="never")).examples[:0], *ids],
        lambda memory, ids: [(held for held in memory if held.id in ids)],
        lambda memory, ids: EXAMPLES[:2],
        lambda memory, ids: [[EXAMPLES[0]], memory.get(ids[1])],
    ],
)
def test_what_is_forgotten_is_named_in_every_form(taught: Memory, form: Callable[..., object]) -> None:
    ids = [taught.add(*pair).ids[0] for pair in PAIRS[:2]]

    receipt = taught.forget(*form(taught, ids))

    assert sorted(receipt.ids) == sorted(ids)
    assert [held.example for held in taught] == EXAMPLES[2:]


def test_an_add_is_taken_back_and_the_store_is_what_it_was(taught: Memory) -> None:
    before = tree(taught.path)
    first = taught.add_many([PAIRS[0], ("bus pass", "travel"), ("bus pass", "travel"), PAIRS[1]])
    second = taught.add("stapler", "office", tags=["desk"])
    assert (len(first.new), first.added, first.duplicates) == (1, 1, 3)

    taught.forget([first, second])

    assert tree(taught.path) == before
    with pytest.raises(InputError, match="there is nothing to forget"):
        taught.forget(taught.add(*PAIRS[0]))
    with pytest.raises(ExampleNotFoundError):
        taught.forget(first)
    assert tree(taught.path) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "there is nothing to forget; "),
        (([],), "there is nothing to forget; "),
        ((3,), "int is not the id of an example; "),
        ((None,), "NoneType is not the id of an example; "),
        ((b"0f",), "bytes is not the id of an example; "),
        (({"id": "0f"},), "dict is not the id of an example; "),
        (([[["0f"]]],), "list is not the id of an example; "),
        ((Held.of(3, EXAMPLES[0]),), "int is not the id of an example; "),
    ],
)
def test_what_names_no_example_is_refused_and_nothing_is_forgotten(
    taught: Memory, given: tuple[object, ...], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        taught.forget(*given)

    assert str(refused.value).startswith(said)
    assert len(taught) == len(PAIRS)


def test_an_answer_is_no_example_but_has_some(taught: Memory) -> None:
    answer = taught.ask(PAIRS[0][0])
    with pytest.raises(InputError, match=r"an answer may rest on several examples; .*answer\.examples"):
        taught.forget(answer)

    taught.forget(answer.examples)

    assert EXAMPLES[0] not in taught


def test_one_example_is_named_as_those_to_be_forgotten_are(taught: Memory) -> None:
    held = taught.find(output="travel")[0]
    for name in (held, held.id, held.id[:8], EXAMPLES[0], np.str_(held.id)):
        assert taught.get(name) == held
        assert taught.short(name) == held.id[:8]
    done = taught.replace(held, output="transport")
    assert (done.old, taught.get(done.new).output) == (held.id, "transport")
    for call in (taught.get, taught.short, lambda name: taught.replace(name, output="x")):
        with pytest.raises(ExampleNotFoundError):
            call(held)
        with pytest.raises(InputError, match="int is not the id of an example"):
            call(3)


def test_contradictions_are_found_of_every_form(taught: Memory) -> None:
    held = taught.find(output="travel")
    pair = (PAIRS[0][0], "meals")
    as_dict = {"input": pair[0], "output": pair[1]}

    for given in (
        [pair],
        [list(pair)],
        [[pair]],
        [as_dict],
        [[as_dict]],
        [Example(*pair)],
        [iter([PAIRS[1], pair])],
        [PAIRS[1], pair, PAIRS[2]],
    ):
        assert taught.contradictions(*given) == held
    assert taught.contradictions() == taught.contradictions(PAIRS) == []
    with pytest.raises(InputError, match=r"examples\[1\]: int is not an example"):
        taught.contradictions(pair, 3)


def test_a_store_is_what_python_takes_for_a_collection(memory: Memory) -> None:
    assert (len(memory), list(memory), bool(memory)) == (0, [], True)
    memory.add_many([*PAIRS, {"input": "tram", "output": "travel", "tags": ["city"]}])
    held = memory.find(match="tram")[0]

    assert list(memory) == list(memory.examples())
    assert len(memory) == len(PAIRS) + 1
    for there in (held, held.id, held.id[:6].upper(), held.example, EXAMPLES[0], PAIRS[0], list(PAIRS[0])):
        assert there in memory
    for missing in (("tram", "travel"), Example("a", "b"), (PAIRS[0][0], "meals"), "0" * 32):
        assert missing not in memory
    for wrong in ("tram", "", 3, None, ("a", "b", "c"), "0" * 33, b"0f"):
        with pytest.raises(InputError):
            _ = wrong in memory


def test_a_store_shows_itself_without_its_texts(small_encoders: Path) -> None:
    sealed = Memory.create("sealed", encoder=FIRST, passphrase="secret", stretch=QUICK)
    with sealed, Memory.create("plain", encoder=FIRST) as plain:
        plain.add(*PAIRS[0])
        sealed.add_many(PAIRS)
        assert repr(plain) == f"<Memory {plain.path}, 1 example>"
        assert repr(sealed) == f"<Memory {sealed.path}, 3 examples, encrypted>"
        (plain.path / "manifest").write_bytes(b"damaged")
        assert repr(plain) == f"<Memory {plain.path}>"
    assert repr(sealed) == f"<Memory {sealed.path}, closed, encrypted>"
    assert bool(sealed)


def test_an_example_that_is_unpickled_is_checked() -> None:
    example = Example("a", "b", ("x",), "bank")
    assert pickle.loads(pickle.dumps(example)) == example
    altered = pickle.dumps(example).replace(b"\x8c\x01b", b"\x8c\x01 ")

    with pytest.raises(InputError, match="the output is empty"):
        pickle.loads(altered)
