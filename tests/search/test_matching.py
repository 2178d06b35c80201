"""A text is found as a person reads it: whatever white space, invisible characters, case and width it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from command import at_terminal, refused, run
from handles import without_models
from hypothesis import given
from hypothesis import strategies as st
from repository import SHARED
from stores import SETTINGS, make, tree

from edge_icl import Example, InputError
from edge_icl.display.unseen import visible
from edge_icl.mcp.arguments import DryRunArguments
from edge_icl.mcp.changing import forget_dry_run
from edge_icl.mcp.desk import Desk
from edge_icl.search.matching import Pattern, fold
from edge_icl.store.pages import Row

if TYPE_CHECKING:
    from edge_icl import Memory

WHITE = [" ", "  ", "\u00a0", "\n", "\r\n", "\t", "\u2028", "\u3000", "\u2009", " \u00a0 "]
UNSEEN = [
    "\u200b",
    "\u200c",
    "\u200d",
    "\u00ad",
    "\ufeff",
    "\u2060",
    "\u202e",
    "\u2066",
    "\ufe0f",
    "\u034f",
    "\U000e0101",
]
SAME = {
    "plain": "mail for Zoe Ward today",
    "no-break space": "mail for Zoe\u00a0Ward today",
    "line break": "mail for Zoe\nWard",
    "two spaces": "Zoe  Ward called",
    "zero-width space between": "mail for Zoe\u200bWard",
    "soft hyphen within": "mail for Zoe Wa\u00adrd",
    "zero-width space within": "mail for Z\u200boe Ward",
    "both": "mail for Z\u200boe\u200bWard",
    "capitals": "ZOE WARD",
    "full width": "\uff3a\uff4f\uff45\u3000\uff37\uff41\uff52\uff44 called",
    "genitive": "Zoe Ward\u2019s car",
    "direction": "\u202aZoe Ward\u202c",
    "mathematical": "\U0001d419\U0001d428\U0001d41e Ward",
}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
words = st.text(st.sampled_from("abcxyzABCäöüßéЖжΩω019'-.(*\\文字カ"), min_size=1, max_size=5)


@given(texts)
def test_to_fold_a_text_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(texts, texts, texts)
def test_a_text_is_found_wherever_it_stands_or_nothing_of_it_can_be_seen(
    before: str, text: str, after: str
) -> None:
    try:
        pattern = Pattern(text)
    except InputError:
        assert not fold(text)
        return

    assert pattern.within(text)
    assert pattern.within("", f"{before} {text} {after}")


def widened(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@given(st.lists(words, min_size=1, max_size=4), st.data())
def test_a_text_is_found_whatever_is_changed_in_it_that_no_reader_sees(
    some: list[str], data: st.DataObject
) -> None:
    changed = data.draw(st.sampled_from(["", *UNSEEN]))
    for word in some:
        turned = data.draw(st.sampled_from([str, str.upper, str.lower, str.swapcase, widened]))(word)
        hidden = data.draw(
            st.lists(st.sampled_from(["", "", *UNSEEN]), min_size=len(turned), max_size=len(turned))
        )
        changed += "".join(a + b for a, b in zip(turned, hidden, strict=True))
        changed += data.draw(st.sampled_from([*WHITE, *UNSEEN]))

    assert Pattern(" ".join(some)).within(f"something before{changed}something after")
    assert Pattern(changed).within(" ".join(some))


@pytest.mark.parametrize("name", SAME)
def test_a_name_is_found_in_all_its_forms_and_in_no_other_name(name: str) -> None:
    assert Pattern("Zoe Ward").within(SAME[name])
    assert Pattern(SAME[name]).within(SAME[name])
    for other in (
        "Zoeward",
        "Zoe Wart",
        "Zo\u00eb Ward",
        "ZoeWard",
        "Zoe-Ward",
        "Ward Zoe",
        "Zoe, Ward",
        "Zoe \u200b",
    ):
        assert not Pattern("Zoe Ward").within(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O'Brien", "O\u2019Brien"),
        ("Anna-Lena", "Anna\u2011Lena"),
        ("3-4", "3\u20134"),
        ('"so"', "\u201cso\u201d"),
        ("Stra\u00dfe", "STRASSE"),
        ("fi", "\ufb01"),
        ("Andr\u00e9", "Andre\u0301"),
        ("Andr\u00e9", "Andre\u200b\u0301"),
        ("Andre", "An\x7fdre"),
        ("\u30ab\u30bf", "\uff76\uff80"),
    ],
)
def test_other_characters_for_the_same_are_the_same(one: str, other: str) -> None:
    assert Pattern(one).within(f"x {other} y")
    assert Pattern(other).within(f"x {one} y")


@pytest.mark.parametrize("text", ["\u200b", "\u00ad\ufeff", "\u200b \n\u2066", "\ufe0f"])
def test_a_text_of_which_nothing_can_be_seen_is_refused_and_never_matches_all(text: str) -> None:
    with pytest.raises(InputError, match="nothing of the text can be seen; give a word that the examples hold"):
        Pattern(text)


def test_what_cannot_be_seen_is_shown_as_escapes_and_nothing_else_is() -> None:
    assert visible("a b\u00e9\u6587 \uff21") == "a b\u00e9\u6587 \uff21"
    assert visible("a\u00a0b\u200bc\nd\te  f\U000e0101") == r"a\u00a0b\u200bc\nd\te \u0020f\U000e0101"


def holding(path: Path, inputs: list[str]) -> Memory:
    """Return a store with these inputs."""
    rows = []
    for i, text in enumerate(inputs):
        example = Example.create(text, f"output {i}")
        rows.append(Row(example.id(SETTINGS.seed), np.array([i, 1, 2], np.int8), example.canonical()))
    return without_models(make(path, rows))


def test_the_library_finds_all_forms_and_tags_and_sources_to_the_letter(tmp_path: Path) -> None:
    memory = holding(tmp_path / "store", [*SAME.values(), "Zo\u00eb Ward", "nobody"])

    assert {one.input for one in memory.find(match="zoe ward")} == {*SAME.values()}
    assert memory.find(tag="zoe\u00a0ward") == memory.find(source="output  1") == []
    with pytest.raises(InputError):
        memory.find(match="\u200b")


FORGET = ["Zoe Ward", "ZOE WARD", "Zoe\u00a0Ward", "Zo\u200be\nWard", "somebody else"]
NOTE = (
    "2 of them hold the text only as a person reads them; "
    r"what cannot be seen there is shown as \u00a0 and the like"
)


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The path of a store with names in several forms."""
    return str(holding(tmp_path / "store", FORGET).path)


