"""llm, with the plugin llm-edge-icl: its commands, its models, and what llm logs of them."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import llm
import pytest
from click.testing import CliRunner, Result
from command import EXAMPLES, IDS, SEED
from llm.cli import cli
from llm.plugins import load_plugins, pm
from repository import REPOSITORY
from stores import QUICK

from edge_icl import Memory, Options
from edge_icl.cli.program import COMMANDS
from edge_icl.models.catalogue import DEFAULT_LLM

pytest_plugins = ["cli_fixtures"]

SOURCE = REPOSITORY / "integrations" / "llm-edge-icl"
UBER = EXAMPLES[0]
WRITTEN = ["-o", "labels", "off", "-o", "max_tokens", "4"]
ALONE = f"edge-icl/{DEFAULT_LLM}"

Run = Callable[..., Result]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which llm keeps its log."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    monkeypatch.setenv("LLM_RAISE_ERRORS", "")
    return tmp_path / "llm"


@pytest.fixture
def run(logs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return what runs llm, in this process, with the plugin."""
    monkeypatch.syspath_prepend(SOURCE)
    load_plugins()
    if not pm.has_plugin("edge-icl"):
        import llm_edge_icl

        pm.register(llm_edge_icl, "edge-icl")
        llm_edge_icl.register_commands(cli)
    yield lambda *words, **more: CliRunner().invoke(cli, words, **more)
    gc.collect()  # llm's models and their answers hold each other


