"""An example is its canonical bytes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_icl import Example, InputError

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: not text.isspace()
)


@given(texts, texts, st.lists(texts, max_size=3), st.none() | texts)
def test_an_example_survives_its_canonical_bytes(
    first: str, second: str, tags: list[str], source: str | None
) -> None:
    example = Example.create(first, second, tags=tags, source=source)

    assert Example.from_canonical(example.canonical()) == example


@given(texts, texts, st.lists(texts, max_size=3))
def test_normal_forms_and_the_order_of_tags_make_no_difference(
    first: str, second: str, tags: list[str]
) -> None:
    one = Example.create(first, second, tags=tags)
    other = Example.create(
        unicodedata.normalize("NFD", first), unicodedata.normalize("NFD", second), tags=[*tags, *reversed(tags)]
    )

    assert one.id(bytes(32)) == other.id(bytes(32))


@given(st.lists(st.tuples(texts, texts, st.lists(texts, max_size=2), st.none() | texts), max_size=5))
def test_outputs_are_read_as_the_examples_are(
    said: list[tuple[str, str, list[str], str | None]],
) -> None:
    examples = [Example.create(one, other, tags=tags, source=source) for one, other, tags, source in said]

    found = Example.outputs_from_canonical(example.canonical() for example in examples)

    assert found == [example.output for example in examples]


OTHER_THAN_EXAMPLES = (
    b'{"input":"a"}',
    b'{"output":"b"}',
    b'{"input":1,"output":"b"}',
    b'{"input":"a","output":["b"]}',
    b'{"input":"a","output":"b","tags":"c"}',
    b'{"input":"a","output":"b","source":2}',
    b'{"input":"a","output":"\\u0000"}',
    b'{"input":"a","output":"b"},{"input":"c","output":"d"}',
    b'["input","output"]',
    b"[" * 100_000,
    b'{"input":"\xff","output":"b"}',
    b"",
)


@pytest.mark.parametrize("text", OTHER_THAN_EXAMPLES)
def test_outputs_are_read_of_nothing_else(text: bytes) -> None:
    right = Example.create("Uber", "travel").canonical()

    for read in (Example.outputs_from_canonical, Example.all_from_canonical):
        with pytest.raises(ValueError):  # noqa: PT011 - the page says what is damaged
            read([right, text, right])


def test_ids_are_the_documented_hash() -> None:
    example = Example.create("Uber to the airport", "travel", tags=["b", "a"], source="bank.csv")

    assert example.canonical() == (
        b'{"input":"Uber to the airport","output":"travel","source":"bank.csv","tags":["a","b"]}'
    )
    assert example.id(bytes(range(32))).hex() == "a92d95168d0f4d7cce0a017beeaa274e"


def test_ids_depend_on_the_seed() -> None:
    example = Example.create("a", "b")

    assert example.id(bytes(32)) != example.id(b"\1" + bytes(31))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("a\0b", "NUL"),
        ("a\ud800", "Unicode"),
        (None, "not text"),
        (3, "not text"),
    ],
)
def test_what_is_no_text_is_refused_with_the_field_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"the input .*{reason}"):
        Example.create(text, "b")
    with pytest.raises(InputError, match=f"the output .*{reason}"):
        Example.create("a", text)
