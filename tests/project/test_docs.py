"""The README is true: its session runs as it stands, and its names exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from command import at_terminal, refused, run
from repository import REPOSITORY
from stores import commit, make, row, rows

from edge_icl.answer.certainty import WORDS
from edge_icl.cli.commands import demo
from edge_icl.cli.program import cli

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SURE = "|".join(words for _, words in WORDS)
GUARANTEE = (REPOSITORY / "docs" / "guarantee.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def masked(text: str) -> list[str]:
    """Return lines without similarities and probabilities, also in words: the processor has a part in them."""
    lines = [re.sub(r"\b0\.\d+\b", "#", line) for line in text.splitlines()]
    return [re.sub(rf"^({SURE}) \(probability", "# (probability", line) for line in lines]


def test_the_session_runs_as_it_stands(models_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    (session,) = blocks("console")
    for step in session.split("$ edge-icl ")[1:]:
        words, _, shown = step.partition("\n")

        ran = at_terminal(*shlex.split(words))

        assert ran.code == 0, ran.err
        if shown:
            assert masked(ran.out) == masked(shown), words


@pytest.mark.parametrize("words", [["--help"], []])
def test_what_the_help_begins_with_works_when_it_is_typed(models_home: Path, words: list[str]) -> None:
    lines = re.findall(r"^ +edge-icl ((?:models|add|ask) .*?)(?:   .*)?$", run(*words).out, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["models", "add", "ask"]

    ran = [run(*shlex.split(line)) for line in lines]

    assert [one.code for one in ran] == [0, 0, 0], [one.err for one in ran]
    assert ran[-1].out == "travel\n"


def test_the_demo_proves_what_it_says(models_home: Path) -> None:
    ran = run("demo")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("$ diff -r taught never\n(nothing: every byte is the same)\n") == 2
    assert "the store is sound: 87 examples" in ran.out
    assert list(models_home.glob("stores/*")) == []
    assert list(Path(tempfile.gettempdir()).glob("edge-icl-demo-*")) == []


@pytest.mark.parametrize("path", [os.environ["PATH"], ""])
def test_the_demo_sees_a_difference_with_diff_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", path)
    monkeypatch.chdir(tmp_path)
    for folder in ("first", "second"):
        (tmp_path / folder / "pages").mkdir(parents=True)
        (tmp_path / folder / "pages" / "one").write_text("the same")

    assert demo.differences("first", "second") == ""
    (tmp_path / "first" / "pages" / "one").write_text("another")
    assert "pages/one" in demo.differences("first", "second")
    (tmp_path / "first" / "pages" / "one").unlink()
    assert "one" in demo.differences("first", "second")


def test_the_demo_is_for_people_and_its_stores_are_plain(models_home: Path) -> None:
    refused(run("demo", "--encrypted"), "the demo's stores are not encrypted", code=2)

    asked = run("demo", "--json")
    assert (asked.code, "leave out --json" in json.loads(asked.err)["error"]) == (2, True)


def test_the_library_example_runs_as_it_stands(models_home: Path) -> None:
    (program,) = blocks("python")

    exec(compile(program, "README.md", "exec"), {})


def test_the_lines_about_asking_run_as_they_stand(
    models_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    (program,) = [one for one in blocks("python", page) if "with memory.stream" in one]

    exec(compile(program, "library.md", "exec"), {})

    assert capsys.readouterr().out == "judged\n"


def test_the_lines_about_files_run_as_they_stand(
    models_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    (program,) = [one for one in blocks("python", page) if "edge_icl.read" in one]
    said = [{"from": "human", "value": "Taxi"}, {"from": "gpt", "value": "travel"}]
    (tmp_path / "chats.jsonl").write_text(json.dumps({"conversations": said}))
    monkeypatch.chdir(tmp_path)

    exec(compile(program, "library.md", "exec"), {})

    assert capsys.readouterr().out == "read as ShareGPT: 1 conversation\n"


@pytest.mark.parametrize("name", ["library.md", "fleet.md"])
def test_the_lines_about_labelling_tables_run_as_they_stand(
    models_home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    page = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    (program,) = [one for one in blocks("python", page) if "label = Labeler" in one]
    shown = re.findall(r"  # (\[.*\])\n", program) or [
        page.split(program)[1].split("```text\n")[1].split("\n")[0]
    ]

    exec(compile(program, name, "exec"), {})

    assert capsys.readouterr().out == f"{shown[0]}\n"


def small_programs() -> list[tuple[str, str]]:
    """Return the small programs of the page on the library, each with what it says that it prints."""
    page = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    section = page.split("## Four small programs\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize("number", range(4))
def test_a_small_program_has_under_twenty_lines_and_prints_what_the_page_says(
    models_home: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    programs = small_programs()
    assert len(programs) == 4
    program, shown = programs[number]
    if "sklearn" in program:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")

    exec(compile(program, "library.md", "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out == shown
    assert len(program.splitlines()) < 20


def test_the_lines_about_what_is_taken_run_as_they_stand(
    models_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    (program,) = [one for one in blocks("python", page) if "takes the add back" in one]

    exec(compile(program, "library.md", "exec"), {})

    assert capsys.readouterr().out == f"<Memory {models_home / 'stores' / 'work'}, 2 examples> 2 True\n"


def read_by_hand(store: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines of docs/guarantee.md in a Python that has nothing but its standard library."""
    (program,) = blocks("python", GUARANTEE)
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, store], capture_output=True, text=True, check=False
    )


def test_the_check_by_hand_reads_a_store_without_us(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    commit(store, removed=[row(7).id])

    ran = read_by_hand(store.path)

    *held, root = ran.stdout.splitlines()
    now = store.snapshot()
    assert root == f"root {now.root}"
    assert held == [f"{key.hex()} {example.canonical().decode()}" for key, example in now.examples()]


def test_the_check_by_hand_finds_what_is_wrong(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(600)))
    for name in ("manifest", "store.json", *store.snapshot().manifest.files):
        sound = (store.path / name).read_bytes()
        (store.path / name).write_bytes(sound[:-3] + bytes([sound[-3] ^ 1]) + sound[-2:])
        assert read_by_hand(store.path).returncode != 0, name
        (store.path / name).write_bytes(sound)
    (store.path / "pages" / "stray").write_text("input 7")
    assert read_by_hand(store.path).returncode != 0


def test_every_command_is_in_the_readme_and_every_named_command_exists() -> None:
    table = README.split("## Use it")[1].split("As a library")[0]

    named = set(re.findall(r"`(?:edge-icl )?([a-z]+)(?: [A-Z]+)*`", table))
    assert named >= set(cli.list_commands(None)) - {"init"}


def test_every_linked_file_exists() -> None:
    pages = (REPOSITORY / "README.md", REPOSITORY / "examples" / "README.md")
    for page in (*pages, *(REPOSITORY / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_makefile_has_what_the_readme_says() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.MULTILINE):
        assert f"\n{target}: " in makefile
