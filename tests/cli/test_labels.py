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
def test_labels_that_read_the_same_are_named_below_the_list() -> None:
    run("fix", IDS["Printer paper"], "Travel")

    assert at_terminal("labels").err == (
        "edge-icl: Travel and travel differ in case only; to make them one: "
        "edge-icl labels --rename Travel travel\n"
    )
    assert run("labels").err == run("labels", "--json").err == ""


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


@pytest.mark.parametrize("line", ["labels --set on", "labels --set", "init --labels maybe"])
def test_a_wrong_setting_is_wrong_usage(bare_home: Path, line: str) -> None:
    with unchanged(bare_home):
        refused(run(*line.split()), "see edge-icl", code=2)
        refused(run("labels", "yes"), "labels takes no text, and yes is one", code=2)


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


@pytest.mark.usefixtures("bare_home")
def test_a_label_gets_another_name_in_one_step() -> None:
    ran = process("labels", "--rename", "travel", "trips")

    assert (ran.code, ran.out, ran.err) == (0, "renamed travel to trips in 3 examples\n", "")
    assert run("labels").out == "3\ttrips\n1\tfood\n1\toffice\n"
    assert run("verify", "--deep").code == 0


def test_a_label_that_was_renamed_and_renamed_back_leaves_every_byte(bare_home: Path) -> None:
    run("labels", "--rename", "food", "meals")
    run("labels", "--rename", "meals", "food")
    with unchanged(bare_home):
        run("labels", "--rename", "office", "stationery")
        run("labels", "--rename", "stationery", "office")


@pytest.mark.usefixtures("bare_home")
def test_what_a_renaming_prints_as_json_is_a_receipt(tmp_path: Path) -> None:
    ran = run("labels", "--rename", "travel", "trips", "--json")

    done = json.loads(ran.out)
    travel = {IDS[one] for one in ("Uber to the airport", "Uber to airport", "Train to Berlin")}
    assert (done["renamed"], done["duplicates"], set(done["ids"])) == (3, 0, travel)
    (tmp_path / "receipt").write_text(ran.out)
    assert run("verify", "--receipt", str(tmp_path / "receipt")).code == 0


def test_two_labels_become_one_only_where_the_user_says_so(bare_home: Path) -> None:
    words = ("labels", "--rename", "food", "travel")
    with unchanged(bare_home):
        refused(
            run(*words),
            "making one label of 1 example with food and 3 with travel must be confirmed",
            "give --yes",
        )
        asked = at_terminal(*words, typed="n\n")
        assert (asked.code, asked.out) == (1, "")
        assert asked.err.startswith(
            "make one label of 1 example with food and 3 with travel? Nothing can take it apart again. [y/N]: "
        )
        assert "it was not confirmed; nothing was renamed" in asked.err

    assert at_terminal(*words, typed="y\n").out == "renamed food to travel in 1 example\n"
    assert (
        run("labels", "--rename", "office", "travel", "--yes").out == "renamed office to travel in 1 example\n"
    )
    assert run("labels").out == "5\ttravel\n"


@pytest.mark.usefixtures("home")
def test_examples_that_become_the_same_are_one() -> None:
    run("add", "Ferry", "travel")
    run("add", "Ferry", "travle")

    ran = run("labels", "--rename", "travle", "travel", "--yes")

    assert ran.out == "renamed travle to travel in 1 example; 1 of them was there already\n"
    assert run("list", "--match", "Ferry").out.count("\n") == 1
    assert run("verify", "--deep").code == 0


def test_a_label_keeps_its_name_where_nothing_is_to_be_done_or_nothing_can(bare_home: Path) -> None:
    with unchanged(bare_home):
        assert run("labels", "--rename", "food", "food").out == "food stays as it is; nothing was changed\n"
        refused(
            run("labels", "--rename", "travle", "trips"),
            "no example has the output travle: nothing was renamed; did you mean travel?",
        )
        refused(run("labels", "--rename", "zebra", "x"), "`edge-icl labels` lists them")
        refused(run("labels", "--rename", "food", " \u200b"), "the new label is empty")
        for line in ("--rename food", "--rename food x --set yes", "--yes", "--rename"):
            refused(run("labels", *line.split()), "see edge-icl", code=2)


@pytest.mark.usefixtures("bare_home")
def test_a_new_name_is_stripped_and_what_cannot_be_seen_of_the_old_one_is_shown() -> None:
    run("fix", IDS["Printer paper"], "off\u200bice")

    ran = run("labels", "--rename", "off\u200bice", " paper\u00a0")

    assert ran.out == "renamed off\\u200bice to paper in 1 example\n"
    assert '{"label": "paper", "count": 1}' in run("labels", "--json").out


def test_labels_of_a_store_are_offered_while_the_command_is_typed(
    bare_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bare_home
    for typed, offers in (("--rename ", "food office travel"), ("--rename food t", "travel")):
        monkeypatch.setenv("_EDGE_ICL_COMPLETE", "bash_complete")
        monkeypatch.setenv("EDGE_ICL_LINE", f"edge-icl labels {typed}")
        monkeypatch.setenv("EDGE_ICL_WORD", typed.rpartition(" ")[2])
        assert process().out.replace("plain,", "").split() == offers.split()
