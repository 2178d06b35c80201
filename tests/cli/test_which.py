"""--match, --output, --source and --tag: which examples `list`, `export` and `forget` are about."""

import json
from pathlib import Path

import pytest
from command import IDS, at_terminal, refused, run, unchanged

pytest_plugins = ["cli_fixtures"]

AIRPORT = {"Uber to the airport", "Uber to airport"}
TRAVEL = AIRPORT | {"Train to Berlin"}
EVERY = TRAVEL | {"Sandwich at noon", "Printer paper"}

CASES = [
    ("", EVERY),
    ("--output travel", TRAVEL),
    ("--match AIRPORT", AIRPORT),
    ("--match office", {"Printer paper"}),
    ("--tag 2026", {"Uber to the airport", "Sandwich at noon"}),
    ("--output travel --tag 2026", {"Uber to the airport"}),
    ("--output travel --match uber --source old.csv", {"Uber to airport"}),
    ("--output food --match uber", set()),
]


def inputs(out: str) -> set[str]:
    return {json.loads(line)["input"] for line in out.splitlines()}


@pytest.mark.usefixtures("bare_home")
@pytest.mark.parametrize(("filters", "found"), CASES)
def test_list_and_export_take_those_that_fit_every_filter(
    tmp_path: Path, filters: str, found: set[str]
) -> None:
    words = filters.split()

    assert inputs(run("list", *words, "--json").out) == found
    assert {line.split("\t")[2] for line in run("list", *words).out.splitlines()} == found
    assert inputs(run("export", *words).out) == found
    told = run("export", *words, "--file", str(tmp_path / "some.csv"))
    assert told.out.startswith(f"wrote {len(found)} example")


@pytest.mark.usefixtures("bare_home")
@pytest.mark.parametrize(("filters", "found"), [case for case in CASES[1:] if case[1]])
def test_forget_takes_those_that_fit_every_filter_and_leaves_the_others(filters: str, found: set[str]) -> None:
    words = filters.split()
    plan = json.loads(run("forget", *words, "--dry-run", "--json").out)
    assert {one["input"] for one in plan["examples"]} == found

    assert json.loads(run("forget", *words, "--yes", "--json").out)["forgotten"] == len(found)

    assert inputs(run("list", "--json").out) == EVERY - found
    assert run("verify", "--deep").code == 0


def test_of_a_label_that_no_example_has_the_right_one_is_named(bare_home: Path, tmp_path: Path) -> None:
    with unchanged(bare_home):
        refused(
            run("forget", "--output", "travle", "--yes"),
            "no example has the output travle: nothing was forgotten; did you mean travel?",
        )
        refused(
            run("export", "--output", "Travel", "--file", str(tmp_path / "x.csv")),
            "no example has the output Travel: nothing was written",
            "did you mean travel?",
        )
        refused(run("export", "--output", "x.csv"), "a file is named with --file; `edge-icl labels` lists them")
        listed = run("list", "--output", "trvel")
    assert (listed.code, listed.out) == (0, "")
    assert listed.err == "edge-icl: no example has the output trvel; did you mean travel?\n"
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.usefixtures("bare_home")
def test_a_label_that_another_filter_leaves_nothing_of_is_not_called_unknown() -> None:
    assert run("list", "--output", "food", "--match", "uber").err == "edge-icl: no example fits\n"
    refused(run("forget", "--output", "food", "--match", "uber", "--yes"), "no example fits")


@pytest.mark.parametrize("command", ["list", "export", "forget"])
@pytest.mark.parametrize("option", ["--match", "--output"])
@pytest.mark.parametrize("text", ["", " ", "\u00a0"])
def test_an_empty_text_is_refused_in_a_sentence(bare_home: Path, command: str, option: str, text: str) -> None:
    with unchanged(bare_home):
        refused(run(command, option, text), f"the text is empty; give {option} the text that you mean")


@pytest.mark.usefixtures("bare_home")
def test_a_text_may_come_from_stdin() -> None:
    assert inputs(run("list", "--output", "-", "--json", stdin="travel\n").out) == TRAVEL
    assert inputs(run("export", "--match", "-", stdin="Airport\n").out) == AIRPORT


@pytest.mark.usefixtures("bare_home")
def test_a_terminal_shows_the_short_ids_of_the_whole_store() -> None:
    listed = at_terminal("list", "--output", "office").out.splitlines()

    assert [line.split()[0] for line in listed[1:]] == [IDS["Printer paper"][:8]]
