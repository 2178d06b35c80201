"""Correcting examples at the command line: fix, and edit in an editor of the user's choice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from command import EXAMPLES, IDS, PROGRAM, SEED, at_terminal, content, process, refused, run, unchanged

from edge_icl import Example
from edge_icl.store import scratch

pytest_plugins = ["cli_fixtures"]

PAPER = IDS["Printer paper"]
FOOD = Example.create("Printer paper", "food")
FIXED = FOOD.id(SEED).hex()


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in memory, if there may be one here, in which the editor's file must be."""
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if scratch.in_memory(shared) else None) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def editing(home: Path) -> Path:
    """Return the folder that an editor's file is in."""
    return scratch.folders(home, "editing")[0]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that plays the user's editor; write what it does into its file: `text` is the file's text."""
    script = tmp_path / "editor.py"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    return script


def play(script: Path, what: str) -> None:
    script.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "text = file.read_bytes().decode()\n"
        f"{what}\n"
        "file.write_bytes(text.encode())\n"
    )


@pytest.mark.usefixtures("bare_home")
def test_an_output_is_corrected_without_any_model() -> None:
    ran = process("fix", PAPER[:6], "food")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"{PAPER[:8]} is forgotten; in its place is {FIXED[:8]}",
        f"{FIXED[:8]}\tfood\tPrinter paper",
    ]
    refused(run("show", PAPER), "no example has the id")
    assert run("verify", "--deep").code == 0


@pytest.mark.usefixtures("bare_home")
def test_tags_and_source_stay() -> None:
    done = json.loads(run("fix", IDS["Sandwich at noon"], "meals", "--json").out)

    assert json.loads(run("show", done["id"], "--json").out) == {
        "id": done["id"],
        "input": "Sandwich at noon",
        "output": "meals",
        "tags": ["2026"],
    }


@pytest.mark.usefixtures("bare_home")
def test_what_fix_prints_as_json_is_a_receipt(tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(run("fix", PAPER, "food", "--json").out)

    assert run("verify", "--receipt", str(receipt)).code == 0
    run("fix", FIXED, "office")
    assert run("verify", "--receipt", str(receipt)).code == 3


@pytest.mark.usefixtures("bare_home")
def test_an_output_may_come_from_stdin() -> None:
    assert run("fix", PAPER, "-", stdin="food\n").code == 0
    assert run("show", FIXED).code == 0


def test_the_same_output_changes_nothing(bare_home: Path) -> None:
    with unchanged(bare_home):
        assert run("fix", PAPER, "office").out == f"{PAPER[:8]} stays as it is; nothing was changed\n"


@pytest.mark.parametrize(
    ("words", "stdin", "wrong"),
    [
        (("0000", "food"), b"", "no example has the id 0000"),
        ((PAPER, " "), b"", "the output is empty"),
        ((PAPER, "-"), b"\xff", "stdin is not UTF-8"),
    ],
)
def test_a_wrong_correction_changes_nothing(
    bare_home: Path, words: tuple[str, ...], stdin: bytes, wrong: str
) -> None:
    with unchanged(bare_home):
        refused(run("fix", *words, stdin=stdin), wrong)


@pytest.mark.usefixtures("bare_home")
def test_an_editor_shows_the_example_as_text_and_takes_changes(editor: Path, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    play(
        editor,
        f"pathlib.Path({str(shown)!r}).write_text(text)\n"
        "text = text.replace('travel', '  two\\nlines\\n\\n').replace('2026', 'b\\n\\na, c')"
        "+ 'my notes\\n'",
    )
    done = json.loads(run("edit", IDS["Uber to the airport"][:8], "--json").out)

    assert shown.read_text().split("\n\n", 1)[1] == (
        "--- input ---\nUber to the airport\n--- output ---\ntravel\n"
        "--- tags, one a line ---\n2026\n--- source ---\n\n"
    )
    assert json.loads(run("show", done["id"], "--json").out) == {
        "id": done["id"],
        "input": "Uber to the airport",
        "output": "  two\nlines",
        "tags": ["a, c", "b"],
        "source": "my notes",
    }


@pytest.mark.parametrize(
    "what",
    [
        "",
        "text = 'Dear diary\\n' + text",
        "text = text.removesuffix('\\n')",
        "text = text.replace('\\n', '\\r\\n')",  # as editors for Windows save
        "text = '\\ufeff' + text.replace('\\n', '\\r\\n')",
    ],
)
def test_an_edit_that_changes_no_part_changes_nothing(bare_home: Path, editor: Path, what: str) -> None:
    play(editor, what)
    run("edit", PAPER)  # makes the lock's file

    with unchanged(bare_home):
        assert run("edit", PAPER).out == f"{PAPER[:8]} stays as it is; nothing was changed\n"


@pytest.mark.usefixtures("bare_home")
def test_an_editor_with_an_open_quote_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "it's")

    refused(run("edit", PAPER), "has a quote that is not closed; name an editor")


@pytest.mark.usefixtures("home")
def test_texts_that_look_like_marked_lines_survive(editor: Path) -> None:
    odd = "--- output ---\n---- output ----\n# x\n\n"
    added = json.loads(run("add", "--tag", "x\ny", "--json", "--", odd, "a\r\nb").out)["ids"][0]
    play(editor, "text = text.replace('a\\r', 'c\\r')")
    done = json.loads(run("edit", added, "--json").out)

    assert json.loads(run("show", done["id"], "--json").out) == {
        "id": done["id"],
        "input": odd,
        "output": "c\r\nb",
        "tags": ["x\ny"],
    }


@pytest.mark.usefixtures("bare_home")
def test_the_file_and_its_folder_are_private(editor: Path, tmp_path: Path) -> None:
    modes = tmp_path / "modes"
    play(
        editor,
        "modes = [oct(path.stat().st_mode & 0o777) for path in (file, file.parent)]\n"
        f"pathlib.Path({str(modes)!r}).write_text(' '.join(modes))",
    )
    run("edit", PAPER)

    assert modes.read_text() == "0o600 0o700"


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("text = ''", "the marked lines are not as they were"),
        ("text = text + text", "the marked lines are not as they were"),
        ("text = text.replace('office', ' ')", "the output is empty"),
        ("sys.exit(7)", "failed with exit code 7; nothing was changed"),
        ("file.write_bytes(b'\\xff'); sys.exit()", "not UTF-8"),
        ("file.unlink(); sys.exit()", "removed its file"),
        ("import os; file.unlink(); os.mkfifo(file); sys.exit()", "removed its file"),
        ("file.unlink(); file.symlink_to('/etc/passwd'); sys.exit()", "removed its file"),
        ("file.unlink(); file.mkdir(); sys.exit()", "removed its file"),
        ("(file.parent / 'backup~').write_text(text)\ntext = ''", "the marked lines"),
    ],
)
def test_whatever_the_editor_does_wrong_changes_nothing_and_leaves_nothing(
    bare_home: Path, editor: Path, what: str, wrong: str
) -> None:
    play(editor, what)
    run("edit", PAPER)

    with unchanged(bare_home):
        refused(run("edit", PAPER), wrong)
    assert not editing(bare_home).exists()


@pytest.mark.parametrize("code", [0, 1])
def test_the_text_is_overwritten_before_its_name_goes(
    bare_home: Path, editor: Path, memory: Path, code: int
) -> None:
    play(editor, f"import os\nos.link(file, file.parent.parent / 'link')\nsys.exit({code})")
    run("edit", PAPER)

    assert set((memory / "link").read_bytes()) == {0}


@pytest.mark.parametrize("code", [0, 1])
def test_an_editor_that_saves_by_renaming_leaves_neither_file(
    bare_home: Path, editor: Path, memory: Path, code: int
) -> None:
    play(
        editor,
        "import os\n"
        "def kept(path, name):\n"
        "    path.write_text(text.replace('office', 'paper'))\n"
        "    os.link(path, file.parent.parent / name)\n"
        "os.link(file, file.parent.parent / 'first')\n"
        "kept(file.parent / '4913', 'second')\n"
        "os.replace(file.parent / '4913', file)\n"
        "kept(file.parent / '.example.txt.swp', 'swap')\n"
        "kept(file.parent / 'example.txt~', 'backup')\n"
        "(file.parent / 'example.txt~').chmod(0o400)\n"
        "(file.parent / 'undo').mkdir()\n"
        "kept(file.parent / 'undo' / 'x', 'undo')\n"
        "os.mkfifo(file.parent / 'fifo')\n"
        "(file.parent / 'link').symlink_to(file.parent.parent / 'elsewhere')\n"
        "(file.parent / 'links').symlink_to(file.parent.parent)\n"
        f"sys.exit({code})",
    )
    (memory / "elsewhere").write_text("not the editor's")
    ran = run("edit", PAPER, "--json")

    assert ran.code == code
    assert code or json.loads(run("show", json.loads(ran.out)["id"], "--json").out)["output"] == "paper"
    assert (memory / "elsewhere").read_text() == "not the editor's"
    (memory / "elsewhere").unlink()
    left = {path.name: set(path.read_bytes()) for path in memory.iterdir()}
    assert left == {name: {0} for name in ("first", "second", "swap", "backup", "undo")}


@pytest.mark.usefixtures("bare_home")
def test_an_editor_that_empties_its_file_first_leaves_as_many_zeros_as_there_was_text(
    editor: Path, memory: Path
) -> None:
    play(editor, "import os\nos.link(file, file.parent.parent / 'link')\nsize = len(text)\ntext = ''")
    run("edit", PAPER)

    data = (memory / "link").read_bytes()
    assert set(data) == {0}
    assert len(data) > 200


@pytest.mark.skipif(not scratch.in_memory(Path("/dev/shm")), reason="no files are in memory here")
@pytest.mark.usefixtures("bare_home")
def test_the_file_is_in_memory_where_it_can_be(editor: Path, tmp_path: Path, memory: Path) -> None:
    play(editor, f"pathlib.Path({str(tmp_path / 'where')!r}).write_text(str(file.parent.parent))")
    run("edit", PAPER)

    assert (tmp_path / "where").read_text() == str(memory)


def test_without_files_in_memory_it_is_in_the_home_and_that_is_said_of_an_encrypted_store(
    models_home: Path, editor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY", set())
    where = tmp_path / "where"
    play(editor, f"pathlib.Path({str(where)!r}).write_text(str(file.parent))")
    run("add", "Printer paper", "office")
    plain = json.loads(run("list", "--json").out)["id"]
    assert run("edit", plain).err == ""
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "correct horse")
    run("--store", "sealed", "init", "--encrypt")
    sealed = json.loads(run("--store", "sealed", "add", "Printer paper", "office", "--json").out)["ids"][0]

    ran = run("--store", "sealed", "edit", sealed)

    assert ran.code == 0
    assert ran.err.startswith(
        "edge-icl: this system has no files in memory: what the editor shows lies on the disk"
    )
    assert where.read_text() == str(models_home / "editing")
    assert not (models_home / "editing").exists()


def test_a_link_in_the_folders_place_is_not_followed(bare_home: Path, editor: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "letter").write_text("Dear Anna")
    play(editor, "text = text.replace('office', 'paper')")
    for place in (editing(bare_home), bare_home / "editing"):
        place.symlink_to(tmp_path / "precious")

    assert run("edit", PAPER).code == 0

    assert (tmp_path / "precious" / "letter").read_text() == "Dear Anna"
    assert not (bare_home / "editing").is_symlink()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives a folder away")
@pytest.mark.usefixtures("bare_home")
def test_a_folder_that_somebody_else_has_made_there_is_not_used(
    editor: Path, bare_home: Path, tmp_path: Path
) -> None:
    taken = editing(bare_home)
    taken.mkdir()
    os.chown(taken, 12345, -1)
    play(editor, f"pathlib.Path({str(tmp_path / 'where')!r}).write_text(str(file.parent))")

    assert run("edit", PAPER).code == 0
    assert (tmp_path / "where").read_text() != str(taken)
    assert list(taken.iterdir()) == []


@pytest.mark.usefixtures("bare_home")
def test_an_editor_must_be_named_and_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    refused(run("edit", PAPER), "no editor is named; set VISUAL or EDITOR")
    monkeypatch.setenv("VISUAL", "/no/such/editor --wait")
    refused(run("edit", PAPER), "the editor /no/such/editor cannot be started: No such file")


@pytest.mark.usefixtures("bare_home")
def test_at_a_terminal_a_usual_editor_is_taken_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(at_terminal("edit", PAPER), "no editor is named, and none of sensible-editor, nano, vim, vi is on")
    for name in ("vi", "nano"):
        (tmp_path / name).write_text(f"#!/bin/sh\n/bin/sed -i 's/^office/{name}/' \"$1\"\n")
        (tmp_path / name).chmod(0o755)

    assert at_terminal("edit", PAPER).code == 0

    assert "nano" in {json.loads(line)["output"] for line in run("list", "--json").out.splitlines()}


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "the terminal was closed")],
)
def test_a_program_that_is_ended_wipes_the_file_first(
    bare_home: Path, editor: Path, number: int, code: int, words: str
) -> None:
    play(editor, "import time\n(file.parent / 'up').touch()\ntime.sleep(60)")
    before = content(bare_home / "stores")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "edit", PAPER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        _wait_for(editing(bare_home) / "up")
        running.send_signal(number)
        out, err = running.communicate()

    assert (running.returncode, out, err.strip()) == (code, b"", f"edge-icl: error: {words}".encode())
    assert not editing(bare_home).exists()
    assert content(bare_home / "stores") == before


def test_what_a_killed_program_left_is_wiped_by_the_next_edit(
    bare_home: Path, editor: Path, memory: Path
) -> None:
    play(editor, "import os, time\n(file.parent / 'up').write_text(str(os.getpid()))\ntime.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", PROGRAM, "edit", PAPER]) as running:
        pid = _wait_for(editing(bare_home) / "up")
        refused(run("edit", PAPER), "another example is being edited")
        running.kill()
    os.kill(int(pid), signal.SIGKILL)
    link = memory / "link"
    os.link(editing(bare_home) / "example.txt", link)
    play(editor, "")
    run("edit", PAPER)

    assert set(link.read_bytes()) == {0}
    assert not editing(bare_home).exists()


def _wait_for(path: Path) -> str:
    """Return a file's text as soon as it is there."""
    while not path.exists() or not (text := path.read_text() or path.name):
        time.sleep(0.01)
    return text


@pytest.mark.usefixtures("home")
def test_ask_names_the_ids_that_fix_takes() -> None:
    for shown in (run("ask", "Paper for the printer", "--examples"), run("ask", "Paper", "--explain")):
        ids = {line.split("\t")[0] for line in shown.out.splitlines()}
        assert ids & {key[:8] for key in IDS.values()}
    assert len(IDS) == len(EXAMPLES)
