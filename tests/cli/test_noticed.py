"""Nothing changes its meaning silently: labels that look alike, contradictions, and what was taught twice."""

import json
import shlex
from pathlib import Path

import pytest
from command import IDS, at_terminal, refused, run, unchanged

pytest_plugins = ["cli_fixtures"]

PAPER = IDS["Printer paper"]


def rows(*pairs: tuple[str, str]) -> str:
    return "".join(json.dumps({"input": one, "output": other}) + "\n" for one, other in pairs)


def labels(*store: str) -> dict[str, int]:
    lines = map(json.loads, run(*store, "labels", "--json").out.splitlines())
    return {one["label"]: one["count"] for one in lines}


def type_in(told: str, *, answer: str = "y\n") -> None:
    """Type the command that a note ends with, at a terminal."""
    words = shlex.split(told[told.rindex("edge-icl ") :])
    assert at_terminal(*words[1:], typed=answer).code == 0


@pytest.mark.usefixtures("home")
def test_a_slip_is_named_with_the_command_that_corrects_it() -> None:
    ran = run("add", "Ferry", "travle")

    id = ran.out.split()[1]
    assert ran.out == f"added {id}\n"
    assert ran.err == (
        f"edge-icl: travle is a new label, a letter from travel; did you mean travel? "
        f"edge-icl fix {id[:8]} travel\n"
    )
    type_in(ran.err)
    assert labels() == {"travel": 4, "food": 1, "office": 1}


@pytest.mark.usefixtures("home")
def test_labels_that_differ_in_case_only_are_named_once_with_the_command_that_makes_them_one() -> None:
    ran = run("add", "Ferry", "Travel")
    again = run("add", "Ship", "Travel")

    assert ran.err == (
        "edge-icl: Travel and travel differ in case only; to make them one: "
        "edge-icl labels --rename Travel travel\n"
    )
    assert again.err == ""
    type_in(ran.err)
    assert labels() == {"travel": 5, "food": 1, "office": 1}


@pytest.mark.usefixtures("home")
def test_what_cannot_be_typed_is_corrected_by_its_id() -> None:
    ran = run(
        "--store",
        "default",
        "add",
        "--file",
        "-",
        stdin=rows(("Ferry", "tra\u200bvel"), ("Ship", "tra\u200bvel")),
    )

    assert "tra\\u200bvel and travel read the same; did you mean travel? edge-icl fix " in ran.err
    assert ran.err.endswith(" travel, and so for 1 more\n")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("label", ["hotel", "ravel", "foot", "office 2", "travel"])
def test_a_label_that_looks_like_no_other_is_taken_without_a_word(label: str) -> None:
    assert run("add", "Ferry", label).err == ""


@pytest.mark.usefixtures("home")
def test_a_label_that_begins_with_a_dash_can_be_typed_as_it_is_told() -> None:
    run("add", "--", "Refund", "-negative")
    for new in ("-negatve", "-Negative"):
        told = run("add", "--", f"Refund {new}", new).err
        type_in(told)
    assert labels() == {"travel": 3, "-negative": 3, "food": 1, "office": 1}


@pytest.mark.usefixtures("home")
def test_free_texts_are_not_compared() -> None:
    run("labels", "--set", "no")

    assert run("add", "Ferry", "Travel").err == ""
    assert "look_alikes" not in run("add", "Ship", "travle", "--json").out


@pytest.mark.usefixtures("home")
def test_of_a_file_each_look_alike_is_named_and_all_are_in_the_json() -> None:
    some = rows(
        *((f"Trip {n}", "travel") for n in range(6)),
        ("Ferry", "travle"),
        ("Ship", "TRAVEL"),
        ("Pens", "ofice"),
        ("Pencils", "ofice"),
        ("Bread", "Food"),
    )
    ran = run("--store", "new", "add", "--file", "-", stdin=some)

    assert ran.out == "added 11 examples\n"
    assert ran.err.splitlines()[0].startswith("edge-icl: travle is a new label, a letter from travel; did you")
    assert ran.err.splitlines()[1] == (
        "edge-icl: TRAVEL and travel differ in case only; to make them one: "
        "edge-icl --store new labels --rename TRAVEL travel"
    )
    ran = run("add", "--file", "-", "--json", stdin=some)
    assert json.loads(ran.out)["look_alikes"] == [
        {"label": "travle", "like": "travel", "reads_the_same": False},
        {"label": "TRAVEL", "like": "travel", "reads_the_same": True},
        {"label": "ofice", "like": "office", "reads_the_same": False},
        {"label": "Food", "like": "food", "reads_the_same": True},
    ]
    assert ran.err == ""


@pytest.mark.usefixtures("home")
def test_after_three_look_alikes_the_others_are_counted() -> None:
    told = run(
        "add",
        "--file",
        "-",
        stdin=rows(*((f"Trip {n}", "travel"[:n].upper() + "travel"[n:]) for n in (1, 2, 3, 4))),
    )

    assert told.err.count("differ in case only") == 3
    assert told.err.splitlines()[-1] == (
        "edge-icl: 1 more new label looks like another one; `edge-icl labels` lists them all"
    )


