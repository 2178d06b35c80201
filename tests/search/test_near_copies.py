"""Near copies: what an encoder reads is compared by vectors, what it does not read letter by letter."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import SHARED
from stores import SETTINGS, make

from edge_icl.example import Example
from edge_icl.search.near_copies import Asked, Likeness, near_copies
from edge_icl.search.scripts import Sight
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ALIKE = np.array([70, 60, 10], np.int8)
"""The vector of every text here: an encoder that reads none of them."""

ENGLISH = Likeness(Sight(("en",), 256), 0.9)
SIGNATURE = "Calls are answered on weekdays; at night please write to the address on our door. " * 12
"""What mails share: longer than an encoder surely reads."""

Found = "Callable[[str, Iterable[str]], set[str]]"


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What returns which of some inputs are near copies of a text, if vectors see no difference."""
    folder = tmp_path_factory.mktemp("stores")
    made = 0

    def copies(text: str, inputs: Iterable[str], likeness: Likeness = ENGLISH) -> set[str]:
        nonlocal made
        made += 1
        examples = [Example.create(one, "x") for one in inputs]
        rows = {one.id(SETTINGS.seed): Row(one.id(SETTINGS.seed), ALIKE, one.canonical()) for one in examples}
        asked = Asked(ALIKE[None], [text])
        store = make(folder / f"{made}", rows.values())
        return {one.input for one in store.read(lambda snapshot: near_copies(snapshot, asked, likeness))}

    return copies


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("\U0001f600", "\U0001f621"),
        ("Great \U0001f600", "Great \U0001f621"),
        ("\u9910\u5385", "\u5a5a\u793c"),
        ("A train to \u6771\u4eac", "A train to \u4eac\u90fd"),
        ("รถไฟไปเชียงใหม่", "อาหารเย็นกับเพื่อน"),
        ("Поезд в Казань", "Ужин для друга"),
        ("Поезд в Казань " * 40, "Ужин для друга " * 8 + "Поезд в Казань " * 40),
        (f"{SIGNATURE}The lamp is broken", f"{SIGNATURE}Where is my parcel"),
        (f"{SIGNATURE}Please refund", f"{SIGNATURE}Please cancel"),
        (f"\u0e23\u0e16\u0e44\u0e1f. {SIGNATURE}Please refund", f"Good morning! {SIGNATURE}Please refund"),
        (f"Good morning! {SIGNATURE[:503]}.", f"\u0e23\u0e16 {SIGNATURE[:503]}."),
        (f"Good morning! {SIGNATURE}Please refund", f"\u0e23\u0e16\u0e44\u0e1f. {SIGNATURE}Please refund"),
    ],
)
def test_unlike_texts_are_no_near_copies_though_their_vectors_are_the_same(
    copies: Found, text: str, other: str
) -> None:
    assert copies(text, [text, other]) == {text}


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("A taxi to the station", "To the station by cab"),
        ("Thanks for the very quick reply \U0001f64f", "Thanks for your quick reply"),
        ("Kaffee und Kuchen für alle", "Für alle: Kaffee und Kuchen"),
        ("\U0001f600", "\U0001f600!!"),
        ("\u2764\ufe0f", "\u2764"),
        ("\U0001f44d\U0001f3fd ok", "\U0001f44d\U0001f3fd fine"),
        ("\u6771\u4eac\u3078", "\u6771\u4eac\u3078\u3002"),
        ("A train to \u6771\u4eac", "By train to \u6771\u4eac"),
        ("รถไฟไปเชียงใหม่", "รถไฟ ไปเชียงใหม่ "),
        ("Поезд в Казань завтра утром", "поезд в казань завтра утрем"),
        (f"{SIGNATURE}The lamp is broken", f"{SIGNATURE}the lamp, is broken."),
        (f"{SIGNATURE}The lamp is broken", f"{SIGNATURE}The lamb is broken"),
        (f"Dear Anna, {SIGNATURE}The lamp is broken", f"Good morning! {SIGNATURE}The lamp is broken"),
    ],
)
def test_texts_that_are_nearly_the_same_are_near_copies(copies: Found, text: str, other: str) -> None:
    assert copies(text, [other]) == {other}
    assert copies(other, [text]) == {text}


