"""Conversations in the OpenAI messages format, as chat programs export them, and examples in the same form.

    >>> pair([{"role": "user", "content": "Taxi downtown"}, {"role": "assistant", "content": "travel"}])
    Pair(input='Taxi downtown', output='travel', turns=1)

An example is one question and its answer. Of a longer conversation the last ones are taken: what was said
before is not in the example, so a question that leans on it may be hard to understand alone. System messages
tell a model what to do; they are no examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.cli.formats.format import Format
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

FIELD = "messages"
TEXTS = ("input", "output")


class Pair(NamedTuple):
    """What a conversation teaches.

    Attributes:
        input: the last message of the user.
        output: the assistant's answer to it.
        turns: how many messages of the user there are; all but the last are left out.
    """

    input: str
    output: str
    turns: int


def pair(messages: object) -> Pair:
    """Return the last question of a conversation and its answer.

    Raises:
        InputError: there is none, or it holds something else than text.
    """
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise InputError(f"its {FIELD} are not a list of objects")
    asked = [i for i, one in enumerate(messages) if one.get("role") == "user"]
    if not asked:
        raise InputError("it holds no message of a user")
    answers = [one for one in messages[asked[-1] + 1 :] if one.get("role") == "assistant"]
    if not answers:
        raise InputError("its last question has no answer of an assistant")
    return Pair(_text(messages[asked[-1]]), _text(answers[-1]), len(asked))


def _line(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return an example as a conversation, with the other fields that are named beside it."""
    said = [{"role": "user", "content": record["input"]}, {"role": "assistant", "content": record["output"]}]
    return {FIELD: said, **{name: record[name] for name in names if name in record and name not in TEXTS}}


def _text(message: dict[str, Any]) -> str:
    """Return what a message says: a text, or a list of parts that are text."""
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not all(map(_is_text, parts)):
        raise InputError(f"a message of its {message['role']} holds something else than text")
    return "".join(part["text"] for part in parts)


def _is_text(part: object) -> bool:
    """Tell whether a part of a message is text."""
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


MESSAGES = Format(
    "messages", "one conversation a line, in the OpenAI messages format", (), line=_line, fields=TEXTS
)
"""Only written: in a file that is read, `jsonl` knows a conversation by its field."""
