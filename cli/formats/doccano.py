"""Texts with their label, as doccano exports them, and many public data sets have them.

    {"text": "Taxi to the fair", "label": ["travel"]}

A text with several labels, or with labels of its parts, is no example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import values
from edge_icl.cli.formats.layout import Layout, Said, field
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.formats.layout import Turns

TEXT = ("text", "data")
LABEL = ("label", "labels")
SPANS = ("entities", "relations", "spans")


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is a text with a list of labels."""
    if not isinstance(fields.get(_first(fields, TEXT)), str):
        return False
    return any(isinstance(fields.get(name), list) for name in LABEL) or _has_spans(fields)


def _has_spans(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row has labels of parts of its text, and none of the whole."""
    return not any(name in fields for name in LABEL) and any(isinstance(fields.get(one), list) for one in SPANS)


def _said(fields: Mapping[str, Any], _turns: Turns) -> Said:
    """Return what a text teaches."""
    if _has_spans(fields):
        raise InputError("it has labels of parts of its text, and an example has one output for the whole")
    labels = field(fields, _first(fields, LABEL))
    if isinstance(labels, list) and any(isinstance(one, list | dict) for one in labels):
        raise InputError("its labels are of parts of its text, and an example has one output for the whole")
    if isinstance(labels, list) and len(labels) > 1:
        named = ", ".join(str(values.text(one, "label")) for one in labels[: values.MOST_NAMED])
        more = ", ..." if len(labels) > values.MOST_NAMED else ""
        raise InputError(f"it has {len(labels)} labels ({named}{more}), and an example has one output")
    if labels == []:
        raise InputError("it has no label")
    return Said([(values.text(field(fields, _first(fields, TEXT)), "input"), values.text(labels, "output"))])


def _asked(fields: Mapping[str, Any]) -> Any:
    """Return a text."""
    return values.text(field(fields, _first(fields, TEXT)), "input")


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of the names that a row has."""
    return next((name for name in names if name in fields), names[0])


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as a text with its label."""
    return {"text": input, "label": [output]}


DOCCANO = Layout(
    "doccano",
    "doccano",
    "a text and a list of one label, as doccano has them",
    _fits,
    _said,
    _asked,
    frozenset({*TEXT, *LABEL}),
    line=_line,
)
