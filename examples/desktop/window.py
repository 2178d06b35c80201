"""The window: a tab to ask and teach, a tab to browse, and the store behind both.

Tk's thread draws and never waits for the store or a model.
"""

from __future__ import annotations

from functools import partial
from tkinter import ttk
from typing import TYPE_CHECKING

from asking import Asking
from background import Background
from browsing import Browsing
from changing import Changing
from look import dress
from state import State, counted, read
from widgets import TITLED, Status

import edge_icl

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable

WATCH = 1500
"""Milliseconds between two looks at what other programs have done to the store."""

KEYS = "Ctrl+F search all examples   Ctrl+Z undo   Ctrl+Q quit"


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
        loading = partial(self.background.tell, self.status.progress)
        self.memory = edge_icl.Memory.open(store, model=model, progress=loading)
        self.state = State()
        self.changing = Changing(root, self.memory, self.background, self.status, self.look)
        self.build()
        self.bind_keys()
        self.watch()
        self.background.do(self.memory.load, lambda _: self.status.say("Ready."))

    def build(self) -> None:
        """Lay the window out."""
        top = ttk.Frame(self.root, padding=(20, 10, 20, 6))
        top.pack(fill="x")
        self.header = ttk.Label(top, style="Quiet.TLabel")
        self.header.pack(side="left")
        ttk.Label(top, text=KEYS, style="Quiet.TLabel").pack(side="right")
        self.tabs = ttk.Notebook(self.root)
        self.tabs.pack(fill="both", expand=True)
        self.asking = Asking(self.tabs, self.memory, self.background, self.status, self.changing)
        self.browsing = Browsing(self.tabs, self.memory, self.background, self.changing, self.ask)
        self.tabs.add(self.asking, text="Ask and teach")
        self.tabs.add(self.browsing, text="All examples")

    def bind_keys(self) -> None:
        """Give everything a key."""
        self.tabs.enable_traversal()
        for kind in ("TEntry", "TCombobox"):  # to which Tk gives Emacs' meaning, the beginning of the line
            self.root.bind_class(kind, "<Control-a>", lambda event: event.widget.selection_range(0, "end"))
        for tab in (self.asking.examples, self.browsing.list):
            tab.table.bind("<u>", lambda _: self.changing.undo())
        for key, call in {
            "<Control-l>": self.focus_line,
            "<Control-f>": self.focus_search,
            "<Alt-r>": self.asking.focus_right,
            "<Alt-a>": self.asking.learn,
            "<Control-Return>": self.asking.learn,
            "<Control-z>": self.changing.undo,
            "<Alt-f>": self.forget,
            "<Escape>": self.asking.stop,
            "<Control-q>": self.close,
        }.items():
            self.root.bind(key, partial(self.called, call))
        self.root.bind(TITLED, lambda _: self.entitle())
        self.tabs.bind("<<NotebookTabChanged>>", lambda _: self.entitle())
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self.focus_line()

    def called(self, call: Callable[[], object], _event: object) -> str:
        """Do what a key stands for, and nothing else that it stands for elsewhere."""
        call()
        return "break"

    def see(self, tab: Asking | Browsing) -> None:
        """Show a tab."""
        self.tabs.select(tab)
        self.root.update_idletasks()  # only what is shown can have the focus, and keys may follow at once

    def focus_line(self) -> None:
        """Go to the line."""
        self.see(self.asking)
        self.asking.focus_line()

    def focus_search(self) -> None:
        """Go to the search field."""
        self.see(self.browsing)
        self.browsing.focus_field()

    def ask(self, text: str) -> None:
        """Ask a text."""
        self.see(self.asking)
        self.asking.put(text)

    def forget(self) -> None:
        """Forget what is selected in the tab that is seen."""
        self.seen.forget()

    def entitle(self) -> None:
        """Give the window the title of the tab that is seen."""
        self.root.title(f"{self.seen.title} - edge-icl" if self.seen.title else "edge-icl")

    @property
    def seen(self) -> Asking | Browsing:
        """The tab that is seen."""
        return self.asking if self.tabs.select() == str(self.asking) else self.browsing

    # The store, which other programs may change too

    def watch(self) -> None:
        """Look at the store now, and again from time to time."""
        self.watch_timer = self.root.after(WATCH, self.watch)
        self.look()

    def look(self) -> None:
        """Show what the store holds, and ask again if it has changed."""
        self.background.do(partial(read, self.memory, self.state), self.show_state)

    def show_state(self, state: State) -> None:
        """Show what the store holds."""
        if state == self.state:
            return
        self.state = state
        self.header.configure(text=f"{self.memory.path.name}   ·   {counted(state.count)}")
        self.asking.show_state(state)
        self.browsing.show_state(state)

    def close(self) -> None:
        """Stop everything and go."""
        self.root.after_cancel(self.watch_timer)
        self.asking.close()
        self.browsing.close()
        self.memory.close()
        self.background.close()
        self.root.destroy()
