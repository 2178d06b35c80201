"""A table of questions comes back whole, with the answers behind its rows, whatever happens on the way."""

import csv
import io
import json
import shlex
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from command import EXAMPLES, IDS, PROGRAM, Ran, at_terminal, refused, run, unchanged
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.cli.formats import reading, table
from edge_icl.cli.formats.answered import Result, Sheet, Source
from edge_icl.cli.formats.format import Columns
from edge_icl.cli.partial import Partial

pytest_plugins = ["cli_fixtures"]

PRIOR = ("--ask-model", "never")
ADDED = ["answer", "probability", "asked_model"]
TAUGHT = ["travel", "1.0", "false"]
UBER = "Uber to the airport"


@pytest.fixture
def ask(tmp_path: Path, home: Path) -> Callable[..., Ran]:
    """Return what asks a file of this content and name, beside which the answers go."""

    def asked(content: str | bytes, *options: str, name: str = "questions.csv", out: str = "") -> Ran:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        written = ("--out", str(tmp_path / out)) if out else ()
        return run("ask", "--file", str(file), *PRIOR, *written, *options)

    return asked


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def test_a_table_comes_back_with_three_columns_more(ask: Callable[..., Ran]) -> None:
    ran = ask(f"when,input\nMonday,{UBER}\nFriday,Lunch\n")
    header, first, second = rows(ran.out)

    assert (ran.code, ran.err) == (0, "")
    assert header == ["when", "input", *ADDED]
    assert first == ["Monday", UBER, *TAUGHT]
    assert (second[:2], second[-1]) == (["Friday", "Lunch"], "false")
    assert 0 < float(second[3]) < 1
    assert second[2] == run("ask", "Lunch", *PRIOR).out.strip()


