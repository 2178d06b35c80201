"""Conversations in the format of ShareGPT.

    {"conversations": [{"from": "human", "value": "Taxi"}, {"from": "gpt", "value": "travel"}]}

Some data sets call the field `conversation`, or have the words of OpenAI within it: they are read too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import conversation
from edge_icl.cli.formats.layout import Layout, Said, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.formats.conversation import Message
    from edge_icl.cli.formats.layout import Turns

FIELDS = ("conversations", "conversation")


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is such a conversation."""
    return any(isinstance(fields.get(name), list) for name in FIELDS)


def _said(fields: Mapping[str, Any], turns: Turns) -> Said:
    """Return what a conversation teaches."""
    return conversation.said(_messages(fields), turns)


def _asked(fields: Mapping[str, Any]) -> str:
    """Return the last question of a conversation."""
    return conversation.question(_messages(fields))


def _messages(fields: Mapping[str, Any]) -> list[Message]:
    """Return what was said."""
    name = next((one for one in FIELDS if one in fields), FIELDS[0])
    return conversation.messages(field(fields, name), name)


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as a conversation."""
    return {FIELDS[0]: [{"from": "human", "value": input}, {"from": "gpt", "value": output}]}


SHAREGPT = Layout(
    "sharegpt",
    "ShareGPT",
    "one conversation a line, as ShareGPT has it",
    _fits,
    _said,
    _asked,
    frozenset(FIELDS),
    noun="conversation",
    line=_line,
)
