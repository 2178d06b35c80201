"""Conversations in the OpenAI messages format, as chat programs export them, and examples in the same form.

    >>> pair([{"role": "user", "content": "Taxi downtown"}, {"role": "assistant", "content": "travel"}])
    Pair(input='Taxi downtown', output='travel', turns=1)

An example is one question and its answer. Of a longer conversation the last ones are taken: what was said
before is not in the example, so a question that leans on it may make little sense alone. System messages tell
a model what to do; they are no examples.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from edge_icl.errors import InputError

FIELD = "messages"


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


def messages(input: str, output: str) -> list[dict[str, str]]:
    """Return an example as a conversation."""
    return [{"role": "user", "content": input}, {"role": "assistant", "content": output}]


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
