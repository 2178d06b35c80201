"""Every text can come from stdin, so that none must stand on a command line, which a shell keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from campaigns import later
from command import IDS, at_terminal, refused, run, unchanged

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
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_an_input_or_an_output_may_come_from_stdin(end: str) -> None:
    typed = json.loads(run("--json", "add", "Ferry to Rhodes", "travel").out)["ids"]

    assert json.loads(run("--json", "add", "-", "travel", stdin=f"Ferry to Rhodes{end}").out)["ids"] == typed
    assert json.loads(run("--json", "add", "Ferry to Rhodes", "-", stdin=f"travel{end}").out)["ids"] == typed
    refused(run("add", "-", "-", stdin="x"), "two texts cannot both", "edge-icl add - OUTPUT", code=2)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "text", ["Taxi\ndowntown", '{"taxi": 1}', *map(later, ["Taxi downtown", '"Taxi", he said', "{"])]
)
def test_the_whole_of_stdin_is_one_question(text: str) -> None:
    asked = run("ask", "-", stdin=f"{text}\n")

    assert asked.code == 0
    assert asked == run("ask", text)


def test_rows_from_stdin_are_a_file(home: Path) -> None:
    row = '{"input": "Ferry to Rhodes", "output": "travel"}'

    with unchanged(home):
        refused(run("add", "-", stdin=row), "edge-icl add --file -", code=2)
        refused(run("add", "-", "--tag", "x", stdin=row), "edge-icl add --tag x --file -", code=2)
        refused(run("ask", "-", stdin=f"{row}\n{row}\n"), "JSON lines", "edge-icl ask --file -")
        refused(run("ask", "-", "--format", "txt"), "edge-icl ask --format txt --file -", code=2)
    assert run("add", "--file", "-", stdin=row).code == 0
    assert "Ferry to Rhodes" in run("list").out
    typed = run("ask", "Taxi downtown").out
    assert run("ask", "--file", "-", "--format", "txt", stdin="Taxi downtown\nTaxi downtown\n").out == typed * 2


WAITING = {
    "add - travel": "type the input",
    "add Taxi -": "type the output",
    "add --file -": "type a row a line",
    "ask -": "type the question",
    "ask --file -": "type a row a line",
    "search -": "type the text",
    "fix ID -": "type the output",
    "forget --match - --dry-run": "type the text",
    "forget --like - --dry-run": "type the text",
    "check --file -": "type a row a line",
    "--store new init --task -": "type the task",
    "--store new import -": "type a row a line",
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("line", WAITING)
def test_at_a_terminal_a_command_says_what_it_waits_for(line: str) -> None:
    typed = "Sandwich at noon\n"
    if "--file" in line or "import" in line:
        typed = '{"input": "Ferry to Rhodes", "output": "travel"}\n'
    words = line.replace("ID", IDS["Printer paper"]).split()

    ran = at_terminal(*words, typed=typed)

    assert ran.code == 0, ran.err
    end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
    assert ran.err.startswith(f"edge-icl: {WAITING[line]}, then Enter and {end}\n"), ran.err
    assert "type " not in run(*words, stdin=typed).err, "a pipe needs no telling"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "words", [("search", "-"), ("forget", "--match", "-"), ("forget", "--like", "-"), ("init", "--task", "-")]
)
def test_a_text_from_stdin_that_is_none_is_refused(words: tuple[str, ...], own_home: Path) -> None:
    refused(run("--store", "other", *words, stdin="\n"), "stdin holds no text")
    refused(run("--store", "other", *words, stdin=b"\xff\xfe"), "stdin is not UTF-8")
