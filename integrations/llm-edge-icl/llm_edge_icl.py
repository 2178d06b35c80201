"""A plugin for llm (https://llm.datasette.io): edge-icl's stores and models.

    llm edge add "Uber to the airport" travel
    llm -m edge-icl "Taxi downtown"
    llm -m edge-icl/smollm2-135m-instruct "Name a river"

`llm edge` is the whole command line of edge-icl. The model `edge-icl` answers from a store; each
`edge-icl/NAME` is a model on this machine, without examples. What llm logs of them is the question and the
answer: no example is part of llm's prompt, and no id of one is in its response.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any, Literal

import click
import llm
from llm.parts import TextPart
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from edge_icl.cli.session import Session
    from edge_icl.openai import Completions

CALLED = "llm edge"


@llm.hookimpl
def register_commands(cli: click.Group) -> None:
    """Put edge-icl's command line under `llm edge`."""

    @cli.command(
        name="edge",
        add_help_option=False,  # edge-icl has its own
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
        short_help="Teach a local model with examples, ask it, forget any of them",
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def edge(ctx: click.Context, words: tuple[str, ...]) -> None:
        from edge_icl.cli.main import main

        ctx.exit(main(words, called=CALLED))


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """Register the model that answers from a store, and each LLM on this machine."""
    from edge_icl.errors import EdgeIclError
    from edge_icl.models import location

    register(EdgeIclStore(), AsyncEdgeIclStore())
    for name in location.names():
        try:
            found = location.find_llm(name)
        except EdgeIclError:  # an encoder; or damaged, which `llm edge models list` tells
            continue
        register(EdgeIclModel(found.name), AsyncEdgeIclModel(found.name))


class ModelOptions(llm.Model.Options):
    """How a model is asked."""

    max_tokens: int | None = Field(default=None, description="Most tokens of a written answer")


class StoreOptions(ModelOptions):
    """How a store is asked."""

    store: str | None = Field(default=None, description="The store: a name, or a path with a slash in it")
    model: str | None = Field(default=None, description="The LLM: a name, or a .gguf file")
    labels: Literal["auto", "on", "off"] | None = Field(
        default=None, description="Choose among the store's outputs (on), write (off), or look (auto)"
    )
    ask_model: Literal["auto", "always", "never"] | None = Field(
        default=None, description="Whether the LLM judges labels, too, or the examples alone"
    )
    abstain: float | None = Field(
        default=None, description="Most wrong answers among those given, such as 0.05; else there is none"
    )
    shots: int | None = Field(default=None, description="How many examples the LLM is shown")


class _Source:
    """What answers prompts: opened with the first one, and closed when this object is gone."""

    def __init__(self) -> None:
        self._kept: tuple[object, Completions, Callable[[], object]] | None = None

    def answer(self, prompt: llm.Prompt, response: Any, *, stream: bool) -> Generator[str, None, None]:
        """Yield the answer to a prompt, and tell llm what it took.

        Raises:
            llm.ModelError: there is none; says why and what to do.
        """
        from edge_icl.cli.output import Output
        from edge_icl.cli.session import Session
        from edge_icl.errors import EdgeIclError

        named = getattr(prompt.options, "store", None)
        session = Session(output=Output(called=CALLED), **({"store": named} if named else {}))
        try:
            asked = self.asked(prompt.options)
            if prompt.schema:
                form = {"name": "schema", "schema": prompt.schema}
                asked["response_format"] = {"type": "json_schema", "json_schema": form}
            completions = self._completions(prompt.options, session)
            if stream:
                asked["stream_options"] = {"include_usage": True}
                with completions.create(_messages(prompt), stream=True, **asked) as chunks:
                    for chunk in chunks:
                        yield from _heard(chunk, response)
            else:
                yield from _heard(completions.create(_messages(prompt), **asked), response)
        except EdgeIclError as error:
            raise llm.ModelError(session.output.as_called(session.told(error))) from error

    def asked(self, options: Any) -> dict[str, Any]:
        """Return how to ask, beside the messages."""
        return {"max_tokens": options.max_tokens}

    def wanted(self, options: Any, session: Session) -> object:
        """Return what prompts have in common that one open store or model answers."""
        raise NotImplementedError

    def open(self, options: Any, session: Session) -> tuple[Completions, Callable[[], None]]:
        """Return what answers, and what closes it."""
        raise NotImplementedError

    def _completions(self, options: Any, session: Session) -> Completions:
        """Return what answers: what is open, if that is wanted."""
        wanted = self.wanted(options, session)
        if self._kept is not None:
            kept, completions, close = self._kept
            if kept == wanted:
                return completions
            self._kept = None
            close()
        completions, closing = self.open(options, session)
        self._kept = (wanted, completions, weakref.finalize(self, closing))
        return completions


class _FromStore(_Source):
    """Answers from the examples of a store."""

    def asked(self, options: StoreOptions) -> dict[str, Any]:
        """Return how to ask, beside the messages."""
        from edge_icl import Options

        names = ("labels", "ask_model", "abstain", "shots")
        given = {name: value for name in names if (value := getattr(options, name)) is not None}
        return {**super().asked(options), "options": Options(**given)}

    def wanted(self, options: StoreOptions, session: Session) -> object:
        """Return the names of the store and of the model."""
        return session.store, options.model

    def open(self, options: StoreOptions, session: Session) -> tuple[Completions, Callable[[], None]]:
        """Open the store as `llm edge ask` does; its passphrase is asked for, if it has one."""
        from edge_icl.openai import Completions

        memory = session.open(model=options.model)
        return Completions(memory), memory.close


class _FromModel(_Source):
    """Goes on with a conversation."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def wanted(self, _options: ModelOptions, _session: Session) -> object:
        """Return the model's name."""
        return self._name

    def open(self, _options: ModelOptions, _session: Session) -> tuple[Completions, Callable[[], None]]:
        """Find the model; it is loaded when it is asked."""
        from edge_icl.openai import Completions

        completions = Completions(None, model=self._name)
        return completions, completions.close


class EdgeIclModel(llm.Model):
    """A model `edge-icl/NAME`: it goes on with the conversation."""

    can_stream = supports_schema = True
    Options = ModelOptions

    def __init__(self, name: str) -> None:
        self.model_id = f"edge-icl/{name}"
        self.source: _Source = _FromModel(name)

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.Response,
        conversation: object,
    ) -> Generator[str, None, None]:
        """Yield the answer to a prompt."""
        return self.source.answer(prompt, response, stream=stream)


