"""The README is true: its session runs as it stands, and its names exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command import run
from repository import REPOSITORY
from stores import commit, make, row, rows

from edge_icl.cli.program import cli

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
GUARANTEE = (REPOSITORY / "docs" / "guarantee.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def masked(text: str) -> list[str]:
    """Return lines without ids and decimals: ids come from a secret seed, similarities from the processor."""
    return [re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b|\d+\.\d+", "#", line) for line in text.splitlines()]


def test_the_session_runs_as_it_stands(models_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    (session,) = blocks("console")
    for step in session.split("$ edge-icl ")[1:]:
        words, _, shown = step.partition("\n")

        ran = run(*shlex.split(words))

        assert ran.code == 0, ran.err
        if shown:
            assert masked(ran.out)[: len(shown.splitlines())] == masked(shown), words


def test_the_demo_proves_what_it_says(models_home: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    ran = subprocess.run(
        ["sh", REPOSITORY / "examples" / "demo.sh"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("$ diff -r taught never\n(nothing: every byte is the same)\n") == 2
    assert "the store is sound: 87 examples" in ran.stdout


def test_the_library_example_runs_as_it_stands(models_home: Path) -> None:
    (program,) = blocks("python")

    exec(compile(program, "README.md", "exec"), {})


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
    for page in (REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_makefile_has_what_the_readme_says() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.MULTILINE):
        assert f"\n{target}: " in makefile
