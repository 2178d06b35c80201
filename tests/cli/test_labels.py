"""The outputs of a store at the command line, and the setting that says whether they are labels."""

import json
from pathlib import Path

import pytest
from command import IDS, at_terminal, process, refused, run, unchanged

from edge_icl import Memory

pytest_plugins = ["cli_fixtures"]


def setting(*store: str) -> str:
    return json.loads(run(*store, "status", "--json").out)["labels_setting"]


@pytest.mark.usefixtures("bare_home")
def test_outputs_are_listed_the_most_frequent_first_then_by_text() -> None:
    found = [("travel", 3), ("food", 1), ("office", 1)]

    ran = process("labels")

    assert (ran.code, ran.out, ran.err) == (0, "".join(f"{count}\t{label}\n" for label, count in found), "")
    assert at_terminal("labels").out == (
        "count  label\n3      travel\n1      food\n1      office\n"
        "\nthe outputs are taken as labels (3 different outputs in 5 examples: they repeat)\n"
    )
    assert [json.loads(line) for line in run("labels", "--json").out.splitlines()] == [
        {"label": label, "count": count} for label, count in found
    ]


@pytest.mark.usefixtures("bare_home")
def test_what_is_forgotten_is_no_longer_listed() -> None:
    run("forget", IDS["Sandwich at noon"], "--yes")
    assert run("labels").out == "3\ttravel\n1\toffice\n"
    run("forget", "--all", "--yes")
    empty = run("labels")

    assert (empty.code, empty.out, empty.err) == (0, "", "edge-icl: the store is empty\n")
    assert (run("labels", "--json").out, run("labels", "--json").err) == ("", "")


@pytest.mark.usefixtures("bare_home")
def test_an_output_of_several_lines_stays_one_row_and_cannot_command_the_terminal() -> None:
    run("fix", IDS["Printer paper"], "two\nlines\tand \x1b[31m red")

    assert "1\ttwo lines and \x1b[31m red\n" in run("labels").out
    assert "\x1b" not in at_terminal("labels").out
    assert {"label": "two\nlines\tand \x1b[31m red", "count": 1} in [
        json.loads(line) for line in run("labels", "--json").out.splitlines()
    ]


def test_the_setting_is_made_shown_and_taken_back_to_the_byte(bare_home: Path) -> None:
    with unchanged(bare_home):
        assert setting() == "auto"
        assert "\noutputs    taken as labels (" in run("status").out
        made = run("labels", "--set", "yes")
        assert (made.code, made.out, made.err) == (
            0,
            "labels is now yes (an answer is one of the outputs)\n",
            "",
        )
        assert setting() == "yes"
        assert "\noutputs    taken as labels (the store's setting says yes: " in run("status").out
        assert run("verify", "--deep").code == 0
        with unchanged(bare_home):
            again = run("labels", "--set", "yes")
        assert (again.code, again.err) == (0, "")
        assert again.out == ("labels is already yes (an answer is one of the outputs); nothing was changed\n")
        assert run("labels", "--set", "no").out == "labels is now no (an answer is written)\n"
        assert run("labels", "--set", "auto").out == "labels is now auto (what the outputs show decides)\n"


@pytest.mark.usefixtures("bare_home")
def test_the_setting_as_json_tells_whether_it_changed_and_the_root() -> None:
    first, second = (json.loads(run("labels", "--set", "no", "--json").out) for _ in range(2))

    root = json.loads(run("status", "--json").out)["root"]
    assert first == {"labels_setting": "no", "changed": True, "root": root}
    assert second == {"labels_setting": "no", "changed": False, "root": root}


@pytest.mark.usefixtures("bare_home")
def test_other_changes_keep_the_setting() -> None:
    run("labels", "--set", "no")

    run("fix", IDS["Printer paper"], "food")
    run("forget", IDS["Sandwich at noon"], "--yes")

    assert setting() == "no"
    assert run("verify", "--deep").code == 0


def test_a_store_is_made_with_the_setting(models_home: Path) -> None:
    made = json.loads(run("--store", "one", "init", "--labels", "yes", "--seed", "ab" * 32, "--json").out)
    run("--store", "other", "init", "--seed", "ab" * 32)
    changed = json.loads(run("--store", "other", "labels", "--set", "yes", "--json").out)

    assert made["labels_setting"] == setting("--store", "one") == "yes"
    assert changed["root"] == made["root"]
    with Memory.open("one") as memory:
        assert memory.labels_setting == "yes"


@pytest.mark.parametrize("line", ["labels --set on", "labels --set", "init --labels maybe", "labels yes"])
def test_a_wrong_setting_is_wrong_usage(bare_home: Path, line: str) -> None:
    with unchanged(bare_home):
        refused(run(*line.split()), "see edge-icl", code=2)


def test_where_there_is_no_store_none_is_made(own_home: Path) -> None:
    for words in ((), ("--set", "yes")):
        refused(run("--store", "none", "labels", *words), "there is no store at")
    assert not (own_home / "stores").exists()


@pytest.mark.usefixtures("bare_home")
def test_status_names_the_most_frequent_labels_with_their_counts() -> None:
    assert "\nlabels     travel 3, food 1, office 1\n" in run("status").out
    assert json.loads(run("status", "--json").out)["labels"] == {"travel": 3, "food": 1, "office": 1}

    run("labels", "--set", "no")

    assert "\nlabels" not in run("status").out
    assert json.loads(run("status", "--json").out)["labels"] is None


def test_of_many_labels_status_says_which_command_lists_the_rest(models_home: Path) -> None:
    assert models_home.is_dir()
    file = models_home / "many.jsonl"
    rows = [{"input": f"{i} of {label}", "output": f"label {label}"} for i in range(2) for label in range(10)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("--store", "many", "add", "--file", str(file))

    text = run("--store", "many", "status").out

    assert " label 7 2 and 2 more: edge-icl --store many labels\n" in text
