"""`edge-icl check`: how good the store is, and what to correct."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import at_terminal, process, refused, run, unchanged

ROWS = """input,output
Taxi to the airport,travel
Train ticket to Berlin,travel
Flight to Oslo,travel
Bus to the station,travel
Lunch with a client,meals
Dinner with the team,meals
Breakfast at the hotel,meals
Sandwich at noon,meals
Tram to the airport,meals
"""


@pytest.fixture
def store(models_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store "two words" with one wrong label."""
    monkeypatch.chdir(tmp_path)
    Path("taught.csv").write_text(ROWS)
    assert run("--store", "two words", "add", "--file", "taught.csv").code == 0
    return models_home / "stores" / "two words"


def check(*args: str) -> dict[str, object]:
    ran = run("--store", "two words", "--json", "check", *args)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def test_a_terminal_gets_tables_and_what_to_do_next(store: Path) -> None:
    with unchanged(store):
        ran = at_terminal("--store", "two words", "check")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("right: ")
    lines = ran.out.splitlines()
    assert " %, 95 % interval " in lines[0]
    assert lines[1].endswith(" of 9 examples, each left out and judged by all others")
    first = lines[lines.index("possibly mislabelled, the likeliest first") + 2]
    assert first.split()[1:3] == ["meals", "travel"]
    assert first.endswith("Tram to the airport")
    assert f"edge-icl --store 'two words' fix {first.split()[0]} travel" in lines
    assert max(map(len, lines)) <= 80


def test_what_it_advises_works_when_typed(store: Path) -> None:
    suspect = check()["suspects"][0]

    assert run("--store", "two words", "fix", suspect["id"][:8], suspect["likelier"]).code == 0
    assert "Tram to the airport" not in {one["input"] for one in check()["suspects"]}


def test_json_is_one_document_with_everything(store: Path) -> None:
    found = check()

    assert (found["examples"], found["tested"], len(found["interval"])) == (9, 9, 2)
    assert found["accuracy"] == pytest.approx(found["right"] / 9, abs=1e-6)
    assert set(found["suspects"][0]) == {
        "id",
        "input",
        "output",
        "likelier",
        "probability",
        "own_probability",
    }
    assert (found["duplicates"], found["contradictions"], found["held_out"]) == ([], [], None)
    assert process("--store", "two words", "check", "--json").out == f"{json.dumps(found)}\n"


def test_doubles_contradictions_and_lonely_labels_are_shown(store: Path) -> None:
    for pair in (("Flight  to Oslo", "travel"), ("Lunch with a  client", "travel"), ("Password reset", "it")):
        assert run("--store", "two words", "add", *pair).code == 0

    shown = run("--store", "two words", "check").out

    assert "the same input with different outputs: 2 examples" in shown
    assert "the same input and output more than once: 2 examples" in shown
    assert "1 label with one example; add more of each\nit\n" in shown


def test_inputs_that_the_encoder_cannot_read_are_shown(store: Path) -> None:
    assert run("--store", "two words", "add", "สวัสดีครับ ผมชื่อ", "meals").code == 0

    assert "1 input that the encoder cannot read" in run("--store", "two words", "check").out


def test_a_file_of_held_out_rows_is_tested(store: Path) -> None:
    rows = "text;label\nFerry to Oslo;travel\nTaxi to the airport;travel\nRent;flat\n"
    Path("held.csv").write_text(rows)
    named = ("--input-field", "text", "--output-field", "label")

    found = check("--file", "held.csv", *named)
    shown = run("--store", "two words", "check", "--file", "held.csv", *named).out

    assert (found["tested"], found["held_out"]["taught"], found["held_out"]["untaught"]) == (3, 1, ["flat"])
    assert " of 3 held-out rows\n" in shown
    assert "1 row not held out: the input is in the store" in shown
    assert "labels that no example has, always wrong: flat" in shown
    assert "\tRent\n" in shown


def test_held_out_rows_come_from_stdin_too(store: Path) -> None:
    row = json.dumps({"input": "Ferry to Oslo", "output": "travel"})

    ran = run("--store", "two words", "--json", "check", "--file", "-", stdin=row)

    assert json.loads(ran.out)["held_out"]["rows"] == 1


def test_a_bad_row_is_refused_or_skipped(store: Path) -> None:
    Path("held.jsonl").write_text('{"input": "Ferry to Oslo", "output": "travel"}\n{"input": "Rent"}\n')

    refused(run("--store", "two words", "check", "--file", "held.jsonl"), "has 1 bad row", "line 2")
    ran = run("--store", "two words", "check", "--file", "held.jsonl", "--skip-bad")
    assert (ran.code, "skipped line 2" in ran.err) == (0, True)


def test_free_text_has_no_accuracy(store: Path) -> None:
    assert run("--store", "two words", "labels", "--set", "no").code == 0

    assert run("--store", "two words", "check").out.startswith("no accuracy: the outputs are free text")
    assert check()["accuracy"] is None


def test_an_empty_store_has_nothing_to_check(models_home: Path) -> None:
    assert run("init").code == 0

    refused(run("check"), "the store holds no examples to check", "edge-icl add INPUT OUTPUT")