@pytest.mark.usefixtures("home")
def test_white_space_that_made_two_labels_is_told_with_the_label() -> None:
    first = run(
        "--store",
        "new",
        "add",
        "--file",
        "-",
        stdin=rows(("Bus", "travel"), ("Tram", "travel\u00a0"), ("Tea", " food")),
    )
    later = run(
        "--store",
        "new",
        "add",
        "--file",
        "-",
        "--json",
        stdin=rows(("Cake", "food\u200b"), ("Taxi", "travel ")),
    )

    told, made = first.err.splitlines()
    assert told == "edge-icl: white space around 2 outputs was left out, which made 2 labels one: travel"
    assert made.startswith("edge-icl: made the store new in ")
    assert (json.loads(later.out)["stripped"], json.loads(later.out)["made_one"]) == (2, ["food", "travel"])
    several = run("--store", "new", "add", "--file", "-", stdin=rows(("Rice", "food "), ("Boat", "\ttravel")))
    assert several.err.endswith("was left out, which made 2 labels of 4: food, travel\n")
    assert labels("--store", "new") == {"travel": 4, "food": 3}


def test_an_output_of_nothing_that_is_seen_is_a_bad_row_with_its_line(home: Path) -> None:
    with unchanged(home):
        refused(
            run("add", "--file", "-", stdin=rows(("Bus", "travel"), ("Tram", "\u200b"))),
            "line 2: the output is empty",
        )
        refused(run("add", "Tram", "\ufeff "), "the output is empty")


@pytest.mark.usefixtures("home")
def test_what_came_again_and_what_contradicts_is_counted_in_the_line_of_the_file() -> None:
    some = rows(
        ("Printer paper", "office"), ("Ferry", "travel"), ("Ferry", "travel"), ("Sandwich at noon", "travel")
    )

    ran = run("add", "--file", "-", stdin=some)

    assert ran.out == "added 2 examples; 1 was there already; 1 came again; 1 input has different outputs\n"
    assert ran.err.startswith(
        "edge-icl: Sandwich at noon is already taught as food; to correct that: edge-icl fix "
    )
    type_in(ran.err)


@pytest.mark.usefixtures("home")
def test_a_file_that_contradicts_itself_says_so_once_an_input() -> None:
    some = rows(("Ferry", "travel"), ("ferry  ", "food"), ("Ferry", "food"), ("Ferry", "office"))

    ran = run("add", "--file", "-", stdin=some)

    assert ran.out == "added 4 examples; 1 input has different outputs\n"
    told = "edge-icl: Ferry is taught as travel and as food and as office; to have travel alone: edge-icl fix "
    assert ran.err.startswith(told)
    assert ran.err.count("\n") == 1
    type_in(ran.err)
    found = json.loads(run("add", "--file", "-", "--json", stdin=some).out)
    assert {one["output"] for one in found["contradictions"]} == {"travel", "food", "office"}


def test_strict_labels_refuse_a_file_with_a_new_label_whole(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(rows(("Ferry", "travel"), ("Ship", "travle"), ("Zoo", "leisure")))

    with unchanged(home):
        refused(
            run("add", "--file", str(file), "--strict-labels"),
            f"{file} has 2 bad rows (line 2: travle is no label of the store (did you mean travel?); "
            "line 3: leisure is no label of the store)",
            "without --strict-labels new labels are taken",
        )
        refused(
            run("add", "Ship", "travle", "--strict-labels"),
            "travle is no label of the store (did you mean travel?); "
            "leave out --strict-labels to take it as a new one",
        )
    ran = run("add", "--file", str(file), "--strict-labels", "--skip-bad")
    assert ran.out == "added 1 example\n"
    assert "skipped line 2: travle is no label of the store" in ran.err
    assert run("add", "Ship", " travel ", "--strict-labels").code == 0


def test_strict_labels_make_no_store(own_home: Path) -> None:
    refused(run("--store", "none", "add", "Ferry", "travel", "--strict-labels"), "there is no store at")
    assert not (own_home / "stores").exists()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fix", PAPER, "ofice "), "edge-icl: ofice is a new label, a letter from office; did you mean"),
        (("fix", PAPER, "Food"), "edge-icl: Food and food differ in case only; to make them one: "),
        (("labels", "--rename", "office", "Food"), "edge-icl: Food and food differ in case only; to make"),
        (("labels", "--rename", "office", "travell"), "edge-icl: travell is a new label, a letter from travel"),
    ],
)
def test_other_ways_to_teach_a_label_name_a_look_alike_too(words: tuple[str, ...], told: str) -> None:
    run("add", "Pens", "office")

    ran = run(*words)

    assert ran.code == 0
    assert ran.err.splitlines()[-1].startswith(told)
    type_in(ran.err)
    assert set(labels()) <= {"travel", "food", "office"}


def test_a_correction_is_stripped_too_and_that_is_said(bare_home: Path) -> None:
    assert bare_home
    ran = run("fix", PAPER, "\u00a0food ")

    assert ran.err == "edge-icl: white space around the output was left out\n"
    assert labels() == {"travel": 3, "food": 2}
