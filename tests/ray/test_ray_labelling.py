"""Labels by workers of Ray: equal to one process's, in the order of the rows, whatever becomes of a worker."""

from __future__ import annotations

import os
import platform
import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from command import EXAMPLES, run
from pyarrow import parquet
from repository import REPOSITORY

from edge_icl import Memory, batch
from edge_icl.batch.columns import ADDED

pytest_plugins = ["cli_fixtures", "ray_fixtures"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("all_cores"),
]

NEVER = ("--ask-model", "never")
ROWS = 180
BAD = 31
"""The row whose question is empty."""


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A folder of questions, in CSV: one cell has a line break, one is empty."""
    folder = tmp_path / "questions"
    folder.mkdir()
    texts = [f"{EXAMPLES[i % 5].input} {i}" for i in range(ROWS)]
    texts[7], texts[BAD] = 'Taxi\nto the ""fair""', ""
    for part, begin in enumerate(range(0, ROWS, 100)):
        lines = [f'{i},"{texts[i]}"\r\n' for i in range(begin, min(begin + 100, ROWS))]
        (folder / f"{part}.csv").write_text("number,input\r\n" + "".join(lines), newline="")
    return folder


@pytest.fixture
def rows(questions: Path) -> pa.Table:
    """The same as a table."""
    from pyarrow import csv

    options = csv.ParseOptions(newlines_in_values=True)
    kinds = csv.ConvertOptions(column_types={"number": pa.string(), "input": pa.string()})
    files = sorted(questions.iterdir())
    return pa.concat_tables([csv.read_csv(one, parse_options=options, convert_options=kinds) for one in files])


@pytest.fixture
def store(home: Path) -> Path:
    return home / "stores" / "default"


@pytest.fixture
def alone(store: Path, rows: pa.Table) -> pa.Table:
    """What one process makes of the rows."""
    label = batch.Labeler(store, ask_model="never")
    made = label(rows)
    label.close()
    return made


@pytest.fixture
def other_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process that begins compute other vectors than the workers do."""
    real = batch.Labeler.machine
    monkeypatch.setattr(
        batch.Labeler, "machine", lambda self: replace(real(self), host="first", encoder="other")
    )


@pytest.fixture
def killing(tmp_path: Path) -> Iterator[list[int]]:
    """Kill a worker when the first part is there, with a draft as it may leave; how many parts were there."""
    from ray_fixtures import processes

    at, ended = list[int](), threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            there = len([*(tmp_path / "answers").glob("part-*")])
            workers = processes("ray::MapWorker") if there else []
            if workers:
                (tmp_path / "answers" / ".part-00044.parquet.0badcafe").write_bytes(b"left by a worker")
                os.kill(workers[0], signal.SIGKILL)
                at.append(there)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    yield at
    ended.set()
    thread.join()


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def answered(folder: Path) -> pa.Table:
    return pa.concat_tables([parquet.read_table(one) for one in sorted(folder.glob("part-*"))])


@pytest.mark.usefixtures("local_ray", "other_machine")
def test_a_dataset_is_labelled_in_its_order_as_by_one_process_and_other_machines_are_marked(
    store: Path, rows: pa.Table, alone: pa.Table, tmp_path: Path
) -> None:
    import ray.data

    from edge_icl.ray import label

    parquet.write_table(rows, tmp_path / "rows.parquet", row_group_size=50)

    made = label(
        ray.data.read_parquet(str(tmp_path / "rows.parquet"), override_num_blocks=4),
        store,
        workers=2,
        block=17,
        allow_mixed=True,
        ask_model="never",
    )
    found = pa.concat_tables(ray.get(made.to_arrow_refs()))

    assert found.drop_columns(["machine"]).to_pylist() == alone.to_pylist()
    assert found.schema.names == [*rows.schema.names, *ADDED, "machine"]
    (told,) = {*found.column("machine").to_pylist()}
    assert told.endswith(": the encoder gives other vectors")
    assert alone.column("error").to_pylist()[BAD] == "the question is empty"


@pytest.mark.campaign
@pytest.mark.usefixtures("local_ray")
def test_a_killed_worker_loses_nothing_and_a_run_that_was_cut_off_ends_with_the_same_bytes(
    questions: Path, alone: pa.Table, tmp_path: Path, killing: list[int]
) -> None:
    out = tmp_path / "answers"
    words = ("ask", "--file", str(questions), "--engine", "ray", *NEVER, "--out", str(out))

    ran = run(*words, "--rows-per-part", "4", "--workers", "2")

    assert (ran.code, ran.err) == (1, "edge-icl: 1 of 180 questions could not be answered\n")
    assert ran.out == f"wrote 180 rows to {out}, in 45 parts\n"
    assert killing[0] < 45, "no worker was killed in the middle"
    assert answered(out).to_pylist() == alone.to_pylist()
    whole = content(out)
    assert len(whole) == 46, "something else is left"

    (out / "part-00003.parquet").unlink()
    (out / "part-00044.parquet").write_bytes(whole["part-00044.parquet"][:99])
    (out / ".part-00007.parquet.1234").write_bytes(b"left by a worker")
    again = run(*words, "--resume", "--workers", "1")

    assert (again.code, again.out) == (1, ran.out)
    assert content(out) == whole


