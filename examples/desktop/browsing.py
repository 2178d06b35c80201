"""The second tab: all that is taught, searched by words or by similarity."""

from __future__ import annotations

from functools import partial
from itertools import islice
from tkinter import ttk
from typing import TYPE_CHECKING

from state import counted
from widgets import TITLED, Table

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable, Sequence

    from background import Background
    from changing import Changing
    from state import State

    import edge_icl

DEBOUNCE = 150
"""Milliseconds without a key after which it is searched."""

MOST_LISTED = 500
"""Rows of the table: more nobody reads, and a search finds them."""

MOST_ALIKE = 50
"""Examples that are listed as like a text."""

COLUMNS = {"output": 180, "input": 400, "tags": 100, "source": 120}
"""The table's columns, and their widths."""


class Browsing(ttk.Frame):
    """A search field, and the examples that it finds.

    Args:
        parent: where it is.
        memory: the store.
        background: where it is searched.
        changing: what changes the store.
        ask: is given the input of an example, to be asked.
    """

    def __init__(
        self,
        parent: tk.Misc,
        memory: edge_icl.Memory,
        background: Background,
        changing: Changing,
        ask: Callable[[str], object],
    ) -> None:
        super().__init__(parent, padding=(20, 16))
        self.memory = memory
        self.background = background
        self.changing = changing
        self.ask = ask
        self.count = 0
        self.title = ""
        self.wanted = ("", "words")
        self.held: dict[str, edge_icl.Held] = {}
        self.timer = self.after_idle(lambda: None)
        self.build()

    def build(self) -> None:
        """Lay the tab out, in the order of the Tab key."""
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        top = ttk.Frame(self)
        top.grid(sticky="ew", pady=(0, 12))
        top.columnconfigure(0, weight=1)
        self.field = ttk.Entry(top, font="Line")
        self.field.grid(row=0, column=0, sticky="ew")
        self.way = ttk.Combobox(top, values=["words", "similarity"], state="readonly", width=10)
        self.way.set("words")
        ttk.Label(top, text="by").grid(row=0, column=1, padx=10)
        self.way.grid(row=0, column=2)
        self.list = Table(self, COLUMNS)
        self.list.grid(sticky="nsew")
        below = ttk.Frame(self)
        below.grid(sticky="ew", pady=(12, 0))
        self.forget_button = ttk.Button(below, text="Forget…", underline=0, command=self.forget)
        self.forget_button.pack(side="left")
        self.ask_button = ttk.Button(below, text="Ask it", command=self.ask_selected)
        self.ask_button.pack(side="left", padx=12)
        self.found = ttk.Label(below, style="Quiet.TLabel")
        self.found.pack(side="right")
        self.field.bind("<KeyRelease>", lambda _: self.typed())
        self.field.bind("<Down>", lambda _: self.list.select_first())
        self.way.bind("<<ComboboxSelected>>", lambda _: self.typed())
        self.list.table.bind("<Delete>", lambda _: self.forget())
        self.list.table.bind("<Return>", lambda _: self.ask_selected())
        self.list.table.bind("<Double-1>", lambda _: self.ask_selected())
        self.list.table.bind("<<TreeviewSelect>>", lambda _: self.enable())
        self.enable()

    def typed(self) -> None:
        """Search when the field has been the same for a moment."""
        if (self.field.get().strip(), self.way.get()) != self.wanted:
            self.wanted = self.field.get().strip(), self.way.get()
            self.after_cancel(self.timer)
            self.timer = self.after(DEBOUNCE, self.search)

    def search(self) -> None:
        """Find what fits the field."""
        self.background.do(partial(self.find, *self.wanted), partial(self.show, self.wanted))

    def find(self, text: str, way: str) -> tuple[Sequence[edge_icl.Held], int]:
        """Return the first examples that fit, and how many there are; runs in a thread."""
        if not text:
            return [*islice(self.memory.examples(), MOST_LISTED)], len(self.memory)
        if way == "similarity":
            found = self.memory.search(text, limit=MOST_ALIKE)
        else:
            found = self.memory.find(match=text)
        return found[:MOST_LISTED], len(found)

    def show(self, wanted: tuple[str, str], found: tuple[Sequence[edge_icl.Held], int]) -> None:
        """List what was found, unless the field has changed since."""
        if wanted != self.wanted:
            return
        some, count = found
        self.held = {held.id: held for held in some}
        self.list.fill(
            (held.id, (held.output, held.input, ", ".join(held.tags), held.source or "")) for held in some
        )
        first = f"the first {len(some):,} of " if len(some) < count else ""
        told = f"{count:,} of {counted(self.count)}" if wanted[0] else counted(count)
        self.title = f"{first}{told}"
        self.event_generate(TITLED)
        self.found.configure(text=f"{self.title}   ·   Enter ask   Del forget   u undo")
        self.enable()

    def show_state(self, state: State) -> None:
        """Take how many examples there are, which has changed, and search again."""
        self.count = state.count
        self.search()

    def selected(self) -> list[edge_icl.Held]:
        """Return the selected example, if there is one."""
        return [self.held[id] for id in self.list.selected()]

    def ask_selected(self) -> None:
        """Ask the input of the selected example."""
        for held in self.selected():
            self.ask(held.input)

    def forget(self) -> None:
        """Forget the selected example, if that is confirmed."""
        for held in self.selected():
            self.changing.forget(held)

    def enable(self) -> None:
        """Enable what can be done now."""
        for button in (self.forget_button, self.ask_button):
            button.state(["!disabled" if self.selected() else "disabled"])

    def focus_field(self) -> None:
        """Go to the search field, ready to be written over."""
        self.field.focus_set()
        self.field.selection_range(0, "end")

    def close(self) -> None:
        """Search no more."""
        self.after_cancel(self.timer)
