"""The parts of the window: an answer, the examples behind it, and the line that says what was done."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import TYPE_CHECKING

from edge_icl.answer.certainty import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import edge_icl

TITLED = "<<Titled>>"
"""The event of a tab that has another title."""

BARS = 3
"""Labels that an answer shows, the likeliest first."""

COLUMNS = {"alike": 60, "output": 150, "input": 350, "why it counts": 150}
"""The columns of the examples behind an answer, and their widths."""

UNLIKE = "Unlike everything that was taught: this is a guess."

WHY = {
    ("recalled", False): "taught for this line",
    ("judged", False): "near the line",
    ("judged", True): "read by the model",
    ("written", True): "read by the model",
}
"""Why an example stands behind an answer: by how the answer was made, and whether the model was asked."""


class Answer(ttk.Frame):
    """An answer: the likeliest labels with bars, or text as it is written; and how sure it is, in words."""

    def __init__(self, parent: tk.Misc) -> None:
        super().__init__(parent)
        self.columnconfigure(2, weight=1)
        self._best = ttk.Label(self, style="Answer.TLabel", anchor="w", width=16)
        self._best.grid(row=0, column=0, rowspan=BARS - 1, sticky="w", padx=(0, 24))
        self._sure = ttk.Label(self, style="Sure.TLabel", anchor="w")
        self._sure.grid(row=BARS - 1, column=0, sticky="w")
        self._rows = [self._row(number) for number in range(BARS)]
        self._text = ttk.Label(self, justify="left", anchor="nw")
        self._text.grid(row=0, column=0, columnspan=4, rowspan=BARS, sticky="nsew")
        self._unlike = ttk.Label(self, style="Alarm.TLabel")
        self._unlike.grid(row=BARS, column=0, columnspan=4, sticky="w", pady=(8, 0))
        self.bind("<Configure>", lambda event: self._text.configure(wraplength=event.width))
        self.clear()

    def clear(self) -> None:
        """Show no answer."""
        self.write("The answer appears here while you type.")
        self._text.configure(style="Quiet.TLabel")

    def write(self, text: str) -> None:
        """Show text."""
        self._text.configure(text=text, style="TLabel")
        self._text.lift()
        for label in (self._best, self._sure, self._unlike):
            label.configure(text="")
        for label, bar, share in self._rows:
            label.configure(text="")
            share.configure(text="")
            bar.grid_remove()

    def show(self, answer: edge_icl.Answer) -> None:
        """Show a complete answer."""
        self.write("" if answer.labels else answer.text)
        if answer.labels:
            self._text.lower()
            self._best.configure(text=next(iter(answer.labels)))
            self._sure.configure(text=sureness(answer))
        if answer.unlike:
            self._unlike.configure(text=UNLIKE)
        shares = [*answer.labels.items()][:BARS]
        for (label, bar, share), (name, probability) in zip(self._rows, shares, strict=False):
            label.configure(text=name)
            bar.configure(value=probability)
            bar.grid()
            share.configure(text=f"{probability:.0%}")

    def _row(self, number: int) -> tuple[ttk.Label, ttk.Progressbar, ttk.Label]:
        """Make the place for one label."""
        label, share = ttk.Label(self, width=18), ttk.Label(self, width=5, anchor="e")
        bar = ttk.Progressbar(self, maximum=1)
        label.grid(row=number, column=1, sticky="w", pady=4)
        bar.grid(row=number, column=2, sticky="ew")
        share.grid(row=number, column=3, sticky="e")
        return label, bar, share


def sureness(answer: edge_icl.Answer) -> str:
    """Return how sure an answer is, in words beside the number."""
    if answer.kind == "recalled":
        return "taught for this line" if answer.agreed else "taught for this line, with other outputs too"
    share = f"{answer.probability:.0%}"
    return share if answer.unlike else f"{share}, {in_words(answer.probability)}"


class Table(ttk.Frame):
    """A table of examples, of which one can be selected.

    Args:
        parent: where it is.
        columns: their names and widths; "input" takes what is left.
    """

    def __init__(self, parent: tk.Misc, columns: Mapping[str, int]) -> None:
        super().__init__(parent)
        self.table = ttk.Treeview(self, columns=tuple(columns), show="headings", height=9, selectmode="browse")
        for name, width in columns.items():
            self.table.heading(name, text=name, anchor="w")
            self.table.column(name, width=width, stretch=name == "input", anchor="w")
        bar = ttk.Scrollbar(self, command=self.table.yview)
        self.table.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        self.table.pack(fill="both", expand=True)

    def fill(self, rows: Iterable[tuple[str, Sequence[str]]]) -> None:
        """List rows, each an id and its cells."""
        self.table.delete(*self.table.get_children())
        for id, cells in rows:
            # A line break would be drawn over the next row.
            self.table.insert("", "end", id, values=tuple(" ".join(cell.split()) for cell in cells))

    def selected(self) -> Sequence[str]:
        """Return the id of the row that is selected, if there is one."""
        return self.table.selection()

    def select_first(self) -> None:
        """Go to the first row."""
        for id in self.table.get_children()[:1]:
            self.table.focus_set()
            self.table.focus(id)
            self.table.selection_set(id)


class Examples(Table):
    """The examples behind an answer."""

    def __init__(self, parent: tk.Misc) -> None:
        super().__init__(parent, COLUMNS)
        self._held: dict[str, edge_icl.Held] = {}

    def show(self, answer: edge_icl.Answer | None) -> None:
        """List the examples nearest to the line, and those that the model has read."""
        read = () if answer is None else answer.examples
        near = () if answer is None else answer.nearest
        self._held = {held.id: held for held in (*near, *read)}
        ids = {one.id for one in read}
        self.fill((held.id, self._cells(held, answer, held.id in ids)) for held in self._held.values())

    def _cells(self, held: edge_icl.Held, answer: edge_icl.Answer, read: bool) -> Sequence[str]:
        """Return the row of an example."""
        alike = "" if held.similarity is None else f"{held.similarity:.2f}"
        why = WHY[answer.kind, answer.asked_model] if read else "near the line"
        return alike, held.output, held.input, why

    def held(self) -> list[edge_icl.Held]:
        """Return the selected example, if there is one."""
        return [self._held[id] for id in self.selected()]


class Status(ttk.Frame):
    """The line that says what was done, how far it has come, and who answered."""

    def __init__(self, parent: tk.Misc) -> None:
        super().__init__(parent, style="Status.TFrame", padding=(20, 8))
        self._text = ttk.Label(self, style="Status.TLabel")
        self._text.pack(side="left")
        self._note = ttk.Label(self, style="Note.TLabel")
        self._note.pack(side="right")
        self._progress = ttk.Progressbar(self, maximum=1, length=220)

    def say(self, text: str) -> None:
        """Say what was done."""
        self._progress.pack_forget()
        self._text.configure(text=text, style="Status.TLabel")

    def complain(self, error: edge_icl.EdgeIclError) -> None:
        """Show an error as its one sentence."""
        self.say(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        self._text.configure(style="Alarm.Status.TLabel")

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show how far loading or embedding has come."""
        self.say(f"{stage.capitalize()}…")
        self._progress.configure(value=done / max(total, 1))
        self._progress.pack(side="left", padx=20)

    def note(self, text: str) -> None:
        """Say in passing what the model does."""
        self._note.configure(text=text)
