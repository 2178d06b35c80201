"""What the benchmarks share: their data, seeds, and medians with bootstrap intervals."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from support.made_up import rows as made_up_rows

from edge_icl import Example

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DATA = Path(os.environ.get("EDGE_ICL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
MADE_UP = {"banking77/train", "banking77/test"}
SEED = bytes(range(32))


def seed(draw: int) -> bytes:
    """Return another seed for each draw, SEED for the first."""
    return bytes((draw + i) % 256 for i in range(32))


def load(name: str, *, made_up: bool = False) -> list[dict[str, str]]:
    """Return the rows of a data set, such as "banking77/train"; fail where there are none.

    Args:
        name: folder and file.
        made_up: on a machine without Banking77, take made-up questions of the same kind: where only time and
            bytes are measured.
    """
    path = DATA / f"{name}.jsonl"
    if path.exists():
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if made_up and name in MADE_UP:
        return made_up_rows(name.rpartition("/")[2])
    sys.exit(f"{path} is not here: set EDGE_ICL_DATA to the folder that holds the data sets")


def data_used() -> str:
    """Return what stands in for Banking77, in words, for a title; empty where it is here."""
    return "" if (DATA / "banking77").is_dir() else ", with made-up questions in place of Banking77's"


def examples(name: str, *, made_up: bool = False) -> list[Example]:
    return [Example.create(row["input"], row["output"]) for row in load(name, made_up=made_up)]


def size_of(path: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(found.stat().st_size for found in path.rglob("*") if found.is_file())


def interval(
    values: Sequence[float], statistic: Callable[..., np.floating] = np.median, *, draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a statistic."""
    rng = np.random.default_rng(0)
    some = np.array(values)
    found = [statistic(rng.choice(some, len(some))) for _ in range(draws)]
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def show(title: str, rows: Sequence[Sequence[object]], header: tuple[str, ...]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
