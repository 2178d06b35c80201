"""Everything that can be wrong from outside ends in one sentence, a known exit code, and nothing changed."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import tiny
from command import IDS, PROGRAM, Ran, at_terminal, content, process, refused, run, unchanged

from edge_icl.models import location

pytest_plugins = ["cli_fixtures"]

LLM, ENCODER = "smollm2-135m-instruct", "all-minilm-l6-v2"
NOBODY = 65534

READING = ["list", "show 00", "export", "status", "verify", "forget --all --yes", "search x", "ask x"]
"""Commands that need a store and make none."""


@pytest.mark.parametrize("line", [*READING, "add a b"])
def test_a_path_that_is_a_file_is_no_store(models_home: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "file").write_text("mine")

    with unchanged(tmp_path):
        refused(run("--store", str(tmp_path / "file"), *line.split()), "is a file, not a store")
    assert models_home.exists()


@pytest.mark.parametrize("line", [*READING, "add a b"])
def test_a_directory_with_other_things_is_no_store(models_home: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("mine")

    with unchanged(tmp_path):
        refused(run("--store", str(tmp_path / "photos"), *line.split()), "is a directory but not a store")
    assert models_home.exists()


@pytest.mark.parametrize("line", READING)
def test_a_store_that_is_not_there_is_not_made(models_home: Path, line: str) -> None:
    with unchanged(models_home):
        refused(run("--store", "work", *line.split()), "there is no store at", "edge-icl --store work init")
    assert not (models_home / "stores").exists()


@pytest.mark.usefixtures("home")
def test_a_store_gets_no_name_that_nobody_sees(tmp_path: Path) -> None:
    with unchanged(tmp_path):
        refused(run("stores", "rename", "default", " "), "the name of a store is blank")
        refused(run("--store", "\u3000", "add", "a", "b"), "the name of a store is blank")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "line", ["export --file -", "ask --file q.csv --out -", "report --out -", "forget 00 --receipt - --yes"]
)
def test_what_stands_for_stdin_is_no_file_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("q.csv").write_text("input\nTaxi\n")

    ran = run(*line.replace("00", IDS["Printer paper"]).split())

    refused(ran, "- is not the name of a file here; name one")
    assert not Path("-").exists()
    assert run("show", IDS["Printer paper"]).code == 0


@pytest.mark.usefixtures("home")
def test_an_empty_name_of_a_file_is_said_to_be_so() -> None:
    refused(run("add", "--file", ""), "the name of the file is empty: name one, or - for stdin", code=2)


@pytest.mark.usefixtures("home")
def test_a_number_that_is_none_is_told_in_words() -> None:
    refused(run("search", "x", "--limit", "many"), "'many' is not a whole number", code=2)
    refused(run("ask", "x", "--abstain", "low"), "'low' is not a number", code=2)


@pytest.mark.parametrize("name", ["..", "", ".hidden"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    refused(run("--store", name, "list"), "cannot be the name of a store")


@pytest.mark.parametrize("line", [*READING, "add a b"])
def test_a_store_of_a_newer_format_is_left_alone(home: Path, line: str) -> None:
    file = home / "stores" / "default" / "store.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 3'))

    with unchanged(home):
        refused(run(*line.split()), "format 3", "reads up to format 2", "update edge-icl")


@pytest.mark.parametrize("line", ["add a b", "search x", "ask x", "forget --like x --yes"])
def test_a_store_made_with_another_encoder_is_never_mixed(home: Path, line: str) -> None:
    folder = home / "models" / ENCODER
    record = json.loads((folder / "model.json").read_text())
    _write(folder / "model.json", json.dumps({**record, "scale": record["scale"] + 1}).encode())
    made_with = json.loads((home / "stores" / "default" / "store.json").read_text())["encoder_digest"]

    with unchanged(home):
        refused(run(*line.split()), f"made with encoder {ENCODER} ({made_with[:12]})", f"has {ENCODER} (")


@pytest.mark.parametrize("line", ["add a b", "search x", "ask x", "forget --like x --yes"])
def test_a_missing_encoder_is_named_with_the_command_that_fetches_it(bare_home: Path, line: str) -> None:
    with unchanged(bare_home):
        refused(run(*line.split()), ENCODER, f"edge-icl models fetch {ENCODER}")


def test_a_first_add_without_an_encoder_makes_no_store(own_home: Path) -> None:
    refused(run("add", "a", "b"), f"edge-icl models fetch {ENCODER}")
    assert not own_home.exists()


def test_a_missing_llm_is_named_with_the_command_that_fetches_it(home: Path) -> None:
    shutil.rmtree(home / "models" / LLM)

    with unchanged(home):
        refused(run("ask", "Taxi"), LLM, f"edge-icl models fetch {LLM}")
        refused(run("ask", "Taxi", "--model", "nope"), "nope", "edge-icl models import nope FILE")


def test_a_file_that_is_no_gguf_is_refused(home: Path, tmp_path: Path) -> None:
    files = {
        "text.gguf": b"once upon a time",
        "empty.gguf": b"",
        "cut.gguf": location.path(LLM).read_bytes()[:5_000_000],
        "odd.gguf": tiny.gguf(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    with unchanged(home):
        for name in files:
            refused(run("ask", "Taxi", "--model", str(tmp_path / name)), name)
        refused(run("ask", "Taxi", "--model", str(tmp_path / "none.gguf")), "none.gguf")
        refused(run("ask", "Taxi", "--model", ENCODER), "is an encoder, not an LLM")
        for name in ("text.gguf", "empty.gguf", "cut.gguf"):
            refused(run("models", "import", "mine", str(tmp_path / name)), name)
        refused(run("models", "import", "mine", str(tmp_path)), str(tmp_path))
        refused(run("models", "import", "../mine", str(tmp_path)), "cannot be the name of a model")


def test_a_damaged_model_is_named_with_the_command_that_mends_it(home: Path) -> None:
    file = location.path(LLM)
    size = file.stat().st_size
    _write(file, b"GGUF")

    with unchanged(home):
        refused(run("ask", "Taxi"), f"has 4 bytes instead of {size}", f"edge-icl models fetch {LLM}")


@pytest.mark.parametrize("line", ["add new thing", "forget ID --yes"])
def test_on_a_full_disk_nothing_is_changed(home: Path, line: str) -> None:
    with unchanged(home):
        ran = _with(_limit_files, *line.replace("ID", IDS["Printer paper"]).split())
        refused(ran, "the store", "cannot be changed: File too large", "nothing was changed")
    assert process("verify", "--deep").code == 0


def test_a_store_without_room_for_it_is_not_made(models_home: Path) -> None:
    refused(_with(_limit_files, "add", "a", "b"), "cannot be", "nothing was changed")
    assert _no_stores(models_home)


@pytest.mark.parametrize("line", [*READING, "add a b"])
def test_a_store_that_may_not_be_read_is_told(home: Path, taught_store: Path, line: str) -> None:
    with TemporaryDirectory() as folder:  # pytest's own are closed to nobody
        store = Path(folder) / "store"
        shutil.copytree(taught_store, store)
        before = content(store)
        run(*line.split())  # in another store, so that all is imported that nobody may not read
        Path(folder).chmod(0o755)
        store.chmod(0)
        with _as_nobody():
            ran = run("--store", str(store), *line.split())
        store.chmod(0o700)

        refused(ran, str(store), "ermission denied")
        assert content(store) == before
    assert home.exists()


def test_a_store_behind_a_file_is_told(models_home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    for line in (*READING, "add a b"):
        refused(run("--store", str(tmp_path / "file" / "store"), *line.split()), "file")
    assert (tmp_path / "file").read_text() == "mine"
    assert models_home.exists()


@pytest.mark.parametrize("command", ["show", "forget --yes"])
def test_an_id_must_be_known_and_unique(home: Path, command: str) -> None:
    for number in range(17):
        run("add", f"number {number}", "x")
    firsts = [line[0] for line in run("list").out.splitlines()]
    twice = next(digit for digit in firsts if firsts.count(digit) > 1)

    with unchanged(home):
        for unknown in ("0" * 32, "xyz", "", "0" * 33):
            refused(run(*command.split(), unknown), "no example has the id", "edge-icl list")
        refused(run(*command.split(), twice), f"examples begin with {twice} (", "give more digits")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'{"input": "a"}', "there is no field output"),
        (b'{"input": "a", "output": {"b": 3}}', "the output is an object (with b), not text"),
        (b'{"input": "a", "output": null}', "the output is null"),
        (b'{"input": " ", "output": "b"}', "the input is empty"),
        (b'{"input": "a\\u0000", "output": "b"}', "the input holds a NUL character"),
        (b'{"input": "\\ud800", "output": "b"}', "the input is not valid Unicode"),
        (b'{"input": "\xff", "output": "b"}', "it is not UTF-8"),
        (b'{"input": "a", "output": "b", "tags": ["", "x"]}', "the tag is empty"),
        (b'{"input": "a", "output": "b", "source": {}}', "the source is an object (with no fields), not text"),
        (b"input: a", "it is not JSON"),
        (b'["a", "b"]', "it is not a JSON object"),
    ],
)
def test_a_bad_row_is_told_with_its_line(home: Path, row: bytes, reason: str) -> None:
    good = b'{"input": "a", "output": "b"}'

    with unchanged(home):
        refused(run("add", "--file", "-", stdin=good + b"\n\n" + row), f"stdin has 1 bad row (line 3: {reason}")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "holds no examples"),
        (b"input,output\n", "holds no examples"),
        (b"body,topic\na,b\n", "has no column input (it has body, topic)"),
        (b"a,x\nb,y\ninput,output\nc,z\n", "line 1 of"),
        (b"Expenses,\n\nb,y\ninput,output\nc,z\n", "stands above the header and looks like a row (b,y)"),
        (b"input,output\na\n", "line 2: it has 1 column and the header has 2"),
        (b"input,output\na,\xff\n", "line 2: it is not UTF-8"),
        ("body,topic\na,b\n".encode("utf-16"), "has no column input (it has body, topic)"),
    ],
)
def test_a_bad_table_is_told(home: Path, tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "rows.csv").write_bytes(data)

    with unchanged(home):
        refused(run("add", "--file", str(tmp_path / "rows.csv")), "rows.csv", reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("a\0b", "holds a NUL character"),
        ("\udcff", "is not valid Unicode"),
    ],
)
def test_a_text_must_be_text(home: Path, text: str, reason: str) -> None:
    with unchanged(home):
        refused(run("add", text, "b"), f"the input {reason}")
        refused(run("add", "a", text), f"the output {reason}")
        refused(run("add", "a", "b", "--tag", text), f"the tag {reason}")
        refused(run("add", "a", "b", "--source", text), f"the source {reason}")
        refused(run("ask", text), f"the question {reason}")
        refused(run("search", text), f"the text {reason}")
        refused(run("forget", "--like", text, "--yes"), f"the text {reason}")
        refused(run("forget", "--match", text, "--yes"), f"the text {reason}")


def test_an_example_longer_than_the_context_is_told_with_both_lengths(home: Path) -> None:
    long = "word " * 3000
    row = json.dumps({"input": long, "output": "b"})

    with unchanged(home):
        refused(run("add", long, "b"), "the example has 300", "tokens and the model has room for 2048")
        refused(run("add", "--file", "-", stdin=f"\n{row}"), "line 2: the example has 300", "room for 2048")
        refused(run("ask", "word " * 5000), "the question has 500", "room for 4032")
    assert (
        json.loads(
            run("add", "--file", "-", "--skip-bad", "--json", stdin=f'{row}\n{{"input":"a","output":"b"}}').out
        )["skipped"][0]["line"]
        == 1
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("forget --tag one --tag two --yes", "--tag"),
        ("forget --output one --tag two --output three --yes", "--output"),
        ("list --match one --match two", "--match"),
        ("add --file one --file two", "--file"),
        ("labels --rename one two --rename three four", "--rename"),
    ],
)
def test_what_is_given_twice_is_not_left_out(home: Path, line: str, name: str) -> None:
    with unchanged(home):
        refused(run(*line.split()), f"{name} is given twice; give it once", code=2)


def test_a_number_that_no_machine_counts_to_is_refused(home: Path) -> None:
    with unchanged(home):
        refused(run("list", "--limit", "9" * 30), "not in the range", code=2)
        refused(run("list", "--passphrase-fd", "9" * 30), "not in the range", code=2)


def test_an_example_that_is_too_long_makes_no_store(models_home: Path) -> None:
    refused(run("add", "word " * 3000, "b"), "room for 2048")
    assert not (models_home / "stores").exists()


def test_without_a_yes_nothing_is_forgotten(bare_home: Path) -> None:
    with unchanged(bare_home):
        refused(run("forget", IDS["Printer paper"]), "forgetting 1 example must be confirmed", "give --yes")
        refused(process("forget", "--all", stdin="y\n"), "forgetting 5 examples must be confirmed")
        assert at_terminal("forget", "--all", typed="n\n").code == 1


def test_labels_are_not_chosen_where_there_are_none(models_home: Path) -> None:
    run("init")

    with unchanged(models_home):
        refused(run("ask", "Taxi", "--labels", "on"), "holds no examples to answer from", "edge-icl add")


def _with(prepare: Callable[[], None], *args: str) -> Ran:
    """Run a command in a process that is prepared first."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args],
        preexec_fn=prepare,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def _limit_files() -> None:
    """Let no file grow over a few hundred bytes, as if the disk were full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Give up root's right to read everything, for the time of the block."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _no_stores(home: Path) -> bool:
    """Tell whether nothing is left of a store that could not be made."""
    stores = home / "stores"
    return not stores.exists() or not list(stores.iterdir())


def _write(path: Path, data: bytes) -> None:
    """Replace a file; the models of the tests are hard links."""
    path.unlink()
    path.write_bytes(data)