def test_a_dry_run_says_which_match_only_folded_and_shows_what_cannot_be_seen(store: str) -> None:
    ran = run("--store", store, "forget", "--match", "zoe ward", "--dry-run")
    fields = json.loads(run("--store", store, "forget", "--match", "zoe ward", "--dry-run", "--json").out)

    assert {line.split("\t")[2] for line in ran.out.splitlines()} == {
        "Zoe Ward", "ZOE WARD", r"Zoe\u00a0Ward", r"Zo\u200be\nWard",
    }  # fmt: skip
    assert ran.err == f"edge-icl: 4 examples would be forgotten; nothing was changed\nedge-icl: {NOTE}\n"
    assert {one["input"]: one.get("only_folded") for one in fields["examples"]} == {
        "Zoe Ward": None, "ZOE WARD": None, "Zoe\u00a0Ward": True, "Zo\u200be\nWard": True,
    }  # fmt: skip


def test_a_user_who_is_asked_sees_it_and_so_does_one_who_said_yes_before(store: str) -> None:
    asked = at_terminal("--store", store, "forget", "--match", "zoe ward", typed="n\n")
    done = run("--store", store, "forget", "--match", "zoe ward", "--yes", "--no-similar")

    assert f"edge-icl: {NOTE}\nforget 4 examples? [y/N]" in asked.err
    assert r"Zo\u200be\nWard" in asked.err
    assert done.out.splitlines()[0] == "forgot 4 examples"
    assert r"Zo\u200be\nWard" in done.out
    assert done.err == f"edge-icl: {NOTE}\n"
    assert run("--store", store, "list").out.split("\t")[2] == "somebody else\n"


def test_of_many_those_that_match_only_folded_are_shown_first(tmp_path: Path) -> None:
    path = holding(tmp_path / "store", [*(f"Zoe Ward {i}" for i in range(40)), "Zoe\u200bWard"]).path

    asked = at_terminal("--store", str(path), "forget", "--match", "zoe ward", typed="n\n")

    assert r"Zoe\u200bWard" in asked.err.splitlines()[0]
    assert "edge-icl: 1 of them holds the text only as a person reads it; what" in asked.err


def test_a_match_of_nothing_that_can_be_seen_forgets_nothing(store: str) -> None:
    before = tree(Path(store))

    refused(run("--store", store, "forget", "--match", "\u200b", "--yes"), "nothing of the text can be seen")
    assert tree(Path(store)) == before


def test_an_assistant_is_told_which_match_only_folded(tmp_path: Path) -> None:
    memory = holding(tmp_path / "store", FORGET)
    desk = Desk(lambda *, create: memory, "edge-icl")

    plan = forget_dry_run(desk, DryRunArguments(match="zoe ward"))
    plain = forget_dry_run(desk, DryRunArguments(match="somebody"))

    only = sorted(one.id for one in plan.fields.examples if one.only_folded)
    assert len(only) == 2
    said = "only with white space, invisible characters or letter forms read over do these hold the text: "
    assert f"\n{said}{', '.join(only)}\n" in plan.text
    assert said not in plain.text


NAMES = SHARED / "cases" / "names.jsonl"


@pytest.mark.skipif(not NAMES.exists(), reason="needs the cases beside the repository")
def test_one_name_in_nine_forms_is_found_nine_times(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in NAMES.read_text(encoding="utf-8").splitlines()]

    assert len(rows) == 9
    memory = holding(tmp_path / "store", [row["input"] for row in rows])
    assert len(memory.find(match="Anna Berg")) == 9
