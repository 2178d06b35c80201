"""Dask, Spark and Daft give each row the labels that it gets alone, offline, and leave nothing running."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from one_page import EXAMPLES
from small_encoders import FIRST, imported_encoders, small_encoders  # noqa: F401 - fixtures
from watch import can_forbid, watched

from edge_icl import InputError, Memory
from edge_icl.batch.columns import ADDED

ASKED = ["cat mat", "dog", None, "taxi please", "", "pay my card", "cat mat", "zebra", "the dog", "airport"] * 5
FILES = 3
EACH = -(-len(ASKED) // FILES)

JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Djava.io.tmpdir={}"
"""The JVM with little to compile, and with its temporary files where the test has its own."""


def needs(*packages: str, program: str = "") -> pytest.MarkDecorator:
    missing = [name for name in packages if find_spec(name) is None]
    missing += [program] if program and shutil.which(program) is None else []
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


@pytest.fixture
def store(small_encoders: Path, tmp_path: Path) -> Path:  # noqa: F811
    with Memory.create(tmp_path / "store", encoder=FIRST, shots=2) as memory:
        memory.add_many([("cat mat", "animal"), ("taxi airport", "travel"), ("pay my card", "money")])
        memory.add_many([("dog", "animal"), ("the airport", "travel"), ("pay please", "money")])
    return tmp_path / "store"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A folder with some files of rows."""
    folder = tmp_path / "rows"
    folder.mkdir()
    table = pa.table({"n": [*range(len(ASKED))], "note": pa.array(ASKED, pa.string())})
    for number in range(FILES):
        pq.write_table(table.slice(number * EACH, EACH), folder / f"{number}.parquet")
    return folder


def expected(store: Path) -> list[dict[str, Any]]:
    """What `ask_many` says of each row, and what a labeler says of the store."""
    with Memory.open(store) as memory:
        root, encoder = memory.root, memory.settings.encoder_digest
        found = memory.ask_many([text or "" for text in ASKED], ask_model="never")
        made = []
        for n, (text, answer) in enumerate(zip(ASKED, found, strict=True)):
            labels: dict[str, Any] = {"answer": None, "probability": None, "asked_model": None, "examples": []}
            error = None if text is None else getattr(answer, "message", None)
            if not isinstance(answer, InputError):
                ids = dict.fromkeys(one.id for one in (*answer.examples, *answer.nearest))
                labels = {
                    "answer": answer.text,
                    "probability": answer.probability,
                    "asked_model": False,
                    "examples": [*ids],
                }
            said = {**labels, "root": root, "encoder": encoder, "error": error or (None if text else "missing")}
            made.append({"n": n, "note": text, **said})
    return made


def check(out: Path, store: Path) -> list[list[int]]:
    """Compare what was written with what is expected; return the numbers of the rows in each file."""
    files = sorted(out.glob("*.parquet"), key=lambda one: [int(n) for n in re.findall(r"\d+", one.name)[:1]])
    tables = [pq.read_table(file) for file in files]
    found = sorted((row for table in tables for row in table.to_pylist()), key=lambda row: row["n"])
    for row, want in zip(found, expected(store), strict=True):
        assert [*row] == ["n", "note", *ADDED]
        assert (row["error"] is None) == (want["error"] is None)
        assert {**row, "error": 0} == {**want, "error": 0}
    return [table.column("n").to_pylist() for table in tables]


def in_order_within_each_file(written: list[list[int]]) -> None:
    """Spark and Daft take files in any order; the rows of each stay in theirs."""
    for numbers in written:
        for file in range(FILES):
            mine = [n for n in numbers if n // EACH == file]
            assert mine == sorted(mine)


def words(name: str, store: Path, rows: object, out: Path) -> list[object]:
    program = EXAMPLES / f"label_{name}.py"
    return [program, "--store", store, "--column", "note", "--ask-model", "never", rows, out]


@pytest.mark.campaign
@needs("dask", "pandas")
def test_dask_labels_in_processes_without_a_socket_and_keeps_the_order(
    store: Path, rows: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = watched(
        sys.executable, *words("dask", store, rows / "*.parquet", out), "--workers", 2,
        folder=tmp_path, forbid=can_forbid(),
    )  # fmt: skip

    assert (ran.code, ran.sockets, ran.left) == (0, [], []), ran.err
    assert [n for numbers in check(out, store) for n in numbers] == [*range(len(ASKED))]


@needs("daft")
def test_daft_labels_and_tells_nobody(store: Path, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = watched(sys.executable, *words("daft", store, rows / "*.parquet", out), folder=tmp_path)

    assert (ran.code, ran.left) == (0, []), ran.err
    # urllib3, which Daft loads, looks whether IPv6's own address can be bound; nothing connects.
    assert {event.split()[0] for event in ran.sockets} <= {"socket.__new__", "socket.bind"}
    in_order_within_each_file(check(out, store))


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A JVM that leaves nothing outside the test's folder, and is gone afterwards."""
    (tmp_path / "java").mkdir()
    monkeypatch.setenv("JDK_JAVA_OPTIONS", JAVA.format(tmp_path / "java"))
    monkeypatch.setenv("SPARK_LOCAL_DIRS", str(tmp_path / "java"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "java"))
    yield
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in running.stdout


@pytest.mark.campaign
@needs("pyspark", "pandas", program="java")
@pytest.mark.usefixtures("java")
def test_spark_labels_in_arrow_where_there_is_no_network(store: Path, rows: Path, tmp_path: Path) -> None:
    command = [sys.executable, *words("spark", store, rows, tmp_path / "out"), "--workers", "1"]
    alone = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        alone = []  # this machine makes no network of its own
    ran = subprocess.run(
        [*alone, *map(str, command)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )

    assert ran.returncode == 0, ran.stderr
    in_order_within_each_file(check(tmp_path / "out", store))
    assert {path.name for path in tmp_path.iterdir()} == {"home", "java", "out", "rows", "store"}
    assert not [path for path in (tmp_path / "java").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "package"),
    [("dask", "dask"), ("daft", "daft"), ("spark", "pyspark")],
    ids=["dask", "daft", "spark"],
)
def test_what_cannot_be_done_is_one_sentence(name: str, package: str, tmp_path: Path, own_home: Path) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    ran = subprocess.run(
        [sys.executable, *map(str, words(name, tmp_path / "none", "x.parquet", tmp_path / "out"))],
        env=os.environ | {"EDGE_ICL_HOME": str(own_home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"label_{name}: error: there is no store at ")
