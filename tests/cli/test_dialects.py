"""Tables as real people have them: whatever made them, each line is an example, a named bad row, or no row."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Ran, refused, run
from hypothesis import assume, example, given
from hypothesis import strategies as st

from edge_icl import InputError
from edge_icl.cli.formats import reading, table
from edge_icl.cli.formats.format import Columns, Row

pytest_plugins = ["cli_fixtures"]

TAUGHT = Columns(("input", "output"), ("tags", "source"))
TWO = [("Taxi", "travel"), ("Lunch", "meals")]


def read(tmp_path: Path, text: str | bytes, kind: str = "csv", columns: Columns = TAUGHT) -> list[Row]:
    """The rows of a table."""
    file = tmp_path / f"table.{kind}"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(reading.read(str(file), table.of_file(str(file), kind, table.QUESTIONS), columns))


def pairs(rows: list[Row]) -> list[tuple[str, str]]:
    """Inputs and outputs; a row that has none fails."""
    return [(row["input"], row["output"]) for row in rows]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize(
    "text",
    [
        "input,output\nTaxi,travel\nLunch,meals\n",
        "input,output\rTaxi,travel\rLunch,meals\r",
        "input,output\r\n\r\nTaxi,travel\r\n \r\nLunch,meals",
        "\n\nExpenses of 2026\n\ninput,output\nTaxi,travel\nLunch,meals\n",
        "Expenses,,\nby,Anna Berg,\ninput,output,note\nTaxi,travel,\nLunch,meals,\n",
        "input,output\nTaxi,travel\ninput,output\nLunch,meals\n",
        "input,output\nTaxi,travel\n\ufeffinput,output\nLunch,meals\n",
        "input,output\nTaxi,travel\n\ufeffLunch,meals\n",
        "input,output,note\nTaxi,travel\nLunch,meals,late\n",
        "input,output,note,,\nTaxi,travel\nLunch,meals,,,\n",
        "input,output\nTaxi,travel,,\nLunch,meals, \n",
        "Input,OUTPUT\nTaxi,travel\nLunch,meals\n",
        " input , output \nTaxi,travel\nLunch,meals\n",
        "input, output\nTaxi, travel\nLunch, meals\n",
        "output,note,input\ntravel,x,Taxi\nmeals,x,Lunch\n",
        "note,note,input,output\nx,x,Taxi,travel\nx,x,Lunch,meals\n",
        "Input,input,output\nx,Taxi,travel\nx,Lunch,meals\n",
        '"input","output"\n"Taxi","travel"\n"Lunch",meals\n',
        "input,output\nTaxi,travel\nLunch,meals\n\x1a",
        "input,output,note\nTaxi,travel,x\n\ufeffsep=,\ninput,output\nLunch,meals\n",
        "\ufeffin\u00adput,output\u200b\nTaxi,travel\nLunch,meals\n",
        "sep=,\ninput,output\nTaxi,travel\nLunch,meals\n",
        "\ufeffSEP=,\r\nExpenses\r\ninput,output\r\nTaxi,travel\r\nLunch,meals\r\n",
        '"sep=,"\n\ninput,output\nTaxi,travel\nLunch,meals\n',
    ],
)
def test_what_programs_do_to_a_table_does_not_matter(tmp_path: Path, text: str, kind: str) -> None:
    spaced = kind == "tsv" and ", " in text
    delimiters = "\t" if kind == "tsv" else ",;|\t"

    for delimiter in [] if spaced else delimiters:
        assert pairs(read(tmp_path, text.replace(",", delimiter), kind)) == TWO


def test_a_line_for_excel_may_name_any_delimiter(tmp_path: Path) -> None:
    assert pairs(read(tmp_path, "sep=^\ninput^output\nTaxi^travel\nLunch^meals\n")) == TWO


@pytest.mark.parametrize("kind", ["txt", "jsonl"])
def test_a_mark_in_the_middle_belongs_to_no_row(tmp_path: Path, kind: str) -> None:
    one, two = ("Taxi", "Lunch") if kind == "txt" else ('{"input": "Taxi"}', '{"input": "Lunch"}')
    rows = read(tmp_path, f"\ufeff{one}\n\ufeff{two}\n", kind, Columns(("input",)))

    assert [row["input"] for row in rows] == ["Taxi", "Lunch"]


def test_spaces_around_quotes_are_no_text(tmp_path: Path) -> None:
    rows = (
        'input,output\n"Taxi, downtown" , "travel"\n  "He said ""hi""",chat\n'
        ' so "she" said ,"chat"  \n "a" b,chat\n'
    )

    assert pairs(read(tmp_path, rows)) == [
        ("Taxi, downtown", "travel"),
        *((one, "chat") for one in ('He said "hi"', ' so "she" said ', ' "a" b')),
    ]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_cell_in_a_column_that_is_not_wanted_may_hold_anything(tmp_path: Path, kind: str) -> None:
    log = "chat log\n" + "alice,hello,travel\n\nbob,hi,meals\ninput,output,note\n" * 4000
    cell, between = log.replace('"', '""'), "," if kind == "csv" else "\t"

    rows = read(
        tmp_path, f'note,input,output\n"{cell}",Taxi,travel\nx\0,Lunch,meals\n'.replace(",", between), kind
    )

    assert pairs(rows) == TWO
    assert [row.line for row in rows] == [2, 2 + log.count("\n") + 1]


