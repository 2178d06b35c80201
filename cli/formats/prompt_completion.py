"""Prompts with their completion, as the first fine-tuning of OpenAI had them.

    {"prompt": "Taxi downtown", "completion": " travel"}

There a completion begins with a space, which is none of the answer. Both may be lists of messages, as in TRL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import conversation, values
from edge_icl.cli.formats.layout import Layout, Said, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_icl.cli.formats.layout import Turns

PROMPT, COMPLETION = "prompt", "completion"


def _fits(fields: Mapping[str, Any]) -> bool:
    """Tell whether a row is a prompt with its completion."""
    return PROMPT in fields and COMPLETION in fields


def _said(fields: Mapping[str, Any], turns: Turns) -> Said:
    """Return what a prompt teaches."""
    prompt, completion = field(fields, PROMPT), field(fields, COMPLETION)
    if _is_spoken(prompt) and _is_spoken(completion):
        spoken = (*conversation.messages(prompt, PROMPT), *conversation.messages(completion, COMPLETION))
        return conversation.said(spoken, turns)
    answer = values.text(completion, "output")
    answer = answer.removeprefix(" ") if isinstance(answer, str) else answer
    return Said([(values.text(prompt, "input"), answer)])


def _asked(fields: Mapping[str, Any]) -> Any:
    """Return a prompt, or the last question of one that has messages."""
    prompt = field(fields, PROMPT)
    if _is_spoken(prompt):
        return conversation.question(conversation.messages(prompt, PROMPT))
    return values.text(prompt, "input")


def _is_spoken(value: object) -> bool:
    """Tell whether a field has messages."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _line(input: str, output: str) -> dict[str, Any]:
    """Return an example as a prompt."""
    return {PROMPT: input, COMPLETION: f" {output}"}


PROMPT_COMPLETION = Layout(
    "prompt-completion",
    "prompt and completion",
    "prompt and completion, as OpenAI had them",
    _fits,
    _said,
    _asked,
    frozenset({PROMPT, COMPLETION}),
    line=_line,
    columns=True,
)
