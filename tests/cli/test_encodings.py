"""Texts in any encoding come in whole, and what is not understood is said with what would help."""

import codecs
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Ran, at_terminal, loaded, refused, run
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_icl.cli.encodings import begun, guess
from edge_icl.cli.formats import reading, table
from edge_icl.cli.formats.format import Columns

pytest_plugins = ["cli_fixtures"]

WEST = "Café au lait für Müller"
ROWS = [(WEST, "meals"), ("Taxi à Genève", "travel"), ("Hôtel à Zürich", "travel")]
CSV = "".join(f"{input};{output}\r\n" for input, output in [("input", "output"), *ROWS])
RUSSIAN = "Ищем жильё: тёплый дом"
MARKED = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@pytest.fixture
def add(tmp_path: Path, models_home: Path) -> Callable[..., Ran]:
    """Return what adds a file of this content and name."""

    def added(content: bytes, *options: str, name: str = "rows.csv") -> Ran:
        (tmp_path / name).write_bytes(content)
        return run("add", "--file", str(tmp_path / name), *options)

    return added


@pytest.mark.parametrize("name", ["utf-16", "utf-32", "idna", "undefined"])
def test_an_encoding_that_a_file_cannot_have_is_said_in_a_sentence(add: Callable[..., Ran], name: str) -> None:
    refused(add(CSV.encode("cp1252"), "--encoding", name), "rows.csv")


def is_utf_8(data: bytes) -> bool:
    try:
        return bool(data.decode())
    except UnicodeDecodeError:
        return False


def taught() -> list[tuple[str, str]]:
    found = [json.loads(line) for line in run("export").out.splitlines()]
    return sorted((one["input"], one["output"]) for one in found)


@pytest.mark.parametrize("encoding", MARKED)
def test_a_mark_tells_the_encoding(add: Callable[..., Ran], encoding: str) -> None:
    assert add(f"\ufeff{CSV}".encode(encoding)).code == 0
    assert taught() == sorted(ROWS)


@pytest.mark.parametrize("encoding", MARKED)
def test_without_a_mark_it_is_taken_where_it_can_be_nothing_else(
    add: Callable[..., Ran], encoding: str
) -> None:
    lines = "".join(json.dumps({"input": one, "output": two}, ensure_ascii=False) + "\n" for one, two in ROWS)

    assert add(lines.encode(encoding), name="rows.jsonl").code == 0
    assert taught() == sorted(ROWS)


@pytest.mark.parametrize(
    "name", ["cp1252", "Windows-1252", "LATIN1", "iso8859_15", "mac_roman", "utf-16", "gb18030"]
)
def test_any_codec_that_python_knows_may_be_named(add: Callable[..., Ran], name: str) -> None:
    assert add(CSV.encode(name), "--encoding", name).code == 0
    assert taught() == sorted(ROWS)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("cp1552", "cp1252"), ("utf8-8", "utf-8"), ("hex", "cp1252, "), ("base64", "cp1252, "), ("?\0", "")],
)
def test_a_name_that_no_codec_has_is_wrong_usage(add: Callable[..., Ran], wrong: str, meant: str) -> None:
    refused(add(b"", "--encoding", wrong), "there is no encoding", meant, code=2)


@pytest.mark.parametrize(
    ("text", "encoding", "called"),
    [
        (CSV, "cp1252", "Windows-1252"),
        ("input,output\nTaxi 1,travel\nCafé crème,meals\n", "latin-1", "Windows-1252"),
        ("input,output\nBułki i ser żółty w osiedlowym,meals\n", "cp1250", "Windows-1250"),
        (f"input,output\n{RUSSIAN},x\n", "cp1251", "Windows-1251"),
        (f"input,output\n{RUSSIAN},x\n", "koi8-r", "KOI8-R"),
        ("input,output\n定期券の更新、三か月,交通費\n", "cp932", "Shift JIS"),
        ("input,output\n放一首九十年代的老歌,音乐\n", "gb18030", "GB 18030"),
        ("input,output\nCafé crème à la carte,meals\n", "mac-roman", "Mac Roman"),
    ],
)
@pytest.mark.parametrize("skip", [False, True])
def test_what_is_not_utf_8_is_refused_with_the_option_that_reads_it(
    add: Callable[..., Ran], text: str, encoding: str, called: str, skip: bool
) -> None:
    ran = add(text.encode(encoding), *["--skip-bad"] * skip)
    told = next(line for line in ran.err.splitlines() if "looks like" in line)

    assert "it is not UTF-8" in told
    assert f"it looks like {called} ('" in told
    assert add(text.encode(encoding), *shlex.split(told.partition("read it with ")[2])).code == 0
    assert "".join(one + two for one, two in taught()).isascii() is False
    assert all(one in text and two in text for one, two in taught())


