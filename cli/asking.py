"""Options of commands that ask questions, each written once."""

from __future__ import annotations

import click

from edge_icl.cli import completion
from edge_icl.cli.formats import table

format_of_questions = click.option(
    "--format",
    "format_name",
    type=click.Choice(table.names(table.QUESTIONS)),
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