def logged(folder: Path) -> bytes:
    """Return all that llm has written."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_llm_finds_the_plugin_that_is_installed(home: Path, logs: Path, tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "source")
    quietly = [
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--no-compile",
        "--target",
        tmp_path / "site",
    ]
    subprocess.run([sys.executable, "-m", "pip", "install", *quietly, tmp_path / "source"], check=True)
    paths = os.pathsep.join(filter(None, [str(tmp_path / "site"), os.environ.get("PYTHONPATH")]))
    program = "import sys; from llm.cli import cli; cli()"

    ran = subprocess.run(
        [sys.executable, "-c", program, "models", "-q", "edge-icl"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.splitlines() == ["EdgeIclStore: edge-icl", f"EdgeIclModel: {ALONE}"]


def test_what_is_taught_is_asked_and_forgotten_without_a_log(home: Path, logs: Path, run: Run) -> None:
    assert run("edge", "--store", "work", "init", "--seed", SEED.hex()).exit_code == 0
    taught = (UBER, *EXAMPLES[2:4])
    for example in taught:
        assert run("edge", "--store", "work", "add", example.input, example.output).exit_code == 0
    with Memory.open("work") as memory:
        answer = memory.ask("Taxi downtown").text
    ids = run("edge", "--store", "work", "search", UBER.input, "--limit", "1", "--json").output

    asked = run("edge", "ask", "--store", "work", "Taxi downtown")
    refused = run("edge", "forget", "--store", "work", json.loads(ids)["id"])
    unknown = run("edge", "forget", "--store", "work", "--yes", json.loads(ids)["id"], "0" * 32)
    done = run("edge", "forget", "--store", "work", "--yes", json.loads(ids)["id"])

    assert (asked.exit_code, asked.stdout) == (0, f"{answer}\n")
    assert refused.exit_code == 1
    advised = refused.stderr.strip().partition("give --yes: ")[2]
    assert advised.startswith("llm edge --store work forget ")
    assert (unknown.exit_code, "no example" in unknown.stderr) == (1, True)
    assert done.stdout.startswith("forgot 1 example\n")
    with Memory.open("work") as memory:
        assert len(memory) == len(taught) - 1
        assert memory.verify(deep=True).ok
    assert logged(logs) == b""
    assert run(*shlex.split(advised)[1:]).exit_code == 1  # it works as typed: there is no such example now


def test_the_answer_is_that_of_the_store_and_no_example_is_logged(home: Path, logs: Path, run: Run) -> None:
    with Memory.open() as memory:
        answers = [
            memory.ask("Taxi downtown"),
            memory.ask("Taxi downtown", Options(labels="off", max_tokens=4)),
        ]

    judged = run("-m", "edge-icl", "Taxi downtown", "-o", "ask_model", "never")
    written = run("-m", "edge-icl", "Taxi downtown", "-o", "store", "default", *WRITTEN)
    whole = run("-m", "edge-icl", "Taxi downtown", "--no-stream", "--usage", *WRITTEN)

    assert [one.stdout.rstrip("\n") for one in (judged, written, whole)] == [
        one.text for one in (*answers, answers[1])
    ]
    assert answers[1].prompt
    assert UBER.input in answers[1].prompt
    assert "output" in whole.stderr
    log = logged(logs)
    assert b"Taxi downtown" in log
    for example in EXAMPLES:
        assert example.input.encode() not in log
        assert IDS[example.input].encode() not in log


def test_nothing_is_logged_where_llm_is_told_so(home: Path, logs: Path, run: Run) -> None:
    assert run("logs", "off").exit_code == 0

    assert run("-m", "edge-icl", UBER.input).stdout == f"{UBER.output}\n"
    assert UBER.input.encode() not in logged(logs)


UNANSWERED = [
    (["-o", "store", "nowhere"], "nowhere; make it with `llm edge --store nowhere init`"),
    (["-o", "model", "nowhere"], "add it with `llm edge models import nowhere FILE`"),
    (["-o", "labels", "on", "--schema", '{"enum": ["a"]}'], "labels are chosen and not written"),
    (["-o", "labels", "maybe"], "labels"),
    (["-o", "max_tokens", "0"], "an answer cannot have 0 tokens"),
    (["-o", "abstain", "0.0001"], "no answer is sure enough; the likeliest are "),
    (["-o", "temperature", "1"], "temperature"),
]


def test_what_cannot_be_answered_is_one_sentence(home: Path, run: Run) -> None:
    for words, told in UNANSWERED:
        ask = ["-o", "ask_model", "always" if "model" in words else "never"]

        ran = run("-m", "edge-icl", "Zebra crossing", *ask, *words)

        assert (ran.exit_code, ran.stdout) == (1, ""), words
        assert ran.stderr.startswith("Error: ")
        assert told in ran.stderr


def test_a_store_holds_no_conversation_and_a_model_does(home: Path, run: Run) -> None:
    assert run("-m", "edge-icl", UBER.input).exit_code == 0
    assert "does not support conversations" in run("-c", "And then?").stderr

    said = run("-m", ALONE, "My name is Bob. Say hello to me.", "-o", "max_tokens", "6")
    then = run("-c", "What is my name?", "-o", "max_tokens", "6", "--usage")

    assert (said.exit_code, then.exit_code) == (0, 0)
    alone = run("-m", ALONE, "What is my name?", "-o", "max_tokens", "1", "--usage")
    read = [int(one.stderr.split("usage: ")[1].split(" ")[0]) for one in (then, alone)]
    assert read[0] > read[1] + 10


@pytest.mark.parametrize("model", ["edge-icl", ALONE])
def test_an_answer_keeps_to_a_schema(home: Path, run: Run, model: str) -> None:
    schema = json.dumps({"type": "object", "properties": {"ok": {"enum": ["y", "n"]}}, "required": ["ok"]})

    ran = run("-m", model, "Is a taxi a car?", "--schema", schema)

    assert json.loads(ran.stdout)["ok"] in ("y", "n")


def test_programs_keep_the_store_open_and_see_its_changes(home: Path, run: Run) -> None:
    model = llm.get_model("edge-icl")
    first = model.prompt(UBER.input, store="default").text()
    opened = model.source._kept[1]
    with Memory.open() as memory:
        memory.forget(IDS[UBER.input])
        memory.add(UBER.input, "other")
    then = model.prompt(UBER.input, store="default").text()

    assert (first, then) == (UBER.output, "other")
    assert model.source._kept[1] is opened
    assert model.prompt(UBER.input, store=str(home / "stores" / "default")).text() == "other"


def test_the_loop_goes_on_while_an_answer_is_written(home: Path, run: Run) -> None:
    async def main() -> tuple[str, str, int]:
        model = llm.get_async_model("edge-icl")
        pieces = [piece async for piece in model.prompt("Taxi downtown", labels="off", max_tokens=4)]
        whole = model.prompt("Taxi downtown", stream=False, labels="off", max_tokens=4)
        return "".join(pieces), await whole.text(), (await whole.usage()).output

    pieces, whole, written = asyncio.run(main())

    assert pieces == whole
    assert written > 0


def test_a_sealed_store_opens_with_its_passphrase(
    models_home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Memory.create("sealed", seed=SEED, passphrase="correct horse", stretch=QUICK)) as memory:
        memory.add(UBER.input, UBER.output)
    asked = ("-m", "edge-icl", UBER.input, "-o", "store", "sealed")

    assert "is encrypted, and there is no terminal" in run(*asked).stderr
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "correct horse")
    assert run(*asked).stdout == f"{UBER.output}\n"


def test_help_names_commands_as_they_are_typed_in_llm(run: Run, own_home: Path) -> None:
    for command in ("", *COMMANDS):
        ran = run(*filter(None, ["edge", command, "--help"]))

        assert ran.exit_code == 0
        assert ran.stdout.startswith(f"Usage: llm edge {command}")
        for known in COMMANDS:
            assert f"edge-icl {known} " not in ran.stdout.replace("edge-icl completion", ""), command
