"""The desktop window, driven by real keys on an X server of its own; its title says what it answers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from expenses import EXAMPLES
from repository import REPOSITORY

from edge_icl import Example, Memory

PROGRAM = REPOSITORY / "examples" / "desktop"
PATIENCE = 120.0

MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {' and '.join(MISSING)}")


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An X server that nobody sees."""
    pytest.importorskip("tkinter", reason="this Python has no Tk")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x720x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("no X server can be started here")
        monkeypatch.setenv("DISPLAY", f":{number}")
        yield f":{number}"
        server.terminate()


class Desktop:
    """The program, as a user has it in front of them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.window = self.xdotool("search", "--sync", "--onlyvisible", "--name", "edge-icl").split()[0]
        self.xdotool("windowfocus", "--sync", self.window)

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], capture_output=True, text=True, check=True, timeout=PATIENCE)
        return done.stdout.strip()

    @property
    def title(self) -> str:
        return self.xdotool("getwindowname", self.window)

    def press(self, *keys: str) -> None:
        self.xdotool("key", *keys)

    def type(self, text: str) -> None:
        self.press("ctrl+l")
        self.xdotool("type", "--delay", "30", text)

    def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not what():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < end, self.title
            time.sleep(0.05)

    def ended(self) -> int:
        """Return the exit status once the program has ended; nothing may have gone wrong in it."""
        _, complaints = self.process.communicate(timeout=PATIENCE)
        assert complaints == ""
        return self.process.returncode


@pytest.fixture
def store(models_home: Path) -> Path:
    with Memory.create("work", shots=4) as memory:
        memory.add_many(EXAMPLES)
        return memory.path


@pytest.fixture
def desktop(display: str, store: Path) -> Iterator[Desktop]:
    command = [sys.executable, PROGRAM, "--store", store]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Desktop(process)
        finally:
            process.kill()


def inputs(store: Path) -> dict[str, str]:
    with Memory.open(store) as memory:
        return {held.input: held.output for held in memory.examples()}


def test_a_line_is_classified_as_it_is_typed_and_corrected(desktop: Desktop, store: Path) -> None:
    desktop.type("Uber to the airport")
    desktop.until(lambda: desktop.title == "travel - edge-icl")

    desktop.type("Felt pens")
    desktop.press("alt+r")
    desktop.xdotool("type", "--delay", "30", "art supplies")
    desktop.press("Return")

    desktop.until(lambda: inputs(store).get("Felt pens") == "art supplies")
    desktop.until(lambda: desktop.title == "art supplies - edge-icl")
    desktop.press("ctrl+q")
    assert desktop.ended() == 0


def test_an_example_is_forgotten_when_that_is_confirmed_and_only_then(desktop: Desktop, store: Path) -> None:
    desktop.type("Uber to the airport")
    desktop.until(lambda: desktop.title == "travel - edge-icl")
    before = inputs(store)

    desktop.press("Down", "Delete")
    desktop.xdotool("search", "--sync", "--onlyvisible", "--name", "^Forget$")
    desktop.press("Return")  # no is the default
    desktop.type("Printer toner")
    desktop.until(lambda: desktop.title == "office - edge-icl")
    assert inputs(store) == before
    desktop.press("Down", "Delete")
    desktop.xdotool("search", "--sync", "--onlyvisible", "--name", "^Forget$")
    desktop.press("alt+y")

    desktop.until(lambda: inputs(store) != before)
    assert set(before) - set(inputs(store)) == {"Printer toner"}
    with Memory.open(store) as memory:
        assert memory.verify(deep=True).ok


def test_a_change_in_another_program_is_seen(desktop: Desktop, store: Path) -> None:
    desktop.type("Uber to the airport")
    desktop.until(lambda: desktop.title == "travel - edge-icl")

    with Memory.open(store) as memory:
        memory.forget(*[held.id for held in memory.examples()])
        memory.add_many([Example.create(f"{pair.input} again", "something") for pair in EXAMPLES])

    desktop.until(lambda: desktop.title == "something - edge-icl")


@pytest.mark.parametrize("how", ["key", "signal"])
def test_the_window_closes_while_the_model_writes_a_long_answer(
    desktop: Desktop, store: Path, how: str
) -> None:
    with Memory.open(store) as memory:
        memory.forget(*[held.id for held in memory.examples()])
        memory.add("Tell me everything about the sea", "The sea is " + "very, " * 200 + "deep.")
    desktop.type("Tell me everything about the sky")
    time.sleep(2)

    if how == "key":
        desktop.press("ctrl+q")
    else:
        desktop.process.send_signal(signal.SIGINT)

    assert desktop.ended() == 0


def test_a_store_that_cannot_be_opened_is_one_sentence(display: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no store")

    done = subprocess.run(
        [sys.executable, PROGRAM, "--store", tmp_path / "file"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == f"desktop: error: {tmp_path / 'file'} is a file, not a store; choose another path\n"
