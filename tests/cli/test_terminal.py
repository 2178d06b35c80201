"""What a terminal would obey or hide, every command shows escaped; piped it stays, and JSON keeps its value."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from command import at_terminal, refused, run
from hypothesis import example, given
from hypothesis import strategies as st
from stores import make
from test_shells import examples as tagged

from edge_icl import Example
from edge_icl.cli import tables
from edge_icl.display.unseen import shown

pytest_plugins = ["cli_fixtures"]

HOSTILE = (
    "\x1b[31m", "\x1b]0;title\x07", "\x08", "\x7f", "\x9b31m", "\x85", "\u00ad", "\u200b", "\u200e", "\u202e",
    "\u2066", "\u2028", "\u2029", "\u2060", "\ufeff", "\u3164", "\ue000", "\U000e0041", "\U000e0100", "\u200d",
    "\ufe0f", "\ufff9", "\u0378",
)  # fmt: skip
TEXT = "".join(f"a{one}b" for one in HOSTILE)
HONEST = (
    "👩‍🔬 ❤️ 👍🏽‍ 🏳️‍🌈".replace("🏽‍ ", "🏽 "),
    "می‌خواهم",
    "क्‍ष",
    "葛󠄀城",
    "10 €",
    "Grüße, 火锅",
)
"""Emoji that are joined, Persian, Hindi, a form of a Han character, a no-break space."""


def hidden(text: str) -> list[str]:
    """Return what a terminal must not get."""
    return [
        c for c in text if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}
    ]


@pytest.fixture
def hostile(home: Path) -> str:
    """A store with one example whose every text is hostile; its id."""
    row = {"input": TEXT, "output": TEXT, "tags": [TEXT], "source": TEXT}
    assert run("add", "--file", "-", stdin=json.dumps(row)).code == 0
    return Example.create(TEXT, TEXT, tags=[TEXT], source=TEXT).id(bytes(32)).hex()


COMMANDS = (
    "list",
    "-v list",
    "list --json",
    "show ID",
    "show --json ID",
    "search TEXT",
    "search TEXT --json",
    "export",
    "export --format csv",
    "export --format messages",
    "ask TEXT --explain",
    "ask TEXT --json --explain",
    "forget --match TEXT --dry-run",
    "forget --tag TEXT --dry-run",
    "forget --source TEXT",
    "forget ID",
    "status",
    "status --json",
    "verify",
    "doctor",
    "models list",
    "show TEXT",
    "list --tag zzTEXT",
    "--store /tmp/TEXT/x list",
    "add --file TEXT",
    "add --file TEXT.csv",
    "verify --receipt TEXT",
    "ask --grammar TEXT x",
    "ask --model TEXT x",
    "models path TEXT",
    "models fetch TEXT",
    "models import TEXT x",
    "nonsenseTEXT",
    "list --limit TEXT",
    "init --encoder TEXT --store new",
    "completion TEXT",
    "forget TEXT --yes",
    "-v show TEXT",
    "fix TEXT travel",
    "forget ID --yes",
    "forget --match TEXT --yes",
    "fix ID xTEXT",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_shows_a_terminal_what_it_would_obey_or_hide(home: Path, hostile: str, command: str) -> None:
    store = home / "stores" / f"x{TEXT}"
    make(store, tagged(TEXT))
    words = [word.replace("TEXT", TEXT).replace("ID", hostile) for word in command.split()]

    ran = at_terminal(*words)

    assert hidden(ran.out) == [], ran.out
    assert hidden(ran.err.replace("\r", "")) == [], ran.err  # a bar is drawn anew from the left
    for line in ran.out.splitlines() if "--json" in words else ():
        json.loads(line)


@pytest.mark.parametrize("command", ["list --json", "show ID --json", "export"])
def test_json_has_the_value_whatever_it_escapes(hostile: str, command: str) -> None:
    lines = run(*command.replace("ID", hostile).split()).out.splitlines()

    assert TEXT in [json.loads(line)["input"] for line in lines]
    assert [c for line in lines for c in hidden(line)] == []


def test_what_is_piped_stays_as_it_is(hostile: str) -> None:
    assert TEXT in run("show", hostile).out
    assert TEXT.replace("\u2028", " ").replace("\u2029", " ").replace("\x85", " ") in run("list").out
    assert "\x1b[31m" in run("export", "--format", "csv").out
    assert "\x1b[31m" in run("show", "\x1b[31m").err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("text", HONEST)
def test_honest_writing_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text
    for cut in range(len(text)):  # nor does it matter in which pieces a model writes it
        ran = _streamed(text[:cut], text[cut:])
        assert ran == f"{text}\n"


def _streamed(*pieces: str) -> str:
    """What a terminal shows of pieces."""
    from command import Screen

    from edge_icl.cli.output import Output

    screen = Screen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", screen)
        output = Output()
        for piece in pieces:
            output.piece(piece)
        output.line()
    return screen.getvalue()


@given(st.lists(st.text()))
@example(["a\u200d", "\u200db"])
@example(["\u200d"])
def test_pieces_hide_nothing_and_lose_nothing(pieces: list[str]) -> None:
    text = "".join(pieces)
    plain = "".join(c for c in text if c.isascii() and c.isprintable())

    told = _streamed(*pieces)

    assert not [c for c in hidden(told) if c not in tables.JOINERS]
    assert "".join(c for c in plain if c not in told) == ""


@given(st.text(), st.text())
def test_a_document_has_its_value_whatever_is_escaped_in_it(name: str, text: str) -> None:
    document = json.dumps({name: [text]}, ensure_ascii=False)

    assert json.loads(tables.json_printable(document)) == {name: [text]}


def test_a_text_of_several_lines_looks_like_no_other_fact(home: Path) -> None:
    run("add", "--file", "-", stdin=json.dumps({"input": "a\noutput  fake", "output": "b"}))
    key = Example.create("a\noutput  fake", "b").id(bytes(32)).hex()

    assert not [line for line in at_terminal("show", key).out.splitlines() if line == "output  fake"]


@pytest.mark.usefixtures("home")
def test_hidden_texts_in_variation_selectors_are_seen() -> None:
    """A known way to put a text behind one emoji."""
    assert shown("😀" + "\ufe0f\ufe0e\ufe0f") != "😀\ufe0f\ufe0e\ufe0f"
    assert len(shown("😀" + "".join(map(chr, range(0xE0100, 0xE0110))))) > 100
    refused(run("show", "x"), "x")
