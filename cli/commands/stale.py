"""`edge-icl stale`: which rows of an earlier run would be labelled otherwise now."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from click.core import ParameterSource

from edge_icl.cli import asking, encodings, private, staleness, teaching
from edge_icl.cli.command import Command, examples, taking
from edge_icl.cli.commands.verify import DIFFERENT
from edge_icl.cli.formats import table
from edge_icl.cli.formats.parquet import PARQUET
from edge_icl.cli.labelled_parquet import ParquetLabels
from edge_icl.cli.labelled_text import TextLabels
from edge_icl.cli.questions import File
from edge_icl.cli.tables import counted
from edge_icl.cli.usage import Advised
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from edge_icl.answer.options import OptionFields, Options
    from edge_icl.batch import Labeler
    from edge_icl.cli.labelled import Labels
    from edge_icl.cli.session import Session

KINDS = (*table.ANSWERED, PARQUET)


@dataclass(frozen=True, slots=True)
class Given:
    """The labels of an earlier run, and how a file of them is read that does not say so itself."""

    labels_path: Path
    format_name: str | None
    input_field: str | None
    encoding: str | None
    safe: bool

    def labels(self) -> Labels:
        """Return the labels, to be read.

        Raises:
            InputError: they are no labels.
            click.UsageError: the name of the file does not tell its format.
        """
        path = self.labels_path
        if not path.exists():
            raise InputError(f"there is nothing at {path}", "check its path")
        if path.is_dir():
            return ParquetLabels(path, column="input")
        kind = teaching.format_of(str(path), self.format_name, KINDS)
        if kind.save is not None:
            return ParquetLabels(path, column=self.input_field or "input")
        return TextLabels(File(str(path), kind, self.input_field, self.encoding), safe=self.safe)


@dataclass(frozen=True, slots=True)
class Compared:
    """What is done about rows, beside listing them."""

    relabel: bool
    out: Path | None
    answers_only: bool
    allow_mixed: bool

    def check(self, session: Session) -> None:
        """Refuse options that do not go together.

        Raises:
            click.UsageError: they do not.
        """
        if self.relabel and self.out is None:
            raise Advised(
                "--relabel writes into a new place", f"name it: {session.typed(without='', add='--out=NEW')}"
            )
        if self.out is not None and not self.relabel:
            raise Advised(
                "--out goes with --relabel", f"give both: {session.typed(without='', add='--relabel')}"
            )


@click.command(
    cls=Command,
    epilog=examples(
        "edge-icl stale labels",
        "edge-icl stale labels --relabel --out labels-2",
        "edge-icl stale answered.csv --ask-model never",
    ),
)
@click.argument("labels_path", metavar="LABELS", type=click.Path(path_type=Path))
@click.option("--relabel", is_flag=True, help="Write all rows as they are labelled now; goes with --out.")
@click.option("--out", type=click.Path(path_type=Path), metavar="NEW", help="The new folder, or the new file.")
@click.option(
    "--answers-only",
    is_flag=True,
    help="Compare answers and no more where a row does not say which examples its answer rests on.",
)
@click.option(
    "--allow-mixed",
    is_flag=True,
    help="Go on where this machine computes otherwise than the one that made the labels.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(table.names(KINDS)),
    help="What the file is, whatever its name.",
)
@asking.input_field
@encodings.OPTION
@click.option("--safe", is_flag=True, help="The table is for a spreadsheet, as --safe of ask writes it.")
@asking.how
@asking.model
@asking.gpu_layers
@asking.threads
@click.pass_obj
@taking(Compared, Given, asking.How, asking.Computed)
def stale(
    session: Session, compared: Compared, given: Given, how: asking.How, computed: asking.Computed
) -> int:
    """List the rows of an earlier run that would be labelled otherwise now, after a forget for instance.

    LABELS is the folder that `edge-icl ask --engine ray` wrote, or a .parquet, .csv, .tsv, .jsonl or .json file
    with such columns. A row is stale if its new answer is another one, or if its answer rests on an example
    that the store does not hold any more, whatever the new answer is. Every row is, if the store has another
    encoder now. Rows that were labelled from the store as it is are not asked again. The exit code is 3 if a
    row is stale.

    --relabel --out NEW writes all rows as they are labelled now, in the form of LABELS, which stays as it is.
    Rows that were labelled from the store as it is are copied.

    A folder and its parts say how they were asked. Of another file say it again, with the options of ask below.
    A row that does not say what its answer rests on, since there is no column of examples, is stale as far as
    anyone can tell; with --answers-only it is if its answer is another one.
    """
    compared.check(session)
    labels = given.labels()
    options = _options(labels, how)
    with session.output.progress() as progress, session.open(progress=progress) as memory:
        if compared.out is not None:
            private.refuse(compared.out, store=memory.path)
        with closing(_labeler(session, memory.path, labels, options, compared, computed)) as label:
            run = staleness.Run(
                session,
                labels,
                label,
                memory.path,
                compared.out,
                compared.answers_only,
                _other_model(labels, label),
            )
            state = {"root": label.root, "encoder": label.encoder}
            found = staleness.check(run, state, progress)
    staleness.tell(run, found)
    if compared.out is None:
        return DIFFERENT if found.stale else 0
    session.output.note(f"wrote {counted(found.rows, 'row')} to {compared.out}")
    return 0


def _options(labels: Labels, how: asking.How) -> Options:
    """Return how the labels were asked: as they say, or else as the options say.

    Raises:
        click.UsageError: options are given, and the labels say it.
        InputError: an option is not valid.
    """
    if labels.recorded is None:
        return how.options()
    ctx = click.get_current_context()
    names = {field.name for field in fields(how)}
    typed = [
        one.opts[0]
        for one in ctx.command.params
        if one.name in names and ctx.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
    ]
    if typed:
        raise Advised("the labels say themselves how they were asked", f"leave out {', '.join(typed)}")
    return labels.recorded.as_options()


def _other_model(labels: Labels, label: Labeler) -> bool:
    """Tell whether labels say that another model than the one here was asked, and not on which machine."""
    said = labels.recorded
    if said is None or said.model is None or said.machine is not None:
        return False
    return label.machine().weights != said.model


def _labeler(
    session: Session,
    store: Path,
    labels: Labels,
    options: Options,
    compared: Compared,
    computed: asking.Computed,
) -> Labeler:
    """Return what labels rows as the earlier run did: on one thread, if that was a run of an engine."""
    from edge_icl.batch import Labeler, Machine

    said = labels.recorded
    machine = None if said is None or said.machine is None else Machine.from_json(said.machine)
    return Labeler(
        store,
        column=labels.column,
        machine=machine,
        allow_mixed=compared.allow_mixed and machine is not None,
        model=computed.model,
        gpu_layers=computed.gpu_layers,
        threads=computed.threads or (None if said is None else 1),
        passphrase=session.passphrase(),
        **cast("OptionFields", {field.name: getattr(options, field.name) for field in fields(options)}),
    )
