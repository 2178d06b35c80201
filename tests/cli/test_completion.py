"""What is offered where, asked as the script of bash asks; what the shells make of it is in test_shells."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import HEAVY, IDS, PROGRAM, loaded, process, refused, run, unchanged
from stores import make, row, rows

from edge_icl import Memory, Stretch

pytest_plugins = ["cli_fixtures"]

PAPER = IDS["Printer paper"]
Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """Return what completes a line: takes what was typed, gives the offers in their order."""

    def ask(line: str) -> list[str]:
        monkeypatch.setenv("_EDGE_ICL_COMPLETE", "bash_complete")
        monkeypatch.setenv("EDGE_ICL_LINE", line)
        monkeypatch.setenv("EDGE_ICL_WORD", line.rpartition(" ")[2])
        ran = process()
        assert (ran.code, ran.err) == (0, ""), ran.err
        return [one.removeprefix("plain,") for one in ran.out.splitlines() if one]

    return ask


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("edge-icl for", ["forget"]),
        ("edge-icl models ver", ["verify"]),
        ("edge-icl models fetch smollm2-135m", ["smollm2-135m-instruct", "smollm2-135m-instruct-q4_1"]),
        ("edge-icl show " + PAPER[:3], [PAPER[:8]]),
        ("edge-icl forget " + PAPER[:11], [PAPER[:11]]),
        ("edge-icl forget --tag ", ["2026"]),
        ("edge-icl list --source o", ["old.csv"]),
        ("edge-icl list --output ", ["food", "office", "travel"]),
        ("edge-icl export --output t", ["travel"]),
        ("edge-icl fix 3f2a9c1e f", ["food"]),
        ("edge-icl --store d", ["default"]),
        ("edge-icl list --store de", ["default"]),
        ("edge-icl stores re", ["remove", "rename"]),
        ("edge-icl stores remove d", ["default"]),
        ("edge-icl stores rename d", ["default"]),
        ("edge-icl stores rename default d", []),
        ("edge-icl list --limit ", []),
        ("edge-icl labels --set ", ["auto", "yes", "no"]),
        ("edge-icl init --labels y", ["yes"]),
        ("edge-icl reencode --into d", []),
        ("edge-icl merge d", ["default"]),
        ("edge-icl merge phone --into d", ["default"]),
        ("edge-icl init --like d", ["default"]),
        ("edge-icl completion ", ["bash", "zsh", "fish"]),
    ],
)
@pytest.mark.usefixtures("bare_home")
def test_what_can_stand_there_is_offered(offered: Offered, line: str, offers: list[str]) -> None:
    assert offered(line) == offers


@pytest.mark.usefixtures("bare_home")
def test_all_ids_are_offered_as_list_shows_them(offered: Offered) -> None:
    assert offered("edge-icl fix ") == sorted(key[:8] for key in IDS.values())
    assert offered("edge-icl --store none fix ") == []


def test_of_too_many_ids_none_is_offered_until_some_digits_are_typed(own_home: Path, offered: Offered) -> None:
    store = make(own_home.parent / "large", rows(range(300)))
    key = row(7).id.hex()

    assert offered(f"edge-icl --store {store.path} show ") == []
    assert offered(f"edge-icl --store {store.path} show {key[:6]}") == [key[:8]]


@pytest.mark.usefixtures("home")
def test_installed_models_are_offered_and_files_once_there_is_a_slash(offered: Offered) -> None:
    assert offered("edge-icl ask --model ") == ["smollm2-135m-instruct"]
    assert offered("edge-icl init --encoder ") == ["all-minilm-l6-v2"]
    assert offered("edge-icl reencode --encoder ") == ["all-minilm-l6-v2"]
    assert offered("edge-icl check --encoder ") == ["all-minilm-l6-v2"]
    assert offered("edge-icl reencode --into ./n") == ["dir,./n"]
    assert offered("edge-icl models remove all") == ["all-minilm-l6-v2"]
    assert offered("edge-icl ask --model ./m") == ["file,./m"]


@pytest.mark.parametrize(
    "line", ["edge-icl --version ", "edge-icl show ", "edge-icl list --tag ", "edge-icl init --seed zz --enc"]
)
def test_a_damaged_store_or_a_wrong_line_is_no_error_and_nothing_is_written(
    bare_home: Path,
    offered: Offered,
    line: str,
) -> None:
    (bare_home / "stores" / "default" / "manifest").write_bytes(b"{")
    with unchanged(bare_home):
        assert "edge-icl 0" not in " ".join(offered(line))


@pytest.mark.usefixtures("models_home")
def test_nobody_is_asked_for_a_passphrase_while_typing() -> None:
    with Memory.create("sealed", passphrase="secret", stretch=Stretch(memory=32, passes=1)) as memory:
        memory.add("Uber to the airport", "travel", tags=["2026"])
    pty = pytest.importorskip("pty", reason="Windows has no such terminals")
    keyboard, terminal = pty.openpty()
    line = {"EDGE_ICL_LINE": "edge-icl --store sealed forget --tag "}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        timeout=60,
        check=False,
        env=os.environ | line | {"_EDGE_ICL_COMPLETE": "bash_complete"},
    )

    os.close(keyboard)
    os.close(terminal)
    assert (done.returncode, done.stdout.strip()) == (0, b"")


@pytest.mark.usefixtures("bare_home")
def test_completing_reads_no_stdin(offered: Offered) -> None:
    """Where a user types, stdin is the keyboard: reading it would stop the shell."""
    read, write = os.pipe()
    line = {"_EDGE_ICL_COMPLETE": "bash_complete", "EDGE_ICL_LINE": "edge-icl search - --passphrase-fd 0 --lim"}
    command = [sys.executable, "-c", PROGRAM]

    done = subprocess.run(
        command, stdin=read, capture_output=True, timeout=60, check=False, env=os.environ | line
    )

    os.close(write)
    os.close(read)
    assert done.stdout.splitlines() == [b"plain,it"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "tag",
    ["--all", "-y", "two\nlines", "a\tb", "red \x1b[31m", "Anna\u200bBerg", "\u202eexe.txt", "\U000e0041x"],
)
def test_a_tag_that_no_quotes_make_safe_is_not_offered(offered: Offered, tag: str) -> None:
    assert (
        run("add", "--file", "-", stdin=json.dumps({"input": "a", "output": "b", "tags": [tag, "fine"]})).code
        == 0
    )

    assert offered("edge-icl forget --tag ") == ["2026", "fine"]


@pytest.mark.usefixtures("bare_home")
def test_completing_loads_nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_EDGE_ICL_COMPLETE", "bash_complete")
    monkeypatch.setenv("EDGE_ICL_LINE", "edge-icl show ")

    assert sorted(loaded() & HEAVY) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_understands_its_script(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    assert "_EDGE_ICL_COMPLETE" in script.read_text()
    if shutil.which(shell):
        subprocess.run([shell, "-n", script], check=True)
    refused(run("completion", "tcsh"), "--help", code=2)