class EdgeIclStore(EdgeIclModel):
    """The model `edge-icl`: each question is answered from the examples, whatever was said before."""

    supports_conversation = False
    Options = StoreOptions

    def __init__(self) -> None:
        self.model_id = "edge-icl"
        self.source = _FromStore()


class AsyncEdgeIclModel(llm.AsyncModel):
    """`EdgeIclModel` for asyncio: it answers in a thread beside the loop."""

    can_stream = supports_schema = True
    Options = ModelOptions

    def __init__(self, name: str) -> None:
        self.model_id = f"edge-icl/{name}"
        self.source: _Source = _FromModel(name)

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.AsyncResponse,
        conversation: object,
    ) -> AsyncGenerator[str, None]:
        """Yield the answer to a prompt."""
        pieces = self.source.answer(prompt, response, stream=stream)
        try:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece
        finally:
            await asyncio.to_thread(pieces.close)


class AsyncEdgeIclStore(AsyncEdgeIclModel):
    """`EdgeIclStore` for asyncio."""

    supports_conversation = False
    Options = StoreOptions

    def __init__(self) -> None:
        self.model_id = "edge-icl"
        self.source = _FromStore()


def _messages(prompt: llm.Prompt) -> list[dict[str, str]]:
    """Return what is said, in OpenAI's shape."""
    return [
        {"role": one.role, "content": "".join(part.text for part in one.parts if isinstance(part, TextPart))}
        for one in prompt.messages
    ]


def _heard(said: dict[str, Any], response: Any) -> Generator[str, None, None]:
    """Yield the text of a completion, or of a chunk of one, and tell llm the rest.

    llm logs what it is told: so not the ids of examples.

    Raises:
        llm.ModelError: no answer is given, as none is sure enough.
    """
    response.set_resolved_model(said["model"])
    if usage := said.get("usage"):
        response.set_usage(input=usage["prompt_tokens"], output=usage["completion_tokens"])
    if ours := said.get("edge_icl"):
        response.response_json = {name: ours[name] for name in ("kind", "probability", "unlike")}
    for choice in said["choices"]:
        message = choice.get("message") or choice["delta"]
        if message.get("refusal"):
            raise llm.ModelError(message["refusal"])
        if message.get("content"):
            yield message["content"]
