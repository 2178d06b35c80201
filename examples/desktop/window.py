"""The window: what is typed is asked, what is corrected is learnt, what is selected can be forgotten.

Tk's thread draws and never waits for the store or a model. A question that the next key makes useless is
cancelled at once, so the model is never busy with an old line.
"""

from __future__ import annotations

import json
import tkinter as tk
from functools import partial
from importlib import resources
from tkinter import messagebox, ttk
from typing import NamedTuple

from background import Background
from look import dress
from widgets import Answer, Examples, Status

import edge_icl

SAMPLE = resources.files("edge_icl.cli.commands") / "expenses.jsonl"

DEBOUNCE = 250
"""Milliseconds without a key after which the line is asked."""

WATCH = 1500
"""Milliseconds between two looks at what other programs have done to the store."""

KEYS = "Ctrl+L line   Alt+R answer   Ctrl+Enter learn   Del forget   Esc stop   Ctrl+Q quit"


class State(NamedTuple):
    """What the window knows of the store."""

    root: str = ""
    count: int = 0
    outputs: tuple[str, ...] = ()


class Window:
    """The window, and the store behind it.

    Args:
        root: Tk's window.
        store: the name or the path of the store.
        model: name of an LLM, or path of a GGUF file; None for the default.
    """

    def __init__(self, root: tk.Tk, store: str, model: str | None) -> None:
        self.root = root
        dress(root)
        self.status = Status(root)
        self.status.pack(fill="x", side="bottom")
        self.background = Background(root, self.status.complain)
        self.loading = partial(self.background.tell, self.status.progress)
        self.memory = edge_icl.Memory.open(store, model=model, progress=self.loading)
        self.state = State()
        self.asked = ""
        self.cancel = edge_icl.Cancel()
        self.build(ttk.Frame(root, padding=(20, 16)))
        self.bind_keys()
        self.ask_timer = root.after_idle(self.clear)
        self.watch()
        self.background.do(self.memory.load, lambda _: self.status.say("Ready."))

    def build(self, page: ttk.Frame) -> None:
        """Lay the window out, in the order of the Tab key."""
        page.pack(fill="both", expand=True)
        page.columnconfigure(0, weight=1)
        page.rowconfigure(4, weight=1)
        self.header = ttk.Label(page, style="Quiet.TLabel")
        self.header.grid(sticky="w")
        ttk.Label(page, text=KEYS, style="Quiet.TLabel").grid(row=0, sticky="e")
        self.line = ttk.Entry(page, font="Line")
        self.line.grid(sticky="ew", pady=(6, 16))
        self.answer = Answer(page)
        self.answer.grid(sticky="ew")
        self.build_correction(ttk.Frame(page))
        self.examples = Examples(page)
        self.examples.grid(sticky="nsew")
        below = ttk.Frame(page)
        below.grid(sticky="ew", pady=(12, 0))
        self.forget_button = ttk.Button(below, text="Forget…", underline=0, command=self.forget)
        self.forget_button.pack(side="left")
        self.sample_button = ttk.Button(below, text="Add the sample expenses", command=self.add_sample)

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
        self.right.bind("<Return>", lambda _: self.learn())
        self.examples.table.bind("<Delete>", lambda _: self.forget())
        self.examples.table.bind("<<TreeviewSelect>>", lambda _: self.enable())
        for key, call in {
            "<Control-l>": self.focus_line,
            "<Alt-r>": self.focus_right,
            "<Alt-a>": self.learn,
            "<Control-Return>": self.learn,
            "<Alt-f>": self.forget,
            "<Escape>": self.stop,
            "<Control-q>": self.close,
        }.items():
            self.root.bind(key, lambda _, call=call: call())
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self.focus_line()

    # What is typed is asked

    def typed(self) -> None:
        """Ask the line when it has been the same for a moment."""
        if self.line.get().strip() != self.asked:
            self.asked = self.line.get().strip()
            self.ask_in(DEBOUNCE)
        self.enable()

    def ask_in(self, delay: int) -> None:
        """Stop the question under way and ask the line in so many milliseconds."""
        self.cancel.set()
        self.root.after_cancel(self.ask_timer)
        self.ask_timer = self.root.after(delay, self.ask)

    def ask(self) -> None:
        """Ask the line."""
        if not self.asked:
            self.clear()
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
        if answer.labels:
            self.answer.show(answer.labels)
        else:
            self.answer.write(answer.text)
        if not self.correcting():
            self.right.set(answer.text)
        self.examples.show(answer)
        self.enable()
        self.root.title(f"{answer.text} - edge-icl")
        who = answer.model or ("taught" if answer.kind == "recalled" else "the examples were sure enough")
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
        self.root.title("edge-icl")

    # What is corrected is learnt, what is selected can be forgotten

    def learn(self) -> None:
        """Teach the store the line and its right answer."""
        line, right = self.line.get().strip(), self.right.get().strip()
        if line and right:
            told = f"“{line}” is {right}."
            self.background.do(partial(self.memory.add, line, right), partial(self.learnt, told))

    def learnt(self, told: str, added: edge_icl.Added) -> None:
        """Say what was learnt."""
        self.status.say(("Learnt: " if added.added else "Known already: ") + told)
        self.focus_line()
        self.look()

    def add_sample(self) -> None:
        """Teach the store the sample expenses."""
        rows = map(json.loads, SAMPLE.read_text(encoding="utf-8").splitlines())
        examples = [edge_icl.Example.create(row["input"], row["output"], source=SAMPLE.name) for row in rows]
        add = partial(self.memory.add_many, examples, progress=self.loading)
        self.background.do(add, partial(self.learnt, f"{len(examples)} expenses."))

    def forget(self) -> None:
        """Forget the selected example, if that is confirmed."""
        for held in self.examples.selected():
            if messagebox.askyesno(
                "Forget",
                f"Forget this example?\n\n“{held.input}”\n{held.output}",
                detail="It goes for good: the store will be what it would be had it never been there.",
                icon="warning",
                default="no",
                parent=self.root,
            ):
                forget = partial(self.memory.forget, held.id, similar=0.9)
                self.background.do(forget, partial(self.forgotten, held))

    def forgotten(self, held: edge_icl.Held, receipt: edge_icl.Receipt) -> None:
        """Say what is gone, and what is left that is nearly the same."""
        left = "".join(f" Nearly the same and still here: “{one.input}”." for one in receipt.similar or ())
        self.status.say(f"Forgotten: “{held.input}”.{left}")
        self.focus_line()
        self.look()

    # The store, which other programs may change too

    def watch(self) -> None:
        """Look at the store now, and again from time to time."""
        self.watch_timer = self.root.after(WATCH, self.watch)
        self.look()

    def look(self) -> None:
        """Show what the store holds, and ask again if it has changed."""
        self.background.do(partial(self.read_state, self.state), self.show_state)

    def read_state(self, known: State) -> State:
        """Return what the store holds; runs in a thread."""
        root = self.memory.root
        if root == known.root:
            return known
        outputs = [held.output for held in self.memory.examples()]
        return State(root, len(outputs), tuple(sorted(set(outputs))))

    def show_state(self, state: State) -> None:
        """Show what the store holds."""
        if state == self.state:
            return
        self.state = state
        self.header.configure(text=f"{self.memory.path.name}   ·   {state.count} examples")
        self.right.configure(values=state.outputs)
        if state.count:
            self.sample_button.pack_forget()
        else:
            self.sample_button.pack(side="left", padx=12)
        if self.asked:
            self.ask_in(0)

    # The frame

    def enable(self) -> None:
        """Enable what can be done now."""
        self.learn_button.state(["!disabled" if self.line.get().strip() else "disabled"])
        self.forget_button.state(["!disabled" if self.examples.selected() else "disabled"])

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
        return str(self.root.tk.call("focus")).startswith(str(self.right))

    def close(self) -> None:
        """Stop everything and go."""
        for timer in (self.ask_timer, self.watch_timer):
            self.root.after_cancel(timer)
        self.memory.close()
        self.background.close()
        self.root.destroy()
