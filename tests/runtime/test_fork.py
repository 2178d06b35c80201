"""Processes that are forked from one with an open store: they work, or say why they cannot, and never hang."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from campaigns import later
from expenses import EXAMPLES, SEED
from own_core import own_core

from edge_icl import Memory, ModelForkedError, Options, StoreBusyError
from edge_icl.encode.encoder import Encoder
from edge_icl.llm.native import llama
from edge_icl.llm.window import Window
from edge_icl.store.writer import writing

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]

PATIENCE = 60
STORY = Options(labels="off", select="none", max_tokens=8)


@pytest.fixture(scope="module")
def taught(fetched_models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    """A home with a store that was asked everything, and what it said; copy it."""
    home = tmp_path_factory.mktemp("taught") / "home"
    with pytest.MonkeyPatch.context() as patch, own_core():
        patch.setenv("EDGE_ICL_HOME", str(home))
        home.mkdir(mode=0o700)
        (home / "models").symlink_to(fetched_models)
        with Memory.create("work", seed=SEED, shots=4) as memory:
            memory.add_many(EXAMPLES)
            said = everything(memory)
    (home / "models").unlink()
    return home, said


@pytest.fixture
def memory(models_home: Path, taught: tuple[Path, list[object]]) -> Iterator[Memory]:
    shutil.copytree(taught[0], models_home, dirs_exist_ok=True)
    with Memory.open("work", create=False) as memory:
        yield memory


@pytest.fixture
def expected(taught: tuple[Path, list[object]]) -> list[object]:
    """What `everything` returns in the process that taught the store."""
    return taught[1]


def in_child(work: Callable[[], object]) -> object:
    """Return what work() returns in a forked process, or its error; fails where it hangs."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            told = ["done", work()]
        except BaseException as error:  # noqa: BLE001 - told below
            told = [type(error).__name__, f"{error}\n{traceback.format_exc()}"]
        os.write(write, json.dumps(told).encode())
        os._exit(0)
    os.close(write)
    timer = threading.Timer(PATIENCE, os.kill, [child, 9])
    timer.start()
    with os.fdopen(read, "rb") as file:
        told = file.read()
    os.waitpid(child, 0)
    timer.cancel()
    timer.join()
    assert told, "the child hung"
    kind, value = json.loads(told)
    return value if kind == "done" else (kind, value)


def everything(memory: Memory) -> list[object]:
    """What can be asked of a store."""
    return [
        memory.ask("Taxi downtown", Options(ask_model="always")).text,
        memory.ask("Write a story", STORY).text,
        [held.input for held in memory.search("train to Paris", limit=3)],
        sorted(held.id for held in memory.examples()),
        memory.root,
    ]


def fresh(path: Path) -> list[object]:
    with Memory.open(path, create=False) as memory:
        return everything(memory)


@pytest.mark.usefixtures("fresh_models")
@pytest.mark.parametrize(
    ("loaded", "how"),
    [
        ("nothing", "the parent's Memory"),
        later("the encoder", "the parent's Memory"),
        later("both models", "the parent's Memory"),
        ("both models, which have answered", "the parent's Memory"),
        later("both models, which have answered", "one of its own"),
        ("both models, which have answered", "one of its own, in a thread"),
    ],
)
def test_a_child_gets_the_answers_that_its_parent_gets(
    memory: Memory, expected: list[object], loaded: str, how: str
) -> None:
    path = memory.path
    memory.close()
    with Memory.open(path, create=False) as parent:
        if loaded == "the encoder":
            parent.search("taxi")
        elif loaded != "nothing":
            parent.load()
        if "answered" in loaded:
            assert everything(parent) == expected

        def work() -> object:
            if how == "the parent's Memory":
                return everything(parent)
            if how == "one of its own":
                return fresh(path)
            found: list[object] = []
            thread = threading.Thread(target=lambda: found.append(fresh(path)))
            thread.start()
            thread.join()
            return found[0]

        assert in_child(work) == expected
        assert everything(parent) == expected


