"""The Tk window answers, learns and forgets while its event loop turns, and leaves nothing open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from command import content
from expenses import PAIRS
from one_page import load, refused_page, run_page

from edge_icl import Memory, StoreClosedError
from edge_icl.store.lock import locked

pytest_plugins = ["display"]

PATIENCE = 60.0


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=bytes(range(32)), shots=4) as memory:
        memory.add_many(PAIRS)
        yield memory


@pytest.fixture
def window(display: str, memory: Memory) -> Iterator[Any]:
    import tkinter as tk

    window = load("window_tk").Window(memory)
    yield window
    with suppress(tk.TclError):  # it is closed already
        window.close()


def until(window: Any, what: Callable[[], bool]) -> None:
    """Turn the event loop until something is so."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, window.said["text"]
        window.update()
        time.sleep(0.01)


def ask(window: Any, line: str) -> None:
    """Write a line and press Return."""
    window.line.delete(0, "end")
    window.line.insert(0, line)
    window.line.focus_force()
    window.update()
    window.line.event_generate("<Return>")


def test_a_line_is_labelled_corrected_and_forgotten(window: Any, memory: Memory) -> None:
    before = content(memory.path / "pages")
    ask(window, "Uber to the airport")
    until(window, lambda: window.title() == "travel - edge-icl")
    assert window.example["text"] == "Uber to the airport -> travel"

    ask(window, "Felt pens")
    until(window, lambda: window.title() == "office - edge-icl")
    window.label.delete(0, "end")
    window.label.insert(0, "art supplies")
    window.teach_button.invoke()
    until(window, lambda: window.said["text"] == "art supplies, 100%")

    window.forget_button.invoke()
    until(window, lambda: window.title() == "office - edge-icl")
    assert content(memory.path / "pages") == before


def test_the_window_is_alive_while_a_change_waits(window: Any, memory: Memory) -> None:
    window.line.insert(0, "Toner")
    window.label.insert(0, "ink")
    with locked(memory.path, timeout=0):
        window.teach_button.invoke()
        window.after(50, window.line.insert, "end", "s and more")
        until(window, lambda: window.line.get() == "Toners and more")
        assert not memory.find(output="ink")
    until(window, lambda: bool(memory.find(output="ink")))


def test_an_error_is_said_in_the_window(window: Any) -> None:
    window.teach_button.invoke()

    until(window, lambda: window.said["text"].startswith("the input is empty"))


def test_closing_the_window_closes_the_memory(window: Any, memory: Memory) -> None:
    ask(window, "Tell me about the sea")

    window.close()

    with pytest.raises(StoreClosedError):
        len(memory)


def test_what_is_no_store_is_one_sentence(display: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no store")

    refused_page(run_page("window_tk", "--store", tmp_path / "file"), "window_tk", "not a store")
