"""`edge-icl learn`: questions at the terminal, whose answers are confirmed or corrected, and learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from edge_icl.answer.options import Options
from edge_icl.cli import asking, completion, encodings, teaching
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.formats import table
from edge_icl.cli.learning import Learning
from edge_icl.cli.pool import File, Pool
from edge_icl.cli.teaching import Labels
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from edge_icl.answer.options import AskMode, LabelMode
    from edge_icl.cli.session import Session
NO_TERMINAL = "learn shows questions and waits for what you say to them, so it needs a terminal"
WITHOUT = "`edge-icl ask --file F` answers a file, and `edge-icl add --file F` teaches one"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which questions: those of a file, or none, so that they are typed."""

    file: str | None
    format_name: str | None
    input_field: str | None
    output_field: str | None
    encoding: str | None

    def file_of_questions(self) -> File | None:
        """Return the file of questions; None where they are typed.

        Raises:
            click.UsageError: the file's name does not tell its format, or an option goes with a file.
        """
        if self.file is None:
            if (self.format_name, self.output_field, self.encoding) != (None, None, None):
                raise click.UsageError("--format, --output-field and --encoding go with --file")
            return None
        kind = teaching.format_of(self.file, self.format_name, table.QUESTIONS)
        return File(self.file, kind, self.input_field, self.output_field, self.encoding)


@dataclass(frozen=True, slots=True)
class How:
    """How answers are made, and with what."""

    labels: LabelMode
    ask_model: AskMode
    model: str | None
    gpu_layers: int | None
    threads: int | None


@click.command(
    cls=Command, epilog=examples("edge-icl learn", "edge-icl learn --file questions.csv --input-field text")
)
@click.option(
    "--file",
    metavar="F",
    type=click.Path(),
    help=f"Take questions from a {table.endings(table.QUESTIONS, last='or')} file.",
)
@asking.format_of_questions
@asking.input_field
@click.option(
    "--output-field",
    metavar="NAME",
    help="Where a row may have an output, to be shown beside the answer.  [default: none is looked at]",
)
@encodings.OPTION
@click.option(
    "--tag",
    "tags",
    metavar="T",
    multiple=True,
    help="A word to find what is taught by; may be repeated.",
    shell_complete=completion.tags,
)
@click.option(
    "--source",
    metavar="S",
    help="Where what is taught comes from, such as a file or a person.",
    shell_complete=completion.sources,
)
@asking.labels
@asking.ask_model
@asking.model
@click.option(
    "--gpu-layers", type=click.IntRange(min=0), metavar="N", help="How many layers of the model the GPU holds."
)
@asking.threads
@click.pass_obj
@taking(Asked, How)
def learn(session: Session, asked: Asked, how: How, *, tags: tuple[str, ...], source: str | None) -> None:
    r"""Learn at the terminal: see a question and its answer, and confirm or correct it.

    Type questions, or let them come from a file. Of a file the most useful comes first each time: one about
    whose answer the examples are in doubt, unlike what is taught, and like many others of the file. Questions
    that are taught already are passed over, and near copies come last.

    Enter says that the answer is right, and teaches it. Any other answer is taught instead: where the outputs
    are labels, a label, the beginning of one, or its number; a label that is new is taken only after you have
    said so. ? shows the examples behind the answer, u takes back what was taught last, exactly, s skips, and
    q or Ctrl-D ends. Where answers are free text, or a label is called so, these begin with a backslash: \q.
    A text that begins with a backslash is typed with two; a new label that begins like another one, or is
    called like a command, in double quotes.

    Each answer is in the store before the next question is shown. What is learnt can be corrected and forgotten
    as any example.
    """
    file = asked.file_of_questions()
    if not (session.output.terminal and session.output.can_ask):
        raise InputError(NO_TERMINAL, WITHOUT)
    _tell_new(session)
    given, options = Labels(tags, source), Options(labels=how.labels, ask_model=how.ask_model)
    with (
        session.output.progress() as progress,
        session.open(
            create=True, model=how.model, gpu_layers=how.gpu_layers, threads=how.threads, progress=progress
        ) as memory,
    ):
        pool = None if file is None else Pool.of(session, memory, file, progress)
        Learning(session, memory, pool, options, given).run()


def _tell_new(session: Session) -> None:
    """Tell that the store is not there yet: its name may have been a slip."""
    from edge_icl.access.paths import locate
    from edge_icl.store.presence import is_store

    if not is_store(locate(session.store)):
        session.output.note(f"a new store is made with your first answer: {session.store}")
