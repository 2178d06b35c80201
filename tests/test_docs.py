"""The README is true: its session runs as it stands, and its names exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command import run

from edge_icl.cli.main import cli

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


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


def test_the_library_example_runs_as_it_stands(models_home: Path) -> None:
    (program,) = blocks("python")

    exec(compile(program, "README.md", "exec"), {})


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
