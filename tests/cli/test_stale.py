"""`edge-icl stale` lists the rows that would be labelled otherwise now, and writes them as they are now."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import IDS, refused, run, unchanged

from edge_icl import InputError
from edge_icl.batch import Labeler
from edge_icl.cli import labelled_parquet

pytest_plugins = ["cli_fixtures"]

UBER = "Uber to the airport"
ASKED = [UBER, "Train to Berlin", "", "Sandwich at noon", "Printer paper", UBER]
"""The taught ones are recalled, so that no test here needs the encoder to know what is stale."""

NEVER = {"ask_model": "never"}


@pytest.fixture(autouse=True)
def here(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return home


def fresh(asked: Sequence[str] = ASKED, **options: Any) -> pa.Table:
    """Return what a run labels now, with how it was asked."""
    with closing(Labeler("default", **(options or NEVER))) as label:
        table = label(pa.table({"n": [*range(len(asked))], "input": [*asked]}))
        said = {"root": label.root, "encoder": label.encoder, "model": None, "options": options or NEVER}
    return table.replace_schema_metadata({b"edge_icl": json.dumps({**said, "column": "input"}).encode()})


def folder(name: str = "labels", *, part: int = 2) -> Path:
    """Write what `ask --engine` writes."""
    table, path = fresh(), Path(name)
    path.mkdir()
    for number, start in enumerate(range(0, len(table), part)):
        pq.write_table(table.slice(start, part), path / f"part-{number:05}.parquet")
    said = json.loads(table.schema.metadata[b"edge_icl"])
    (path / "run.json").write_text(json.dumps({"edge_icl_labels": 1, "rows_per_part": part, **said}))
    return path


def read(path: Path) -> pa.Table:
    """Return all rows of a folder."""
    return pa.concat_tables([pq.read_table(part) for part in sorted(path.glob("part-*"))])


def forget(text: str = UBER) -> None:
    assert run("forget", IDS[text], "--yes").code == 0


def test_where_nothing_has_changed_no_row_is_stale_and_none_is_asked() -> None:
    folder()
    ran = run("stale", "labels")

    assert (ran.code, ran.out) == (0, "stale: 0 of 6 rows\n")
    assert ran.err == "edge-icl: 6 rows not asked again: labelled from the store as it is\n"


def test_rows_that_rested_on_what_was_forgotten_are_listed_and_the_exit_code_tells() -> None:
    folder()
    forget()
    assert run("fix", IDS["Printer paper"], "paper").code == 0
    ran = run("stale", "labels")

    assert (ran.code, ran.err) == (3, "")
    assert ran.out.splitlines() == [
        "row 1: travel (rested on what is gone)",
        "row 5: office -> paper (rested on what is gone)",
        "row 6: travel (rested on what is gone)",
        "stale: 3 of 6 rows (another answer: 1, rested on what is gone: 3)",
    ]


def test_with_json_each_stale_row_is_a_line() -> None:
    folder()
    forget("Printer paper")
    ran = run("--json", "stale", "labels")

    (row,) = map(json.loads, ran.out.splitlines())
    assert row == {
        "row": 5, "old": "office", "new": row["new"], "why": ["answer", "forgotten"], "forgotten": 1
    }  # fmt: skip
    assert row["new"] != "office"
    assert ran.err.startswith("edge-icl: stale: 1 of 6 rows")


def test_relabelled_a_folder_is_as_a_fresh_run_writes_it_and_the_old_one_stays() -> None:
    labels = folder()
    forget()
    with unchanged(labels):
        ran = run("stale", "labels", "--relabel", "--out", "new")

    assert (ran.code, ran.err.splitlines()[-1]) == (0, "edge-icl: wrote 6 rows to new")
    expected = fresh()
    assert read(Path("new")).equals(expected)
    said = json.loads(expected.schema.metadata[b"edge_icl"])
    assert json.loads(read(Path("new")).schema.metadata[b"edge_icl"]) == said
    run_of = json.loads(Path("new/run.json").read_text())
    assert run_of == json.loads((labels / "run.json").read_text()) | {"root": said["root"]}
    assert {path.name for path in Path("new").iterdir()} == {path.name for path in labels.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path("new").iterdir()} == {0o600}
    assert stat.S_IMODE(Path("new").stat().st_mode) == 0o700
    assert run("stale", "new").code == 0


def test_rows_of_the_present_root_are_copied_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    old = fresh()
    forget()
    new = fresh()
    marked = new.set_column(2, "answer", pa.array(["mine"] * len(new)))
    pq.write_table(pa.concat_tables([old, marked]), "labels.parquet")
    monkeypatch.setattr(labelled_parquet, "_GROUP", 1)

    assert run("stale", "labels.parquet", "--relabel", "--out", "new.parquet").code == 0

    assert pq.read_table("new.parquet").equals(pa.concat_tables([new, marked]))


def test_a_part_and_another_parquet_file_can_be_given_alone() -> None:
    folder()
    pq.write_table(fresh().drop_columns(["n"]).replace_schema_metadata({}), "bare.parquet")
    forget()

    assert run("stale", "labels/part-00002.parquet").out.splitlines() == [
        "row 2: travel (rested on what is gone)",
        "stale: 1 of 2 rows (rested on what is gone: 1)",
    ]
    assert run("stale", "bare.parquet", "--ask-model", "never").out.count("rested") == 3


def test_more_rows_than_are_in_memory_keep_their_numbers_and_their_order() -> None:
    pq.write_table(fresh(ASKED * 500, **NEVER, select="erase"), "labels.parquet")
    forget()
    ran = run("stale", "labels.parquet", "--relabel", "--out", "new.parquet")

    assert ran.out.splitlines()[-2].startswith("row 3000: ")
    assert pq.read_table("new.parquet").equals(fresh(ASKED * 500, **NEVER, select="erase"))
    assert pq.read_table("labels.parquet").num_rows == 3000


COLUMNS = ("n", "input", "answer", "probability", "asked_model", "root", "encoder", "examples")


def text(ending: str, table: pa.Table) -> str:
    """Return a labelling as text, with a column of the user's that is called as one of ours is."""
    rows = [{name: row[name] for name in COLUMNS} for row in table.to_pylist()]
    objects = [{"answer": "=1", **row, "answer_2": row["answer"]} for row in rows]
    for one in objects:
        one["answer"] = "=1"
        one["probability"] = None if one["probability"] is None else round(one["probability"], 6)
    objects = [
        {
            **{name: one[name] for name in ("answer", "n", "input", "answer_2")},
            **{k: one[k] for k in COLUMNS[3:]},
        }
        for one in objects
    ]
    if ending == "jsonl":
        return "".join(f"{json.dumps(one)}\n" for one in objects)
    if ending == "json":
        return "[\n" + ",\n".join(map(json.dumps, objects)) + "\n]\n"
    mark = {"csv": ";", "tsv": "\t"}[ending]

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else " ".join(value) if isinstance(value, list) else str(value)

    lines = [[*objects[0]], *([cell(value) for value in one.values()] for one in objects)]
    return "Title\r\n" * (ending == "csv") + "".join(f"{mark.join(line)}\r\n" for line in lines)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json"])
