"""Questions: one, or a file of them, each answered as it comes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.answer.questions import complete
from edge_icl.cli import answers
from edge_icl.cli.formats import reading
from edge_icl.cli.formats.format import Columns
from edge_icl.cli.tables import counted, one_line
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_icl.answer.reply import Reply
    from edge_icl.cli.formats.format import Format, Row
    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.runtime.progress import Progress

    Start = Callable[[str], Reply]


class File(NamedTuple):
    """A file of questions.

    Attributes:
        path: its path, or - for stdin.
        kind: its format.
        field: where a row has its question.
    """

    path: str
    kind: Format
    field: str

    def read(self) -> Iterator[Row]:
        """Yield its rows, the bad ones too."""
        return reading.read(self.path, self.kind, Columns((self.field,)))

    def total(self) -> int:
        """Return how many rows it has, 0 where that cannot be told before they are read."""
        return reading.count(self.path, self.kind, Columns((self.field,)))


def one(session: Session, memory: Memory, start: Start, question: str, *, shown: bool, explain: bool) -> None:
    """Answer one question.

    Args:
        session: where the answer goes.
        memory: the store.
        start: begins to answer.
        question: as it was typed.
        shown: whether the examples behind the answer are shown, also where no person reads them.
        explain: whether all that led to the answer is shown.
    """
    output = session.output
    reply = complete(partial(start, question), output.piece if output.terminal else None)
    answers.tell_doubts(session, reply.answer)
    if output.json:
        output.document(answers.as_json(reply, explain=explain))
        return
    output.line("" if output.terminal else reply.answer.text or "")
    if explain:
        answers.explain(session, reply)
    if output.terminal or shown or explain:
        answers.show_examples(session, memory, reply.answer)


def many(session: Session, start: Start, file: File, progress: Progress, *, explain: bool) -> int:
    """Answer a file of questions; a bad one does not stop the rest.

    Args:
        session: where the answers go.
        start: begins to answer.
        file: where the questions are.
        progress: told about each question.
        explain: whether all that led to an answer is shown.

    Returns:
        The exit code.

    Raises:
        InputError: the file cannot be read, or holds no questions.
    """
    output, failed, done = session.output, 0, 0
    total = file.total() if output.watched else 0
    progress("ask", 0, total)
    for done, row in enumerate(file.read(), start=1):
        try:
            reply = complete(partial(start, row[file.field]))
        except InputError as error:
            failed += 1
            _fail(session, row.line, error)
        else:
            _show(session, reply, row.line, explain=explain)
        progress("ask", done, total)
    if not done:
        raise InputError("there are no questions", "give one a line")
    if failed:
        output.note(f"{failed} of {counted(done, 'question')} could not be answered")
    return 1 if failed else 0


def _show(session: Session, reply: Reply, line: int, *, explain: bool) -> None:
    """Show the answer to a question of a file, on one line."""
    output = session.output
    answers.tell_doubts(session, reply.answer, f"line {line}: ")
    if output.json:
        output.document(answers.as_json(reply, explain=explain))
        return
    output.line(one_line(reply.answer.text or ""))
    if explain:
        answers.explain(session, reply)


def _fail(session: Session, line: int, error: InputError) -> None:
    """Tell that a row cannot be answered, and keep its place among the answers."""
    if session.output.json:
        session.output.document({"line": line, "error": str(error), "type": type(error).__name__})
    else:
        session.output.line()
        session.output.note(f"line {line}: {error}")
