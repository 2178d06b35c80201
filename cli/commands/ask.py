"""`edge-icl ask`: a question, or a file of them, answered from the examples."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_icl.cli import asking, encodings, fleet, questions
from edge_icl.cli.asking import Computed, How
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.fleet import Fleet
from edge_icl.cli.formats import known
from edge_icl.cli.request import Asked, Written

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(
    cls=Command,
    epilog=examples(
        'edge-icl ask "Taxi downtown"',
        "edge-icl ask --file mails.csv --out answered.csv",
        "edge-icl --json ask --file questions.jsonl > answers.jsonl",
    ),
)
@click.argument("question", required=False, metavar="[QUESTION]")
@click.option(
    "--file",
    metavar="F",
    type=click.Path(),
    help=f"Read questions from a {known.in_words(known.ASKED, last='or')} file, or - for stdin.",
)
@asking.format_of_questions
@asking.input_field
@encodings.OPTION
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="F",
    help=f"Write the rows and their answers to this new {known.in_words(known.ANSWERED, last='or')} file.",
)
@click.option("--resume", is_flag=True, help="With --out: go on where a run that was cut off has ended.")
@click.option(
    "--safe",
    is_flag=True,
    help="In a table, put an apostrophe before cells that a spreadsheet would run; as --safe of export.",
)
@asking.how
@asking.model
@click.option("--examples", is_flag=True, help="Show the examples behind each answer, piped too.")
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Also show the prompt, each label's probability, and the times.",
)
@asking.gpu_layers
@asking.threads
@fleet.options
@click.pass_obj
@taking(Asked, Written, How, Computed, questions.Shown, Fleet)
def ask(
    session: Session,
    asked: Asked,
    written: Written,
    how: How,
    computed: Computed,
    shown: questions.Shown,
    workers: Fleet,
) -> int:
    """Answer a QUESTION, an input like those of the examples, or a file of questions.

    A question that was taught gets the output that was taught for it. Otherwise, if the outputs in the store
    are labels, which many examples share, the answer is one of them: the examples make some labels likely, and
    where they leave a doubt the model, which is shown a few examples and then the question, says which of these
    fits. If the outputs are free text the model writes an answer, and --json-schema or --grammar can say which
    form it must have.

    --select says which examples the model is shown. erase: a few that stand for all, the same for every
    question, so that answers come fast. nearest: those most like the question. hybrid: half of each. random and
    none: to compare with. auto: erase to choose a label, hybrid to write.

    On a terminal the answer comes as it is written, with the examples behind it. Piped, it is the answer alone,
    so that scripts can use it. Questions of a file are answered one a line, in their order, with spaces for
    line breaks (--json keeps them); if one cannot be answered its line is empty, and the exit code is 1.

    With - the whole of stdin is one question; --file - reads a question a row, JSON lines or as --format says.
    A question that begins with a dash goes after --.

    A table of questions (.csv, .tsv) comes back as it is, with three columns more: answer, probability, and
    asked_model. --out writes it to a new file, which is there when it is whole. If the run is cut off, the same
    command with --resume goes on.

    --engine ray has many processes answer a file, or a folder of them, of Parquet, CSV or JSON lines. They
    write Parquet into the new folder --out, with the same answers; --resume goes on there, too.
    """
    if not workers.is_local:
        return _by_workers(session, asked, written, how, computed, shown, workers)
    workers.refuse_local(session)
    file, options = asked.file_of_questions(session), how.options()
    target = written.target(file, computed.model, shown, lines=session.output.json)
    question = "" if file is not None else asked.text(session)
    with (
        session.output.progress() as progress,
        session.open(
            model=computed.model, gpu_layers=computed.gpu_layers, threads=computed.threads, progress=progress
        ) as memory,
    ):
        start = partial(memory.stream, options=options)
        if file is None:
            questions.one(session, memory, start, question, shown)
            code = 0
        elif target is None:
            code = questions.many(session, memory, options, file, progress, shown)
        else:
            from edge_icl.cli import batches

            code = batches.table(batches.Run(session, memory, options, file, target, progress))
    _tell_device(session, computed)
    return code


def _by_workers(
    session: Session,
    asked: Asked,
    written: Written,
    how: How,
    computed: Computed,
    shown: questions.Shown,
    workers: Fleet,
) -> int:
    """Have workers answer a file."""
    workers.refuse(session, asked, written, shown, computed.threads)
    from edge_icl.cli import labelling

    assert asked.file is not None
    assert written.out is not None
    wanted = labelling.Wanted(
        file=Path(asked.file),
        kind=asked.format_name,
        field=asked.input_field,
        out=written.out,
        resume=written.resume,
        options=how.options(),
        model=computed.model,
        gpu_layers=computed.gpu_layers,
        fleet=workers,
    )
    return labelling.run(session, wanted)


def _tell_device(session: Session, computed: Computed) -> None:
    """Tell, with `-v`, what the model was computed on."""
    if not session.output.verbose:
        return
    from edge_icl.cli import machine
    from edge_icl.models import checked, default
    from edge_icl.runtime.cores import usable_cores

    fit = checked.in_use(computed.model or default.chosen().name)
    layers, threads = machine.gpu_layers(fit), computed.threads or usable_cores()
    session.output.note(f"device: {machine.device(fit, threads=threads, layers=layers)}")