def test_a_header_that_is_not_utf_8_is_told_as_it_reads_in_the_encoding_that_it_is_in(
    add: Callable[..., Ran],
) -> None:
    ran = add("文本,标签\n打车去机场,交通\n".encode("gb18030"))

    assert "the header of" in ran.err
    assert "it looks like GB 18030 ('文本,标签'): read it with --encoding gb18030" in ran.err
    assert not re.search("[\udc80-\udcff]", ran.err)


@pytest.mark.usefixtures("home")
def test_questions_of_which_some_are_not_utf_8_are_told_with_the_option(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_bytes(CSV.encode("cp1252"))
    for command in (("ask", "--ask-model", "never"), ("ask", "--ask-model", "never", "--json")):
        ran = run(*command, "--file", str(file))
        assert ran.code == 1
        assert f"edge-icl: it looks like Windows-1252 ('{WEST}'): read it with --encoding cp1252\n" in ran.err
        assert run(*command, "--file", str(file), "--encoding", "cp1252").err == ""
    learning = at_terminal("learn", "--file", str(file), typed="q\n")
    assert "read it with --encoding cp1252" in learning.err
    assert (
        "Hôtel à Zürich"
        in at_terminal("learn", "--file", str(file), "--encoding", "cp1252", typed="?\nq\n").out
    )


def test_stdin_has_an_encoding_too(models_home: Path) -> None:
    line = '{"input": "Café", "output": "meals"}'.encode("cp1252")

    refused(run("add", "--file", "-", stdin=line), "it is not UTF-8", "--encoding cp1252")
    assert run("add", "--file", "-", "--encoding", "cp1252", stdin=line).code == 0
    assert run("add", "--file", "-", stdin='{"input": "Thé", "output": "meals"}'.encode("utf-16")).code == 0
    assert taught() == [("Café", "meals"), ("Thé", "meals")]


def test_one_odd_byte_shows_no_encoding(add: Callable[..., Ran]) -> None:
    refused(add(b"input,output\na,\xff\n"), "it is not UTF-8", "correct them")
    refused(add(b"input,output\nb,c\na,\xff\n"), "it is not UTF-8", "--skip-bad")
    ran = add(b"input,output\nb,c\na,\xff\n", "--skip-bad")
    assert (ran.code, ran.err.splitlines()[0]) == (0, "edge-icl: skipped line 3: it is not UTF-8")


def test_what_is_not_in_the_named_encoding_is_told_with_its_name(add: Callable[..., Ran]) -> None:
    content = "input,output\nBułki,x\n".encode("cp1252", "replace") + b"a,\x81\n"

    refused(add(content, "--encoding", "cp1252"), "line 3: it is not cp1252")
    refused(add(CSV.encode("utf-8"), "--encoding", "ascii"), "it is not ascii")


def test_a_mark_is_not_overruled(add: Callable[..., Ran]) -> None:
    for encoding in MARKED:
        refused(
            add(f"\ufeff{CSV}".encode(encoding), "--encoding", "cp1252"),
            f"is in {encoding}, and --encoding says cp1252",
            "leave",
        )
        assert add(f"\ufeff{CSV}".encode(encoding), "--encoding", encoding).code == 0


def test_what_is_utf_8_is_not_read_as_something_else(add: Callable[..., Ran]) -> None:
    for name in ("cp1252", "latin-1", "mac-roman", "koi8-r"):
        refused(
            add(CSV.encode(), "--encoding", name), "is in utf-8, and --encoding says", "leave --encoding out"
        )


@pytest.mark.parametrize("name", ["cp1252", "latin-1", "koi8-r", "cp850", "gb18030", "cp932", "cp866"])
@pytest.mark.parametrize("before", [0, 8190, 8191, 8192, 100_000])
def test_what_is_utf_8_is_seen_wherever_its_first_letters_come(
    add: Callable[..., Ran], name: str, before: int
) -> None:
    plain, rest = "input,output\n", "".join(f"{WEST} {i},tea\n" for i in range(9))
    plain += f"{'x' * 60},tea\n" * (before // 65)
    plain = plain.ljust(before, "x") + ",tea\n"

    refused(
        add((plain + rest).encode(), "--encoding", name), "is in utf-8, and --encoding says", "leave --encoding"
    )
    refused(run("export"), "there is no store")


def test_a_letter_that_falls_between_two_reads_is_its_own_encodings(add: Callable[..., Ran]) -> None:
    for before in range(8180, 8196):
        rows = ("input,output\n" + "a cup of,tea\n" * 620).ljust(before, "x") + ",tea\né,tea\n"
        assert add(rows.encode("cp1252"), "--encoding", "cp1252").code == 0


def test_a_file_in_two_encodings_is_told_as_such(add: Callable[..., Ran]) -> None:
    content = "input,output\nCafé,meals\n".encode() + "Crème brûlée,meals\n".encode("cp1252")

    refused(
        add(content), "line 3: it is not UTF-8", "part of it looks like Windows-1252", "save all of it in UTF-8"
    )


@pytest.mark.parametrize(
    ("begin", "kind"),
    [(b"PK\x03\x04", "a workbook or an archive"), (b"%PDF-1.7", "a PDF"), (b"\x1f\x8b", "compr")],
)
def test_what_is_no_text_is_said_to_be_so(add: Callable[..., Ran], begin: bytes, kind: str) -> None:
    refused(add(begin + bytes(range(256))), kind, "not text", "as CSV")


def test_utf_16_that_is_cut_off_is_said_to_be_so(add: Callable[..., Ran]) -> None:
    refused(add(f"\ufeff{CSV}".encode("utf-16-le")[:-1]), "is not utf-16-le throughout", "cut off")


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cc"]), min_size=1)
)
def test_text_in_utf_8_is_never_taken_for_something_else(text: str) -> None:
    assert begun(text.encode()).name == "utf-8"
    assert begun(codecs.BOM_UTF8 + text.encode()) == ("utf-8", codecs.BOM_UTF8)


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), min_size=1),
    st.sampled_from([*((one, "\ufeff") for one in MARKED), ("utf-8", ""), ("cp1252", ""), ("shift_jis", "")]),
)
def test_whatever_a_file_holds_in_its_encoding_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], how: tuple[str, str]
) -> None:
    encoding, mark = how
    file = tmp_path_factory.mktemp("encoded") / "x.txt"
    try:
        data = (mark + "\n".join(texts)).encode(encoding)
        assume(data.decode(encoding) == mark + "\n".join(texts))
    except UnicodeEncodeError:
        assume(False)
    file.write_bytes(data)
    named = None if mark or encoding == "utf-8" else encoding
    if named == "cp1252":
        assume(not is_utf_8(data))
    kind = table.of_file(str(file), None, table.QUESTIONS)

    rows = reading.read(str(file), kind, Columns(("input",)), encoding=named)

    assert [row["input"] for row in rows] == texts


@given(st.binary(max_size=200))
def test_a_guess_is_a_codec_or_nothing_whatever_the_bytes(data: bytes) -> None:
    found = guess(data)

    assert found is None or codecs.lookup(found).name


@pytest.mark.usefixtures("home")
def test_a_file_in_utf_8_needs_no_guess(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(CSV, encoding="utf-8")

    assert "chardet" not in loaded("add", "--file", str(tmp_path / "rows.csv"))
