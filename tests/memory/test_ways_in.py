"""What the format refuses is refused when it is made: no way in leads to a store that `verify` blames."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from handles import without_models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import DIMENSION, SETTINGS, check, commit, make, row, rows, tree

from edge_icl import Example, Held, InputError, Memory, StoreDamagedError, Vector
from edge_icl.store import pages
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = Vector(SETTINGS.encoder_digest, bytes(DIMENSION))

likely = st.sampled_from(["a", "b", " c ", "\u00e9", "\u2028", '"\\'])
awkward = st.sampled_from(["", " \n", "\u3000", "a\0b", "\ud800", "e\u0301", "\u212b", "\ufb01", "\x7f\x85"])
texts = st.one_of(likely, likely, awkward, st.text(max_size=4), st.text(st.characters(), max_size=4))
anything = st.one_of(texts, st.none(), st.integers(), st.binary(max_size=2))
tags = st.lists(likely, max_size=3).map(tuple)
any_tags = st.one_of(
    tags, tags, st.just(()), st.lists(texts, max_size=2).map(tuple), st.lists(anything, max_size=2), anything
)
numbers = st.lists(st.sampled_from((0, 1, 127, 128, 129, 255)), min_size=DIMENSION, max_size=DIMENSION).map(
    bytes
)
any_numbers = st.one_of(
    numbers, numbers, numbers, st.binary(max_size=DIMENSION + 1), numbers.map(list), anything
)
made = st.one_of(
    st.tuples(likely, likely, tags, st.none(), numbers),
    st.tuples(texts, likely, tags, st.none() | texts, numbers),
    st.tuples(anything, anything, any_tags, anything, any_numbers),
)


@given(
    some=st.lists(made, min_size=1, max_size=3),
    encoder=st.one_of(*[st.just(SETTINGS.encoder_digest)] * 4, anything),
)
def test_whatever_is_made_is_refused_at_once_or_leaves_a_store_that_verifies(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[object, ...]], encoder: object
) -> None:
    examples, vectors = [], []
    for *fields, components in some:
        try:
            example, vector = Example(*fields), Vector(encoder, components)
        except InputError:
            continue
        examples.append(example)
        vectors.append(vector if vector.encoder == SETTINGS.encoder_digest else GOOD)
    memory = without_models(make(tmp_path_factory.mktemp("ways") / "store", rows(range(2))))

    with suppress(InputError):  # vectors of another dimension, or two for one example
        memory.add_many(examples, vectors=vectors)

    assert memory.verify(deep=True).ok
    assert {*examples} <= {one.example for one in memory.examples()} or len(memory) == 2


class Odd(str):
    """A string that says of itself what is not so."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __str__(self) -> str:
        return "\ud800"

    def __eq__(self, other: object) -> bool:
        return True

    def isspace(self) -> bool:
        """Say that it is not."""
        return False

    def encode(self, *_: object) -> bytes:
        """Say that it can be."""
        return b""


@dataclass(frozen=True)
class Noted(Example):
    """An example as a program has it, with a field more, and bytes of its own."""

    note: str = ""

    def canonical(self) -> bytes:
        """Return what is no example."""
        return b"{}"


def altered(fields: tuple[object, ...], kind: type[Example]) -> Example:
    """Return an example whose fields were set behind its back."""
    example = kind("a", "b")
    for name, value in zip(("input", "output", "tags", "source"), fields, strict=True):
        object.__setattr__(example, name, value)
    return example


odd = st.one_of(anything, texts.map(Odd), texts.map(np.str_), st.booleans(), st.just(float("nan")))
said = st.one_of(likely, likely, likely, odd)
sets = st.tuples(said, said, st.one_of(tags, any_tags, st.lists(said, max_size=2).map(tuple)), st.none() | said)
names = st.sampled_from(["input", "output", "tags", "source", "label", 3])
elements = st.one_of(
    st.tuples(said, said),
    st.tuples(said, said).map(list),
    st.builds(lambda some: dict(zip(("input", "output", "tags", "source"), some, strict=True)), sets),
    st.dictionaries(names, said, max_size=4),
    st.builds(altered, sets, st.sampled_from([Example, Noted])),
    sets.map(lambda some: Held("0f", *some)),
    odd,
)


