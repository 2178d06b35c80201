"""The library caller in examples/ does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from expenses import EXAMPLES
from repository import REPOSITORY

from edge_icl import Memory

PROGRAM = REPOSITORY / "examples" / "classify.py"


def classify(lines: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM, "--store", "work", *options],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )


def test_lines_are_classified_and_unsure_ones_are_marked(models_home: Path) -> None:
    with Memory.create("work") as memory:
        memory.add_many(EXAMPLES)
        expected = memory.ask("Taxi to the airport")

    done = classify("Taxi to the airport\n\nPrinter toner\n", "--least", "0")
    unsure = classify("Taxi to the airport\n", "--least", "1.1")

    assert done.returncode == unsure.returncode == 0
    first, second = done.stdout.splitlines()
    assert first == f"{expected.text}\t{expected.labels[expected.text]:.2f}\tTaxi to the airport"
    assert second.split("\t")[0] == "office"
    assert unsure.stdout == first.replace("\t", "?\t", 1) + "\n"


def test_a_store_that_is_not_there_is_one_sentence(models_home: Path) -> None:
    done = classify("Taxi\n")

    assert done.returncode == 1
    assert done.stderr.startswith("classify: error: there is no store at ")
    assert len(done.stderr.splitlines()) == 1
