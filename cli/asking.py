"""Options of commands that ask questions, each written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import click

from edge_icl.answer.options import Options, SelectMode
from edge_icl.cli import completion, constraints
from edge_icl.cli.formats import known
from edge_icl.cli.options import having

if TYPE_CHECKING:
    from edge_icl.answer.options import AskMode, LabelMode, PromptMode


def _layers(_ctx: click.Context, _option: click.Parameter, value: str) -> int | None:
    """Return a number of layers; None is for auto."""
    if value == "auto":
        return None
    if not (value.isascii() and value.isdecimal()):
        raise click.BadParameter("give a number of layers, or auto")
    return int(value)


format_of_questions = click.option(
    "--format",
    "format_name",
    type=click.Choice(known.QUESTIONS),
    help="What the file is, whatever its name.",
)
input_field = click.option(
    "--input-field",
    metavar="NAME",
    help="Where a row has its question.  [default: input, or as a known format has it]",
)
labels = click.option(
    "--labels",
    type=click.Choice(("auto", "on", "off")),
    default="auto",
    show_default=True,
    help="Choose a label from the store (on), write freely (off), or whichever the outputs suggest (auto).",
)
ask_model = click.option(
    "--ask-model",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    show_default=True,
    help="Let the model judge labels too: where it can matter (auto), always, or never.",
)
model = click.option(
    "--model",
    metavar="NAME|PATH",
    help="The model, or a .gguf file; see `edge-icl models list`.",
    shell_complete=completion.llms,
)
threads = click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="Processor threads.  [default: one a core]"
)
gpu_layers = click.option(
    "--gpu-layers",
    callback=_layers,
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="How many layers of the model the GPU holds.",
)

HOW = (
    click.option(
        "--select",
        type=click.Choice(get_args(SelectMode)),
        default="auto",
        show_default=True,
        help="Which examples the model is shown; `edge-icl ask --help` tells them apart.",
    ),
    click.option(
        "--shots",
        type=click.IntRange(min=1),
        metavar="N",
        help="How many examples; erase adds random ones to its own.  [default: the store's number]",
    ),
    labels,
    click.option(
        "--recall/--no-recall",
        default=True,
        show_default=True,
        help="Answer a question that was taught with the output that was taught for it.",
    ),
    ask_model,
    click.option(
        "--abstain",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="RATE",
        help="Give a label only if at most this share of those given is wrong, such as 0.05.",
    ),
    click.option(
        "--prior/--no-prior",
        default=True,
        show_default=True,
        help="Judge labels by all examples and the model, or by the model alone.",
    ),
    click.option(
        "--prompt",
        type=click.Choice(("auto", "plain", "chat")),
        default="auto",
        show_default=True,
        help="Examples as lines of text (plain; auto too), or as turns in the model's own chat template "
        "(chat).",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        default=256,
        show_default=True,
        help="End a written answer after so many tokens (pieces of words).",
    ),
    click.option(
        "--grammar",
        metavar="FILE",
        type=click.Path(),
        help="Write only what a grammar allows; it is in llama.cpp's GBNF.",
    ),
    click.option(
        "--json-schema", metavar="FILE", type=click.Path(), help="Write only JSON that a schema allows."
    ),
)
"""Options that say how an answer is made: the fields of `How`."""


how = having(HOW)
"""Gives a command the options that say how an answer is made."""


@dataclass(frozen=True, slots=True)
class How:
    """How the answer is made."""

    select: SelectMode
    shots: int | None
    labels: LabelMode
    recall: bool
    ask_model: AskMode
    abstain: float | None
    prior: bool
    prompt: PromptMode
    max_tokens: int
    grammar: str | None
    json_schema: str | None

    def options(self) -> Options:
        """Return the same for the library.

        Raises:
            click.UsageError: two of them exclude each other.
            InputError: the file of a grammar or a schema cannot be read, or is not valid.
        """
        if self.grammar is not None and self.json_schema is not None:
            raise click.UsageError("give --grammar or --json-schema, not both")
        if self.labels == "on" and (self.grammar is not None or self.json_schema is not None):
            raise click.UsageError("--labels on chooses an answer; a grammar or a schema is for written ones")
        options = Options(
            select=self.select,
            shots=self.shots,
            labels=self.labels,
            recall=self.recall,
            ask_model=self.ask_model,
            abstain=self.abstain,
            prior=self.prior,
            prompt=self.prompt,
            max_tokens=self.max_tokens,
            grammar=None if self.grammar is None else constraints.grammar(self.grammar),
            json_schema=None if self.json_schema is None else constraints.json_schema(self.json_schema),
        )
        options.constraint()  # a bad one is told once, not for every question
        return options


@dataclass(frozen=True, slots=True)
class Computed:
    """What the answer is computed with."""

    model: str | None
    gpu_layers: int | None
    threads: int | None
