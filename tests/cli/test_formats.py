"""Files of examples and questions: what a row is, and why a bad one is bad."""

import json
from pathlib import Path

import pytest

import edge_icl
from edge_icl import InputError
from edge_icl.cli.formats import known, reading, table
from edge_icl.cli.formats.format import Columns, Fields, Format, Row, Taught


def read(tmp_path: Path, kind: str, data: bytes) -> list[tuple[int, object]]:
    """The rows of a file with these bytes: line, and fields or problem."""
    file = tmp_path / f"file.{kind}"
    file.write_bytes(data)
    return read_file(file, kind, "input", "output")


def read_file(file: Path, kind: str, *columns: str) -> list[tuple[int, object]]:
    found = reading.read(str(file), table.of_file(str(file), kind, table.QUESTIONS), Columns(columns))
    return [(row.line, row.problem or row.fields) for row in found]


def test_json_lines_keep_their_line_numbers_over_blank_lines(tmp_path: Path) -> None:
    data = b'\xef\xbb\xbf{"input": "a"}\r\n\n{"input": "\xc3\xa9", "tags": ["x"]}'

    assert read(tmp_path, "jsonl", data) == [(1, {"input": "a"}), (3, {"input": "é", "tags": ["x"]})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "it is not JSON (expecting property name enclosed in double quotes at column 2)"),
        (b"[1]", "it is not a JSON object"),
        (b"\xff\xfe{", "it is not UTF-8"),
        (b"[" * 100_000, "its JSON is nested too deeply"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "it holds a number with too many digits"),
        (b'{"output": "a", "input": "b", "output": "c"}', "it has the field 'output' twice"),
        (b'{"input": "b", "meta": [{"x": 1, "x": 1}]}', "it has the field 'x' twice"),
    ],
)
def test_a_bad_line_has_a_reason(tmp_path: Path, line: bytes, problem: str) -> None:
    assert read(tmp_path, "jsonl", b'{"input": "a"}\n' + line) == [(1, {"input": "a"}), (2, problem)]


def test_a_field_that_is_there_twice_in_an_array_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 2 of .*file\.json: it has the field 'input' twice"):
        read(tmp_path, "json", b'[{"input": "a"},\n{"input": "b", "input": "c"}]')


def test_what_python_writes_beyond_numbers_stays_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"input": "a", "output": -Infinity}\n{"input": "b", "output": NaN}\n')

    found = edge_icl.read(file, skip_bad=True)

    assert [(one.input, one.output) for one in found] == [("a", "-Infinity")]
    assert found.bad == ((2, "the output is null"),)


def test_a_table_row_has_the_line_where_it_begins(tmp_path: Path) -> None:
    data = b'\xef\xbb\xbfoutput,more,input\nx,1,"a\nb"\n\ny,2,"c, ""d"""\n'

    assert read(tmp_path, "csv", data) == [
        (2, {"input": "a\nb", "output": "x"}),
        (5, {"input": 'c, "d"', "output": "y"}),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"a", "it has 1 column and the header has 2"),
        (b"a,b,c", "it has 3 columns and the header has 2"),
        (b"a,\xff", "it is not UTF-8"),
        (b'"a"b,c', "it cannot be read (',' expected after '\"')"),
        (b'a,"b', "it has a quote that is never closed"),
        (b'a,"b\nc,d\n', "it has a quote that is never closed: lines 3 to 4 cannot be read"),
    ],
)
def test_a_bad_table_row_has_a_reason(tmp_path: Path, row: bytes, problem: str) -> None:
    assert read(tmp_path, "csv", b"input,output\na,b\n" + row) == [
        (2, {"input": "a", "output": "b"}),
        (3, problem),
    ]


def test_tabs_part_fields_and_quotes_are_text(tmp_path: Path) -> None:
    data = b'input\toutput\n"a" film\tgood\n'

    assert read(tmp_path, "tsv", data) == [(2, {"input": '"a" film', "output": "good"})]


def test_a_header_without_a_column_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no column output \(it has text, input\); .*--output-field"):
        read(tmp_path, "csv", b"text,input\na,b\n")


def test_a_missing_field_names_those_that_are_there() -> None:
    with pytest.raises(InputError, match=r"there is no field input \(it has text, label\)"):
        Row(1, {"text": "a", "label": "b"})["input"]


def test_a_text_has_a_question_a_line(tmp_path: Path) -> None:
    assert read(tmp_path, "txt", b"a\n \nb") == [(1, {"input": "a"}), (3, {"input": "b"})]


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_file(tmp_path / "none.csv", "csv", "input")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_file(tmp_path, "csv", "input")


def test_the_names_that_are_said_without_the_formats_are_theirs() -> None:
    assert table.names(table.QUESTIONS) == known.QUESTIONS
    for named, formats in ((known.ASKED, table.QUESTIONS), (known.ANSWERED, table.ANSWERED)):
        assert sorted(named) == sorted(f".{ending}" for one in formats for ending in one.endings)


def test_no_two_formats_share_a_name_or_an_ending() -> None:
    names = table.names(table.FORMATS)
    endings = [ending for one in table.FORMATS for ending in one.endings]

    assert len(set(names)) == len(names)
    assert len(set(endings)) == len(endings)


@pytest.mark.parametrize(
    "kind", [one for one in table.EXAMPLES if one.endings and one.read], ids=lambda kind: kind.name
)
@pytest.mark.parametrize("safe", [False, True])
def test_what_a_format_writes_it_reads_again(tmp_path: Path, kind: Format, safe: bool) -> None:
    kind = kind.guarded or kind if safe else kind
    record = {"input": "=1+1; -2", "output": "é", "tags": ["a, b", "c"], "source": "s"}
    written = [*([] if kind.header is None else [kind.header(kind.fields)]), kind.line(record, kind.fields)]
    file = tmp_path / "file"
    lines = [line if isinstance(line, str) else json.dumps(line) for line in written]
    file.write_text("\n".join(lines), encoding="utf-8")

    (row,) = reading.read(str(file), kind, Columns(("input", "output"), ("tags", "source")))

    assert kind.taught(row, Fields()) == Taught(**record)