@pytest.mark.parametrize(
    ("name", "head", "row", "more"),
    [
        ("x.csv", b'"input";"n"', b'"Uber to the\n airport";"1,2"', b";travel;1.0;false"),
        ("x.csv", b"\xef\xbb\xbfn,input", b'" 007 ","Uber to the airport"', b",travel,1.0,false"),
        ("x.csv", b"input|n", b'Uber to the airport|"a ""b"""', b"|travel|1.0|false"),
        ("x.csv", b"n, input", b"1, Uber to the airport", b",travel,1.0,false"),
        ("x.tsv", b'n\t"\tinput', b'"\ta,b\tUber to the airport', b"\ttravel\t1.0\tfalse"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_row_stays_as_it_stands_in_the_file(
    ask: Callable[..., Ran], tmp_path: Path, name: str, head: bytes, row: bytes, more: bytes, end: bytes
) -> None:
    ran = ask(head + end + row + end, name=name, out=f"out-{name}")

    names = more[:1].join([b"", *(one.encode() for one in ADDED)])
    assert (ran.code, ran.out) == (0, f"wrote 1 row to {tmp_path / f'out-{name}'}\n")
    assert (tmp_path / f"out-{name}").read_bytes() == head + names + end + row + more + end


cells = st.text(st.sampled_from('ab,;|\t"\r\n =-é'), max_size=6)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n")]),
    st.text(st.sampled_from('x,;|\t"\r\n='), max_size=6),
)
def test_whatever_a_table_holds_it_holds_afterwards(
    tmp_path_factory: pytest.TempPathFactory,
    held: list[list[str]],
    delimiter: str,
    style: tuple[int, str],
    answer: str,
) -> None:
    file = tmp_path_factory.mktemp("table") / "x.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, quoting=style[0], lineterminator=style[1])
        writer.writerows([["input", "more"], *held])
    kind, columns = table.of_file(str(file), None, table.QUESTIONS), Columns(("input",), header=True)
    header, *found = reading.read(str(file), kind, columns)
    for safe in (False, True):
        sheet = Sheet(kind, Source(kind, header.cells, header, ("input",)), safe=safe)
        text = sheet.header() + "".join(sheet.row(row, Result(answer, 0.5, True)) for row in found)
        file.write_bytes(text.encode())
        again = kind.guarded if safe else kind
        assert again is not None
        assert again.read is not None
        back = reading.read(str(file), again, Columns(("input", "more", *ADDED)))
        expected = [[*row, answer, "0.5", "true"] for row in held]
        assert [list(row.fields.values()) for row in back] == expected


def test_columns_that_are_there_already_keep_their_names(ask: Callable[..., Ran]) -> None:
    ran = ask(f"answer,input,answer_2,probability\nmeals,{UBER},x,0\n")

    assert rows(ran.out)[0][4:] == ["answer_3", "probability_2", "asked_model"]
    assert rows(ran.out)[1] == ["meals", UBER, "x", "0", *TAUGHT]
    assert ran.err == (
        "edge-icl: columns of these names are there already, so it is answer_3 for answer, "
        "probability_2 for probability\n"
    )


@pytest.mark.parametrize("out", ["", "out.csv"])
def test_a_bad_row_keeps_its_place_and_is_told_by_its_line(
    ask: Callable[..., Ran], tmp_path: Path, out: str
) -> None:
    table = f'input,n\n{UBER},1\n,2\nonly\n"a"b,4\n\xff,5\n{UBER},6\n'.encode("latin-1")
    ran = ask(table, out=out)
    text = (tmp_path / out).read_bytes().decode("latin-1") if out else ran.out

    assert ran.code == 1
    assert text.splitlines()[1:4] == [f"{UBER},1,travel,1.0,false", ",2,,,", "only,,,,"]
    assert text.splitlines()[4] == '"a"b,4,,,'
    not_text = "\xff" if out else "\udcff"
    assert text.splitlines()[5] == f"{not_text},5,,,"
    assert text.splitlines()[6] == f"{UBER},6,travel,1.0,false"
    assert ran.err.splitlines() == [
        "edge-icl: line 3: the question is empty; give it some text",
        "edge-icl: line 4: it has 1 column and the header has 2",
        "edge-icl: line 5: it cannot be read (',' expected after '\"')",
        "edge-icl: line 6: it is not UTF-8",
        "edge-icl: 4 of 6 questions could not be answered",
    ]


def test_what_a_reader_of_the_table_would_not_know_is_told_at_the_end(ask: Callable[..., Ran]) -> None:
    run("add", UBER, "meals")
    ran = ask(f"input\n{UBER}\n")

    assert rows(ran.out)[1] == [UBER, "meals", "0.5", "false"]
    assert ran.err == "edge-icl: 1 answer taught with different outputs for the same question\n"


def test_json_lines_have_the_fields_of_the_row_and_these_three(ask: Callable[..., Ran], tmp_path: Path) -> None:
    lines = f'{{"input": "{UBER}", "n": [1], "answer": null}}\n{{"n": 2}}\nx\n'
    ran = ask(lines, name="q.jsonl", out="out.jsonl")

    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert ran.code == 1
    none = {"answer_2": None, "probability": None, "asked_model": None}
    assert found == [
        {
            "input": UBER,
            "n": [1],
            "answer": None,
            "answer_2": "travel",
            "probability": 1.0,
            "asked_model": False,
        },
        {"n": 2, **none},
        none,
    ]


def test_one_format_becomes_another(ask: Callable[..., Ran], tmp_path: Path) -> None:
    ask(f'n;input\n"1;2";{UBER}\n', out="a.tsv")
    ask(f'n;input\n"1;2";{UBER}\n', out="a.jsonl")
    ask(f'{{"input": "{UBER}"}}\n{{"input": "{UBER}", "n": [1, 2]}}\n', name="q.jsonl", out="b.csv")
    ask(f"{UBER}\n", name="q.txt", out="c.csv")
    ask(f"n;input\n1;{UBER}\n", "--format", "csv", name="q", out="d")

    assert (tmp_path / "a.tsv").read_text().splitlines()[1] == f"1;2\t{UBER}\ttravel\t1.0\tfalse"
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {
        "n": "1;2", "input": UBER, "answer": "travel", "probability": 1.0, "asked_model": False
    }  # fmt: skip
    assert rows((tmp_path / "b.csv").read_text()) == [
        ["input", "n", *ADDED],
        [UBER, "", *TAUGHT],
        [UBER, "[1, 2]", *TAUGHT],
    ]
    assert rows((tmp_path / "c.csv").read_text()) == [["input", *ADDED], [UBER, *TAUGHT]]
    assert (tmp_path / "d").read_text().splitlines()[1] == f"1;{UBER};travel;1.0;false"


def test_a_format_that_cannot_hold_a_row_is_refused_before_anything_is_asked(
    ask: Callable[..., Ran], tmp_path: Path
) -> None:
    with unchanged(tmp_path / "nothing"):
        refused(ask('input,n\nTaxi,"a\nb"\n', out="out.tsv"), "line 2", "a .tsv file cannot hold", ".csv")
        refused(ask("input,n,n\nTaxi,1,2\n", out="out.jsonl"), "there are two columns n")
    assert {path.name for path in tmp_path.iterdir()} >= {"questions.csv"}
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("name", ["out.parquet", "out.xlsx", "out.csv.gz"])
def test_no_table_is_written_as_text_into_a_file_of_another_kind(
    ask: Callable[..., Ran], tmp_path: Path, name: str
) -> None:
    refused(ask(f"input\n{UBER}\n", out=name), f"{name} ends in none of .jsonl", code=2)
    assert not list(tmp_path.glob("out*"))


def test_half_a_character_stays_what_it_is(ask: Callable[..., Ran], tmp_path: Path) -> None:
    line = f'{{"input": "{UBER}", "n": "\\udcff"}}\n'

    assert ask(line, name="q.jsonl", out="out.jsonl").code == 0
    assert json.loads((tmp_path / "out.jsonl").read_bytes())["n"] == "\udcff"
    refused(ask(line, name="q.jsonl", out="out.csv"), "line 1", "lone surrogate", ".jsonl")


def test_questions_that_change_meanwhile_are_in_no_table(
    ask: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Partial.add

    def changing(partial: Partial, result: Result) -> None:
        with (tmp_path / "questions.csv").open("a") as file:
            file.write("Lunch\n")
        add(partial, result)

    with monkeypatch.context() as patch:
        patch.setattr(Partial, "add", changing)
        ran = ask(f"input\n{UBER}\n", out="out.csv")

    refused(ran, "questions.csv was changed while it was asked")
    assert not list(tmp_path.glob("out*"))
    assert advised(ran, "start over: ").code == 0


def test_with_safe_no_cell_of_the_table_is_a_formula(ask: Callable[..., Ran], tmp_path: Path) -> None:
    run("add", "Total", "=1+1")
    content = "input;note\nTotal;=2\n'-Total;x\n"

    assert rows(ask(content).out, ";")[1] == ["Total", "=2", "=1+1", "1.0", "false"]
    ran = ask(content, "--safe", out="out.csv")
    _, first, second = rows((tmp_path / "out.csv").read_text(), ";")
    assert (ran.code, first) == (0, ["Total", "'=2", "'=1+1", "1.0", "false"])
    assert second[:2] == ["'-Total", "x"]
    assert run("add", "--", "-Total", "office").code == 0
    assert rows(ask(content, "--safe").out, ";")[2] == ["'-Total", "x", "office", "1.0", "false"]


def test_a_new_file_is_for_its_user_alone(ask: Callable[..., Ran], tmp_path: Path) -> None:
    ran = ask(f"input\n{UBER}\n", "--json", out="out.csv")

    out = tmp_path / "out.csv"
    assert json.loads(ran.out) == {"questions": 1, "unanswered": 0, "file": str(out)}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("*out*")) == ["out.csv"]


def test_no_file_is_overwritten_and_none_is_put_into_the_store(ask: Callable[..., Ran], home: Path) -> None:
    store = home / "stores" / "default"
    ask(f"input\n{UBER}\n", out="out.csv")

    with unchanged(home):
        refused(ask(f"input\n{UBER}\n", out="out.csv"), "there is a file", "out.csv already")
        refused(ask(f"input\n{UBER}\n", "--out", str(store / "x.csv")), "is inside the store")
        refused(ask(f"input\n{UBER}\n", out="no/out.csv"), "cannot be written")
        refused(ask("input\n", out="none.csv"), "there are no questions")
        refused(ask("input\n"), "there are no questions")


def test_a_table_with_json_is_answered_in_json_lines(ask: Callable[..., Ran]) -> None:
    ran = ask(f"n,input\n1,{UBER}\n", "--json")

    assert json.loads(ran.out)["examples"][0]["id"] == IDS[UBER]


@pytest.mark.usefixtures("home")
def test_at_a_terminal_a_row_is_a_line_whatever_ends_it_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_bytes(f"input\r\n{UBER}\r\n".encode() + f"{UBER}\r\n".encode())
    ran = at_terminal("ask", "--file", str(file))

    assert ran.out.splitlines() == [",".join(["input", *ADDED]), *[",".join([UBER, *TAUGHT])] * 2]


@pytest.mark.parametrize(
    "line",
    [
        "ask x --out y.csv",
        "ask --file x.csv --resume",
        "ask --file x.txt --out y.txt",
        "ask --file x.txt --safe",
        "ask --file x.csv --out y.jsonl --safe",
        "ask --file x.csv --explain",
        "ask x --safe",
    ],
)
def test_what_does_not_go_together_is_wrong_usage(line: str) -> None:
    refused(run(*line.split()), "edge-icl ask --help", code=2)


@pytest.mark.usefixtures("home")
def test_a_program_that_waits_for_each_answer_gets_it() -> None:
    command = [sys.executable, "-c", PROGRAM, "ask", "--file", "-", "--format", "txt", *PRIOR]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as asking:
        late = threading.Timer(100, asking.kill)  # else a test that fails would wait for ever
        late.start()
        assert asking.stdin is not None
        assert asking.stdout is not None
        for example in EXAMPLES:
            asking.stdin.write(f"{example.input}\n")
            assert asking.stdout.readline() == f"{example.output}\n"
        asking.stdin.close()
        late.cancel()


QUESTIONS = [*[UBER] * 63, "", "Taxi downtown", UBER]
"""The last two come after what is answered at a time; only the last but one needs the encoder."""

TABLE = "".join(f'{number},"{question}"\n' for number, question in enumerate(["input", *QUESTIONS]))


@pytest.fixture
def cut_off(ask: Callable[..., Ran], home: Path) -> Ran:
    """A run that went well up to the row that needs the encoder, which is there again now."""
    encoder = home / "models" / "all-minilm-l6-v2"
    encoder.rename(home / "away")
    ran = ask(TABLE, out="out.csv")
    (home / "away").rename(encoder)
    return ran


def advised(ran: Ran, before: str) -> Ran:
    """Run the command that a message advises after these words."""
    line = next(line for line in ran.err.splitlines() if before in line)
    return run(*shlex.split(line.partition(before)[2])[1:])


def test_a_run_that_is_cut_off_leaves_no_half_table_and_goes_on(
    cut_off: Ran, ask: Callable[..., Ran], tmp_path: Path
) -> None:
    kept = tmp_path / "out.csv.partial"
    assert (cut_off.code, cut_off.out) == (1, "")
    assert "64 answers of 66 kept" in cut_off.err
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not (tmp_path / "out.csv").exists()
    kept.write_bytes(kept.read_bytes() + b'{"answer": "tra' + bytes(4096))  # as a power cut leaves it

    ran = advised(cut_off, "go on: ")

    assert (ran.code, ran.out) == (1, f"wrote 66 rows to {tmp_path / 'out.csv'}\n")
    assert ran.err == "edge-icl: 1 of 66 questions could not be answered\n"
    assert not kept.exists()
    ask(TABLE, out="whole.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((lambda: None, TABLE, ["--abstain", "0.1"]), "was begun with abstain null"),
        ((lambda: None, TABLE, ["--input-field", "0"]), "was begun with other questions"),
        ((lambda: None, TABLE.replace("1,", "2,"), []), "was begun with other questions"),
        ((lambda: run("add", "Pens", "office"), TABLE, []), "was begun with other examples"),
    ],
)
def test_a_run_goes_on_only_with_what_it_was_begun_with(
    cut_off: Ran,
    ask: Callable[..., Ran],
    tmp_path: Path,
    change: tuple[Callable[[], object], str, list[str]],
    words: str,
) -> None:
    assert cut_off.code == 1
    meanwhile, table, options = change
    meanwhile()
    before = (tmp_path / "out.csv.partial").read_bytes()

    ran = ask(table, *options, "--resume", out="out.csv")

    refused(ran, words)
    assert (tmp_path / "out.csv.partial").read_bytes() == before
    assert advised(ran, "start over: ").out == f"wrote 66 rows to {tmp_path / 'out.csv'}\n"


def test_another_model_is_another_answer(cut_off: Ran, ask: Callable[..., Ran], home: Path) -> None:
    assert cut_off.code == 1
    (home / "models" / "smollm2-135m-instruct").rename(home / "away")

    refused(ask(TABLE, "--resume", out="out.csv"), "was begun with another model")


def test_where_there_is_nothing_to_go_on_from_the_run_begins(ask: Callable[..., Ran], tmp_path: Path) -> None:
    ran = ask(f"input\n{UBER}\n", "--resume", out="out.csv")

    assert (ran.code, rows((tmp_path / "out.csv").read_text())[1]) == (0, [UBER, *TAUGHT])


def test_a_file_of_that_name_that_is_something_else_is_left_alone(
    ask: Callable[..., Ran], tmp_path: Path
) -> None:
    for content in (b"mine", b"{}", b"", b"\xff\n", b'{"edge_icl_answers": 2}\n'):
        (tmp_path / "out.csv.partial").write_bytes(content)
        for options in ((), ("--resume",)):
            refused(ask(f"input\n{UBER}\n", *options, out="out.csv"), "is another file", "another name")
        assert (tmp_path / "out.csv.partial").read_bytes() == content
    (tmp_path / "out.csv.partial").unlink()
    (tmp_path / "out.csv.partial").mkdir()
    refused(ask(f"input\n{UBER}\n", out="out.csv"), "is not a file")


def test_a_run_that_has_answered_nothing_leaves_nothing(
    ask: Callable[..., Ran], home: Path, tmp_path: Path
) -> None:
    (home / "models" / "all-minilm-l6-v2").rename(home / "away")
    refused(ask("input\nTaxi\n", out="out.csv"), "is not on this machine")

    assert not list(tmp_path.glob("out*"))


def test_questions_from_a_pipe_go_into_a_file_too(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ran = run(
        "ask", "--file", "-", "--format", "csv", "--out", str(out), stdin=f"n,input\n1,{UBER}\n2,{UBER}\n"
    )

    assert (ran.code, ran.out) == (0, f"wrote 2 rows to {out}\n")
    assert rows(out.read_text()) == [
        ["n", "input", *ADDED],
        ["1", UBER, *TAUGHT],
        ["2", UBER, *TAUGHT],
    ]
