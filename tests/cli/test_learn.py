"""`edge-icl learn`: what a user sees and types, and what the store holds after it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command import IDS, Ran, at_terminal, run, unchanged
from terminal import Terminal

from edge_icl import Memory
from edge_icl.cli import tables

pytest_plugins = ["cli_fixtures"]

ROWS = [
    {"input": "Taxi downtown", "output": "wrong-one"},
    {"input": "Uber  to the airport", "output": "travel"},
    {"input": "Cab downtown", "output": "travel"},
    {"input": "Taxi  downtown", "output": "travel"},
    {"input": "A ball-point pen", "output": "office"},
]
"""The second is taught, the fourth comes again."""


Start = Callable[..., Terminal]


def learn(*args: str, typed: str) -> Ran:
    """Run `learn` at a terminal, without the language model."""
    return at_terminal("learn", "--ask-model", "never", *args, typed=typed)


def outputs(store: str = "default") -> dict[str, str]:
    """What a store holds: input -> output."""
    lines = run("--store", store, "list", "--json").out.splitlines()
    return {row["input"]: row["output"] for row in map(json.loads, lines)}


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """A file of ROWS, and a row without a question."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, {"text": "no question"}]))
    return str(path)


@pytest.fixture
def texts(home: Path) -> Path:
    """A home whose store has free text."""
    run("forget", "--all", "--yes")
    with Memory.open() as memory:
        for i in range(12):
            memory.add(f"How do I reset part {i}?", f"Hold the button number {i} until the light is green.")
    return home


@pytest.mark.usefixtures("home")
def test_enter_teaches_the_answer_that_is_shown() -> None:
    ran = learn("--tag", "new", "--source", "me", typed="Train to Paris\n\nq\n")

    assert ran.code == 0
    assert "answer: travel\n" in ran.out
    assert "taught 1 example (1 confirmed), skipped 0; 1 of 1 answer right (100 %)\n" in ran.out
    (row,) = [json.loads(line) for line in run("list", "--json", "--tag", "new").out.splitlines()]
    assert (row["input"], row["output"], row["tags"], row["source"]) == (
        "Train to Paris",
        "travel",
        ["new"],
        "me",
    )


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("said", "taught"),
    [
        ("food", "food"),
        ("fo", "food"),
        ("FOOD", "food"),
        ("2", None),
        ("fodo\ny", "food"),
        ("hotel\ny", "hotel"),
        ('"fo"\ny', "fo"),
        ('"food"', "food"),
        ("\\\\q\ny", "\\q"),
    ],
)
def test_another_label_corrects(said: str, taught: str | None) -> None:
    ran = learn(typed=f"Train to Paris\n{said}\nq\n")

    assert outputs()["Train to Paris"] == (taught or ran.out.split(" 2 ")[1].split()[0]) != "travel"
    assert "taught 1 example (1 corrected), skipped 0; 0 of 1 answer right (0 %)\n" in ran.out


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("hotel\n\n", "the labels of the store are travel, food, office\n"),
        ("hotel\nn\n", "teach hotel as a new label? [y/N]"),
        ("fodo\nn\nn\n", "did you mean food? [y/N]"),
        ("s\n", "skipped 1"),
        ("?\ns\n", IDS["Train to Berlin"][:8]),
        ("u\ns\n", "there is nothing to take back"),
        ("\\x\ns\n", "there is no command \\x"),
        ('""\ns\n', "the output is empty"),
        ("q\n", "taught 0 examples, skipped 0\n"),
        ("", "taught 0 examples, skipped 0\n"),
    ],
)
def test_what_is_no_answer_changes_nothing(home: Path, said: str, shown: str) -> None:
    with unchanged(home):
        ran = learn(typed=f"Train to Paris\n{said}")

    assert ran.code == 0
    assert shown in ran.out + ran.err


@pytest.mark.usefixtures("home")
def test_a_beginning_of_two_labels_is_none() -> None:
    run("add", "Fair of crafts", "folklore")

    ran = learn(typed="Train to Paris\nfo\nfol\nq\n")

    assert "fo is the beginning of folklore, food" in ran.err or "fo is the beginning of food, folk" in ran.err
    assert outputs()["Train to Paris"] == "folklore"


@pytest.mark.parametrize("said", ["", "food", "hotel\ny", "?\n2"])
def test_what_was_taught_last_is_taken_back_to_the_last_byte(home: Path, said: str) -> None:
    run("forget", run("add", "Something else", "food").out.split()[1], "--yes")  # it has made the lock's file
    with unchanged(home):
        ran = learn(typed=f"Train to Paris\n{said}\nu\nq\n")

    assert "taken back: Train to Paris\n" in ran.out
    assert "taught 0 examples, skipped 0\n" in ran.out


@pytest.mark.usefixtures("home")
def test_each_further_one_takes_back_the_one_before_and_none_that_was_there() -> None:
    before = outputs()

    ran = learn(typed="Train to Paris\n\nA pencil\noff\nu\nu\nu\nu\nq\n")

    assert outputs() == before
    assert ran.out.count("taken back: ") == 2
    assert "there is nothing to take back" in ran.err