def test_an_encoder_for_the_language_is_believed(copies: Found) -> None:
    text, other = "Поезд в Казань", "Поездом до Казани"

    assert copies(text, [other]) == set()
    assert copies(text, [other], Likeness(Sight(("en", "ru"), 256), 0.9)) == {other}


def test_where_nothing_is_read_vectors_are_not_asked(tmp_path: Path) -> None:
    inputs = [
        "\u0e23\u0e16\u0e44\u0e1f",
        "\u0e23\u0e16 \u0e44\u0e1f!",
        "taxi \u0e23\u0e16\u0e44\u0e1f",
        "\U0001f355",
        "Pizza!",
    ]
    examples = [Example.create(input, "x") for input in inputs]
    rows = [Row(one.id(SETTINGS.seed), ALIKE, one.canonical()) for one in examples]
    asked = Asked(np.array([[-70, 60, 10]], np.int8), inputs[:1])
    found = make(tmp_path / "five", rows).read(lambda snapshot: near_copies(snapshot, asked, ENGLISH))

    assert {one.input for one in found} == {*inputs[:2]}


@pytest.mark.parametrize("text", ["Pizza!", "A train to \u6771\u4eac", f"{SIGNATURE}The lamp is broken"])
def test_else_vectors_must_be_alike_too(text: str, tmp_path: Path) -> None:
    example = Example.create(text, "x")
    store = make(tmp_path / "one", [Row(example.id(SETTINGS.seed), ALIKE, example.canonical())])
    asked = Asked(np.array([[-70, 60, 10]], np.int8), [example.input])

    assert store.read(lambda snapshot: near_copies(snapshot, asked, ENGLISH)) == []


LETTERS = "\u0e01\u0e02\u0e04"
lines = st.text(LETTERS, min_size=1, max_size=45)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """A text that an encoder for English does not read, and one that differs from it in one place."""
    text = draw(lines)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(start + 5, len(text))))
    return text, text[:start] + draw(st.text(LETTERS, max_size=5)) + text[end:] or text


def differ_little(one: str, other: str) -> bool:
    """Tell the same as the docs do, from every place where two texts may differ."""
    most = min(3, len(one) // 10, len(other) // 10)
    return any(
        one[:start] == other[:start] and one[start + gone :] == other[start + new :]
        for start in range(len(one) + 1)
        for gone in range(most + 1)
        for new in range(most + 1)
    )


def test_three_letters_may_differ_wherever_they_stand_and_a_fourth_may_not(copies: Found) -> None:
    text = "".join(chr(0x0E01 + i % 29) for i in range(60))
    other = text.translate({ord(a): ord(b) for a, b in pairwise(text[:30])})
    three = {text[:i] + other[i : i + 3] + text[i + 3 :] for i in range(58)}
    four = {text[:i] + other[i : i + 4] + text[i + 4 :] for i in range(57)}
    fewer = {text[:i] + text[i + 3 :] for i in range(58)}

    assert copies(text, three | four | fewer) == three | fewer


@given(st.lists(edited(), min_size=1, max_size=4))
def test_one_place_may_differ_by_three_letters_and_a_tenth(copies: Found, pairs: list[tuple[str, str]]) -> None:
    inputs = {text for pair in pairs for text in pair}
    text = pairs[0][0]

    assert copies(text, inputs) == {one for one in inputs if differ_little(text, one)}


@pytest.mark.parametrize("name", ["cjk_emoji.jsonl", "long_prefix.jsonl", "thai.csv"])
def test_no_case_of_users_is_a_near_copy_of_another(copies: Found, name: str) -> None:
    path = SHARED / "cases" / name
    if not path.exists():
        pytest.skip(f"needs {path}")
    rows = path.read_text().splitlines()
    inputs = (
        [json.loads(row)["input"] for row in rows]
        if name.endswith("l")
        else [r.split(",")[0] for r in rows[1:]]
    )

    assert [copies(one, inputs) for one in inputs] == [{one} for one in inputs]