@given(
    some=st.lists(elements, min_size=1, max_size=3),
    form=st.sampled_from([list, list, tuple, iter, enumerate, repr]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_whatever_is_added_all_of_it_is_there_or_nothing_and_the_store_is_sound(
    memory: Memory, some: list[object], form: Callable[[list[object]], object]
) -> None:
    before = memory.root
    try:
        added = memory.add_many(form(some), vectors=[GOOD] * len(some))
    except InputError:
        assert memory.root == before
        return

    assert memory.verify(deep=True).ok
    assert len(added.ids) == len(some)
    assert all(id in memory for id in added.ids)
    if added.new:
        memory.forget(added)
    assert memory.root == before


@given(texts, texts, st.lists(texts, max_size=3), st.none() | texts)
def test_what_create_gives_can_be_made_again_by_hand(
    first: str, second: str, several: list[str], source: str | None
) -> None:
    try:
        example = Example.create(first, second, tags=several, source=source)
    except InputError:
        return

    assert Example(example.input, example.output, example.tags, example.source) == example
    assert replace(example) == example


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("", "b"), "the input is empty; give it some text"),
        (("a", " \n"), "the output is empty; give it some text"),
        (("a\0", "b"), "the input holds a NUL character; remove it"),
        (("e\u0301", "b"), "the input is not in Unicode NFC; make it with Example.create, which normalises"),
        ((3, "b"), "the input is int, not text; give it as a string"),
        (("a", "b", ["x"]), "the tags are list, not a tuple; make it with Example.create, which normalises"),
        (
            ("a", "b", ("y", "x")),
            "the tags are not sorted, each once; make it with Example.create, which normalises",
        ),
        (
            ("a", "b", ("x", "x")),
            "the tags are not sorted, each once; make it with Example.create, which normalises",
        ),
        (("a", "b", (3,)), "the tag is int, not text; give it as a string"),
        (("a", "b", (), ""), "the source is empty; give it some text, or leave the source out"),
        (("a", "b", (), 3), "the source is int, not text; give it as a string"),
    ],
)
def test_an_example_that_no_store_may_hold_is_refused_in_one_sentence(
    fields: tuple[object, ...], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        Example(*fields)

    assert str(refused.value) == said


@pytest.mark.parametrize("given_tags", ["work", 3, None])
def test_tags_that_are_one_text_or_no_texts_are_refused(given_tags: object) -> None:
    with pytest.raises(InputError, match=r"the tags are \w+, not several texts; give them as a list"):
        Example.create("a", "b", tags=given_tags)


@pytest.mark.parametrize(
    ("encoder", "numbers", "said"),
    [
        ("none", b"", "a vector has no components"),
        ("none", b"\x01\x80\x02", "a vector has a component of -128, which no encoder gives"),
        ("none", bytearray(3), "the components of a vector are bytearray, not bytes"),
        (None, b"abc", "the encoder of a vector is NoneType, not text"),
    ],
)
def test_a_vector_that_no_encoder_gives_is_refused(encoder: object, numbers: object, said: str) -> None:
    with pytest.raises(InputError) as refused:
        Vector(encoder, numbers)

    assert str(refused.value) == f"{said}; give it as Memory.export did, or leave it out"


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return without_models(make(tmp_path / "store", rows(range(5))))


@pytest.mark.parametrize(
    ("examples", "vectors", "said"),
    [
        (["a text"], None, "examples[0]: str is not an example"),
        ([("a", "b"), None], None, "examples[1]: NoneType is not an example"),
        ("a text", None, "the examples are one text"),
        (b"a text", None, "the examples are one text"),
        (("a", "b"), None, "the examples are one pair"),
        (["a", "b"], None, "the examples are one pair"),
        ({"input": "a", "output": "b"}, None, "the examples are one dict"),
        (Example("a", "b"), None, "Example is one example"),
        (None, None, "NoneType is not several examples"),
        ([("a", "b"), ("a", 3)], None, "examples[1]: the output is int, not text"),
        ([("a", "b", "c")], None, "examples[0]: a tuple of 3 is not an input and an output"),
        ([(Example("a", "b"), GOOD)], None, "examples[0]: it is an example with its vector"),
        ([{"input": "a"}], None, "examples[0]: there is no field output"),
        ([{"text": "a", "label": "b"}], None, "examples[0]: an example has no field text, label"),
        (
            [{"input": "a", "output": "b", "tags": "x"}],
            None,
            "examples[0]: the tags are str, not several texts",
        ),
        ([Example("a", "b")], [b"\1\2\3"], "bytes is not a vector"),
        ([Example("a", "b")], [[1, 2, 3]], "list is not a vector"),
        ([Example("a", "b")], [Vector("none", b"\1\2")], "a vector has 2 components and the store's have 3"),
    ],
)
def test_what_is_no_example_or_no_vector_is_refused_in_one_sentence_and_nothing_is_added(
    memory: Memory, examples: object, vectors: object, said: str
) -> None:
    before = tree(memory.path)

    with pytest.raises(InputError) as refused:
        memory.add_many(examples, vectors=vectors)

    assert refused.value.message == said
    assert refused.value.hint
    assert tree(memory.path) == before


def test_more_text_than_a_page_can_say_is_refused_before_anything_is_written(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LONGEST_TEXT", 1000)
    before = tree(memory.path)

    with pytest.raises(InputError, match=r"6 examples have 1,\d\d\d bytes of text and a page holds 1,000"):
        memory.add_many([Example("a", "b", source="s" * 900)], vectors=[GOOD])

    assert tree(memory.path) == before
    assert memory.verify(deep=True).ok


@pytest.mark.parametrize(
    "text",
    [
        b"xx",
        b"[1]",
        b"[" * 100_000,
        b'{"input":3,"output":"b"}',
        b'{"input":"a","output":"b","tags":5}',
        b'{"input":"a","output":"b","tags":[5]}',
        b'{"input":"a","output":"b"},{"input":"c","output":"d"}',
    ],
)
def test_a_store_whose_maker_put_something_else_in_is_damaged_and_never_a_traceback(
    tmp_path: Path, text: bytes
) -> None:
    """Digests vouch for what was written, not for who wrote it."""
    store = make(tmp_path / "store", rows(range(3)))
    commit(store, added=[Row(b"\7" * 16, row(9).vector, text)])
    memory = without_models(store)

    found = check(store.path, deep=True).differences

    assert [(one.problem.value, one.path[:6]) for one in found] == [("inconsistent", "pages/")]
    for look in (
        lambda: list(memory.examples()),
        lambda: memory.get("07" * 16),
        lambda: memory.find(match="x"),
    ):
        with pytest.raises(StoreDamagedError, match="a page holds a text that is not an example; find it with"):
            look()
    assert len(memory) == 4
    memory.forget("07" * 16)
    assert memory.verify(deep=True).ok


def test_what_an_earlier_version_let_in_is_still_read_and_reported(tmp_path: Path) -> None:
    text = '{"input":"e\u0301","output":"b","tags":["y","x"]}'.encode()
    store = make(
        tmp_path / "store", [Row(Example("a", "b").id(SETTINGS.seed), np.array([1, 2, -128], np.int8), text)]
    )
    memory = without_models(store)

    assert [one.tags for one in memory.examples()] == [("y", "x")]
    assert {one.detail for one in check(store.path).differences} == {
        "it holds a vector with a component of -128",
        f"example {Example('a', 'b').id(SETTINGS.seed).hex()[:32]} is not in canonical form",
    }
