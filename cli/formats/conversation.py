"""Conversations: who said what, and what of it is an example.

    >>> spoken = [Message("user", "Taxi downtown"), Message("assistant", "travel")]
    >>> said(spoken, "last").pairs
    [('Taxi downtown', 'travel')]

An example is one question and its answer. Of a longer conversation the last ones are taken, or each question
with what came before it, as plain text:

    User: Tell me about owls
    Assistant: Owls prowl.
    User: And bats?

An answer of weight 0 is not taught: that is how a data set marks what a model should read and not repeat. It is
part of what came before a later question. System messages tell a model what to do; they are no examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.cli.formats.layout import Said
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_icl.cli.formats.layout import Turns

BREAK = "\n\n"
"""Between messages of one side that follow each other."""

ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
}
"""Who speaks, by what data sets call them."""

TOOLS = frozenset({"tool", "function", "function_call", "observation", "tool_call", "tool_response", "ipython"})
CALLS = ("tool_calls", "function_call")


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: "user" or "assistant", "system" or "tool".
        content: a text; what else a file has there stays as it is until it is taught.
        taught: whether its weight lets it be taught.
        calls: whether it calls a tool.
    """

    role: str
    content: Any
    taught: bool = True
    calls: bool = False


class Exchange(NamedTuple):
    """A question and its answer, each of one message or more; at the ends one may be empty."""

    asked: list[Message]
    answered: list[Message]


def messages(listed: object, field: str) -> list[Message]:
    """Return the messages that a row has in a field.

    Raises:
        InputError: they are no messages.
    """
    if not isinstance(listed, list | tuple) or not all(isinstance(one, dict) for one in listed):
        raise InputError(f"its {field} are not a list of objects")
    return [_message(one) for one in listed]


def _message(fields: Mapping[str, Any]) -> Message:
    """Return a message, in the words of OpenAI or of ShareGPT."""
    who = fields.get("role", fields.get("from"))
    content = fields.get("content", fields.get("value", fields.get("text")))
    name = str(who).strip().lower()
    if name in TOOLS:
        return Message("tool", content)
    if name not in ROLES:
        said = "has no role" if who is None else f"is of {who}"
        raise InputError(f"a message {said}, where user, assistant or system should be")
    weight = fields.get("weight")
    weightless = weight is not None and str(weight).lower() != "none" and _is_zero(weight)
    return Message(ROLES[name], content, not weightless, any(fields.get(one) for one in CALLS))


def _is_zero(weight: object) -> bool:
    """Tell whether a weight is nought."""
    try:
        return float(str(weight)) == 0
    except ValueError:
        raise InputError(f"a message has the weight {weight}, where a number should be") from None


def said(spoken: Sequence[Message], which: Turns) -> Said:
    """Return what a conversation teaches.

    Args:
        spoken: its messages.
        which: the last question and its answer, or all, each with what came before it.

    Raises:
        InputError: it has no question, the last one has no answer, or what is taught is no text.
    """
    exchanges = _exchanges([one for one in spoken if one.role != "system"])
    if not any(exchange.asked for exchange in exchanges):
        raise InputError("it holds no message of a user")
    if not exchanges[-1].answered and which == "last":
        raise InputError("its last question has no answer of an assistant")
    left = ["a system message"] if any(one.role == "system" for one in spoken) else []
    if not exchanges[-1].answered:
        left.append("a last question without an answer")
    whole = [i for i, exchange in enumerate(exchanges) if exchange.asked and exchange.answered]
    taught = [i for i in whole if any(one.taught for one in exchanges[i].answered)]
    if len(taught) < len(whole):
        left.append("an answer of weight 0")
    if which == "all":
        return Said([_pair(exchanges, i, before=exchanges[:i]) for i in taught], len(taught), tuple(left))
    return Said([_pair(exchanges, i, before=()) for i in taught[-1:]], len(taught), tuple(left))


def question(spoken: Sequence[Message], which: Turns = "last") -> str:
    """Return the last question of a conversation.

    Args:
        spoken: its messages.
        which: the question alone, or with what came before it: as `said` teaches it.

    Raises:
        InputError: it has none, or it is no text.
    """
    exchanges = _exchanges([one for one in spoken if one.role != "system"])
    asked = [i for i, one in enumerate(exchanges) if one.asked]
    if not asked:
        raise InputError("it holds no message of a user")
    last = asked[-1]
    return _asked(exchanges[last], exchanges[:last] if which == "all" else ())


def _exchanges(spoken: Sequence[Message]) -> list[Exchange]:
    """Return messages as exchanges."""
    exchanges: list[Exchange] = []
    for by_user, some in groupby(spoken, key=lambda one: one.role == "user"):
        if by_user:
            exchanges.append(Exchange([*some], []))
        elif exchanges:
            exchanges[-1].answered.extend(some)
        else:
            exchanges.append(Exchange([], [*some]))
    return exchanges


def _pair(exchanges: Sequence[Exchange], number: int, *, before: Sequence[Exchange]) -> tuple[str, str]:
    """Return the input and the output that an exchange is."""
    exchange = exchanges[number]
    _refuse_tools(exchange.answered)
    answers = [text(one) for one in exchange.answered if one.taught]
    return _asked(exchange, before), BREAK.join(answers)


def _asked(exchange: Exchange, before: Sequence[Exchange]) -> str:
    """Return a question, with the exchanges before it in front."""
    asked = BREAK.join(text(one) for one in exchange.asked)
    if not before:
        return asked
    for earlier in before:
        _refuse_tools(earlier.answered)
    told = [one for earlier in before for one in (*earlier.asked, *earlier.answered)]
    return "\n".join([*(f"{one.role.capitalize()}: {text(one)}" for one in told), f"User: {asked}"])


def _refuse_tools(answered: Sequence[Message]) -> None:
    """Raise where an answer rests on a tool, which an example cannot show."""
    if any(one.calls for one in answered):
        raise InputError("a message of its assistant calls a tool, which an example cannot hold")
    if any(one.role == "tool" for one in answered):
        raise InputError("its answer rests on a message of a tool, which an example cannot hold")


def text(message: Message) -> str:
    """Return what a message says: a text, or a list of parts that are text.

    Raises:
        InputError: it is something else.
    """
    content = message.content
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list | tuple) or not parts or not all(map(_is_text, parts)):
        raise InputError(f"a message of its {message.role} holds something else than text{_kinds(parts)}")
    return "".join(part["text"] for part in parts)


def _is_text(part: object) -> bool:
    """Tell whether a part of a message is text."""
    kinds = (None, "text", "input_text", "output_text")
    return isinstance(part, dict) and part.get("type") in kinds and isinstance(part.get("text"), str)


def _kinds(parts: object) -> str:
    """Return what the parts are that are no text, for an error."""
    listed = parts if isinstance(parts, list | tuple) else ()
    kinds = [str(one.get("type")) for one in listed if isinstance(one, dict) and not _is_text(one)]
    return f" ({', '.join(dict.fromkeys(kinds))})" if kinds else ""
