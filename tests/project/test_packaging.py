"""What users install works: a wheel made from the sdist, in a fresh environment, from another directory."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest
from repository import REPOSITORY

import edge_icl

PROGRAM = """
import threading
from collections.abc import Mapping
from typing import assert_type

import edge_icl
from edge_icl.aio import AsyncMemory


def told(stage: str, done: int, total: int) -> None:
    assert_type(edge_icl.Cancel().is_set(), bool)


with edge_icl.Memory.open("work", progress=told) as memory:
    assert_type(memory.add("Uber to the airport", "travel", tags=["2026"]), edge_icl.Added)
    memory.add_many([edge_icl.Example.create("Lunch", "meals")], progress=told)
    reply = memory.stream("Taxi downtown", edge_icl.Options(shots=3))
    threading.Timer(1, reply.cancel).start()
    assert_type([piece for piece in reply], list[str])
    answer = memory.ask("Taxi downtown", cancel=edge_icl.Cancel())
    assert_type(answer, edge_icl.Answer)
    assert_type(answer.labels, Mapping[str, float])
    assert_type([held.similarity for held in answer.examples], list[float | None])
    assert_type(memory.forget(answer.examples[0].id, similar=0.9), edge_icl.Receipt)
    assert_type(memory.verify(deep=True).ok, bool)
    memory.ask(3)  # type: ignore[arg-type]
    edge_icl.Options(labels="sometimes")  # type: ignore[arg-type]


async def main() -> None:
    async with await AsyncMemory.open("work") as memory:
        assert_type(await memory.ask("Taxi downtown"), edge_icl.Answer)
        assert_type([piece async for piece in memory.stream("Taxi downtown")], list[str])
        assert_type(await memory.search("train"), list[edge_icl.Held])
        await memory.forget(3)  # type: ignore[arg-type]
"""
"""What a user may write: mypy complains of a comment that hides no error, so the errors must be seen too."""


def run(*command: object, folder: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tracked() -> list[str]:
    """Return the files of the repository."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=REPOSITORY)
    return [name for name in filter(None, names.split("\0")) if (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("packaging")
    for name in tracked():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_bytes((REPOSITORY / name).read_bytes())
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, folder / "source", folder=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path) -> Path:
    """The bin folder of a fresh environment that has our wheel and sees this one's other packages."""
    venv.create(built / "venv")
    (site,) = (built / "venv").glob("lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (wheel,) = built.glob("*.whl")
    binaries = built / "venv" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", binaries / "python"]
    run(*pip, "install", "--no-deps", "--no-index", wheel, folder=built)
    return binaries


def test_the_command_runs_from_another_directory(installed: Path, tmp_path: Path) -> None:
    assert edge_icl.__version__ in run(installed / "edge-icl", "--version", folder=tmp_path)


def test_every_module_is_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    script = "import edge_icl, pathlib; print(pathlib.Path(edge_icl.__file__).parent)"

    package = Path(run(installed / "python", "-c", script, folder=tmp_path).strip())

    assert installed.parent in package.parents
    for folder, inside in (("edge_icl", ""), ("cli", "cli"), ("models", "models")):
        for path in (REPOSITORY / folder).rglob("*.py"):
            assert (package / inside / path.relative_to(REPOSITORY / folder)).exists(), path
    assert (package / "py.typed").exists()


def test_the_sdist_is_the_whole_repository(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}

    assert set(tracked()) <= held


def test_a_users_program_is_type_checked_against_the_installed_package(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)

    python = f"--python-executable={installed / 'python'}"
    told = run(sys.executable, "-m", "mypy", "--strict", python, "program.py", folder=tmp_path)

    assert told == "Success: no issues found in 1 source file\n"
