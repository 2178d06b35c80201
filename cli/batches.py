"""A table of questions with their answers behind them, to stdout or into a file that is there when it is whole.

    edge-icl ask --file mails.csv --out answered.csv

Until all rows are answered the answers are in a partial file, see `partial`; then the table is written in one
go from the questions and from these.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.cli import encodings, private, questions
from edge_icl.cli import partial as partials
from edge_icl.cli.formats.answered import ADDED, Result, Sheet, Source
from edge_icl.cli.given import MARK
from edge_icl.cli.partial import Basis
from edge_icl.cli.surveys import Survey, source_of, survey
from edge_icl.cli.tables import counted
from edge_icl.errors import EdgeIclError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.answer.options import Options
    from edge_icl.cli.formats.format import Format, Row
    from edge_icl.cli.output import Output
    from edge_icl.cli.partial import Partial
    from edge_icl.cli.questions import File
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Answer
    from edge_icl.runtime.progress import Progress

SUFFIX = ".partial"

DOUBTS = {
    "unsure": "{} left empty, as no label is sure enough for --abstain",
    "unlike": "{} to a question unlike everything that was taught",
    "cut": "{} cut off; give more room with --max-tokens",
    "disagreed": "{} taught with different outputs for the same question",
}
"""What is told at the end of the answers, of each kind."""


class Target(NamedTuple):
    """Where the table goes.

    Attributes:
        kind: its format.
        safe: whether it is for a spreadsheet, which must not run what it reads.
        out: the file; None for stdout.
        resume: whether to go on from a partial file.
        model: the name of the LLM, or the path of a GGUF file; None for the default.
    """

    kind: Format
    safe: bool
    out: Path | None
    resume: bool
    model: str | None


class Run(NamedTuple):
    """A file of questions that is put to a store."""

    session: Session
    memory: Memory
    options: Options
    file: File
    target: Target
    progress: Progress

    def answer(self, rows: Iterator[Row]) -> Iterator[tuple[Row, Result]]:
        """Yield each row with what became of its question; tells of those that cannot be answered."""
        odd, told = list[str](), questions.told_as(self.session, self.file, rows)
        for row, found in questions.answered(self.memory, self.options, self.file, told):
            if isinstance(found, InputError):
                self.session.output.note(f"line {row.line}: {found}")
                odd += [row.odd] if row.odd else []
            yield row, _result(found)
        questions.tell_encoding(self.session, odd, self.file.encoding)

    def sheet(self, source: Source) -> Sheet:
        """Return how the table is written; tells where its new columns have other names than they should."""
        sheet = Sheet(self.target.kind, source, safe=self.target.safe)
        taken = [f"{new} for {name}" for name, new in zip(ADDED, sheet.added, strict=True) if name != new]
        if taken:
            self.session.output.note(f"columns of these names are there already, so it is {', '.join(taken)}")
        return sheet


def table(run: Run) -> int:
    """Answer a file of questions as a table; a bad row does not stop the rest.

    Returns:
        The exit code.

    Raises:
        InputError: the file cannot be read or has no questions, or the table cannot be written.
    """
    if run.target.safe and run.file.kind.guarded is not None:
        run = run._replace(file=run.file._replace(kind=run.file.kind.guarded))
    return _print(run) if run.target.out is None else _write(run, run.target.out)


def _print(run: Run) -> int:
    """Print the table, each row as its answer comes."""
    output = run.session.output
    total = run.file.total() if output.watched else 0
    rows = run.file.read(header=True)
    header = next(rows, None)
    if header is None:
        raise questions.no_questions()
    source, tally, done = source_of(run.file, header), Counter[str](), 0
    run.progress("ask", 0, total)
    for done, (row, result) in enumerate(run.answer(rows), start=1):
        if done == 1:
            sheet = run.sheet(source)
            _line(output, sheet.header())
        _line(output, sheet.row(row, result))
        tally.update(_kinds(result))
        run.progress("ask", done, total)
    if not done:
        raise questions.no_questions()
    return _tell(run, tally, done)


def _line(output: Output, text: str) -> None:
    """Print a row; where it is data, with the line break of the table."""
    output.line(text.rstrip("\r\n") if output.terminal else text.removesuffix("\n"))


def _write(run: Run, out: Path) -> int:
    """Write the table into a file, from the partial file when that is complete."""
    private.refuse(out, store=run.memory.path)
    seen = survey(run.file)
    sheet = run.sheet(seen.source)
    if run.target.kind.name != seen.source.kind.name:
        for row in seen.rows():
            _try(sheet, row, seen.source)  # before hours of answers that no file can hold
    basis = Basis(run.memory.root, _digest(run.target.model), asdict(run.options), seen.digest)
    path, over = out.with_name(out.name + SUFFIX), run.session.typed(without="--resume")
    with partials.opened(path, basis, resume=run.target.resume, over=over) as begun:
        try:
            _fill(run, begun, seen)
            tally = Counter[str]()
            sheet, encoding = _encodable(run, sheet, seen, begun)
            with private.completing(out, store=run.memory.path, encoding=encoding) as file:
                for text in sheet.texts(zip(seen.rows(), begun.results(), strict=True)):
                    file.write(text)
            for result in begun.results():
                tally.update(_kinds(result))
        except BaseException:
            _tell_kept(run, begun, seen.total)
            raise
        begun.remove()
    if run.session.output.json:
        run.session.output.document({"questions": seen.total, "unanswered": tally["error"], "file": str(out)})
    else:
        run.session.output.line(f"wrote {counted(seen.total, 'row')} to {out}")
    return _tell(run, tally, seen.total)


def _fill(run: Run, begun: Partial, seen: Survey) -> None:
    """Answer the rest of the rows, and keep what becomes of each.

    Raises:
        InputError: the file of questions was changed meanwhile.
    """
    run.progress("ask", begun.count, seen.total)
    for _, result in run.answer(islice(seen.rows(), begun.count, None)):
        begun.add(result)
        run.progress("ask", begun.count, seen.total)
    if run.file.is_there and survey(run.file).digest != seen.digest:
        over = run.session.typed(without="--resume")
        begun.remove()
        raise InputError(f"{run.file.path} was changed while it was asked", f"start over: {over}")


def _encodable(run: Run, sheet: Sheet, seen: Survey, begun: Partial) -> tuple[Sheet, str]:
    """Return how the table is written, and its encoding: that of the questions, if it can hold the answers.

    Otherwise it is UTF-8, with the mark by which a spreadsheet knows that.
    """
    if not sheet.as_it_was:
        return sheet, encodings.UTF8
    name = seen.source.encoding
    try:
        for result in begun.results():
            (result.answer or "").encode(name)
    except UnicodeEncodeError:
        run.session.output.note(f"the table is in UTF-8, since {name} cannot hold all answers")
        source = replace(seen.source, mark=MARK)
        return Sheet(run.target.kind, source, safe=run.target.safe), encodings.UTF8
    return sheet, name


def _tell_kept(run: Run, begun: Partial, total: int) -> None:
    """Tell how a run that is cut off goes on."""
    if begun.count:
        kept, again = counted(begun.count, "answer"), run.session.typed(without="--resume", add="--resume")
        run.session.output.note(f"{kept} of {total:,} kept in {begun.path}; go on: {again}")


def _try(sheet: Sheet, row: Row, source: Source) -> None:
    """Raise if a row cannot be written.

    Raises:
        InputError: it cannot.
    """
    try:
        text = sheet.row(row, Result())
        text.encode(errors="surrogateescape" if source.header else "strict")  # JSON can escape half a character
    except InputError as error:
        raise InputError(f"line {row.line}: {error.message}", error.hint) from error
    except UnicodeEncodeError:
        raise InputError(
            f"line {row.line}: it holds a lone surrogate, half a character", "write .jsonl"
        ) from None


def _digest(model: str | None) -> str | None:
    """Return the digest of an LLM's file; None where it is not on this machine, as it may not be needed."""
    from edge_icl.models.location import find_llm

    try:
        return find_llm(model).digest
    except EdgeIclError:
        return None


def _result(found: Answer | InputError) -> Result:
    """Return what became of a question."""
    if isinstance(found, InputError):
        return Result(error=str(found))
    probability = None if found.probability is None else round(found.probability, 6)
    doubts = {
        "unsure": found.text is None,
        "unlike": found.unlike,
        "cut": not found.complete,
        "disagreed": not found.agreed,
    }
    return Result(
        found.text,
        probability,
        found.asked_model,
        doubts=tuple(word for word, is_so in doubts.items() if is_so),
    )


def _kinds(result: Result) -> tuple[str, ...]:
    """Return what is counted of a result."""
    return ("error",) if result.error else result.doubts


def _tell(run: Run, tally: Counter[str], done: int) -> int:
    """Tell what a reader of the table alone would not know; return the exit code."""
    for word, told in DOUBTS.items():
        if tally[word]:
            run.session.output.note(told.format(counted(tally[word], "answer")))
    return questions.told(run.session, tally["error"], done)
