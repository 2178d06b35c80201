"""Questions: one, or a file of them, each answered as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.answer.questions import AHEAD, complete
from edge_icl.cli import answers, encodings
from edge_icl.cli.given import STDIN
from edge_icl.cli.tables import counted, one_line
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge_icl.answer.options import Options
    from edge_icl.answer.reply import Reply
    from edge_icl.cli.formats.asked import Where
    from edge_icl.cli.formats.format import Columns, Format, Row
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Answer
    from edge_icl.runtime.progress import Progress

    Start = Callable[[str], Reply]


class File(NamedTuple):
    """A file of questions.

    Attributes:
        path: its path, or - for stdin.
        kind: its format.
        field: where a row has its question; None if each row shows it.
        encoding: see `given.text`.
    """

    path: str
    kind: Format
    field: str | None
    encoding: str | None = None

    @property
    def columns(self) -> Columns:
        """What is read of it."""
        return self.where.columns

    @property
    def where(self) -> Where:
        """Where its rows have their questions."""
        from edge_icl.cli.formats.asked import Where

        return Where(self.kind, self.field)

    @property
    def is_there(self) -> bool:
        """Whether it can be read more than once; a pipe's rows come as another program writes them."""
        return Path(self.path).is_file()

    def read(self, *, header: bool = False) -> Iterator[Row]:
        """Yield its rows, the bad ones too; of a table first the header if that is wanted."""
        from edge_icl.cli.formats import reading

        columns = self.columns._replace(header=header)
        return reading.read(self.path, self.kind, columns, encoding=self.encoding)

    def total(self) -> int:
        """Return how many rows it has, 0 where that cannot be told before they are read."""
        from edge_icl.cli.formats import reading

        return reading.count(self.path, self.kind, self.columns, encoding=self.encoding)


def one(session: Session, memory: Memory, start: Start, question: str, shown: Shown) -> None:
    """Answer one question.

    Args:
        session: where the answer goes.
        memory: the store.
        start: begins to answer.
        question: as it was typed.
        shown: what is shown with the answer.
    """
    output = session.output
    answer = complete(partial(start, question), output.piece if output.terminal else None).answer
    answers.tell_doubts(session, answer)
    if output.json:
        output.document(answers.as_json(answer, explain=shown.explained))
        return
    output.line("" if output.terminal else answer.text or "")
    if shown.explained:
        answers.explain(session, answer)
    if output.terminal or shown.examples or shown.explained:
        answers.show_examples(session, memory, answer)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown with each answer.

    Attributes:
        examples: those behind it, also where no person reads them.
        explained: all that led to it.
    """

    examples: bool
    explained: bool


def many(
    session: Session, memory: Memory, options: Options, file: File, progress: Progress, shown: Shown
) -> int:
    """Answer a file of questions, one a line; a bad one does not stop the rest.

    Args:
        session: where the answers go.
        memory: the store.
        options: how to ask.
        file: where the questions are.
        progress: told about each question.
        shown: what is shown with each answer.

    Returns:
        The exit code.

    Raises:
        InputError: the file cannot be read, or holds no questions.
    """
    output, failed, done, odd = session.output, 0, 0, list[str]()
    total = file.total() if output.watched else 0
    progress("ask", 0, total)
    for done, (row, found) in enumerate(
        answered(memory, options, file, told_as(session, file, file.read())), start=1
    ):
        if isinstance(found, InputError):
            failed += 1
            _fail(session, row.line, found)
            odd += [row.odd] if row.odd else []
        else:
            _show(session, memory, found, row.line, shown)
        progress("ask", done, total)
    if not done:
        raise no_questions()
    tell_encoding(session, odd, file.encoding)
    return told(session, failed, done)


def answered(
    memory: Memory, options: Options, file: File, rows: Iterable[Row]
) -> Iterator[tuple[Row, Answer | InputError]]:
    """Yield each row with the answer to its question, or why it has none.

    Questions that another program writes one after another are answered one after another: it may wait for
    each answer.
    """
    rest, ahead, where = iter(rows), AHEAD if file.is_there else 1, file.where
    while some := [(row, _question(row, where)) for row in islice(rest, ahead)]:
        texts = [question for _, question in some if not isinstance(question, InputError)]
        found = memory.ask_many(texts, options)
        for row, question in some:
            yield row, question if isinstance(question, InputError) else next(found)


def told_as(session: Session, file: File, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows, and tell as what they are read.

    Raises:
        InputError: the first of them has no question where it should be.
    """
    for i, (row, new) in enumerate(file.where.titles(iter(rows))):
        if not i:
            file.where.refuse(row, "stdin" if file.path == STDIN else file.path)
        if new:
            session.output.note(f"read as {new}")
        yield row


def no_questions() -> InputError:
    """Return what is told of a file without questions."""
    return InputError("there are no questions", "give one a line")


def tell_encoding(session: Session, odd: Sequence[str], encoding: str | None) -> None:
    """Tell what a file looks like of which some rows are not in the encoding that they were read in."""
    if looks := encodings.advice(odd, read_as=encoding):
        session.output.note(looks)


def told(session: Session, failed: int, done: int) -> int:
    """Tell how many questions could not be answered, if any; return the exit code."""
    if failed:
        session.output.note(f"{failed} of {counted(done, 'question')} could not be answered")
    return 1 if failed else 0


def _question(row: Row, where: Where) -> str | InputError:
    """Return a row's question, or why it has none."""
    try:
        question: str = where.question(row)
    except InputError as error:
        return error
    return question


def _show(session: Session, memory: Memory, answer: Answer, line: int, shown: Shown) -> None:
    """Show the answer to a question of a file, on one line, and below it what else is wanted."""
    output = session.output
    answers.tell_doubts(session, answer, f"line {line}: ")
    if output.json:
        output.document(answers.as_json(answer, explain=shown.explained))
        return
    output.line(one_line(answer.text or ""))
    if shown.explained:
        answers.explain(session, answer)
    if shown.examples:
        answers.show_examples(session, memory, answer)


def _fail(session: Session, line: int, error: InputError) -> None:
    """Tell that a row cannot be answered, and keep its place among the answers."""
    if session.output.json:
        session.output.document({"line": line, "error": str(error), "type": type(error).__name__})
    else:
        session.output.line()
        session.output.note(f"line {line}: {error}")