def test_a_child_of_a_parent_that_is_answering_in_another_thread_has_no_lock_of_it(
    memory: Memory, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.load()
    begun, go_on, decode = threading.Event(), threading.Event(), Window.decode

    def wait(*arguments: object) -> None:
        if threading.current_thread() is asker and not begun.is_set():
            begun.set()
            go_on.wait()
        decode(*arguments)

    monkeypatch.setattr(Window, "decode", wait)
    answers: list[str] = []
    asker = threading.Thread(
        target=lambda: answers.append(memory.ask("Taxi downtown", Options(ask_model="always")).text)
    )
    asker.start()
    assert begun.wait(PATIENCE)
    try:
        assert in_child(lambda: everything(memory)) == expected
        assert in_child(memory.close) is None
    finally:
        go_on.set()
        asker.join()
    assert answers == expected[:1]


@pytest.mark.usefixtures("fresh_models")
def test_a_child_of_a_parent_that_is_loading_in_another_thread_loads_by_itself(
    memory: Memory, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = memory.path
    memory.close()
    begun, go_on, load = threading.Event(), threading.Event(), Encoder.load

    def wait(encoder: Encoder) -> object:
        if threading.current_thread() is loader:
            begun.set()
            go_on.wait()
        return load(encoder)

    monkeypatch.setattr(Encoder, "load", wait)
    with Memory.open(path, create=False) as parent:
        loader = threading.Thread(target=parent.load)
        loader.start()
        assert begun.wait(PATIENCE)
        try:
            assert in_child(lambda: everything(parent)) == expected
        finally:
            go_on.set()
            loader.join()


def test_a_child_changes_the_store_and_its_parent_sees_it(memory: Memory) -> None:
    memory.ask("Taxi downtown", Options(ask_model="always"))
    gone = next(memory.examples()).id

    def change() -> int:
        memory.add("Ferry to the island", "travel")
        memory.forget(gone)
        return len(memory)

    assert in_child(change) == len(EXAMPLES)
    assert gone not in {held.id for held in memory.examples()}
    assert memory.find(match="ferry")
    assert memory.verify(deep=True).ok
    assert memory.ask("Taxi downtown", Options(ask_model="always")).text == "travel"


def test_a_child_does_not_hold_the_lock_that_its_parent_held(memory: Memory) -> None:
    read, write = os.pipe()
    with writing(memory._opened.store):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)  # lives on when the parent has let go of the lock
            os._exit(0)
    os.close(read)
    try:
        memory._opened.timeout = 0
        memory.add("Ferry to the island", "travel")
        with writing(memory._opened.store):
            assert in_child(lambda: memory.add("Tram", "travel").added)[0] == StoreBusyError.__name__
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_a_stream_that_the_parent_began_is_the_parents(memory: Memory) -> None:
    options = Options(labels="off", select="none", max_tokens=20)
    expected = memory.ask("Write a story", options).text
    reply = memory.stream("Write a story", options)
    pieces = [next(reply)]

    kind, error = in_child(lambda: next(reply))
    assert kind == ModelForkedError.__name__
    assert "set_start_method('spawn')" in error
    assert in_child(reply.close) is None
    assert "".join([*pieces, *reply]) == expected


def test_with_a_gpu_the_child_is_told_to_be_spawned(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.ask("Taxi downtown", Options(ask_model="always"))
    monkeypatch.setattr(llama(), "llama_supports_gpu_offload", lambda: True)

    kind, error = in_child(lambda: memory.ask("Taxi downtown", Options(ask_model="always")).text)

    assert kind == ModelForkedError.__name__
    assert "set_start_method('spawn')" in error
    assert in_child(lambda: memory.search("taxi")[0].output) == "travel"


def test_a_pool_of_forked_processes_answers(memory: Memory) -> None:
    expected = [memory.ask(question).text for question in ("Taxi downtown", "Lunch", "Printer")]

    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.starmap_async(answer, [(memory.path, q) for q in ("Taxi downtown", "Lunch", "Printer")])
        assert found.get(PATIENCE) == expected


def answer(path: Path, question: str) -> str:
    with Memory.open(path, create=False) as memory:
        return memory.ask(question).text


SERVER = """
import os, sys
from edge_icl import Memory, Options

memory = Memory.open(sys.argv[1], create=False)
memory.load()
print(memory.ask("Taxi downtown", Options(ask_model="always")).text + "\\n", end="", flush=True)
for _ in range(2):  # as gunicorn --preload does
    if os.fork() == 0:
        for _ in range(2):
            print(memory.ask("Taxi downtown", Options(ask_model="always")).text + "\\n", end="", flush=True)
        sys.exit()  # through the whole end of the interpreter
for _ in range(2):
    assert os.wait()[1] == 0
print(memory.ask("Taxi downtown", Options(ask_model="always")).text + "\\n", end="", flush=True)
"""


def test_workers_of_a_server_that_has_loaded_its_application_first_answer(memory: Memory) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SERVER, memory.path],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "travel\n" * 6, "")
