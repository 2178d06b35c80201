"""Exports in the formats of other programs: how they look, what they cannot hold, and Parquet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from command import EXAMPLES, at_terminal, refused, run
from pyarrow import parquet

import edge_icl
from edge_icl.cli.formats import table

pytest_plugins = ["cli_fixtures"]

TEXTS = {(one.input, one.output) for one in EXAMPLES}


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("messages", {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}),
        ("sharegpt", {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}),
        ("alpaca", {"instruction": "a", "input": "", "output": "b"}),
        ("dolly", {"instruction": "a", "context": "", "response": "b"}),
        ("prompt-completion", {"prompt": "a", "completion": " b"}),
        ("prodigy", {"text": "a", "label": "b", "answer": "accept"}),
        ("doccano", {"text": "a", "label": ["b"]}),
    ],
)
@pytest.mark.usefixtures("models_home")
def test_a_row_is_as_the_other_program_has_it_and_what_it_leaves_out_is_said(
    own_home: Path, kind: str, row: dict[str, Any]
) -> None:
    run("add", "a", "b", "--tag", "t", "--source", "s")

    ran = run("export", "--format", kind)

    assert json.loads(ran.out) == row
    assert ran.err == (
        "edge-icl: left out: the tags of 1 example, the source of 1 example; "
        "--fields input,output,tags,source writes that too\n"
    )
    more = run("export", "--format", kind, "--fields", "input,output,tags,source")
    assert json.loads(more.out) == row | {"tags": ["t"], "source": "s"}
    assert more.err == ""


@pytest.mark.parametrize("kind", [one for one in table.names(table.WRITTEN) if one != "parquet"])
@pytest.mark.usefixtures("home")
def test_what_is_piped_is_what_is_written_to_a_file(tmp_path: Path, kind: str) -> None:
    run("export", "--format", kind, "--file", str(tmp_path / "file"))
    piped = run("export", "--format", kind).out

    written = (tmp_path / "file").read_text(encoding="utf-8")
    if kind == "json":
        assert json.loads(piped) == json.loads(written)
    else:
        assert piped == written
    assert {(one.input, one.output) for one in edge_icl.read(tmp_path / "file", format=kind)} == TEXTS


@pytest.mark.usefixtures("home")
def test_an_array_is_one_document_on_a_terminal_too() -> None:
    assert len(json.loads(at_terminal("export", "--format", "json").out)) == len(EXAMPLES)
    run("forget", "--all", "--yes")
    assert json.loads(run("export", "--format", "json").out) == []


def test_rows_of_another_program_are_lines_or_an_array_as_the_name_of_the_file_says(
    home: Path, tmp_path: Path
) -> None:
    run("export", "--format", "alpaca", "--file", str(tmp_path / "x.json"))
    run("export", "--format", "alpaca", "--file", str(tmp_path / "x.jsonl"))

    array = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert array == [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert {(row["instruction"], row["output"]) for row in array} == TEXTS
    refused(
        run("export", "--format", "alpaca", "--file", str(tmp_path / "x.csv")),
        "alpaca is written as JSON",
        "name the file .jsonl or .json",
        code=2,
    )


@pytest.mark.usefixtures("home")
def test_parquet_is_written_and_read_with_the_texts_as_columns(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"

    assert run("export", "--file", str(file)).out == f"wrote {len(EXAMPLES)} examples to {file}\n"

    columns = parquet.read_table(file)
    assert columns.column_names == ["input", "output", "tags", "source"]
    assert {(one.input, one.output) for one in edge_icl.read(file)} == TEXTS
    assert run("add", "--file", str(file)).out == "added 0 examples; 5 were there already\n"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["x.xlsx", "x.csv.gz", "x.sqlite"])
def test_a_file_that_its_name_says_is_no_text_is_not_written_as_text(tmp_path: Path, name: str) -> None:
    refused(run("export", "--file", str(tmp_path / name)), f"{name} ends in none of .jsonl", code=2)
    assert not (tmp_path / name).exists()


@pytest.mark.usefixtures("home")
def test_parquet_comes_from_a_pipe_and_never_goes_to_a_terminal(tmp_path: Path) -> None:
    refused(run("export", "--format", "parquet"), "no text: write it to a file, --file F.parquet", code=2)


def saved(folder: Path, columns: dict[str, list[Any]], **schema: Any) -> Path:
    made = pa.table(columns)
    parquet.write_table(made.replace_schema_metadata(schema or None), folder / "x.parquet")
    return folder / "x.parquet"


def test_a_public_data_set_has_the_names_of_its_labels(tmp_path: Path) -> None:
    names = {"info": {"features": {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}, "text": {}}}}
    columns = {"text": ["a", "b"], "label": [1, 0]}

    named = edge_icl.read(saved(tmp_path, columns, huggingface=json.dumps(names)))

    assert [one.output for one in named] == ["good", "bad"]
    assert named.notes == ("read as text and label: 2 rows",)
    assert [one.output for one in edge_icl.read(saved(tmp_path, columns))] == ["1", "0"]


def test_numbers_that_stand_for_no_label_are_not_taught_as_labels(tmp_path: Path) -> None:
    names = {"info": {"features": {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}, "text": {}}}}
    columns = {"text": ["a", "b", "c"], "label": [1, -1, 2]}

    found = edge_icl.read(saved(tmp_path, columns, huggingface=json.dumps(names)), skip_bad=True)

    assert [(one.input, one.output) for one in found] == [("a", "good")]
    assert found.bad == ((2, "the output is null"), (3, "label is 2, and there are 2 labels"))


def test_columns_of_one_name_are_refused(home: Path, tmp_path: Path) -> None:
    made = pa.table([["a"], ["b"], ["c"]], names=["input", "output", "output"])
    parquet.write_table(made, tmp_path / "x.parquet")

    refused(run("add", "--file", str(tmp_path / "x.parquet")), "x.parquet has two columns output")


def test_a_row_of_parquet_is_told_by_its_number(tmp_path: Path) -> None:
    columns = {"conversations": [[{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], None]}

    found = edge_icl.read(saved(tmp_path, columns), format="sharegpt", skip_bad=True)

    assert [(one.input, one.output) for one in found] == [("a", "b")]
    assert found.bad == ((2, "its conversations are not a list of objects"),)


def test_what_is_no_parquet_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("input,output\n")

    refused(run("add", "--file", str(tmp_path / "x.parquet")), "x.parquet cannot be read as Parquet")


def test_without_pyarrow_one_sentence_says_what_to_install(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(tmp_path, {"input": ["a"], "output": ["b"]})
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    for words in (("add", "--file", str(file)), ("export", "--file", str(tmp_path / "y.parquet"))):
        refused(run(*words), "needs pyarrow, which is not installed", "pip install 'edge-icl[parquet]'")
    assert not (tmp_path / "y.parquet").exists()
    with pytest.raises(edge_icl.NotInstalledError):
        edge_icl.read(file)
