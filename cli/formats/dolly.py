"""Instructions in the format of Databricks Dolly.

    {"instruction": "Who wrote it?", "context": "Emma is a novel by Jane Austen.", "response": "Jane Austen"}

Instruction and context are the example's input, with a blank line between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import values
from edge_icl.cli.formats.alpaca import joined
from edge_icl.cli.formats.layout import Layout, Said, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.formats.layout import Turns

INSTRUCTION, CONTEXT, RESPONSE = "instruction", "context", "response"


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is an instruction with its response."""
    return INSTRUCTION in fields and RESPONSE in fields


def _said(fields: Mapping[str, Any], _turns: Turns) -> Said:
    """Return what an instruction teaches."""
    return Said([(_asked(fields), values.text(field(fields, RESPONSE), "output"))])


def _asked(fields: Mapping[str, Any]) -> str:
    """Return an instruction with its context."""
    return joined(field(fields, INSTRUCTION), fields.get(CONTEXT))


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as an instruction."""
    return {INSTRUCTION: input, CONTEXT: "", RESPONSE: output}


DOLLY = Layout(
    "dolly",
    "Dolly",
    "instruction, context and response, as Dolly has them",
    _fits,
    _said,
    _asked,
    frozenset({INSTRUCTION, CONTEXT, RESPONSE}),
    line=_line,
    columns=True,
)