def test_a_text_file_is_written_again_in_its_own_form(ending: str) -> None:
    name = f"labels.{ending}"
    Path(name).write_bytes(text(ending, fresh()).encode())
    assert run("stale", name, *PRIOR).out == "stale: 0 of 6 rows\n"
    forget("Printer paper")

    ran = run("stale", name, *PRIOR)
    assert ran.out.splitlines()[1:] == ["stale: 1 of 6 rows (another answer: 1, rested on what is gone: 1)"]
    ran = run("stale", name, *PRIOR, "--relabel", "--out", f"new.{ending}")

    assert ran.code == 0
    assert Path(f"new.{ending}").read_bytes().decode() == text(ending, fresh())
    assert stat.S_IMODE(Path(f"new.{ending}").stat().st_mode) == 0o600


PRIOR = ("--ask-model", "never")


def test_what_ask_writes_today_is_compared_by_its_answers(tmp_path: Path) -> None:
    Path("questions.csv").write_text(f"n,input\n1,{UBER}\n2,Printer paper\n")
    assert run("ask", "--file", "questions.csv", "--out", "answered.csv", *PRIOR).code == 0
    before = Path("answered.csv").read_bytes()
    assert run("fix", IDS["Printer paper"], "paper").code == 0

    unknown = run("stale", "answered.csv", *PRIOR)
    compared = run("stale", "answered.csv", *PRIOR, "--answers-only")
    written = run("stale", "answered.csv", *PRIOR, "--answers-only", "--relabel", "--out", "new.csv")

    assert unknown.out.splitlines() == [
        "row 1: travel (does not say what it rested on)",
        "row 2: office -> paper (does not say what it rested on)",
        "stale: 2 of 2 rows (another answer: 1, does not say what it rested on: 2)",
    ]
    assert compared.out.splitlines()[:-1] == ["row 2: office -> paper"]
    assert (unknown.code, compared.code, written.code) == (3, 3, 0)
    assert Path("new.csv").read_bytes() == before.replace(b"office", b"paper")


