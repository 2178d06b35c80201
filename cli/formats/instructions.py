"""Rows with an instruction, what it is about, and the answer: what the layouts of that kind share.

The instruction is as much of the question as what it is about: both are the example's input, with a blank line
between them.
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

INSTRUCTION = "instruction"
TURN = 2


def layout(name: str, title: str, about: str, answer: str, *, history: str | None = None) -> Layout:
    """Return the layout of rows with an instruction.

    Args:
        name: what `--format` calls it.
        title: what notes call it.
        about: the field that has what the instruction is about; it may be missing, or empty.
        answer: the field that has the answer.
        history: the field that may have earlier questions and answers; None where none has.
    """

    def fits(fields: Mapping[str, Any]) -> bool:
        return INSTRUCTION in fields and answer in fields

    def asked(fields: Mapping[str, Any]) -> str:
        parts = (field(fields, INSTRUCTION), fields.get(about))
        return conversation.BREAK.join(
            values.text(part, "input") for part in parts if not values.is_empty(part)
        )

    def said(fields: Mapping[str, Any], turns: Turns) -> Said:
        question, answered = asked(fields), values.text(field(fields, answer), "output")
        spoken = () if history is None else _spoken(fields.get(history), history)
        if turns == "last" or not spoken:
            return Said([(question, answered)], 1 + len(spoken) // TURN)
        return conversation.said([*spoken, Message("user", question), Message("assistant", answered)], turns)

    def line(input: str, output: str) -> dict[str, Any]:
        return {INSTRUCTION: input, about: "", answer: output}

    used = frozenset({INSTRUCTION, about, answer} | ({history} if history else set()))
    content = f"instruction, {about} and {answer}, as {title} has them"
    return Layout(name, title, content, fits, said, asked, used, line=line, columns=True)


def _spoken(history: object, name: str) -> Sequence[Message]:
    """Return the earlier questions and answers as messages."""
    if values.is_empty(history):
        return ()
    pairs = history if isinstance(history, list) else ()
    if not pairs or not all(isinstance(pair, list) and len(pair) == TURN for pair in pairs):
        raise InputError(f"its {name} is not a list of questions and answers")
    roles = ("user", "assistant")
    return [Message(role, said) for pair in pairs for role, said in zip(roles, pair, strict=True)]
