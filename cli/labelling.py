"""Questions of files put to many workers: `ask --file F --engine ray --out FOLDER`.

This process cuts the files into parts, says which state of the store counts and what a machine must compute,
and counts the parts that come to be there. Rows go from the files into workers, and from these into the parts.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_icl import errors
from edge_icl.batch import Labeler, Machine, columns
from edge_icl.cli import interrupts, parts, passphrases, questions, runs
from edge_icl.cli.batches import DOUBTS
from edge_icl.cli.fleet import ROWS_PER_PART
from edge_icl.cli.formats import cutting, slices, table
from edge_icl.cli.formats.asked import FIELD
from edge_icl.cli.formats.sliced import changed
from edge_icl.cli.tables import counted
from edge_icl.errors import EdgeIclError, InputError
from edge_icl.store.files import DIRECTORY_MODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.answer.options import Options
    from edge_icl.cli.fleet import Fleet
    from edge_icl.cli.formats.slices import Cut
    from edge_icl.cli.parts import Job, Part
    from edge_icl.cli.session import Session
    from edge_icl.runtime.progress import Progress

STAGE = "ask"

ENDING = 30.0
"""Seconds that workers may take to end after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done.

    Attributes:
        file: a file of questions, or a folder of such.
        kind: the name of their format; None for what their names say.
        field: the one with the questions; None for the usual one.
        out: the folder for the answers.
        resume: whether to go on with what is there.
        options: how to ask.
        model: the LLM that was named.
        gpu_layers: how many layers of it the GPU holds.
        fleet: who does the work.
    """

    file: Path
    kind: str | None
    field: str | None
    out: Path
    resume: bool
    options: Options
    model: str | None
    gpu_layers: int | None
    fleet: Fleet


def run(session: Session, wanted: Wanted) -> int:
    """Have files of questions answered.

    Returns:
        The exit code.

    Raises:
        InputError: the questions cannot be read, or the folder cannot be written.
        EdgeIclError: a worker refuses, or Ray does.
    """
    import edge_icl.ray  # tells if something is missing, before anything is read

    with session.open(model=wanted.model, gpu_layers=wanted.gpu_layers) as memory:
        store, sealed = memory.path, memory.encrypted
        root, encoder = memory.root, memory.settings.encoder_digest
    go_on = None if wanted.resume else session.typed(add="--resume")
    begun = runs.begun(wanted.out, store, go_on=go_on)
    each = wanted.fleet.rows_per_part or (begun.rows_per_part if begun else ROWS_PER_PART)
    cuts = _cut(wanted, each)
    record = runs.Record(
        store=session.store,
        root=root,
        encoder=encoder,
        model=begun.model if begun else None,
        options=asdict(wanted.options),
        column=wanted.field or FIELD,
        allow_mixed=wanted.fleet.allow_mixed,
        machine=begun.machine if begun else {},
        input=[{"file": Path(one.path).name, "rows": one.rows, "digest": one.digest} for one in cuts],
        rows_per_part=each,
    )
    _refuse_other(wanted, begun, record)  # before a model is loaded
    given = _given(wanted, record)
    first = Labeler(store, passphrase=session.passphrase() if sealed else None, **given)
    machine = first.machine()
    first.close()
    record = replace(record, model=machine.weights, machine=machine.as_json())
    _refuse_other(wanted, begun, record)
    if begun is not None:
        record, machine = begun, Machine.from_json(begun.machine)
    given |= {"machine": machine, "allow_mixed": record.allow_mixed}
    labeler = Labeler(store, passphrase=passphrases.in_worker if sealed else None, **given)
    job = parts.Job(labeler, wanted.out.absolute(), cuts[0].schema, record, edge_icl.ray.BLOCK)
    with interrupts.patient(ENDING), session.output.progress() as progress:
        return _Run(session, wanted, job, cuts, progress, sealed=sealed).whole(new=begun is None)


def _given(wanted: Wanted, record: runs.Record) -> dict[str, Any]:
    """Return what every labeler of a run is made with."""
    return {
        "root": record.root,
        "column": record.column,
        "model": wanted.model,
        "gpu_layers": wanted.gpu_layers,
        **{name: value for name, value in record.options.items() if value is not None},
    }


def _cut(wanted: Wanted, each: int) -> list[Cut]:
    """Cut the files of questions where parts end.

    Raises:
        InputError: one cannot be read, or is of other columns than the first; or there are no questions.
    """
    kind = next((one for one in table.FORMATS if one.name == wanted.kind), None)
    field, done, cuts = wanted.field or FIELD, 0, list[slices.Cut]()
    for path, of_path in slices.files(wanted.file.absolute(), kind):
        cut = cutting.cut(path, of_path, field, each=each, first=each - done % each)
        cuts += [cut] if cut.rows else []
        done += cut.rows
    if not cuts:
        raise questions.no_questions()
    slices.refuse(Path(cuts[0].path), cuts[0].schema, field, columns.names(mixed=wanted.fleet.allow_mixed))
    for cut in cuts:
        if not cut.schema.equals(cuts[0].schema):
            raise InputError(
                f"{cut.path} has other columns than {cuts[0].path}, or of other types",
                "answer them one after the other",
            )
    return cuts


def _refuse_other(wanted: Wanted, begun: runs.Record | None, now: runs.Record) -> None:
    """Refuse to go on with a run that was begun otherwise.

    Raises:
        InputError: it was.
    """
    if begun is None:
        return
    remarks = Machine.from_json(begun.machine).differs(Machine.from_json(now.machine))
    if other := begun.differences(now, remarks):
        raise InputError(
            f"the answers in {wanted.out} were begun with {', '.join(other)}",
            "go on as they were begun, or choose another name for --out",
        )


class _Run:
    """One run, with what it needs."""

    def __init__(
        self,
        session: Session,
        wanted: Wanted,
        job: Job,
        cuts: Sequence[Cut],
        progress: Progress,
        *,
        sealed: bool,
    ) -> None:
        self._session, self._wanted, self._job, self._cuts = session, wanted, job, cuts
        self._progress = progress
        self._sealed = sealed
        self._parts = [*parts.assembled(cuts, job.record.rows_per_part)]
        self._total = sum(part.rows for part in self._parts)

    def whole(self, *, new: bool) -> int:
        """Have all parts written that are not there; tell what came of it; return the exit code."""
        folder = self._job.folder
        if new:
            self._begin(folder)
        parts.clear(folder)
        try:
            missing = [part for part in self._parts if parts.counted(self._job, part) is None]
            self._fill(missing)
            _refuse_changed(self._cuts)
        except BaseException:
            parts.clear(folder)
            self._tell_kept(folder)
            raise
        parts.clear(folder)  # a killed worker leaves its draft of a part, which another one then wrote
        return self._tell()

    def _begin(self, folder: Path) -> None:
        """Make the folder, and write down what the run is."""
        try:
            folder.mkdir(mode=DIRECTORY_MODE, parents=False, exist_ok=True)
            folder.chmod(DIRECTORY_MODE)  # a umask may have taken from it
            self._job.record.write(folder)
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error.strerror}", "choose another path") from error

    def _fill(self, missing: Sequence[Part]) -> None:
        """Have workers write parts."""
        done = self._total - sum(part.rows for part in missing)
        self._progress(STAGE, done, self._total)
        if not missing:
            return
        import edge_icl.ray

        fleet = self._wanted.fleet
        with ExitStack() as stack:
            nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nowhere))  # Ray tells there of each worker that dies
            with ExitStack() as starting:
                if self._sealed:
                    starting.enter_context(passphrases.inherited(self._session.secret()))
                workers = stack.enter_context(
                    edge_icl.ray.running(address=fleet.address, workers=fleet.workers)
                )
            told = edge_icl.ray.done(
                [part.as_json() for part in missing], parts.PartWriter, self._job, min(workers, len(missing))
            )
            for one in told:
                _refuse(one["error"])
                done += one["rows"]
                self._progress(STAGE, done, self._total)

    def _tell_kept(self, folder: Path) -> None:
        """Tell how a run that is cut off goes on; of one without any part nothing is left."""
        kept = [part for part in self._parts if (folder / part.name).exists()]
        if not kept:
            (folder / runs.RECORD).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
            return
        again = self._session.typed(without="--resume", add="--resume")
        there = f"{counted(len(kept), 'part')} of {len(self._parts):,}"
        self._session.output.note(f"{there} are whole in {self._wanted.out}; go on: {again}")

    def _tell(self) -> int:
        """Tell what was written; return the exit code."""
        found = [parts.counted(self._job, part) for part in self._parts]
        assert all(found), "a part is not what its worker wrote"
        tally = {word: sum(one[word] for one in found if one) for word in ("error", "unsure")}
        output, out = self._session.output, self._wanted.out
        if output.json:
            told = {
                "questions": self._total,
                "unanswered": tally["error"],
                "folder": str(out),
                "parts": len(found),
            }
            output.document(told)
        else:
            output.line(f"wrote {counted(self._total, 'row')} to {out}, in {counted(len(found), 'part')}")
        if tally["unsure"]:
            output.note(DOUBTS["unsure"].format(counted(tally["unsure"], "answer")))
        return questions.told(self._session, tally["error"], self._total)


def _refuse_changed(cuts: Sequence[Cut]) -> None:
    """Refuse files that are not what they were when they were cut.

    Raises:
        InputError: one is not.
    """
    for one in cuts:
        if slices.digest(Path(one.path)) != one.digest:
            raise changed(one.path)


def _refuse(told: str | None) -> None:
    """Raise what a worker has told, if it is an error.

    Raises:
        EdgeIclError: it is one.
    """
    if told is not None:
        said = json.loads(told)
        kind = getattr(errors, said["type"], EdgeIclError)
        made: EdgeIclError = kind(said["message"], said["hint"])
        raise made
