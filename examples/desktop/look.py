"""What the window looks like: fonts and colours."""

from __future__ import annotations

from tkinter import font, ttk
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tkinter as tk

PAPER, CARD, INK, QUIET, LINE, ACCENT, DARK, ALARM = (
    "#f6f5f2",
    "#ffffff",
    "#22262b",
    "#6d7680",
    "#d9d6cf",
    "#2f6f73",
    "#255a5d",
    "#a8322a",
)


def dress(root: tk.Tk) -> None:
    """Set fonts and colours for the whole window."""
    for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont"):
        font.nametofont(name).configure(size=11, weight="normal")
    family = font.nametofont("TkDefaultFont").actual("family")
    for name, points, weight in (("Line", 15, "normal"), ("Answer", 24, "bold"), ("Small", 9, "normal")):
        root.tk.call("font", "create", name, "-family", family, "-size", points, "-weight", weight)
    style = ttk.Style(root)
    style.theme_use("clam")
    style.configure(".", background=PAPER, foreground=INK, bordercolor=LINE, focuscolor=ACCENT)
    style.configure("Quiet.TLabel", foreground=QUIET, font="Small")
    style.configure("Answer.TLabel", font="Answer", foreground=ACCENT)
    style.configure("Status.TFrame", background=CARD)
    style.configure("Status.TLabel", background=CARD)
    style.configure("Note.TLabel", background=CARD, foreground=QUIET)
    style.map("TCombobox", fieldbackground=[("readonly", CARD)], foreground=[("readonly", INK)])
    style.configure("Sure.TLabel", foreground=QUIET)
    style.configure("Alarm.TLabel", foreground=ALARM)
    style.configure("TNotebook", background=PAPER, borderwidth=0, tabmargins=(20, 0, 20, 0))
    style.configure("TNotebook.Tab", background=PAPER, foreground=QUIET, padding=(14, 6), borderwidth=0)
    style.map(
        "TNotebook.Tab",
        background=[("selected", CARD)],
        foreground=[("selected", ACCENT)],
        lightcolor=[("selected", CARD)],
    )
    style.configure("Alarm.Status.TLabel", foreground=ALARM)
    for field in ("TEntry", "TCombobox"):
        style.configure(field, padding=7, fieldbackground=CARD, lightcolor=CARD)
        style.map(field, bordercolor=[("focus", ACCENT)], lightcolor=[("focus", ACCENT)])
    style.configure("TButton", padding=(16, 7), background=CARD, lightcolor=CARD, darkcolor=CARD)
    style.map("TButton", background=[("active", PAPER), ("disabled", PAPER)])
    style.configure("Accent.TButton", background=ACCENT, foreground=CARD, lightcolor=ACCENT, darkcolor=ACCENT)
    style.map(
        "Accent.TButton",
        background=[("disabled", LINE), ("active", DARK)],
        lightcolor=[("disabled", LINE)],
        darkcolor=[("disabled", LINE)],
        foreground=[("disabled", QUIET)],
    )
    style.configure("Treeview", background=CARD, fieldbackground=CARD, rowheight=28, borderwidth=0)
    style.configure("Treeview.Heading", background=PAPER, foreground=QUIET, relief="flat", font="Small")
    style.map("Treeview", background=[("selected", ACCENT)], foreground=[("selected", CARD)])
    style.configure(
        "TProgressbar", background=ACCENT, troughcolor="#e8e6e0", bordercolor="#e8e6e0", thickness=10
    )
    style.configure(
        "TScrollbar", background=LINE, troughcolor=CARD, bordercolor=CARD, arrowsize=12, gripcount=0
    )
    root.configure(background=PAPER)
