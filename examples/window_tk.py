r"""A window (Tk) that labels a line, learns from corrections and forgets, and never freezes.

    python examples/window_tk.py --store work

Return asks about the line, Teach stores it with the label below it, Forget takes back the example that is
named. The pattern to copy: Tk belongs to one thread. Work is done in another, and what follows it comes back
through a queue that Tk looks into. A question that is of no use any more is cancelled. examples/desktop is a
whole program of this kind.

It needs edge-icl, and Tk (Debian: python3-tk).
"""

from __future__ import annotations

import argparse
import queue
import sys
import tkinter as tk
from concurrent.futures import ThreadPoolExecutor
from tkinter import ttk
from typing import TYPE_CHECKING

import edge_icl

if TYPE_CHECKING:
    from collections.abc import Callable

PERIOD = 20  # milliseconds between two looks into the queue


class Window(tk.Tk):
    def __init__(self, memory: edge_icl.Memory) -> None:
        super().__init__()
        self.title("edge-icl")
        self.memory, self.cancel, self.nearest = memory, edge_icl.Cancel(), None
        self.pool, self.done = ThreadPoolExecutor(1), queue.SimpleQueue()
        self.line, self.label = ttk.Entry(self, width=60), ttk.Entry(self)
        self.said, self.example = ttk.Label(self), ttk.Label(self)
        self.teach_button = ttk.Button(self, text="Teach", command=self.teach)
        self.forget_button = ttk.Button(self, text="Forget", command=self.forget)
        for widget in (self.line, self.said, self.label, self.teach_button, self.example, self.forget_button):
            widget.pack(fill="x", padx=12, pady=4)
        self.line.bind("<Return>", lambda _: self.ask())
        self.protocol("WM_DELETE_WINDOW", self.close)
        self.line.focus()
        self.say("Write a line and press Return")
        self.deliver()

    def work(self, call: Callable[[], object], then: Callable[..., object]) -> None:
        """Call something in the other thread, and then, in Tk's thread, something with its result."""

        def run() -> None:
            try:
                result = call()
            except edge_icl.AskCancelledError:
                pass
            except edge_icl.EdgeIclError as error:
                self.done.put((self.say, str(error)))
            else:
                self.done.put((then, result))

        self.pool.submit(run)

    def deliver(self) -> None:
        """Do in Tk's thread what has come."""
        while not self.done.empty():
            then, result = self.done.get()
            then(result)
        self.timer = self.after(PERIOD, self.deliver)

    def ask(self) -> None:
        self.cancel.set()  # the question before
        self.cancel = cancel = edge_icl.Cancel()
        line = self.line.get()
        self.say("...")
        self.work(lambda: self.memory.ask(line, labels="on", cancel=cancel), self.show)

    def show(self, answer: edge_icl.Answer) -> None:
        guess = ", a guess: this is unlike all that was taught" if answer.unlike else ""
        self.say(f"{answer.text}, {answer.probability:.0%}{guess}")
        self.title(f"{answer.text} - edge-icl")
        self.label.delete(0, "end")
        self.label.insert(0, answer.text)
        self.nearest = (answer.nearest or answer.examples)[0]
        self.example["text"] = f"{self.nearest.input} -> {self.nearest.output}"

    def say(self, text: str) -> None:
        self.said["text"] = text

    def teach(self) -> None:
        line, label = self.line.get(), self.label.get().strip()
        self.work(lambda: self.memory.add(line, label), lambda _: self.ask())

    def forget(self) -> None:
        if self.nearest is not None:
            example, self.nearest, self.example["text"] = self.nearest, None, ""
            self.work(lambda: self.memory.forget(example), lambda _: self.ask())

    def close(self) -> None:
        """Close the memory, which stops what runs, and wait for the thread."""
        self.after_cancel(self.timer)
        self.memory.close()
        self.pool.shutdown(cancel_futures=True)
        self.destroy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="default", help="its name, or its path")
    options = parser.parse_args()
    try:
        with edge_icl.Memory.open(options.store) as memory:
            Window(memory).mainloop()
    except (edge_icl.EdgeIclError, tk.TclError) as error:
        sys.exit(f"window_tk: error: {error}")


if __name__ == "__main__":
    main()
