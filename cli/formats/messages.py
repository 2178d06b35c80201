"""Conversations in the OpenAI messages format, as chat programs export them, and examples in the same form.

    {"messages": [{"role": "user", "content": "Taxi"}, {"role": "assistant", "content": "travel"}]}

What of them is an example: see `conversation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import conversation
from edge_icl.cli.formats.layout import Layout, Said, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.formats.layout import Turns

FIELD = "messages"


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is a conversation."""
    return FIELD in fields


def _said(fields: Mapping[str, Any], turns: Turns) -> Said:
    """Return what a conversation teaches."""
    return conversation.said(conversation.messages(field(fields, FIELD), FIELD), turns)


def _asked(fields: Mapping[str, Any]) -> str:
    """Return the last question of a conversation."""
    return conversation.question(conversation.messages(field(fields, FIELD), FIELD))


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as a conversation."""
    return {FIELD: [{"role": "user", "content": input}, {"role": "assistant", "content": output}]}


MESSAGES = Layout(
    "messages",
    "OpenAI messages",
    "one conversation a line, in the OpenAI messages format",
    _fits,
    _said,
    _asked,
    frozenset({FIELD}),
    noun="conversation",
    line=_line,
)