@pytest.mark.parametrize(
    ("row", "problem", "line"),
    [
        ('"Lunch,meals\nHotel,travel\n', "a quote that is never closed: lines 3 to 4 cannot be read", 5),
        ('"Lunch,meals\nHotel,travel\n"Hotel, Bern",x\n', "lines 3 to 5 cannot be read", 6),
        ('"Lunch"s,meals\n', "it cannot be read (',' expected after '\"')", 4),
        ("Lunch,meals,late\n", "it has 3 columns and the header has 2", 4),
        ("Lunch\n", "it has 1 column and the header has 2", 4),
        ("Total of all rows\n", "it has 1 column and the header has 2", 4),
    ],
)
def test_what_is_lost_is_told_by_its_lines(tmp_path: Path, row: str, problem: str, line: int) -> None:
    closed = "never" not in problem
    first, bad, *rest = read(tmp_path, f"input,output\nTaxi,travel\n{row}" + "Lunch,meals\n" * closed)

    assert pairs([first, *rest]) == TWO[: 1 + closed]
    assert (bad.line, problem in bad.problem) == (3, True), bad.problem
    assert [one.line for one in rest] == [line] * closed


def test_with_skip_bad_the_lines_of_an_open_quote_are_told(models_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "open.csv"
    file.write_text('input,output\nTaxi,travel\n"Lunch,meals\n' + "Hotel,travel\n" * 40, encoding="utf-8")

    refused(run("add", "--file", str(file)), "lines 3 to 43", "never closed")
    ran = run("add", "--file", str(file), "--skip-bad")
    assert ran.code == 0
    told = "edge-icl: skipped line 3: it has a quote that is never closed: lines 3 to 43 cannot be read"
    assert ran.err.splitlines()[0] == told


def test_a_row_of_empty_cells_teaches_nothing_and_is_not_bad(models_home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("input,output\nTaxi,travel\n,\n , \n,,,,\n", encoding="utf-8")

    assert run("add", "--file", str(tmp_path / "x.csv")).code == 0
    assert len(run("list").out.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Uber to the airport,travel\nLunch,meals\n", ["it has Uber to the airport, travel)", "input,output"]),
        (
            "text;label\nLunch;meals\n",
            ["it has text, label)", "--input-field text --output-field label", "input;output"],
        ),
        ("\n\nsep\n", ["it has sep)"]),
        ("input,output,output\na,b,c\n", ["there are 2 columns output (output, output)", "different names"]),
        ("Input,INPUT,output\na,b,c\n", ["there are 2 columns input (Input, INPUT)"]),
        ("input,output,Tags,TAGS\na,b,c,d\n", ["there are 2 columns tags (Tags, TAGS)"]),
    ],
)
def test_a_header_that_does_not_tell_its_columns_is_refused(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(InputError) as refusal:
        read(tmp_path, text)

    for word in words:
        assert word in f"{refusal.value}", f"{refusal.value}"


def test_a_header_that_comes_again_in_another_order_ends_the_reading(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"another header on line 3, with its columns in another order"):
        read(tmp_path, "input,output\nTaxi,travel\noutput,input\nmeals,Lunch\n")


def test_a_table_without_tabs_is_no_tsv(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"separated by ';': read it with --format csv"):
        read(tmp_path, "input;output\nTaxi;travel\n", "tsv")


def test_a_question_needs_one_column_and_only_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read(tmp_path, "text,label\na,b\n", columns=Columns(("input",)))

    assert "--input-field" in str(refusal.value)
    assert "--output-field" not in str(refusal.value)


def test_a_header_in_another_encoding_is_told_with_the_option_that_reads_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Windows-1252 \('Größe;Straße'\): read it with --encoding cp1252"):
        read(tmp_path, "Größe;Straße\n1;2\n".encode("cp1252"))


def test_quotes_in_a_tsv_are_taken_off_only_where_they_are_around_a_cell(tmp_path: Path) -> None:
    text = (
        '"input"\toutput\n"Taxi, downtown"\t"travel"\n"He said ""hi"""\tchat\n"so" she said\tchat\n'
        '"two\nlines"\tchat\n"\tchat\n"I went home.\tchat\nIt was late."\tchat\n'
        'He "went"\tchat\n"tab\tin it"\tchat\n"Go\tchat"\n'
    )

    assert pairs(read(tmp_path, text, "tsv")) == [
        ("Taxi, downtown", "travel"),
        *((one, "chat") for one in ('He said "hi"', '"so" she said', "two\nlines", '"', '"I went home.')),
        *((one, "chat") for one in ('It was late."', 'He "went"', "tab\tin it")),
        ('"Go', 'chat"'),
    ]


cells = st.text(st.sampled_from('ab,;|\t"\r\n =-é\0'), max_size=6)
plain = st.text(st.sampled_from('ab,;|" =-é'), max_size=6)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "mac_roman", "utf-16-be"]


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["", "sep={}\n", "Expenses of 2026\n\n", "\n"]),
)
def test_what_the_csv_module_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    held: list[list[str]],
    delimiter: str,
    quoting: int,
    end: str,
    encoding: str,
    above: str,
) -> None:
    breaks = {"\r", "\n"} & {*"".join(cell for row in held for cell in row)}
    assume(
        quoting != csv.QUOTE_MINIMAL or end == "\r\n" or not breaks
    )  # the csv module does not quote the other one
    assume(encoding != "utf-16-be" or "\0" not in "".join(cell for row in held for cell in row))
    file = tmp_path_factory.mktemp("table") / "x.csv"
    text = io.StringIO(newline="")
    text.write(above.format(delimiter))
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(  # type: ignore[arg-type]
        [["input", "output", "note"], *held]
    )
    file.write_bytes(text.getvalue().encode(encoding))
    named = None if encoding.startswith("utf") else encoding
    kind = table.of_file(str(file), None, table.QUESTIONS)

    rows = reading.read(str(file), kind, Columns(("input", "output", "note")), encoding=named)

    assert [[row[name] for name in ("input", "output", "note")] for row in rows] == held


