"""What a program asks: the messages, and the parameters by OpenAI's names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, TypeVar

from edge_icl.answer.options import Options
from edge_icl.cli.formats import conversation
from edge_icl.errors import InputError
from edge_icl.example import normalise
from edge_icl.prompt.conversation import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_icl.cli.formats.conversation import Message

T = TypeVar("T")

Turns = Literal["last", "all"]


class Parameters(TypedDict, total=False):
    """OpenAI's parameters that are taken; None counts as not given.

    Attributes:
        max_tokens: most tokens of a written answer.
        max_completion_tokens: the same, by its new name.
        response_format: {"type": "text"}, {"type": "json_object"}, or {"type": "json_schema", "json_schema":
            {"name": ..., "schema": {...}}}, which the answer then keeps to.
        stream_options: {"include_usage": True} has a stream end with a chunk that says how many tokens it took.
        temperature: 0.
        top_p: 1.
        n: 1.
        presence_penalty: 0.
        frequency_penalty: 0.
        logprobs: False.
        seed: any; an answer is the same every time.
    """

    max_tokens: int | None
    max_completion_tokens: int | None
    response_format: Mapping[str, Any] | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    top_p: float | None
    n: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logprobs: bool | None
    seed: int | None


_ONLY: dict[str, tuple[float, str]] = {
    "temperature": (0, "an answer is the likeliest one, the same every time"),
    "top_p": (1, "an answer is the likeliest one, the same every time"),
    "n": (1, "a question has one answer"),
    "presence_penalty": (0, "tokens are taken as likely as the model finds them"),
    "frequency_penalty": (0, "tokens are taken as likely as the model finds them"),
    "logprobs": (False, "the probability of an answer is in its field edge_icl"),
}
"""Parameter -> the one value that means what is done anyway, and why there is no other."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked beside the messages.

    Attributes:
        options: how to ask.
        include_usage: whether a stream ends with the tokens that it took.
    """

    options: Options
    include_usage: bool

    @classmethod
    def read(cls, parameters: Mapping[str, Any], options: Options) -> Self:
        """Take a program's parameters.

        Args:
            parameters: by OpenAI's names.
            options: what they are put into.

        Raises:
            TypeError: there is a name among them that is not taken.
            InputError: a value cannot be had.
        """
        for name in parameters:
            if name not in Parameters.__annotations__:
                known = ", ".join(Parameters.__annotations__)
                raise TypeError(
                    f"complete() got an unexpected keyword argument {name!r}; of OpenAI's it takes {known}"
                )
        given = {name: value for name, value in parameters.items() if value is not None}
        for name, (only, why) in _ONLY.items():
            if given.get(name, only) != only:
                raise InputError(f"{name} cannot be {given[name]!r}: {why}", f"leave it out, or give {only!r}")
        most = _most(given)
        if most is not None:
            options = replace(options, max_tokens=most)
        if (schema := _schema(given.get("response_format"))) is not None:
            options = replace(options, json_schema=schema)
        stream_options = given.get("stream_options", {})
        if not isinstance(stream_options, dict) or stream_options.keys() - {"include_usage"}:
            raise InputError(
                f"stream_options cannot be {stream_options!r}", 'give {"include_usage": True} or nothing'
            )
        return cls(options, bool(stream_options.get("include_usage")))


def question(messages: Iterable[Mapping[str, Any]], *, turns: Turns | None) -> tuple[str, str | None]:
    """Return the question that a store is asked, and what the system messages ask of the model, if they do.

    Args:
        messages: as OpenAI has them.
        turns: what of a conversation is the question; None where it may have one message of the user only.

    Raises:
        InputError: they are no such messages, or say what a store cannot heed.
    """
    if turns not in (None, "last", "all"):
        raise InputError(f"turns cannot be {turns!r}", 'give "last" or "all"')
    spoken = _spoken(messages)
    told = conversation.BREAK.join(_text(one) for one in spoken if one.role == "system")
    said = [one for one in spoken if one.role != "system"]
    if turns is None and any(one.role == "assistant" for one in said):
        raise InputError(
            f"{len(said)} messages are a conversation, and a store answers a question",
            'give the last message alone, or say turns="last" for that; turns="all" asks it with what came '
            "before, as `edge-icl add --turns all` teaches it",
        )
    return _told(lambda: conversation.question(said, turns or "last")), told or None


def turns_of(messages: Iterable[Mapping[str, Any]]) -> list[Turn]:
    """Return messages as a model is shown them: those of one side that follow each other are one.

    Raises:
        InputError: they are no such messages.
    """
    spoken = _spoken(messages)
    turns = [
        Turn(role, conversation.BREAK.join(map(_text, some)))
        for role, some in groupby(spoken, key=lambda one: one.role)
    ]
    if any(turn.role == "system" for turn in turns[1:]):
        raise InputError("a system message stands after others", "put it first")
    return turns


def only_written(options: Options) -> Options:
    """Return options for a model without a store.

    Raises:
        InputError: one of them means nothing there.
    """
    plain = Options(max_tokens=options.max_tokens, grammar=options.grammar, json_schema=options.json_schema)
    if options != plain:
        raise InputError(
            "without a store there are no examples to choose from or to judge by",
            "leave out all options but max_tokens, grammar and json_schema, or name a store",
        )
    return options


def _spoken(messages: Iterable[Mapping[str, Any]]) -> Sequence[Message]:
    """Return messages of a user, of assistants and systems, of which the last is the user's."""
    listed = [*messages] if isinstance(messages, Iterable) and not isinstance(messages, str) else messages
    spoken = _told(lambda: conversation.messages(listed, "messages"))
    if any(one.role == "tool" or one.calls for one in spoken):
        raise InputError("a message calls a tool or is one's answer, which no example can hold", "leave it out")
    if not spoken or spoken[-1].role != "user":
        raise InputError("the last message is not a user's", 'end with {"role": "user", "content": ...}')
    return spoken


def _text(message: Message) -> str:
    """Return what a message says."""
    return normalise(_told(lambda: conversation.text(message)), "message")


def _told(read: Callable[[], T]) -> T:
    """Return what is read of messages; what goes wrong is told of them, not of a file's row."""
    try:
        return read()
    except InputError as error:
        raise InputError(
            f"the messages cannot be read: {error.message}", 'each is {"role": ..., "content": a text}'
        ) from error


def _most(given: Mapping[str, Any]) -> int | None:
    """Return the most tokens of an answer; None where that is not said."""
    asked = [given[name] for name in ("max_tokens", "max_completion_tokens") if name in given]
    for most in asked:
        if not isinstance(most, int) or isinstance(most, bool) or most < 1:
            raise InputError(f"an answer cannot have {most!r} tokens", "give a whole number from 1 on")
    if len({*asked}) > 1:
        raise InputError("max_tokens and max_completion_tokens differ", "give one of them")
    return next(iter(asked), None)


def _schema(form: object) -> Mapping[str, Any] | None:
    """Return the JSON schema that an answer must keep to; None for a text of any form."""
    kind = form.get("type") if isinstance(form, dict) else None
    if form is None or kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    wanted = form.get("json_schema") if kind == "json_schema" and isinstance(form, dict) else None
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    if not isinstance(schema, dict):
        raise InputError(
            f"response_format cannot be {form!r}",
            'give {"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}, or leave it out',
        )
    return schema
