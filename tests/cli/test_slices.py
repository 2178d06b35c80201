"""Files that are cut into slices: each row is in one of them, whole, whatever is in it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from edge_icl import InputError
from edge_icl.cli import parts
from edge_icl.cli.formats import cutting, slices
from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.jsonl import JSONL
from edge_icl.cli.formats.parquet import PARQUET
from edge_icl.cli.formats.sliced import blocks

texts = st.text(st.sampled_from('ab ,;"\n\r\té€𝄞'), max_size=8).map(str.strip).filter(bool)
sizes = st.integers(1, 7)
often = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def cut(files: list[Path], kind: slices.Format, each: int) -> list[slices.Cut]:
    """Cut files as a run does."""
    made, done = [], 0
    for path in files:
        made.append(cutting.cut(path, kind, "input", each=each, first=each - done % each))
        done += made[-1].rows
    return made


def read(cuts: list[slices.Cut], each: int, rows: int) -> list[list[dict[str, object]]]:
    """Read all parts, some rows at a time."""
    schema = cuts[0].schema
    return [
        [
            row
            for one in part.slices
            for block in blocks(one, schema, "input", rows)
            for row in block.table.to_pylist()
        ]
        for part in map(parts.Part.from_json, map(parts.Part.as_json, parts.assembled(cuts, each)))
    ]


def check(
    files: list[Path], kind: slices.Format, each: int, rows: int, wanted: list[dict[str, object]]
) -> None:
    """Check that the parts are the rows, in their order, and all but the last of one size."""
    found = read(cut(files, kind, each), each, rows)

    assert [row for part in found for row in part] == wanted
    assert [len(part) for part in found] == [min(each, len(wanted) - at) for at in range(0, len(wanted), each)]


@often
@given(
    st.lists(st.lists(st.tuples(texts, texts), min_size=1, max_size=9), min_size=1, max_size=3),
    sizes,
    sizes,
    st.data(),
)
def test_every_row_of_a_table_is_in_one_part(
    tmp_path: Path, tables: list[list[tuple[str, str]]], each: int, rows: int, data: st.DataObject
) -> None:
    files = []
    for number, table in enumerate(tables):
        text = io.StringIO(newline="")
        delimiter = data.draw(st.sampled_from(",;"))
        end, quoting = data.draw(st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]))
        writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
        writer.writerows([("input", "other"), *table])
        mark = data.draw(st.sampled_from(["", "\ufeff", "\n"]))
        path = tmp_path / f"{number}.csv"
        path.write_bytes((mark + text.getvalue()).encode())
        files.append(path)

    wanted = [{"input": one, "other": other} for table in tables for one, other in table]
    check(files, CSV, each, rows, wanted)


values = st.one_of(st.integers(-9, 9), st.booleans(), st.none(), texts, st.lists(st.integers(0, 9), max_size=2))


@often
@given(st.lists(st.tuples(texts, values), min_size=1, max_size=12), sizes, sizes)
def test_every_row_of_json_lines_is_in_one_part(
    tmp_path: Path, rows: list[tuple[str, object]], each: int, at_once: int
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n\n".join(json.dumps({"input": one, "other": other}) for one, other in rows))
    kinds = {type(other) for _, other in rows} - {type(None)}
    plain = len(kinds) <= 1 and list not in kinds

    def as_arrow(value: object) -> object:
        as_it_is = plain or value is None or isinstance(value, str)
        return value if as_it_is else json.dumps(value)

    check([path], JSONL, each, at_once, [{"input": one, "other": as_arrow(other)} for one, other in rows])


@often
@given(st.lists(texts, min_size=1, max_size=20), sizes, sizes, sizes)
def test_every_row_of_parquet_is_in_one_part(
    tmp_path: Path, rows: list[str], each: int, at_once: int, group: int
) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"input": rows}), path, row_group_size=group)

    check([path], PARQUET, each, at_once, [{"input": one} for one in rows])


def test_rows_that_cannot_be_read_keep_their_place_and_say_why(tmp_path: Path) -> None:
    lines, table = tmp_path / "rows.jsonl", tmp_path / "rows.csv"
    lines.write_bytes(
        b'{"input": "Taxi"}\nno\n{"input": ["a", "b"]}\n{"input": "\\ud800"}\n{"input": "\xff"}\n'
    )
    table.write_bytes(b"input,other\nTaxi,1\nalone\n\xff,2\n")

    def problems(path: Path, kind: slices.Format) -> dict[int, str]:
        found = cutting.cut(path, kind, "input", each=9, first=9)
        (block,) = blocks(found.slices[0], found.schema, "input", 9)
        assert block.table.num_rows == found.rows
        return block.problems

    found = problems(lines, JSONL)
    assert sorted(found) == [1, 2, 3, 4]
    assert "it is not JSON" in found[1]
    assert "list of 2" in found[2]
    assert "half a character" in found[3]
    assert found[4] == "it is not UTF-8"
    assert problems(table, CSV) == {1: "it has 1 column and the header has 2", 2: "it is not UTF-8"}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("rows.csv", b"input,a,a\nx,1,2\n", "has two columns a"),
        ("rows.csv", "input\nx\n".encode("utf-16"), "is in utf-16"),
        ("rows.jsonl", b'{"text": "x"}\n', "has no field input (it has text)"),
        (
            "rows.jsonl",
            b'{"input": "x", "answer": "y"}\n',
            "has columns of names that are to be added (answer)",
        ),
        ("rows.parquet", b"PAR1", "cannot be read as Parquet"),
        ("rows.xlsx", b"", "ends in none of .parquet, .csv, .jsonl"),
        ("rows.jsonl", b"\n", "there are no questions"),
    ],
)
def test_files_without_questions_are_refused(tmp_path: Path, name: str, data: bytes, told: str) -> None:

    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(InputError) as error:
        _look(path)
    assert told in str(error.value)


def _look(path: Path) -> None:
    """Look at a file as a run does."""
    from edge_icl.batch.columns import names
    from edge_icl.cli import questions

    ((_, kind),) = slices.files(path, None)
    found = cutting.cut(path, kind, "input", each=9, first=9)
    if not found.rows:
        raise questions.no_questions()
    slices.refuse(path, found.schema, "input", names())


def test_a_file_that_is_not_what_it_was_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("input\nTaxi\nTram\n")
    found = cutting.cut(path, CSV, "input", each=1, first=1)
    path.write_text("input\nTaxi\n")

    with pytest.raises(InputError, match="was changed while it was asked"):
        read([found], 1, 9)
