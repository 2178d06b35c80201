"""Instructions in the format of Stanford Alpaca.

    {"instruction": "Translate into French.", "input": "Good morning", "output": "Bonjour"}

The instruction is as much of the question as the input is: both are the example's input, with a blank line
between them. Some data sets have a `history` of earlier questions and answers: see `conversation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import conversation, values
from edge_icl.cli.formats.conversation import Message
from edge_icl.cli.formats.layout import Layout, Said, field
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_icl.cli.formats.layout import Turns

INSTRUCTION, INPUT, OUTPUT, HISTORY = "instruction", "input", "output", "history"
TURN = 2


def joined(*parts: Any) -> str:
    """Return the parts of a question that say something, with a blank line between them."""
    return conversation.BREAK.join(values.text(part, "input") for part in parts if not values.is_empty(part))


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is an instruction with its output."""
    return INSTRUCTION in fields and OUTPUT in fields


def _said(fields: Mapping[str, Any], turns: Turns) -> Said:
    """Return what an instruction teaches."""
    asked, answer = _asked(fields), values.text(field(fields, OUTPUT), "output")
    spoken = _history(fields.get(HISTORY))
    if turns == "last" or not spoken:
        return Said([(asked, answer)], 1 + len(spoken) // TURN)
    return conversation.said([*spoken, Message("user", asked), Message("assistant", answer)], turns)


def _asked(fields: Mapping[str, Any]) -> str:
    """Return an instruction with its input."""
    return joined(field(fields, INSTRUCTION), fields.get(INPUT))


def _history(history: object) -> Sequence[Message]:
    """Return the earlier questions and answers as messages."""
    if values.is_empty(history):
        return ()
    pairs = history if isinstance(history, list) else ()
    if not pairs or not all(isinstance(pair, list) and len(pair) == TURN for pair in pairs):
        raise InputError(f"its {HISTORY} is not a list of questions and answers")
    roles = ("user", "assistant")
    return [Message(role, said) for pair in pairs for role, said in zip(roles, pair, strict=True)]


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as an instruction."""
    return {INSTRUCTION: input, INPUT: "", OUTPUT: output}


ALPACA = Layout(
    "alpaca",
    "Alpaca",
    "instruction, input and output, as Alpaca has them",
    _fits,
    _said,
    _asked,
    frozenset({INSTRUCTION, INPUT, OUTPUT, HISTORY}),
    line=_line,
    columns=True,
)