def test_a_question_that_was_taught_is_corrected_only_after_a_yes_and_that_can_be_taken_back(
    home: Path,
) -> None:
    question = "Printer  paper"
    run("fix", IDS["Printer paper"], "office")
    with unchanged(home):
        ran = learn(typed=f"{question}\n\n{question}\nfood\nn\nq\n{question}\nfood\ny\nu\nq\n")
        again = learn(typed=f"{question}\nfood\ny\nu\nq\n")
    assert "it is taught already\n" in ran.out
    assert "it was taught with office; put food in its place? [y/N]" in ran.out
    assert "taken back: Printer paper\n" in again.out

    learn(typed=f"{question}\nfood\ny\nq\n")

    assert outputs()["Printer paper"] == "food"


@pytest.mark.usefixtures("home")
def test_labels_that_are_letters_and_numbers_are_meant_before_commands() -> None:
    for i, label in enumerate(("s", "q", "1", "2", "s", "q", "1", "2")):
        run("--store", "letters", "add", f"Case {i} of {label * 5}", label)

    ran = at_terminal(
        *("learn", "--ask-model", "never", "--store", "letters"),
        typed="Case nine\nq\nCase ten\n1\nCase eleven\n\\s\n\\q\n",
    )

    assert "\\s skip, \\q end" in ran.out
    assert "or its number" not in ran.out
    taught = outputs("letters")
    assert (taught["Case nine"], taught["Case ten"]) == ("q", "1")
    assert "Case eleven" not in taught


@pytest.mark.usefixtures("home")
def test_an_empty_store_learns_from_the_first_answer() -> None:
    ran = at_terminal(
        *("learn", "--ask-model", "never", "--store", "new"),
        typed="Taxi\n\ntravel\nTrain\n\nq\n",
    )

    assert "a new store is made with your first answer: new" in ran.err
    assert "there is no answer to confirm: type one" in ran.err
    assert outputs("new") == {"Taxi": "travel", "Train": "travel"}
    assert "taught 2 examples (1 confirmed), skipped 0; 1 of 1 answer right (100 %)\n" in ran.out


@pytest.mark.usefixtures("texts")
def test_free_text_is_taught_as_it_is_typed() -> None:
    question = "How do I reset part 77?"

    ran = at_terminal("learn", typed=f"{question}\nq\nn\nTurn it off.\n{question} Now?\nu\ny\nq\n")

    assert "\\u undo, \\s skip, \\q end" in ran.out
    assert "\\q is the command; teach the text q as the answer? [y/N]" in ran.out
    taught = outputs()
    assert (taught[question], taught[f"{question} Now?"]) == ("Turn it off.", "u")


@pytest.mark.usefixtures("home")
def test_a_file_is_asked_but_for_what_is_taught_and_its_outputs_are_not_looked_at(rows: str) -> None:
    ran = learn("--file", rows, typed="\n" * 20)

    assert "passed over line 6: there is no field input (it has text)\n" in ran.err
    assert "passed over 1 question that is taught already\n" in ran.err
    assert "passed over 1 question that comes again\n" in ran.err
    assert "question 1, 2 more left\n" in ran.out
    assert "wrong-one" not in ran.out
    assert set(outputs()) >= {"Taxi  downtown", "Cab downtown", "A ball-point pen"} or set(outputs()) >= {
        "Taxi downtown",
        "Cab downtown",
        "A ball-point pen",
    }
    assert "taught 3 examples" in ran.out


@pytest.mark.usefixtures("home")
def test_the_outputs_of_a_file_are_shown_when_they_are_asked_for(rows: str) -> None:
    ran = learn("--file", rows, "--output-field", "output", typed="s\ns\ns\n")

    assert ran.out.count("  the file says: ") == 3


@pytest.mark.usefixtures("home")
def test_a_question_that_is_taken_back_comes_again_and_a_skipped_one_does_not(rows: str) -> None:
    ran = learn("--file", rows, typed="\nu\ns\ns\ns\ns\n")

    assert "taught 0 examples, skipped 3\n" in ran.out
    assert ran.out.count("\nquestion ") == 4 + 1


@pytest.mark.usefixtures("home")
def test_what_is_like_a_skipped_question_comes_later(tmp_path: Path) -> None:
    rows = ["Ferry to the island", "Cab to the hotel", "Cab to the hotel!", "cab to the hotel."]
    (tmp_path / "rows.txt").write_text("\n".join(rows))

    ran = learn("--file", str(tmp_path / "rows.txt"), typed="s\ns\ns\ns\n")

    asked = [line.strip() for line in ran.out.splitlines() if line.strip() in rows]
    assert asked[0] != rows[0] == asked[1]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("args", "stdin", "code"),
    [((), "Taxi\n", 1), (("--json",), "", 1), (("--format", "csv"), "", 2), (("--output-field", "x"), "", 2)],
)
def test_without_a_terminal_it_says_what_to_use(args: tuple[str, ...], stdin: str, code: int) -> None:
    ran = run("learn", *args, stdin=stdin)

    assert (ran.code, ran.out) == (code, "")
    assert code == 2 or all(words in ran.err for words in ("needs a terminal", "edge-icl ask --file F"))
    assert at_terminal("learn", "--json").code == 1


