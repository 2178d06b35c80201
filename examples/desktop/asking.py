"""The first tab: what is typed is asked, and what is corrected is learnt.

A question that the next key makes useless is cancelled at once, so the model is never busy with an old line.
"""

from __future__ import annotations

import difflib
import json
from functools import partial
from importlib import resources
from tkinter import messagebox, ttk
from typing import TYPE_CHECKING

from widgets import TITLED, Answer, Examples, Status

import edge_icl

if TYPE_CHECKING:
    import tkinter as tk

    from background import Background
    from changing import Changing
    from state import State

SAMPLE = resources.files("edge_icl.cli.commands") / "expenses.jsonl"

DEBOUNCE = 250
"""Milliseconds without a key after which the line is asked."""

NOTHING = "Nothing is taught yet. Write the right answer below, and Learn teaches it."

KEYS = "Ctrl+L line   Alt+R right answer   Ctrl+Enter learn   Del forget   Esc stop"

ALIKE = 0.7
"""From which likeness of its letters on a new label may be a known one, misspelt."""


class Asking(ttk.Frame):
    """The line, its answer, the right answer, and the examples behind it.

    Args:
        parent: where it is.
        memory: the store.
        background: where questions are asked.
        status: where it is told who answered.
        changing: what changes the store.
    """

    def __init__(
        self,
        parent: tk.Misc,
        memory: edge_icl.Memory,
        background: Background,
        status: Status,
        changing: Changing,
    ) -> None:
        super().__init__(parent, padding=(20, 16))
        self.memory = memory
        self.background = background
        self.status = status
        self.changing = changing
        self.state: State | None = None
        self.asked = self.title = ""
        self.cancel = edge_icl.Cancel()
        self.build()
        self.bind_keys()
        self.ask_timer = self.after_idle(self.clear)

    def build(self) -> None:
        """Lay the tab out, in the order of the Tab key."""
        self.columnconfigure(0, weight=1)
        self.rowconfigure(3, weight=1)
        self.line = ttk.Entry(self, font="Line")
        self.line.grid(sticky="ew", pady=(0, 16))
        self.answer = Answer(self)
        self.answer.grid(sticky="ew")
        self.build_correction(ttk.Frame(self))
        self.examples = Examples(self)
        self.examples.grid(sticky="nsew")
        below = ttk.Frame(self)
        below.grid(sticky="ew", pady=(12, 0))
        self.forget_button = ttk.Button(below, text="Forget…", underline=0, command=self.forget)
        self.forget_button.pack(side="left")
        self.sample_button = ttk.Button(below, text="Add the sample expenses", command=self.add_sample)
        ttk.Label(below, text=KEYS, style="Quiet.TLabel").pack(side="right")

    def build_correction(self, frame: ttk.Frame) -> None:
        """Lay out what teaches the store."""
        frame.grid(sticky="ew", pady=16)
        frame.columnconfigure(1, weight=1)
        ttk.Label(frame, text="Right answer", underline=0).grid(row=0, column=0, padx=(0, 12))
        self.right = ttk.Combobox(frame)
        self.right.grid(row=0, column=1, sticky="ew")
        self.learn_button = ttk.Button(
            frame, text="Learn", underline=2, style="Accent.TButton", command=self.learn
        )
        self.learn_button.grid(row=0, column=2, padx=(12, 0))

    def bind_keys(self) -> None:
        """Give everything a key."""
        self.line.bind("<KeyRelease>", lambda _: self.typed())
        self.line.bind("<Down>", lambda _: self.examples.select_first())
        # Tk takes Ctrl+Enter for Enter, too, where it has a binding of its own for neither; the window has one.
        self.right.bind("<Return>", lambda _: self.learn() or "break")
        self.right.bind("<Control-Return>", lambda _: self.learn() or "break")
        self.examples.table.bind("<Delete>", lambda _: self.forget())
        self.examples.table.bind("<<TreeviewSelect>>", lambda _: self.enable())

    # What is typed is asked

    def put(self, text: str) -> None:
        """Write a text on the line, and ask it."""
        self.line.delete(0, "end")
        self.line.insert(0, text)
        self.focus_line()
        self.typed()

    def typed(self) -> None:
        """Ask the line when it has been the same for a moment."""
        if self.line.get().strip() != self.asked:
            self.asked = self.line.get().strip()
            self.ask_in(DEBOUNCE)
        self.enable()

    def ask_in(self, delay: int) -> None:
        """Stop the question under way and ask the line in so many milliseconds."""
        self.cancel.set()
        self.after_cancel(self.ask_timer)
        self.ask_timer = self.after(delay, self.ask)

    def ask(self) -> None:
        """Ask the line."""
        if not self.asked:
            self.clear()
            return
        if self.state is not None and not self.state.count:
            self.clear()
            self.answer.write(NOTHING)
            return
        self.cancel = edge_icl.Cancel()
        self.status.note("Thinking…")
        self.background.do(
            partial(self.read_answer, self.asked, self.cancel), partial(self.show_answer, self.cancel)
        )

    def read_answer(self, question: str, cancel: edge_icl.Cancel) -> edge_icl.Answer | None:
        """Return the answer, None if it is of no use any more; runs in a thread."""
        try:
            reply = self.memory.stream(question, cancel=cancel)
            for _ in reply:
                self.background.tell(self.show_text, cancel, reply.answer)
        except (edge_icl.AskCancelledError, edge_icl.ExamplesChangedError):  # then another one follows
            return None
        return reply.answer

    def show_text(self, cancel: edge_icl.Cancel, answer: edge_icl.Answer) -> None:
        """Show an answer as far as it is written."""
        if not (cancel.is_set() or answer.labels):
            self.answer.write(answer.text)

    def show_answer(self, cancel: edge_icl.Cancel, answer: edge_icl.Answer | None) -> None:
        """Show an answer, unless the line has changed since."""
        if answer is None or cancel.is_set():
            return
        self.answer.show(answer)
        if not self.correcting():
            self.right.set(answer.text)
        self.examples.show(answer)
        self.enable()
        self.entitle(answer.text)
        who = answer.model or ("taught" if answer.kind == "recalled" else "the examples alone decided")
        self.status.note(f"{answer.timings['total']:.2f} s, {who}")

    def stop(self) -> None:
        """Stop the model; what it has written stays."""
        self.cancel.set()
        self.status.note("Stopped")

    def clear(self) -> None:
        """Show no answer."""
        self.answer.clear()
        self.right.set("")
        self.status.note("")
        self.examples.show(None)
        self.enable()
        self.entitle("")

    # What is corrected is learnt, what is selected can be forgotten

    def learn(self) -> None:
        """Teach the store the line and its right answer, if a label that is new is meant."""
        line, right = self.line.get().strip(), self.right.get().strip()
        if line and right and (not self.is_new(right) or self.means(right)):
            self.changing.teach(f"“{line}” is {right}.", edge_icl.Example.create(line, right))
            self.focus_line()

    def is_new(self, right: str) -> bool:
        """Return whether this would be a new label, where there are labels."""
        return self.state is not None and self.state.labels and right not in self.state.outputs

    def means(self, right: str) -> bool:
        """Ask whether a label that is new is meant."""
        known = {output.casefold(): output for output in self.state.outputs}
        near = difflib.get_close_matches(right.casefold(), known, 1, ALIKE)
        return messagebox.askyesno(
            "New label",
            f"“{right}” is a new label. Teach it?",
            detail=f"“{known[near[0]]}” is known." if near else f"Known: {', '.join(self.state.outputs[:12])}.",
            default="no" if near else "yes",
            parent=self,
        )

    def add_sample(self) -> None:
        """Teach the store the sample expenses."""
        rows = map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())
        examples = [edge_icl.Example.create(row["input"], row["output"], source=SAMPLE.name) for row in rows]
        self.changing.teach(f"{len(examples)} expenses.", *examples)

    def forget(self) -> None:
        """Forget the selected example, if that is confirmed."""
        for held in self.examples.held():
            self.changing.forget(held)
            self.focus_line()

    # The frame

    def entitle(self, title: str) -> None:
        """Say what the window's title begins with while this tab is seen."""
        self.title = title
        self.event_generate(TITLED)

    def show_state(self, state: State) -> None:
        """Take what the store holds, which has changed, and ask again."""
        self.state = state
        self.right.configure(values=state.outputs)
        if state.count:
            self.sample_button.pack_forget()
        else:
            self.sample_button.pack(side="left", padx=12)
        if self.asked:
            self.ask_in(0)

    def enable(self) -> None:
        """Enable what can be done now."""
        self.learn_button.state(["!disabled" if self.line.get().strip() else "disabled"])
        self.forget_button.state(["!disabled" if self.examples.held() else "disabled"])

    def focus_line(self) -> None:
        """Go to the line, ready to be written over."""
        self.line.focus_set()
        self.line.selection_range(0, "end")

    def focus_right(self) -> None:
        """Go to the right answer, ready to be written over."""
        self.right.focus_set()
        self.right.selection_range(0, "end")

    def correcting(self) -> bool:
        """Return whether the user is writing the right answer, or choosing it from the list."""
        return str(self.tk.call("focus")).startswith(str(self.right))

    def close(self) -> None:
        """Ask no more."""
        self.after_cancel(self.ask_timer)
