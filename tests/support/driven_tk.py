"""A user of examples/window_tk.py, as a program: types, teaches, forgets and closes, and fails if made to wait.

Run as `python driven_tk.py STORE`, with a display.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from command import content
from one_page import load

from edge_icl import Memory, StoreClosedError
from edge_icl.store.lock import locked

PATIENCE = 60.0


class User:
    """One who has the window in front of them."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.window = load("window_tk").Window(memory)

    def until(self, what: Callable[[], bool]) -> None:
        """Turn the event loop until something is so."""
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, self.window.said["text"]
            self.window.update()
            time.sleep(0.01)

    def says(self, text: str) -> None:
        self.until(lambda: self.window.said["text"].startswith(text))

    def ask(self, line: str) -> None:
        self.window.line.delete(0, "end")
        self.window.line.insert(0, line)
        self.window.line.focus_force()
        self.window.update()
        self.window.line.event_generate("<Return>")

    def label(self, label: str) -> None:
        self.window.label.delete(0, "end")
        self.window.label.insert(0, label)
        self.window.teach_button.invoke()


def learn_and_forget(user: User) -> None:
    before = content(user.memory.path / "pages")
    user.ask("Printer toner")
    user.says("office, 100%")
    assert user.window.title() == "office - edge-icl"
    assert user.window.example["text"] == "Printer toner -> office"

    user.ask("Felt pens")
    user.says("office, ")
    user.label("art supplies")
    user.says("art supplies, 100%")
    user.window.forget_button.invoke()
    user.says("office, ")
    assert content(user.memory.path / "pages") == before


def stay_alive_while_a_change_waits(user: User) -> None:
    with locked(user.memory.path, timeout=0):
        user.label("ink")
        user.window.after(50, user.window.line.insert, "end", " and more")
        user.until(lambda: user.window.line.get() == "Felt pens and more")
        assert not user.memory.find(output="ink")
    user.until(lambda: bool(user.memory.find(output="ink")))


def be_told_what_is_wrong(user: User) -> None:
    user.window.line.delete(0, "end")
    user.label("ink")
    user.until(lambda: "is empty; give it some text" in user.window.said["text"])


def close(user: User) -> None:
    user.ask("Tell me about the sea")
    user.window.close()
    try:
        len(user.memory)
    except StoreClosedError:
        return
    raise AssertionError("the memory is open")


if __name__ == "__main__":
    with Memory.open(Path(sys.argv[1])) as opened:
        one = User(opened)
        learn_and_forget(one)
        stay_alive_while_a_change_waits(one)
        be_told_what_is_wrong(one)
        close(one)
