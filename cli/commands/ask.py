"""`edge-icl ask`: a question, or a file of them, answered from the examples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from edge_icl.answer import questions
from edge_icl.answer.options import AUTO, Options
from edge_icl.answer.selection import SELECTIONS
from edge_icl.cli import answers, completion, constraints, rows
from edge_icl.cli.command import Command, examples
from edge_icl.cli.tables import counted, one_line
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_icl.answer.options import LabelMode, PromptMode
    from edge_icl.answer.reply import Reply
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.runtime.progress import Progress

    Start = Callable[[str], Reply]

FORMATS = ("jsonl", "csv", "tsv", "txt")


class Questions(NamedTuple):
    """A file of questions.

    Attributes:
        file: its path, or - for stdin.
        kind: one of `FORMATS`.
        field: where a row has its question.
    """

    file: str
    kind: str
    field: str

    def read(self) -> Iterator[rows.Row]:
        """Yield its rows, the bad ones too."""
        return rows.read(self.file, self.kind, (self.field,))

    def total(self) -> int:
        """Return how many rows it has, 0 where that cannot be told before they are read."""
        return rows.count(self.file, self.kind, (self.field,))


def _layers(_ctx: click.Context, _option: click.Parameter, value: str) -> int | None:
    """Return a number of layers; None is for auto."""
    if value == "auto":
        return None
    if not (value.isascii() and value.isdecimal()):
        raise click.BadParameter("give a number of layers, or auto")
    return int(value)


@click.command(
    cls=Command,
    epilog=examples(
        'edge-icl ask "Taxi downtown"', "edge-icl --json ask --file questions.jsonl > answers.jsonl"
    ),
)
@click.argument("question", required=False, metavar="[QUESTION | -]")
@click.option(
    "--file", metavar="F", type=click.Path(), help="Read questions: .jsonl, .csv, .tsv; .txt with one a line."
)
@click.option("--format", "kind", type=click.Choice(FORMATS), help="What the file is, whatever its name.")
@click.option(
    "--input-field", metavar="NAME", default="input", show_default=True, help="Where a row has its question."
)
@click.option(
    "--select",
    type=click.Choice((AUTO, *SELECTIONS)),
    default=AUTO,
    show_default=True,
    help="Which examples the model is shown; see above.",
)
@click.option(
    "--shots",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many examples; erase fills up at random.  [default: the store's number]",
)
@click.option(
    "--labels",
    type=click.Choice(("auto", "on", "off")),
    default="auto",
    show_default=True,
    help="Choose among the outputs in the store (on), write freely (off), or look which fits.",
)
@click.option(
    "--prior/--no-prior",
    default=True,
    show_default=True,
    help="Judge outputs by how they lie among the examples, too, or by the model alone.",
)
@click.option(
    "--prompt",
    type=click.Choice(("auto", "plain", "chat")),
    default="auto",
    show_default=True,
    help="Examples as lines of text (plain; auto too), or as turns in the model's own chat template (chat).",
)
@click.option(
    "--model",
    metavar="NAME|PATH",
    help="The model, or a .gguf file; see `edge-icl models list`.",
    shell_complete=completion.llms,
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    default=256,
    show_default=True,
    help="End a written answer after so many tokens (pieces of words).",
)
@click.option(
    "--grammar", metavar="FILE", type=click.Path(), help="Write what a grammar allows, in llama.cpp's GBNF."
)
@click.option("--json-schema", metavar="FILE", type=click.Path(), help="Write JSON that keeps to a schema.")
@click.option("--examples", "shown", is_flag=True, help="Show the examples behind the answer, piped too.")
@click.option("--explain", is_flag=True, help="Also show the prompt, each label's probability, and times.")
@click.option(
    "--gpu-layers",
    callback=_layers,
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="How many layers of the model the GPU holds.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="Processor threads.  [default: one a core]"
)
@click.pass_obj
def ask(  # noqa: PLR0913 - one parameter an option
    session: Session,
    *,
    question: str | None,
    file: str | None,
    kind: str | None,
    input_field: str,
    select: str,
    shots: int | None,
    labels: LabelMode,
    prior: bool,
    prompt: PromptMode,
    model: str | None,
    max_tokens: int,
    grammar: str | None,
    json_schema: str | None,
    shown: bool,
    explain: bool,
    gpu_layers: int | None,
    threads: int | None,
) -> int:
    """Answer a QUESTION, an input like those of the examples, or a file of questions.

    Where the outputs in the store come again, the answer is one of them. How the question lies among the inputs
    makes some of them likely, and the model, shown a few examples and then the question, says which of these
    fits. Otherwise the model writes.

    Which examples it is shown, --select says: erase, a few that stand for all, the same for every question, so
    that answers come fast; nearest, those most like the question; hybrid, half of each; random and none, to
    compare with; auto, erase to choose an output and hybrid to write.

    On a terminal the answer comes as it is written, with the examples behind it. Piped, it is the answer alone,
    so that scripts can use it. Questions of a file are answered a line each, in their order, line breaks made
    spaces (use --json to keep them); for one that cannot be answered the line is empty, and the exit code 1.

    Answers that are no labels are written. --json-schema and --grammar hold them to a form, whatever the model
    would like to write.
    """
    if question == rows.STDIN and file is None:
        file, question = rows.STDIN, None
    if (file is None) == (question is None):
        raise click.UsageError("give a QUESTION, or --file F, or -")
    kind = None if file is None else rows.format_of(file, kind, FORMATS)
    if grammar is not None and json_schema is not None:
        raise click.UsageError("give --grammar or --json-schema, not both")
    if labels == "on" and (grammar is not None or json_schema is not None):
        raise click.UsageError("--labels on chooses an answer; a grammar or a schema is for written ones")
    options = Options(
        select=select,
        shots=shots,
        labels=labels,
        prior=prior,
        prompt=prompt,
        max_tokens=max_tokens,
        grammar=None if grammar is None else constraints.grammar(grammar),
        json_schema=None if json_schema is None else constraints.json_schema(json_schema),
    )
    options.constraint()  # a bad one is told once, not for every question
    with (
        session.output.progress() as progress,
        session.open(model=model, gpu_layers=gpu_layers, threads=threads, progress=progress) as memory,
    ):
        start = partial(memory.stream, options=options)
        if file is None or kind is None:
            assert question is not None
            _one(session, memory, start, question, shown=shown, explain=explain)
            code = 0
        else:
            code = _many(session, start, Questions(file, kind, input_field), progress, explain=explain)
    _tell_device(session, model, threads)
    return code


def _tell_device(session: Session, model: str | None, threads: int | None) -> None:
    """Tell, with `-v`, what the model was computed on."""
    if not session.output.verbose:
        return
    from edge_icl.cli import machine
    from edge_icl.models import catalogue, checked
    from edge_icl.runtime.cores import usable_cores

    fit = checked.in_use(model or catalogue.DEFAULT_LLM)
    layers, threads = machine.gpu_layers(fit), threads or usable_cores()
    session.output.note(f"device: {machine.device(fit, threads=threads, layers=layers)}")


def _one(session: Session, memory: Memory, start: Start, question: str, *, shown: bool, explain: bool) -> None:
    """Answer one question."""
    output = session.output
    reply = questions.complete(partial(start, question), output.piece if output.terminal else None)
    answers.tell_cut(session, reply.answer)
    if output.json:
        output.document(answers.as_json(reply, explain=explain))
        return
    output.line("" if output.terminal else reply.answer.text)
    if explain:
        answers.explain(session, reply)
    if output.terminal or shown or explain:
        answers.show_examples(session, memory, reply.answer)


def _many(session: Session, start: Start, asked: Questions, progress: Progress, *, explain: bool) -> int:
    """Answer a file of questions; a bad one does not stop the rest."""
    output, failed, done = session.output, 0, 0
    total = asked.total() if output.watched else 0
    progress("ask", 0, total)
    for done, row in enumerate(asked.read(), start=1):
        try:
            reply = questions.complete(partial(start, row[asked.field]))
        except InputError as error:
            failed += 1
            _fail(session, row.line, error)
        else:
            answers.tell_cut(session, reply.answer, f"line {row.line}: ")
            if output.json:
                output.document(answers.as_json(reply, explain=explain))
            else:
                output.line(one_line(reply.answer.text))
                if explain:
                    answers.explain(session, reply)
        progress("ask", done, total)
    if not done:
        raise InputError("there are no questions", "give one a line")
    if failed:
        output.note(f"{failed} of {counted(done, 'question')} could not be answered")
    return 1 if failed else 0


def _fail(session: Session, line: int, error: InputError) -> None:
    """Tell that a row cannot be answered, and keep its place among the answers."""
    if session.output.json:
        session.output.document({"line": line, "error": str(error), "type": type(error).__name__})
    else:
        session.output.line()
        session.output.note(f"line {line}: {error}")