def test_a_table_for_a_spreadsheet_stays_one(tmp_path: Path) -> None:
    assert run("add", "Total", "=1+1").code == 0
    Path("questions.csv").write_text("input,note\nTotal,=2\n-x,y\n")
    assert run("ask", "--file", "questions.csv", "--out", "a.csv", "--safe", *PRIOR).code == 0

    assert run("stale", "a.csv", *PRIOR, "--answers-only", "--safe").code == 0
    assert run("forget", "--match", "Total", "--yes").code == 0
    assert run("add", "Total", "=2+2").code == 0
    assert run("stale", "a.csv", *PRIOR, "--answers-only", "--safe", "--relabel", "--out", "b.csv").code == 0
    _, total, _ = csv.reader(Path("b.csv").read_text().splitlines())
    assert total[:3] == ["Total", "'=2", "'=2+2"]


def test_a_bad_row_of_a_table_stays_as_it_is_and_one_of_json_is_told() -> None:
    Path("a.csv").write_text(f"input,answer\n{UBER},food\n1,2,3\n")
    ran = run("stale", "a.csv", *PRIOR, "--answers-only", "--relabel", "--out", "b.csv")
    assert ran.out.splitlines()[0] == "row 1: food -> travel"
    assert Path("b.csv").read_text() == f"input,answer\n{UBER},travel\n1,2,3\n"

    Path("a.jsonl").write_text(f'{{"input": "{UBER}", "answer": "food"}}\n{{\n')
    refused(run("stale", "a.jsonl", *PRIOR, "--answers-only", "--relabel", "--out", "b.jsonl"), "line 2")
    assert not list(Path().glob("*b.jsonl*"))


