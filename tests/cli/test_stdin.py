"""Every text can come from stdin, so that none must stand on a command line, which a shell keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import IDS, refused, run

pytest_plugins = ["cli_fixtures"]

FILTERS = ("--match", "--like")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_text_to_search_for_may_come_from_stdin(end: str) -> None:
    piped = run("--json", "search", "-", stdin=f"Uber to the airport{end}")

    assert piped.code == 0
    assert piped == run("--json", "search", "Uber to the airport")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("option", FILTERS)
def test_what_to_forget_may_come_from_stdin(option: str) -> None:
    piped = run("--json", "forget", option, "-", "--dry-run", stdin="Printer paper\n")

    assert piped == run("--json", "forget", option, "Printer paper", "--dry-run")
    assert [one["id"] for one in json.loads(piped.out)["examples"]] == [IDS["Printer paper"]]
    assert run("forget", option, "-", "--yes", stdin="Printer paper\n").code == 0
    assert "Printer paper" not in run("list").out


@pytest.mark.usefixtures("models_home")
def test_a_task_may_come_from_stdin() -> None:
    made = run("--json", "init", "--task", "-", stdin="Name the kind of expense\nin one word\n")

    assert json.loads(made.out)["task"] == "Name the kind of expense\nin one word"


@pytest.mark.usefixtures("home")
def test_an_example_and_a_question_may_come_from_stdin() -> None:
    assert run("add", "-", stdin='{"input": "Ferry to Rhodes", "output": "travel"}').code == 0
    assert "Ferry to Rhodes" in run("list").out
    typed = run("ask", "Taxi downtown")
    assert run("ask", "-", "--format", "txt", stdin="Taxi downtown").out == typed.out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "words", [("search", "-"), ("forget", "--match", "-"), ("forget", "--like", "-"), ("init", "--task", "-")]
)
def test_a_text_from_stdin_that_is_none_is_refused(words: tuple[str, ...], own_home: Path) -> None:
    refused(run("--store", "other", *words, stdin="\n"), "stdin holds no text")
    refused(run("--store", "other", *words, stdin=b"\xff\xfe"), "stdin is not UTF-8")
