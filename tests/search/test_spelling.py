"""Labels that are stripped, look alike, or were meant."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_icl.search.spelling import LookAlike, look_alikes, meant, slipped, stripped

WORDS = st.text(string.ascii_lowercase, min_size=6, max_size=12)
ENDS = st.text(" \t\n\r\u00a0\u2009\u3000\u200b\ufeff\u2060\u00ad\u200e", max_size=4)
LINES = st.text(st.characters(codec="utf-8"), max_size=12)


@given(before=ENDS, word=WORDS, after=ENDS)
def test_white_space_and_what_has_no_width_goes_from_the_ends(before: str, word: str, after: str) -> None:
    assert stripped(f"{before}{word}{after}") == word
    assert stripped(f"{word}{before} {after}{word}") == f"{word}{before} {after}{word}"


@given(LINES)
def test_stripping_again_changes_nothing(text: str) -> None:
    assert stripped(stripped(text)) == stripped(text)
    assert stripped(text) in text


@pytest.mark.parametrize(
    "text",
    [
        "  Roses are red\n  Violets are blue",
        "\u2764\ufe0f",  # a heart, and that it is to be shown in colours
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # a flag, by its tags
        "\u0d05\u0d35\u0d28\u0d4d\u200d",  # Malayalam: the joiner makes the last letter another one
        "\u0647\u200d",  # Arabic: the letter as it stands within a word
    ],
)
def test_what_is_seen_stays(text: str) -> None:
    assert stripped(text) == text


def test_nothing_may_be_left() -> None:
    assert stripped(" \u200b\ufeff ") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("travle", "travel"),
        ("travl", "travel"),
        ("travell", "travel"),
        ("travek", "travel"),
        ("card_arival", "card_arrival"),
        ("card-arrival", "card_arrival"),
        ("cardarrival", "card_arrival"),
        ("pri\u00e8re", "priere"),
        ("\u043f\u043e\u0435\u0437\u0434\u043a", "\u043f\u043e\u0435\u0437\u0434\u043a\u0430"),
    ],
)
def test_one_letter_of_a_word_is_a_slip(one: str, other: str) -> None:
    assert slipped(one, other)
    assert slipped(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "2"),
        ("a", "b"),
        ("cat", "car"),
        ("time", "timer"),
        ("plan_a", "plan_b"),
        ("vitamin a", "vitamin b"),
        ("type i", "type ii"),
        ("level 1", "level 2"),
        ("page10", "page11"),
        ("icd 50.1", "icd 50.2"),
        ("cooking", "booking"),
        ("moral", "amoral"),
        ("legal", "illegal"),
        ("inbound", "outbound"),
        ("positive", "negative"),
        ("<=50k", ">=50k"),
        ("support", "support!"),
        ("\u7b2c\u4e00\u4e8b\u4e1a\u90e8\u95e8", "\u7b2c\u4e8c\u4e8b\u4e1a\u90e8\u95e8"),  # departments 1 and 2
        ("travel", "travel"),
        ("", "a"),
    ],
)
def test_labels_that_are_both_meant_are_no_slips(one: str, other: str) -> None:
    assert not slipped(one, other)
    assert not slipped(other, one)


@given(WORDS, st.data())
def test_any_slip_after_the_first_letter_of_a_word_is_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 1))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    swapped = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    ways = [word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :], word[:at] + letter + word[at:]]
    new = data.draw(st.sampled_from([*ways, swapped]))
    assume(new != word)

    assert look_alikes({new: 1}, {word: 9, "something else": 9}) == [LookAlike(new, word, same=False)]


@pytest.mark.parametrize(
    ("new", "known"),
    [
        ("Travel", "travel"),
        ("TRAVEL", "travel"),
        ("\uff54\uff52\uff41\uff56\uff45\uff4c", "travel"),
        ("card  arrival", "card arrival"),
        ("tra\u00advel", "travel"),
        ("e\u2010mail", "e-mail"),
    ],
)
def test_labels_that_read_the_same_are_look_alikes(new: str, known: str) -> None:
    assert look_alikes({new: 1}, {known: 1, "food": 5}) == [LookAlike(new, known, same=True)]


def test_the_label_to_keep_is_a_known_one_then_the_most_frequent() -> None:
    assert look_alikes({"Travel": 9}, {"travel": 1}) == [LookAlike("Travel", "travel", same=True)]
    assert look_alikes({"Travel": 9, "travel": 2, "TRAVEL": 1}, {}) == [
        LookAlike("travel", "Travel", same=True),
        LookAlike("TRAVEL", "Travel", same=True),
    ]
    assert look_alikes({"Travel": 1, "travel": 1}, {}) == [LookAlike("Travel", "travel", same=True)]


def test_of_two_new_labels_the_rarer_one_is_the_slip_and_of_equals_none() -> None:
    assert look_alikes({"travel": 30, "travle": 1}, {}) == [LookAlike("travle", "travel", same=False)]
    assert look_alikes({"county": 20, "country": 20}, {}) == []
    assert look_alikes({"county": 20}, {"country": 1}) == [LookAlike("county", "country", same=False)]


def test_known_labels_are_not_named_again_and_many_new_ones_are_no_slips() -> None:
    assert look_alikes({}, {"Travel": 1, "travel": 1}) == []
    assert look_alikes({"food": 1}, {"Travel": 1, "travel": 1}) == []
    assert look_alikes({f"label number {n:04}": 1 for n in range(1001)} | {"Travel": 1}, {"travel": 1}) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("travle", ["travel"]),
        ("TRAVEL ", ["travel"]),
        ("travelling", ["travel"]),
        ("foo", ["food"]),
        ("zebra", []),
        ("", []),
    ],
)
def test_what_was_meant_is_told_where_it_can_be(text: str, found: list[str]) -> None:
    assert meant(text, ["food", "office", "travel"]) == found


def test_three_labels_are_named_at_most() -> None:
    assert len(meant("label", [f"label {n}" for n in range(9)])) == 3


SETS: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "data" / "label_sets.json").read_text())
"""The labels of eleven published sets, by the name of the set."""


def test_of_published_labels_hardly_any_is_taken_for_a_slip_of_another() -> None:
    found = {
        (label, alike.known)
        for labels in SETS.values()
        for label in labels
        for alike in look_alikes({label: 1}, dict.fromkeys({*labels} - {label}, 1))
    }

    assert sum(map(len, SETS.values())) == 1157
    assert found == {("Iceland", "Ireland"), ("Ireland", "Iceland")}


def slip(chance: random.Random, label: str) -> str:
    """Return a label with a letter left out, put in, or put in the place of another, or with two swapped."""
    at, letter = chance.randrange(len(label)), chance.choice(string.ascii_lowercase)
    return chance.choice(
        [
            label[:at] + label[at + 1 :],
            label[:at] + letter + label[at:],
            label[:at] + letter + label[at + 1 :],
            label[:at] + label[at + 1 : at + 2] + label[at : at + 1] + label[at + 2 :],
        ]
    )


@pytest.mark.parametrize(("name", "least"), [("Banking77", 0.68), ("CLINC150", 0.6), ("GoEmotions", 0.72)])
def test_most_slips_are_named_with_the_label_that_was_meant(name: str, least: float) -> None:
    chance, labels = random.Random(1), dict.fromkeys(SETS[name], 10)
    slips = [(label, new) for label in labels for _ in range(20) if (new := slip(chance, label)) not in labels]

    named = [
        label == found[0].known
        for label, new in slips
        if (found := look_alikes({new: 1}, labels)) and new.strip()
    ]

    assert len(named) >= least * len(slips)
    assert named.count(False) <= 0.01 * len(slips)
