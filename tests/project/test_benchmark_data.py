"""What benchmarks measure with where the data sets are not here: made-up questions, or an error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repository import REPOSITORY

BENCHMARKS = REPOSITORY / "benchmarks"
SIZES = {"train": 10_003, "test": 3_080}


def without_data(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code that uses what benchmarks share, on a machine that has no data sets."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(BENCHMARKS), "EDGE_ICL_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_measure_that_needs_a_data_set_fails_and_names_what_is_missing(tmp_path: Path) -> None:
    run = without_data("from support.common import load; load('sst2/train')", tmp_path)

    assert run.returncode == 1
    assert f"{tmp_path / 'sst2' / 'train.jsonl'} is not here: set EDGE_ICL_DATA" in run.stderr


def test_accuracies_are_never_measured_with_made_up_questions(tmp_path: Path) -> None:
    run = without_data("from support.common import load; load('banking77/test')", tmp_path)

    assert run.returncode == 1
    assert "is not here" in run.stderr


@pytest.mark.parametrize("part", SIZES)
def test_measures_of_speed_take_made_up_questions_of_the_same_kind(part: str, tmp_path: Path) -> None:
    code = (
        "import json; from support.common import data_used, load; "
        f"print(json.dumps([data_used(), load('banking77/{part}', made_up=True)]))"
    )
    run, again = without_data(code, tmp_path), without_data(code, tmp_path)

    said, rows = json.loads(run.stdout)
    assert "made-up questions" in said
    assert len({row["input"] for row in rows}) == SIZES[part]
    assert len({row["output"] for row in rows}) == 77
    assert run.stdout == again.stdout