@given(
    st.lists(
        st.lists(plain | cells.filter(lambda cell: "\t" not in cell), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_a_tsv_of_the_csv_module_is_read(
    tmp_path_factory: pytest.TempPathFactory, held: list[list[str]], quoting: int
) -> None:
    folder = tmp_path_factory.mktemp("table")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]
    writer.writerows([["input", "output"], *held])

    assert [[*pair] for pair in pairs(read(folder, text.getvalue(), "tsv"))] == held


@given(st.lists(st.lists(plain, min_size=2, max_size=2), min_size=1, max_size=6))
@example([['"hi"', '"'], ['"a', 'b"'], ['"a', "b"], ["c", 'd"']])
def test_a_tsv_that_is_written_here_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, held: list[list[str]]
) -> None:
    kind = next(one for one in table.WRITTEN if one.name == "tsv")
    assert kind.header is not None
    assert kind.line is not None
    names = ("input", "output")
    lines = [kind.header(names), *(kind.line(dict(zip(names, row, strict=True)), names) for row in held)]

    text = "\n".join(map(str, lines))

    assert [[*pair] for pair in pairs(read(tmp_path_factory.mktemp("table"), text, "tsv"))] == held


@given(
    st.lists(st.text(st.sampled_from('ab,"\t \ufeff'), max_size=8), max_size=8), st.sampled_from(["csv", "tsv"])
)
@example(['"a,b', 'c,d"', "e,f"], "csv")
@example(['"a\tb', 'c\td"', "e\tf"], "tsv")
def test_every_line_is_in_a_row_or_blank_or_the_header_again(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], kind: str
) -> None:
    between = "\t" if kind == "tsv" else ","
    head = f"input{between}output"
    text = "".join(f"{line}\n" for line in [head, *lines])
    assume(between.join(["input", "output"]) not in lines)

    rows = read(tmp_path_factory.mktemp("table"), text, kind)

    found = {row.line + i for row in rows for i in range(max(row.text.count("\n"), 1))}
    assert {i for i, line in enumerate(lines, start=2) if line.strip(" \ufeff")} <= found
    assert sum(row.text.count("\n") for row in rows) <= len(lines)


