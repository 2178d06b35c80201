"""The desktop window, driven by real keys on an X server of its own; its title says what it answers."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from command import content
from expenses import EXAMPLES
from repository import REPOSITORY

from edge_icl import Example, Memory
from edge_icl.answer.certainty import in_words

PROGRAM = REPOSITORY / "examples" / "desktop"
PATIENCE = 120.0
PAUSE = 2.0
STRANGE = "qzx vkw jjj 8817"

pytest_plugins = ["display"]


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

    def answer(self, text: str) -> None:
        """Write another right answer over the one that is there."""
        self.press("alt+r", "ctrl+a")
        self.xdotool("type", "--delay", "30", text)

    def dialogs(self, title: str) -> set[str]:
        """Return the X windows of dialogs that are there."""
        words = ["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
        return {*done.stdout.split()}

    def confirm(self, title: str, key: str) -> set[str]:
        """Answer a dialog with a key, and return all that came when none is left."""
        self.until(lambda: bool(self.dialogs(title)))
        came: set[str] = set()
        pressed = -math.inf

        def gone() -> bool:
            nonlocal pressed
            there = self.dialogs(title)
            came.update(there)
            if there and time.monotonic() - pressed > PAUSE:  # it is seen before it has the focus
                self.press(key)
                pressed = time.monotonic()
            return not there

        self.until(gone)
        return came

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


def saved(store: Path) -> dict[str, bytes]:
    """Return the files of a store, but for what it computed to answer; none while one is being wiped."""
    with suppress(FileNotFoundError):
        return {name: data for name, data in content(store).items() if not name.startswith(("cache", "lock"))}
    return {}


def inputs(store: Path) -> dict[str, str]:
    with Memory.open(store) as memory:
        return {held.input: held.output for held in memory.examples()}


def test_a_line_is_classified_as_it_is_typed_and_corrected(desktop: Desktop, store: Path) -> None:
    desktop.type("Uber to the airport")
    desktop.until(lambda: desktop.title == "travel - edge-icl")

    desktop.type("Felt pens")
    desktop.answer("art supplies")
    desktop.press("Return")
    desktop.confirm("New label", "alt+y")

    desktop.until(lambda: inputs(store).get("Felt pens") == "art supplies")
    desktop.until(lambda: desktop.title == "art supplies - edge-icl")
    desktop.press("ctrl+q")
    assert desktop.ended() == 0


def test_an_example_is_forgotten_when_that_is_confirmed_and_only_then(desktop: Desktop, store: Path) -> None:
    desktop.type("Uber to the airport")
    desktop.until(lambda: desktop.title == "travel - edge-icl")
    before = inputs(store)

    desktop.press("Down", "Delete")
    desktop.confirm("Forget", "Return")  # no is the default
    desktop.type("Printer toner")
    desktop.until(lambda: desktop.title == "office - edge-icl")
    assert inputs(store) == before
    desktop.press("Down", "Delete")
    desktop.confirm("Forget", "alt+y")

    desktop.until(lambda: inputs(store) != before)
    assert set(before) - set(inputs(store)) == {"Printer toner"}
    with Memory.open(store) as memory:
        assert memory.verify(deep=True).ok


def test_ctrl_enter_learns_once_and_ctrl_a_selects_all(desktop: Desktop, store: Path) -> None:
    desktop.type("Felt")
    desktop.press("ctrl+a")
    desktop.xdotool("type", "--delay", "30", "Crayons")
    desktop.answer("art")
    desktop.answer("art supplies")
    desktop.press("ctrl+Return")
    asked = desktop.confirm("New label", "alt+y")

    desktop.until(lambda: desktop.title == "art supplies - edge-icl")
    assert len(asked) == 1
    assert inputs(store).get("Crayons") == "art supplies"
    assert len(inputs(store)) == len(EXAMPLES) + 1


def test_a_label_that_is_new_is_taught_only_if_it_is_meant(desktop: Desktop, store: Path) -> None:
    before = saved(store)
    desktop.type("Tram to the fair")
    desktop.answer("travle")
    desktop.press("Return")
    desktop.confirm("New label", "Return")  # no is the default where a known label is nearly the same

    assert saved(store) == before
    desktop.answer("travel")
    desktop.press("Return")
    desktop.until(lambda: inputs(store).get("Tram to the fair") == "travel")


def test_what_was_taught_or_forgotten_last_is_taken_back_byte_for_byte(desktop: Desktop, store: Path) -> None:
    with Memory.open(store) as memory:
        memory.add("Ferry to Oslo", "boats", tags=["2026", "sea"], source="old.csv")
    before = saved(store)

    desktop.type("Ferry to Oslo")
    desktop.until(lambda: desktop.title == "boats - edge-icl")
    desktop.press("Down", "Delete")
    desktop.confirm("Forget", "alt+y")
    desktop.until(lambda: "Ferry to Oslo" not in inputs(store))
    desktop.until(lambda: len(saved(store)) == len(before))  # what is forgotten is wiped next
    between = saved(store)
    desktop.type("Tram to the fair")
    desktop.answer("travel")
    desktop.press("Return")
    desktop.until(lambda: "Tram to the fair" in inputs(store))

    desktop.press("ctrl+z")
    desktop.until(lambda: saved(store) == between)
    desktop.press("ctrl+z")
    desktop.until(lambda: saved(store) == before)


def test_all_examples_are_browsed_and_searched_asked_and_forgotten(desktop: Desktop, store: Path) -> None:
    before = saved(store)
    desktop.until(lambda: desktop.title == "edge-icl")
    desktop.press("ctrl+f")
    desktop.xdotool("type", "--delay", "30", "toner")
    desktop.until(lambda: desktop.title == "1 of 12 examples - edge-icl")
    desktop.press("Down", "Return")
    desktop.until(lambda: desktop.title == "office - edge-icl")

    desktop.press("ctrl+f", "Down", "Delete")
    desktop.confirm("Forget", "alt+y")
    desktop.until(lambda: "Printer toner" not in inputs(store))
    desktop.press("ctrl+f")
    desktop.xdotool("type", "--delay", "30", "paper")
    desktop.until(lambda: desktop.title == "1 of 11 examples - edge-icl")
    desktop.press("Down", "u")
    desktop.until(lambda: saved(store) == before)


def test_an_answer_says_in_words_how_sure_it_is_and_what_is_unlike_everything(
    display: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PROGRAM))
    tkinter, widgets, look = map(import_module, ("tkinter", "widgets", "look"))
    root = tkinter.Tk()
    try:
        look.dress(root)
        shown, table = widgets.Answer(root), widgets.Examples(root)
        with Memory.open(store) as memory:
            found = {text: memory.ask(text) for text in ("Taxi to the airport", "Printer toner", STRANGE)}
        found[STRANGE] = replace(found[STRANGE], unlike=True)  # a store of twelve is too small to tell
        words = {}
        for text, answer in found.items():
            shown.show(answer)
            table.show(answer)
            words[text] = [label["text"] for label in shown.winfo_children() if label.winfo_class() == "TLabel"]
        headings = [table.table.heading(name)["text"] for name in table.table["columns"]]
    finally:
        root.destroy()

    taxi = found["Taxi to the airport"]
    assert f"{taxi.probability:.0%}, {in_words(taxi.probability)}" in words["Taxi to the airport"]
    assert "taught for this line" in words["Printer toner"]
    guess = "Unlike everything that was taught: this is a guess."
    assert [guess in words[text] for text in found] == [False, False, True]
    assert headings == ["alike", "output", "input", "why it counts"]


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