@pytest.mark.usefixtures("home")
def test_a_file_without_new_questions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taught.txt").write_text("Printer paper\n")

    ran = at_terminal("learn", "--file", str(tmp_path / "taught.txt"))

    assert ran.code == 1
    assert "holds no question that is not taught yet" in ran.err


LONG = "Where is the parcel that was sent on Monday, and why does nothing happen? " * 60
WIDE = "火锅和烤鸭在哪里可以买到" * 40
LINES = "\n".join(f"line {i}" for i in range(60))
HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202eback" * 20


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("text", [LONG, WIDE, LINES, HOSTILE, "x" * 3000])
def test_question_answer_and_prompt_fit_a_screen_of_80_by_24(tmp_path: Path, text: str) -> None:
    long_label = text[:900]
    with Memory.open() as memory:
        for i in range(6):
            memory.add(f"Complaint {i}", long_label)
            memory.add(f"Praise {i}", f"{long_label} {i % 2}")
    (tmp_path / "q.jsonl").write_text(json.dumps({"input": f"Complaint about {text}", "output": text}))

    ran = learn("--file", str(tmp_path / "q.jsonl"), "--output-field", "output", typed="s\n")

    screen = ran.out.split("\n> ")[0].split("\n")
    assert max(map(tables.width, screen)) <= 80, ran.out
    assert len(screen) < 24
    assert "Complaint about" in ran.out
    assert "answer: " in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


terminals = pytest.mark.skipif(os.name != "posix", reason="Windows has no pseudo terminals")


@pytest.fixture
def terminal(home: Path) -> Start:
    """What starts `learn` at a real terminal, without the language model."""
    return lambda *args, **size: Terminal("learn", "--ask-model", "never", *args, **size)


@terminals
def test_a_session_at_a_real_terminal(terminal: Start) -> None:
    running = terminal()
    running.wait("question> ")

    asked = running.say("Train to Paris")
    assert "answer: travel\r\n" in asked
    assert "taught " in running.say("tr")
    assert "taken back: Train to Paris" in running.say("u")
    running.say("")
    running.type("\x04")
    code, shown = running.end()

    assert code == 0
    assert "taught 1 example (1 confirmed), skipped 0; 1 of 1 answer right (100 %)" in shown
    assert outputs()["Train to Paris"] == "travel"


@terminals
def test_tab_completes_a_label(terminal: Start) -> None:
    running = terminal()
    running.wait()
    running.say("Train to Paris")
    running.type("of\t\r")
    running.wait("taught")
    running.type("q\r")

    assert running.end()[0] == 0
    assert outputs()["Train to Paris"] == "office"


@terminals
@pytest.mark.parametrize("keys", ["", "\r", "hotel\r"])
def test_ctrl_c_ends_with_a_summary_and_keeps_what_was_taught(terminal: Start, keys: str) -> None:
    running = terminal()
    running.wait()
    running.say("Train to Paris", "food", "Train to Rome")
    running.type(keys)
    if keys:
        running.wait()
    running.type("\x03")
    code, shown = running.end()

    assert code == 130
    assert "skipped 0" in shown
    assert "interrupted" in shown
    assert outputs()["Train to Paris"] == "food"
    assert ("Train to Rome" in outputs()) == (keys == "\r")
    assert run("verify", "--deep").code == 0


@terminals
def test_what_was_typed_before_an_answer_is_shown_does_not_confirm_it(
    terminal: Start,
) -> None:
    running = terminal()
    running.wait()
    running.type("Train to Paris\r")
    running.until("question 1")
    running.type("\r\r")  # while it loads the encoder
    running.wait("answer: ")
    running.type("q\r")
    running.end()

    assert "Train to Paris" not in outputs()


@terminals
@pytest.mark.parametrize("bracketed", [True, False])
def test_lines_that_are_pasted_are_one_text(terminal: Start, *, bracketed: bool) -> None:
    running = terminal()
    running.wait()
    paste = "Dear all,\rthe train to Paris\ris late."
    running.type(f"\x1b[200~{paste}\x1b[201~\r" if bracketed else f"{paste}\r")
    running.wait("answer: ")
    running.say("tr")
    running.type("q\r")
    running.end()

    assert outputs()["Dear all,\nthe train to Paris\nis late."] == "travel"


@terminals
def test_a_resized_terminal_gets_lines_of_its_width(terminal: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    running = terminal(columns=100)
    running.wait()
    wide = running.say("word " * 30)
    running.resize(24, 40)
    running.say("s")
    narrow = running.say("word " * 30).split("\r\nquestion ")[1]
    running.type("q\r")
    running.end()

    assert max(map(len, wide.split("\r\nquestion ")[1].split("\r\n"))) > 80
    assert max(map(len, narrow.split("\r\n"))) <= 40
    assert "\x1b" not in narrow
