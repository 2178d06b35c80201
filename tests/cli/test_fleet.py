"""What goes with `ask --engine ray` and what does not: told before anything is read, with what to type."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import hints
import pytest
from command import loaded, refused, run

pytest_plugins = ["cli_fixtures"]

RAY = "ask --file q.csv --engine ray --out new"


@pytest.fixture(autouse=True)
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of questions."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    Path("q.csv").write_text("input\nTaxi downtown\n")
    return here


@pytest.mark.parametrize(
    ("line", "told", "typed"),
    [
        ("ask Taxi --engine ray", "a QUESTION is given", "ask Taxi"),
        ("ask --engine=ray", "answers files", "ask --engine=ray --file=F"),
        ("ask --file q.csv --engine ray", "into a new folder", "ask --file q.csv --engine ray --out=NEW"),
        (f"{RAY} --safe", "--safe does not go", RAY),
        (f"{RAY} --explain", "--explain does not go", RAY),
        (f"{RAY} --examples", "--examples does not go", RAY),
        (f"{RAY} --encoding cp1252", "--encoding does not go", RAY),
        (f"{RAY} --threads=2", "--threads does not go", RAY),
        (f"{RAY} --format tsv", "--format does not go", RAY),
        ("ask Taxi --workers 2", "--workers is for workers", "ask Taxi --workers 2 --engine=ray"),
        ("ask Taxi --allow-mixed", "--allow-mixed is for workers", "ask Taxi --allow-mixed --engine=ray"),
        ("ask Taxi --address auto", "--address is for workers", "ask Taxi --address auto --engine=ray"),
        ("add Taxi travel --engine ray", "--engine is for a file", "add Taxi travel"),
        ("add Taxi travel --workers=2", "--workers is for a file", "add Taxi travel"),
        (
            "add --file q.csv --workers 2",
            "--workers is for workers",
            "add --file q.csv --workers 2 --engine=ray",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_to_type(line: str, told: str, typed: str) -> None:
    ran = run(*shlex.split(line))

    refused(ran, told, code=2)
    (advised,) = hints.commands(ran.err)
    assert advised == shlex.split(typed)
    hints.parse(advised)


def test_workers_cannot_read_stdin() -> None:
    line = RAY.replace("--file q.csv", "--file -")
    refused(run(*shlex.split(line)), "workers cannot read stdin", "--file", code=2)


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("{store}/new", "is inside the store"),
        ("{store}", "is inside the store"),
        ("{store}/..", "the store is inside"),
        ("q.csv", "there is a file q.csv already"),
        (".", "there is a folder . already, with other files"),
        ("no/such/new", "cannot be written"),
    ],
)
def test_a_folder_for_the_answers_that_may_not_be_is_refused(home: Path, out: str, told: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")}
    path = out.format(store=home / "stores" / "default")

    ran = run("ask", "--file", "q.csv", "--engine", "ray", "--ask-model", "never", "--out", path)

    refused(ran, told)
    assert {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")} == before


def test_a_run_record_of_another_program_is_refused() -> None:
    Path("new").mkdir()
    Path("new/run.json").write_text('{"edge_icl_labels": 1, "root": "x"}')

    refused(run(*shlex.split(RAY), "--resume"), "is another file, not what", "choose another name for --out")


def test_ray_is_loaded_for_its_engine_alone() -> None:
    assert not {"ray", "pandas", "pyarrow"} & loaded("ask", "Taxi downtown", "--ask-model", "never")
    assert not {"ray", "pandas", "pyarrow"} & loaded("ask", "--file", "q.csv", "--out", "answers.csv")


def test_without_ray_one_sentence_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['ray'] = None; "
        "from edge_icl.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *shlex.split(RAY)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith(
        "edge-icl: error: Ray Data needs a package that is missing, ray; install it: pip "
    )
    assert not Path("new").exists()