@pytest.mark.parametrize("new", ["new", "new.parquet"])
def test_what_goes_wrong_in_the_middle_leaves_nothing(new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder()
    forget()
    asked = Labeler.__call__

    def fail_later(self: Labeler, rows: Any) -> Any:
        if rows["input"] == ASKED[4:]:
            raise InputError("no more")
        return asked(self, rows)

    monkeypatch.setattr(Labeler, "__call__", fail_later)
    pq.write_table(read(Path("labels")), "labels.parquet")
    monkeypatch.setattr("edge_icl.cli.labelled_parquet.ROWS", 2)
    ran = run("stale", "labels" if new == "new" else "labels.parquet", "--relabel", "--out", new)

    assert (ran.code, "no more" in ran.err) == (1, True)
    assert {path.name for path in Path().iterdir()} == {"labels", "labels.parquet", "home"}


def test_nothing_is_overwritten_and_nothing_is_put_into_the_store(home: Path) -> None:
    folder()
    pq.write_table(fresh(), "one.parquet")
    Path("there").mkdir()
    store = home / "stores" / "default"
    with unchanged(Path()):
        refused(run("stale", "labels", "--relabel", "--out", "there"), "already")
        refused(run("stale", "labels", "--relabel", "--out", "labels"), "already")
        refused(run("stale", "labels", "--relabel", "--out", str(store / "new")), "is inside the store")
        refused(run("stale", "labels", "--relabel", "--out", "no/new"), "cannot be written")
        refused(run("stale", "one.parquet", "--relabel", "--out", "new.csv"), "name it new.parquet")


def test_what_is_no_labelling_is_refused(tmp_path: Path) -> None:
    Path("empty").mkdir()
    labels = folder()
    (labels / "part-00000.parquet").rename("kept.parquet")
    Path("a.csv").write_text("input\nTaxi\n")
    Path("b.csv").write_text("")
    Path("c.parquet").write_text("PAR1")
    pq.write_table(pa.table({"input": ["x"]}), "d.parquet")
    Path("e.csv").write_text("input,answer,root\nTaxi,travel,oak\n")

    refused(run("stale", "nothing"), "there is nothing at nothing")
    refused(run("stale", "empty"), "has no part-00000.parquet")
    refused(run("stale", "labels"), "has no part-00000.parquet", "finish that run")
    refused(run("stale", "a.csv"), "no column answer")
    refused(run("stale", "b.csv"), "has no rows")
    refused(run("stale", "c.parquet"), "cannot be read as Parquet")
    refused(run("stale", "d.parquet"), "no column 'answer'")
    refused(run("stale", "e.csv"), "row 1 has no root")
    (labels / "part-00000.parquet").write_bytes(Path("kept.parquet").read_bytes())
    (labels / "run.json").write_text("[]")
    refused(run("stale", "labels"), "run.json is not what")


def test_labels_that_say_how_they_were_asked_are_asked_that_way() -> None:
    folder()
    refused(run("stale", "labels", *PRIOR, "--shots", "1"), "leave out", "--shots", "--ask-model", code=2)
    pq.write_table(fresh(**NEVER, abstain=0.01), "unsure.parquet")
    pq.write_table(
        fresh().replace_schema_metadata(
            {b"edge_icl": json.dumps({"column": "input", "root": "x", "options": {"later": 1}}).encode()}
        ),
        "later.parquet",
    )
    forget()

    assert run("stale", "unsure.parquet").code == 3
    refused(run("stale", "later.parquet"), "an option that there is not: later")


@pytest.mark.campaign
def test_another_model_is_told_and_every_row_is_asked_again() -> None:
    options = {"ask_model": "always"}
    with closing(Labeler("default", **options)) as label:
        weights = label.machine().weights
    table = fresh(**options)
    said = json.loads(table.schema.metadata[b"edge_icl"])
    for model, told in ((weights, "6 rows not asked again"), ("0" * 64, "another model was asked")):
        metadata = {b"edge_icl": json.dumps({**said, "model": model}).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), "labels.parquet")
        ran = run("stale", "labels.parquet")
        assert (ran.code, told in ran.err) == (0, True)


def test_a_machine_that_computes_otherwise_is_told_unless_that_is_allowed() -> None:
    labels = folder()
    with closing(Labeler("default", **NEVER)) as label:
        machine = label.machine().as_json()
    said = json.loads((labels / "run.json").read_text())
    (labels / "run.json").write_text(json.dumps({**said, "machine": {**machine, "prior": "other"}}))
    forget()

    refused(run("stale", "labels"), "computes otherwise")
    assert run("stale", "labels", "--allow-mixed").code == 3
    (labels / "run.json").write_text(json.dumps({**said, "machine": machine}))
    assert run("stale", "labels", "--relabel", "--out", "new").code == 0
    assert json.loads(Path("new/run.json").read_text())["machine"] == machine


@pytest.mark.parametrize(
    "line", ["stale labels --relabel", "stale labels --out new", "stale", "stale labels.xls"]
)
def test_what_does_not_go_together_is_wrong_usage(line: str) -> None:
    folder()
    Path("labels.xls").touch()
    assert run(*line.split()).code == 2
