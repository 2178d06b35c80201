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
