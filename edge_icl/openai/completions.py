"""A store, or a model alone, that answers in the shape of OpenAI's chat completions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from edge_icl.answer import questions
from edge_icl.answer.alone import Alone, Spoken
from edge_icl.memory import DEFAULT_OPTIONS, Memory
from edge_icl.openai.request import Request, only_written, question, turns_of
from edge_icl.openai.shape import Head, Outcome
from edge_icl.runtime.home import DEFAULT_STORE
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Mapping
    from typing import Unpack

    from edge_icl.answer.options import Options
    from edge_icl.answer.reply import Reply
    from edge_icl.openai.request import Parameters, Turns

    Completion = dict[str, Any]


class Completions:
    """A store that answers, or a model alone. Close it, or use it in a `with` statement.

    The models are loaded with the first question that needs them and stay until it is closed.

    Args:
        store: its name or path; it must be there. One that is open stays so when this is closed. None for a
            model alone, which goes on with the conversation and is shown no examples.
        model: name of an LLM, or path of a GGUF file; None for the default, or for that of the open store.
        progress: see `Memory.open`.

    Raises:
        TypeError: the store is none of these, or is open and a model is named, too.
        EdgeIclError: what `Memory.open` raises.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | Memory | None = DEFAULT_STORE,
        *,
        model: str | None = None,
        progress: Progress = silent,
    ) -> None:
        if isinstance(store, bool):
            raise TypeError(f"store is the name of a store here, or its path, and not {store!r}")
        if isinstance(store, Memory) and model is not None:
            raise TypeError("the store is open with a model already: name that in Memory.open")
        self._given = isinstance(store, Memory)
        self._asked: Memory | Alone
        if isinstance(store, Memory):
            self._asked = store
        elif store is None:
            self._asked = Alone(model, progress=progress)
        else:
            self._asked = Memory.open(store, create=False, model=model, progress=progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give models and memory back; calling it again does nothing."""
        if not self._given:
            self._asked.close()

    @overload
    def create(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        stream: Literal[False] = ...,
        turns: Turns | None = ...,
        options: Options = ...,
        **parameters: Unpack[Parameters],
    ) -> Completion: ...

    @overload
    def create(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        stream: Literal[True],
        turns: Turns | None = ...,
        options: Options = ...,
        **parameters: Unpack[Parameters],
    ) -> Chunks: ...

    def create(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        stream: bool = False,
        turns: Turns | None = None,
        options: Options = DEFAULT_OPTIONS,
        **parameters: Unpack[Parameters],
    ) -> Completion | Chunks:
        """Answer the last message; see `complete`."""
        request = Request.read(parameters, options)
        begin = self._beginning(messages, turns, request.options)
        if stream:
            return Chunks(begin(), include_usage=request.include_usage)
        reply = questions.complete(begin)
        return Head.of(reply).completion(Outcome.of(reply))

    def _beginning(
        self, messages: Iterable[Mapping[str, Any]], turns: Turns | None, options: Options
    ) -> Callable[[], Reply | Spoken]:
        """Return what begins to answer."""
        asked = self._asked
        if isinstance(asked, Memory):
            text, task = question(messages, turns=turns)
            told = options if task is None else replace(options, task=task)
            return lambda: asked.stream(text, told)
        said, most, grammar = turns_of(messages), only_written(options).max_tokens, options.constraint()
        return lambda: asked.stream(said, max_tokens=most, grammar=grammar)


class Chunks:
    """Pieces of a completion: iterate over them, close it to stop the model, or use it in a `with` statement.

    Attributes:
        closing: gives back what was opened for this answer alone.
    """

    def __init__(self, reply: Reply | Spoken, *, include_usage: bool) -> None:
        self._reply = reply
        self.closing: Callable[[], None] = lambda: None
        self._chunks = _chunks(reply, include_usage=include_usage)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Completion:
        try:
            return next(self._chunks)
        except BaseException:  # its end, too
            self.close()
            raise

    def close(self) -> None:
        """Stop the model, and give back what was opened; calling it again does nothing."""
        self._reply.close()
        self.closing()


def _chunks(reply: Reply | Spoken, *, include_usage: bool) -> Generator[Completion]:
    """Yield an answer piece by piece."""
    head = Head.of(reply)
    yield head.chunk({"role": "assistant", "content": ""})
    for piece in reply:
        yield head.chunk({"content": piece})
    ended = Outcome.of(reply)
    if ended.refusal is not None:
        yield head.chunk({"refusal": ended.refusal})
    yield head.chunk({}, finish_reason=ended.finish_reason, edge_icl=ended.ours)
    if include_usage:
        yield head.usage(ended)


@overload
def complete(
    messages: Iterable[Mapping[str, Any]],
    *,
    store: str | os.PathLike[str] | Memory | None = ...,
    model: str | None = ...,
    stream: Literal[False] = ...,
    turns: Turns | None = ...,
    options: Options = ...,
    **parameters: Unpack[Parameters],
) -> Completion: ...


@overload
def complete(
    messages: Iterable[Mapping[str, Any]],
    *,
    store: str | os.PathLike[str] | Memory | None = ...,
    model: str | None = ...,
    stream: Literal[True],
    turns: Turns | None = ...,
    options: Options = ...,
    **parameters: Unpack[Parameters],
) -> Chunks: ...


def complete(
    messages: Iterable[Mapping[str, Any]],
    *,
    store: str | os.PathLike[str] | Memory | None = DEFAULT_STORE,
    model: str | None = None,
    stream: bool = False,
    turns: Turns | None = None,
    options: Options = DEFAULT_OPTIONS,
    **parameters: Unpack[Parameters],
) -> Completion | Chunks:
    """Answer the last message of a user from a store, in the shape of OpenAI's chat completions.

    The store and its models are opened for this answer; `Completions` keeps them for many.

    Args:
        messages: with a role and a content each, a text or a list of parts that are texts. A system message
            is the task of this question: what the model is asked in words, where it is asked.
        store: see `Completions`.
        model: see `Completions`.
        stream: give the answer piece by piece.
        turns: of a conversation with a store, what is asked: "last", the last message of the user alone; "all",
            with what came before it, as `edge-icl add --turns all` teaches it. None refuses a conversation.
        options: how to ask; the parameters go before it.
        parameters: see `Parameters`.

    Returns:
        A dict that OpenAI's type `ChatCompletion` takes, or an iterator over such of `ChatCompletionChunk`.
        Its `model` is "edge-icl" where no LLM was asked. `finish_reason` is "length" where a written answer was
        cut off. Where no answer is sure enough for `Options.abstain`, the content is None and `refusal` says
        so. The field `edge_icl`, in a stream of the chunk with the `finish_reason`, has what OpenAI has no
        place for: "kind", "probability" and "unlike" as `Answer` has them, and "examples", the ids of those
        that the answer rests on. No text of an example is in it.

    Raises:
        TypeError: there is no such parameter, or the store is no store.
        InputError: a message or a parameter cannot be heeded; says why.
        EdgeIclError: what `Memory.open` and `Memory.ask` raise.
    """
    completions = Completions(store, model=model)
    if not stream:
        with completions:
            return completions.create(messages, turns=turns, options=options, **parameters)
    try:
        chunks = completions.create(messages, stream=True, turns=turns, options=options, **parameters)
    except BaseException:
        completions.close()
        raise
    chunks.closing = completions.close
    return chunks
