"""Texts with their label, as Prodigy writes them after a person has looked at each.

    {"text": "Taxi to the fair", "label": "travel", "answer": "accept"}
    {"text": "Taxi to the fair", "options": [{"id": "travel"}, {"id": "meals"}], "accept": ["travel"]}

What was rejected or ignored is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import values
from edge_icl.cli.formats.layout import Layout, Said, field
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.formats.layout import Turns

ANSWERS = ("accept", "reject", "ignore")
LEFT = {"reject": "what was rejected", "ignore": "what was ignored"}


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is a text that a person has answered in Prodigy."""
    return "text" in fields and (fields.get("answer") in ANSWERS or isinstance(fields.get("accept"), list))


def _said(fields: Mapping[str, Any], _turns: Turns) -> Said:
    """Return what an accepted text teaches."""
    answer = fields.get("answer", "accept")
    if answer in LEFT:
        return Said([], left=(LEFT[answer],))
    chosen = fields["accept"] if isinstance(fields.get("accept"), list) else fields.get("label")
    if isinstance(chosen, list) and len(chosen) > 1:
        named = ", ".join(str(values.text(one, "label")) for one in chosen[: values.MOST_NAMED])
        raise InputError(f"it has {len(chosen)} labels ({named}), and an example has one output")
    if values.is_empty(chosen):
        spans = ", only labels of parts of its text" if fields.get("spans") else ""
        raise InputError(f"it has no label{spans}")
    return Said([(values.text(field(fields, "text"), "input"), values.text(chosen, "output"))])


def _asked(fields: Mapping[str, Any]) -> Any:
    """Return a text."""
    return values.text(field(fields, "text"), "input")


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as an accepted text."""
    return {"text": input, "label": output, "answer": "accept"}


PRODIGY = Layout(
    "prodigy",
    "Prodigy",
    "a text and its accepted label, as Prodigy has them",
    _fits,
    _said,
    _asked,
    frozenset({"text", "label", "accept", "answer", "options", "config"}),
    line=_line,
)
