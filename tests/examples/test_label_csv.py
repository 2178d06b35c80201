"""Rows get the label that they would get if they were asked about, and all that was in the file stays."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from expenses import PAIRS
from hypothesis import assume, given
from hypothesis import strategies as st
from one_page import load, refused_page, run_page

from edge_icl import Memory

SEED = bytes(range(32))
ROWS = (
    '\ufeffid;note;"sum "\r\n"1"; Taxi to the trade fair;12,50\r\n2;"Pizza ""quattro"" for\nthe team";  30\n'
    "\r\n3;;5\r\n4\r\n5;Printer toner;1"
)
WORDS = ("--text", "note", "--label", "kind")


@pytest.fixture
def taught(models_home: Path, tmp_path: Path) -> list[object]:
    """Words that teach a CSV, to a store that is the same in every test."""
    Memory.create("csv", seed=SEED).close()
    path = tmp_path / "taught.csv"
    path.write_text("note,kind\n" + "".join(f'"{input}",{label}\n' for input, label in PAIRS))
    return [*WORDS, "--teach", path]


def test_rows_are_labelled_and_every_byte_that_was_there_stays(taught: list[object], tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_bytes(ROWS.encode())

    ran = run_page("label_csv", *taught, rows, out)

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    with Memory.open("csv") as memory:
        taxi = memory.ask(" Taxi to the trade fair", labels="on").probability
    text = re.sub(r"meals;0\.\d+", "meals;0.#", out.read_bytes().decode())
    assert text == (
        '\ufeffid;note;"sum ";kind;kind_probability;kind_check\r\n'
        f'"1"; Taxi to the trade fair;12,50;travel;{taxi:.3f};\r\n'
        '2;"Pizza ""quattro"" for\nthe team";  30;meals;0.#;\n'
        "\r\n3;;5;;;?\r\n4;;;;;?\r\n5;Printer toner;1;office;1.000;"
    )
    assert rows.read_bytes() == ROWS.encode()


def test_a_label_that_is_not_likely_enough_is_marked(
    taught: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = load("label_csv")
    monkeypatch.setattr(program, "SURE", 1.01)
    with Memory.open("csv") as memory:
        memory.add_many(PAIRS)
        assert program.labelled(memory, "note\nPrinter toner\n", "note", "kind").endswith(",1.000,?\n")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=8)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_a_csv_holds_it_is_there_and_more_cells_after_it(
    table: list[list[str]], separator: str, end: str, quoting: int
) -> None:
    if quoting != csv.QUOTE_ALL:  # Python's writer leaves "\r" bare where lines end with "\n"
        assume(end == "\r\n" or not any("\r" in cell for cells in table for cell in cells))
    label_csv, written = load("label_csv"), io.StringIO(newline="")
    csv.writer(written, delimiter=separator, lineterminator=end, quoting=quoting).writerows(table)
    records = list(label_csv.records(written.getvalue(), separator))

    assert "".join(raw for raw, _ in records) == written.getvalue()
    assert [cells for _, cells in records] == table
    wide = "".join(label_csv.line(raw, cells, ["a;,\t", '"'], 3, separator) for raw, cells in records)
    read = list(csv.reader(io.StringIO(wide, newline=""), delimiter=separator, strict=True))
    assert read == [[*cells, *[""] * (3 - len(cells)), "a;,\t", '"'] for cells in table]


def test_what_cannot_be_done_is_one_sentence(taught: list[object], tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"

    def told(text: str | bytes, *words: str, more: tuple[object, ...] = ()) -> None:
        rows.write_bytes(text if isinstance(text, bytes) else text.encode())
        refused_page(run_page("label_csv", *taught, *more, rows, out), "label_csv", *words)
        assert not out.exists()

    told("text\nTaxi\n", "no column note", "text")
    told("", "no column note")
    told("note,kind\nTaxi,\n", "a column kind already")
    told("note,sum\nTaxi,1,2\n", "more cells", "Taxi,1,2")
    told('note\n"Taxi\n', "line 2 is no CSV")
    told("note\nCaf\u00e9\n".encode("cp1252"), "rows.csv", "utf-8", "--encoding")
    told("note\nTaxi\n", "--encoding", more=("--encoding", "no-such"))
    refused_page(run_page("label_csv", *taught, tmp_path / "no.csv", out), "label_csv", "no.csv")
    out.write_text("mine")
    refused_page(run_page("label_csv", *taught, rows, out), "label_csv", "is there already")
    assert out.read_text() == "mine"
