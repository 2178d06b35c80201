"""Typed answers that may be slips: the user is asked before one is taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.cli.tables import cut, one_line
from edge_icl.cli.typed import SIGN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.output import Output
    from edge_icl.cli.typed import Meaning

PROMPT = "> "

MOST_NAMED, LONGEST_NAME = 8, 24
"""How many labels are named where a new one is typed, and in how many columns each."""


def meant(output: Output, meaning: Meaning, outputs: Mapping[str, int]) -> str | None:
    """Return the answer that a line means, asked about where it may be a slip; None if it was one.

    Args:
        output: where it is asked.
        meaning: what the line seems to mean.
        outputs: how often each output occurs in the store, the most frequent first.
    """
    text = meaning.text
    shown, others = named(text), ", ".join(map(named, meaning.others[:MOST_NAMED]))
    if meaning.kind == "several":
        output.note(f"{shown} is the beginning of {others}")
        return None
    if meaning.kind == "unknown":
        output.note(f"there is no command {shown}; a text that begins with {SIGN} is typed with two")
        return None
    if meaning.kind == "letter":
        ask = f"{SIGN}{text} is the command; teach the text {text} as the answer?"
        return text if sure(output, ask) else None
    if meaning.kind == "near" and sure(output, f"there is no label {shown}; did you mean {others}?"):
        return meaning.others[0]
    if meaning.kind == "answer" or not outputs:
        return text
    known = list(outputs)
    more = f" and {len(known) - MOST_NAMED:,} more" if len(known) > MOST_NAMED else ""
    output.note(f"the labels of the store are {', '.join(map(named, known[:MOST_NAMED]))}{more}")
    return text if sure(output, f"teach {shown} as a new label?") else None


def sure(output: Output, question: str) -> bool:
    """Ask for a yes; everything else is a no."""
    output.line(f"{one_line(question)} [y/N]")
    return (output.typed(PROMPT) or "").strip().lower() in {"y", "yes"}


def named(text: str) -> str:
    """Return a text as it is named in a sentence."""
    return cut(one_line(text), LONGEST_NAME)
