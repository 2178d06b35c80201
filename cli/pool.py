"""The questions of a file from which `learn` takes the most useful one next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_icl.cli import questions, sight
from edge_icl.cli.formats import reading
from edge_icl.cli.formats.asked import Where
from edge_icl.cli.tables import counted
from edge_icl.errors import InputError
from edge_icl.example import folded, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl.cli.formats.format import Format, Row
    from edge_icl.cli.session import Session
    from edge_icl.encode.vector import Vector
    from edge_icl.memory import Memory
    from edge_icl.runtime.progress import Progress

MOST_COMPARED = 2000
"""Questions of a file that are compared with each other, which takes a second; of more, so many are taken."""

MOST_TOLD = 3
"""Bad rows that are told one by one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is shown.

    Attributes:
        text: normalised.
        vector: its vector, where it is known.
        said: the output that the file has for it, where that is to be shown.
    """

    text: str
    vector: Vector | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file of questions.

    Attributes:
        path: its path.
        kind: its format.
        input_field: where a row has its question; None if each row shows it.
        output_field: where a row may have an output that is to be shown; None for nothing.
        encoding: see `given.text`.
    """

    path: str
    kind: Format
    input_field: str | None
    output_field: str | None
    encoding: str | None = None

    @property
    def where(self) -> Where:
        """Where its rows have their questions."""
        return Where(self.kind, self.input_field)

    def rows(self, progress: Progress) -> Iterator[Row]:
        """Yield its rows, the bad ones too."""
        optional = () if self.output_field is None else (self.output_field,)
        columns = self.where.columns._replace(optional=optional)
        return reading.read(self.path, self.kind, columns, encoding=self.encoding, progress=progress)


@dataclass(slots=True)
class Pool:
    """The questions of a file that are left, of which the most useful comes next.

    Attributes:
        memory: the store that learns from them.
        questions: in the order of the file.
        seen: vectors of those that got no answer.
    """

    memory: Memory
    questions: list[Question]
    seen: list[Vector] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session, memory: Memory, file: File, progress: Progress) -> Pool:
        """Read a file; what cannot be asked, is taught already or comes again is told and left out.

        Raises:
            InputError: it cannot be read, or no question is left.
        """
        rows, bad, odd = _questions(file, progress)
        known = {folded(held.input) for held in memory.examples()}
        new = {text: row for row in rows if (text := folded(row.text)) not in known}
        for told in bad[:MOST_TOLD]:
            session.output.note(f"passed over {told}")
        if len(bad) > MOST_TOLD:
            session.output.note(f"passed over {len(bad) - MOST_TOLD:,} more rows that hold no question")
        questions.tell_encoding(session, odd, file.encoding)
        taught = sum(folded(row.text) in known for row in rows)
        if taught:
            session.output.note(f"passed over {counted(taught, 'question')} that {_is(taught)} taught already")
        if again := len(rows) - taught - len(new):
            session.output.note(f"passed over {counted(again, 'question')} that {_comes(again)} again")
        if not new:
            raise InputError(f"{file.path} holds no question that is not taught yet", "give it one a row")
        found = list(new.values())
        if len(found) > MOST_COMPARED:
            session.output.note(f"of {len(found):,} questions {MOST_COMPARED:,}, evenly spread, are looked at")
            found = [found[i * len(found) // MOST_COMPARED] for i in range(MOST_COMPARED)]
        texts = [question.text for question in found]
        vectors = memory.embed(texts, progress=progress)
        sight.tell_of(session, memory, texts, progress=progress)
        return cls(
            memory, [Question(one.text, vector, one.said) for one, vector in zip(found, vectors, strict=True)]
        )

    @property
    def left(self) -> int:
        """How many questions are left."""
        return len(self.questions)

    def next(self) -> Question | None:
        """Return the most useful one, as the store is now; None where all are answered."""
        found = self.memory.suggest(
            [question.text for question in self.questions],
            1,
            vectors=[question.vector for question in self.questions],
            seen=self.seen,
        )
        return self.questions.pop(found[0].position) if found else None

    def passed(self, question: Question) -> None:
        """Let what is like a question that got no answer come later."""
        if question.vector is not None:
            self.seen.append(question.vector)


def _questions(file: File, progress: Progress) -> tuple[list[Question], list[str], list[str]]:
    """Return the questions of a file, why its other rows are none, and what of these is in no encoding."""
    rows, bad, odd = list[Question](), list[str](), list[str]()
    for row in file.rows(progress):
        try:
            text = normalise(file.where.question(row), "question")
        except InputError as error:
            bad.append(f"line {row.line}: {error.message}")
            odd += [row.odd] if row.odd else []
        else:
            said = None if file.output_field is None else row.fields.get(file.output_field)
            rows.append(Question(text, said=said.strip() or None if isinstance(said, str) else None))
    return rows, bad, odd


def _is(count: int) -> str:
    """Return the verb for so many."""
    return "is" if count == 1 else "are"


def _comes(count: int) -> str:
    """Return the verb for so many."""
    return "comes" if count == 1 else "come"