@pytest.mark.campaign
@pytest.mark.usefixtures("home", "local_ray", "other_machine")
def test_a_worker_on_another_kind_of_machine_is_refused_by_name(questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers"

    ran = run("ask", "--file", str(questions), "--engine", "ray", *NEVER, "--out", str(out), "--workers", "1")

    assert ran.code == 1
    assert f"the machine {platform.node()} computes otherwise than first: the encoder gives other" in ran.err
    assert not out.exists()


@pytest.mark.campaign
@pytest.mark.usefixtures("local_ray")
def test_a_store_that_has_changed_since_the_beginning_is_refused(store: Path, rows: pa.Table) -> None:
    import ray.data

    from edge_icl.ray import label

    made = label(ray.data.from_arrow(rows), store, workers=1, ask_model="never")
    with Memory.open(store) as memory:
        memory.add("Ferry to Rhodes", "travel")

    with pytest.raises(ray.exceptions.RayError, match=r"its root is .* and the rows are labelled from"):
        made.materialize()


@pytest.mark.campaign
def test_what_is_begun_otherwise_is_not_gone_on_with(
    questions: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_icl.cli import labelling

    monkeypatch.setattr(labelling._Run, "_fill", _as_one_process)
    out = tmp_path / "answers"
    words = ["ask", "--file", str(questions), "--engine", "ray", "--out", str(out)]
    assert run(*words, *NEVER, "--rows-per-part", "50").code == 1
    before = content(out)
    (out / "part-00001.parquet").unlink()

    def refused(*more: str) -> str:
        ran = run(*words, "--resume", *more)
        assert ran.code == 1, ran.err
        assert content(out).keys() == before.keys() - {"part-00001.parquet"}
        return ran.err

    assert 'were begun with ask_model "never"; go on' in refused()
    assert "were begun with abstain null" in refused(*NEVER, "--abstain", "0.05")
    assert "were begun with --rows-per-part 50" in refused(*NEVER, "--rows-per-part", "60")
    assert "were begun with no --allow-mixed" in refused(*NEVER, "--allow-mixed")
    assert "there are answers in" in run(*words, *NEVER).err
    with Memory.open(store) as memory:
        added = memory.add("Ferry to Rhodes", "travel")
    assert "were begun with other examples" in refused(*NEVER)
    with Memory.open(store) as memory:
        memory.forget(*added.ids)
    with (questions / "0.csv").open("a") as file:
        file.write("1000,Taxi\n")
    assert "were begun with other questions" in refused(*NEVER)
    (questions / "0.csv").write_bytes((questions / "0.csv").read_bytes().removesuffix(b"1000,Taxi\n"))

    assert run(*words, *NEVER, "--resume").code == 1
    assert content(out) == before


def _as_one_process(self: Any, missing: Any) -> None:
    """Write parts as a worker does, in this process."""
    from edge_icl.cli.parts import write

    for part in missing:
        write(self._job, part)
    self._job.labeler.close()


def test_a_file_that_changes_meanwhile_is_refused(
    questions: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_icl.cli import labelling

    def fill(self: Any, missing: Any) -> None:
        _as_one_process(self, missing)
        with (questions / "1.csv").open("a") as file:
            file.write("1000,Taxi\n")

    monkeypatch.setattr(labelling._Run, "_fill", fill)
    out = tmp_path / "answers"

    ran = run("ask", "--file", str(questions), "--engine", "ray", *NEVER, "--out", str(out))

    assert ran.code == 1
    assert "1.csv was changed while it was asked" in ran.err


@pytest.mark.campaign
def test_the_lines_of_the_page_label_a_folder_of_parquet(store: Path, tmp_path: Path, local_ray: None) -> None:
    page = (REPOSITORY / "docs" / "fleet.md").read_text(encoding="utf-8")
    (program,) = [one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "read_parquet" in one]
    for path, here in {"/shared/mails": "mails", "/shared/answered": "answered"}.items():
        program = program.replace(path, str(tmp_path / here))
    program = program.replace("/shared/work", str(store))
    (tmp_path / "mails").mkdir()
    parquet.write_table(pa.table({"text": ["Uber to the airport"]}), tmp_path / "mails" / "0.parquet")

    exec(compile(program, "fleet.md", "exec"), {})

    assert parquet.read_table(tmp_path / "answered").column("answer").to_pylist() == ["travel"]