@pytest.fixture
def ask(tmp_path: Path, home: Path) -> Callable[..., tuple[Ran, bytes]]:
    """Return what asks a table and gives back the one with answers."""

    def asked(content: bytes, *options: str, out: str = "out.csv") -> tuple[Ran, bytes]:
        (tmp_path / "q.csv").write_bytes(content)
        target = tmp_path / out
        target.unlink(missing_ok=True)
        given = ("--file", str(tmp_path / "q.csv"), "--out", str(target), "--ask-model", "never", *options)
        ran = run("ask", *given)
        return ran, target.read_bytes() if target.exists() else b""

    return asked


UBER = "Uber to the airport"
MORE = "answer;probability;asked_model"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030"])
def test_a_table_of_answers_is_encoded_like_that_of_the_questions(
    ask: Callable[..., tuple[Ran, bytes]], encoding: str
) -> None:
    named = () if encoding.startswith("utf") else ("--encoding", encoding)

    ran, out = ask(f"sep=;\r\nMüde\r\n\r\ninput;n\r\n{UBER};é\r\n".encode(encoding), *named)

    assert (ran.code, ran.err) == (0, "")
    expected = f"sep=;\r\nMüde\r\n\r\ninput;n;{MORE}\r\n{UBER};é;travel;1.0;false\r\n"
    assert out == expected.encode(encoding)


def test_a_table_is_in_utf_8_where_its_encoding_cannot_hold_an_answer(
    ask: Callable[..., tuple[Ran, bytes]],
) -> None:
    run("add", "Tempura", "食費")

    ran, out = ask("input;n\nTempura;é\n".encode("cp1252"), "--encoding", "cp1252")

    assert ran.err == "edge-icl: the table is in UTF-8, since cp1252 cannot hold all answers\n"
    assert out.decode("utf-8") == f"\ufeffinput;n;{MORE}\nTempura;é;食費;1.0;false\n"


def test_another_format_is_utf_8(ask: Callable[..., tuple[Ran, bytes]]) -> None:
    content = f"Title\ninput;n\n{UBER}\n{UBER};é;;\n{UBER};2\n".encode("utf-16")
    _, out = ask(content, out="out.jsonl")
    rows = [json.loads(line) for line in out.decode().splitlines()]

    assert [row.get("n") for row in rows] == [None, "é", "2"]


def test_short_and_long_rows_get_answers_in_the_right_columns(
    ask: Callable[..., tuple[Ran, bytes]],
) -> None:
    ran, out = ask(f"n;input;when;who\n1;{UBER}\n2;{UBER};x;y;;\ninput;n\nn;input;when;who\n".encode())

    assert out.decode().splitlines() == [
        f"n;input;when;who;{MORE}",
        f"1;{UBER};;;travel;1.0;false",
        f"2;{UBER};x;y;travel;1.0;false",
        *out.decode().splitlines()[3:4],
    ]
    assert len(out.decode().splitlines()) == 4
    assert ran.code == 0


def test_with_safe_no_title_is_a_formula(ask: Callable[..., tuple[Ran, bytes]]) -> None:
    rest = f"input;n\n{UBER};2\n"

    assert ask(f"sep=;\nTitle\n{rest}".encode(), "--safe")[1].startswith(b"sep=;\nTitle\ninput")
    for title in ("=1+1", "a,=1+1", '"=1+1"', "a;;@x"):
        assert ask(f"sep=;\n{title}\n{rest}".encode(), "--safe")[1].startswith(b"input;n;answer")
