"""`edge-icl check --encoder`: whether another encoder would be better, and the command that makes the store."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from command import process, refused, run, unchanged
from small_encoders import FIRST, JOINED, SECOND, imported_encoders, small_encoders

from edge_icl import Example, Memory, Vector
from edge_icl.answer import in_turn

__all__ = ["imported_encoders", "small_encoders"]

LABELS = {"animal": ("cat", "dog", "mat"), "travel": ("taxi", "to", "airport"), "money": ("pay", "my", "card")}
EXAMPLES = [
    Example.create(" ".join((some[n % 3], some[n // 3 % 3], some[n // 9])), label)
    for label, some in LABELS.items()
    for n in range(0, 27, 2)
]


@pytest.fixture
def home(small_encoders: Path) -> Path:
    """A home with a store "two words", whose vectors say nothing, and a store "good"."""
    for name in ("two words", "good"):
        with Memory.create(name, seed=bytes(32), encoder=FIRST) as memory:
            one = Vector(memory.settings.encoder_digest, bytes([1] * memory.settings.dimension))
            memory.add_many(EXAMPLES, vectors=[one] * len(EXAMPLES) if name == "two words" else None)
    return small_encoders


def check(store: str, *args: str) -> list[str]:
    ran = run("--store", store, "check", *args)
    assert (ran.code, ran.err) == (0, "")
    return ran.out.splitlines()


def test_it_says_in_a_line_what_is_gained_and_the_command_works(home: Path) -> None:
    with unchanged(home):
        lines = check("two words", "--encoder", SECOND)
        found = json.loads(process("--store", "two words", "check", "--encoder", SECOND, "--json").out)

    other = found["other_encoder"]
    right, own, gain, *ends = (
        100 * share
        for share in (other["accuracy"], other["own_accuracy"], other["difference"], *other["interval"])
    )
    assert lines[2] == (
        f"with encoder second: {right:.1f} % right instead of {own:.1f} % (of the same 42 examples; "
        f"{gain:+.1f}, 95 % interval {ends[0]:+.1f} to {ends[1]:+.1f})"
    )
    said, _, command = lines[3].partition(": ")
    assert (said, command) == (
        "a store with it",
        "edge-icl --store 'two words' reencode --encoder second --into 'two words-second'",
    )
    assert (other["name"], other["examples"]) == (SECOND, 42)
    assert run(*shlex.split(command)[1:]).code == 0
    again = check("two words-second", "--encoder", FIRST)
    assert again[0].startswith(f"right: {right:.1f} %, ")
    assert not [line for line in again if "reencode" in line]


def test_a_name_that_is_taken_is_not_advised(home: Path) -> None:
    run("--store", "two words-second", "init", "--encoder", FIRST)

    line = check("two words", "--encoder", SECOND)[3]

    assert line.endswith("--into 'two words-second-2'")
    assert (
        f"--into '{home}/stores/two words-second-2'"
        in check(f"{home}/stores/two words/", "--encoder", SECOND)[3]
    )


@pytest.mark.usefixtures("home")
def test_where_nothing_is_sure_nothing_is_advised() -> None:
    lines = check("good", "--encoder", SECOND)

    assert lines[2].startswith("with encoder second: ")
    assert not [line for line in lines if "reencode" in line]
    assert lines[2].endswith(": may be chance)")


@pytest.mark.usefixtures("home")
def test_of_a_sample_it_says_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "MOST_COMPARED", 20)

    assert "(of the same 20 examples, a random sample; " in check("two words", "--encoder", SECOND)[2]


@pytest.mark.usefixtures("home")
def test_unasked_it_says_how_to_compare_and_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run("--store", "two words", "check")

    told, _, command = ran.err.strip().rpartition(": ")
    assert told == "edge-icl: to compare the store's encoder with another one that is here (joined, second)"
    assert command == "edge-icl --store 'two words' check --encoder joined"
    assert run(*shlex.split(command)[1:]).code == 0
    assert run("--store", "two words", "check", "--json").err == ""
    monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)
    assert run("--store", "two words", "check").code == 0


@pytest.mark.usefixtures("home")
def test_a_part_of_the_stores_own_encoder_is_not_advised(tmp_path: Path) -> None:
    run("--store", "two words", "reencode", "--encoder", JOINED, "--into", "both")

    assert run("--store", "both", "check").err == ""


@pytest.mark.usefixtures("home")
def test_of_free_text_nothing_is_compared() -> None:
    run("--store", "good", "labels", "--set", "no")

    ran = run("--store", "good", "check", "--encoder", SECOND)

    assert (ran.code, ran.err) == (0, "edge-icl: the encoder second was not compared: there is no accuracy\n")
    assert run("--store", "good", "check").err == ""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--encoder first", 1, "was made with the encoder first already"),
        ("--encoder nowhere", 1, "add it with `edge-icl models import nowhere FILE`"),
        ("--encoder multilingual-e5-small", 1, "fetch it once: edge-icl models fetch multilingual-e5-small"),
        ("--encoder second --file rows.csv", 2, "--encoder does not go with --file"),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_sentence(words: str, code: int, said: str) -> None:
    refused(run("--store", "good", "check", *words.split()), said, code=code)
