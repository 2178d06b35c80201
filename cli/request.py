"""What an `ask` asks, a question or a file of them, and where the answers to a file go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from edge_icl.cli import questions
from edge_icl.cli.given import STDIN, is_file
from edge_icl.cli.stdin import from_stdin
from edge_icl.cli.usage import Advised
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.cli import batches
    from edge_icl.cli.commandline import Line
    from edge_icl.cli.formats.format import Format
    from edge_icl.cli.session import Session


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: a question, or a file of them."""

    question: str | None
    file: str | None
    format_name: str | None
    input_field: str | None
    encoding: str | None

    def file_of_questions(self, session: Session) -> questions.File | None:
        """Return the file of questions; None where one question is asked.

        Raises:
            click.UsageError: both are given, or neither is, or the file's name does not tell its format.
        """
        if self.file is None and self.question is None:
            raise click.UsageError("give a QUESTION, or --file F")
        if self.file is None and self.format_name is not None:
            raise Advised("--format goes with a file", f"name it: {self._of_file(session)}")
        if self.file is None:
            return None
        if self.question is not None:
            file = session.line().given()
            raise Advised("both a file and a QUESTION are given", f"leave the question out: {file}")
        from edge_icl.cli import teaching
        from edge_icl.cli.formats import table

        session.output.waiting_for_rows(self.file)
        kind = teaching.format_of(self.file, self.format_name, table.QUESTIONS)
        return questions.File(self.file, kind, self.input_field, self.encoding)

    def text(self, session: Session) -> str:
        """Return the one question that is asked, which may come from stdin.

        Raises:
            InputError: stdin holds none, or holds rows of a file.
        """
        assert self.question is not None
        if self.question != STDIN:
            if is_file(self.question):
                name, file = self.question, self._of_file(session)
                session.output.note(
                    f"{name} is asked as a text; to ask what is in the file of that name: {file}"
                )
            return self.question
        question = from_stdin(session.output, "the question")
        if _is_json_lines(question, self.input_field or "input"):
            raise InputError(
                "stdin holds JSON lines, and - reads one question", f"ask each line: {self._of_file(session)}"
            )
        return question

    def _of_file(self, session: Session) -> Line:
        """Return the command that asks what is in a file, or comes from stdin, as rows."""
        name = self.question if self.question is not None and is_file(self.question) else STDIN
        return session.line().given().reading(name)


def _is_json_lines(text: str, field: str) -> bool:
    """Tell whether a text is rows of JSON with a question each."""
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return False
    return all(isinstance(row, dict) and field in row for row in rows)


@dataclass(frozen=True, slots=True)
class Written:
    """Where the answers to a file of questions go."""

    out: Path | None
    safe: bool
    resume: bool

    def target(
        self, file: questions.File | None, model: str | None, shown: questions.Shown, *, lines: bool
    ) -> batches.Target | None:
        """Return the table to write; None where the answers stand alone.

        Args:
            file: the questions; None where one is asked.
            model: the LLM that was named.
            shown: what is shown with each answer.
            lines: whether stdout gets JSON lines.

        Raises:
            click.UsageError: the options do not go together.
        """
        if self.out is not None and file is None:
            raise click.UsageError("--out goes with a file of questions")
        if self.resume and self.out is None:
            raise click.UsageError("--resume goes with --out F")
        kind = self._kind(file, lines=lines)
        if self.safe and (kind is None or kind.guarded is None):
            raise click.UsageError("--safe is for spreadsheets: it goes with a table")
        if kind is None:
            return None
        more = "--explain" if shown.explained else "--examples" if shown.examples else None
        if more is not None:
            raise click.UsageError(f"{more} does not go with a table: ask one question, or give --json")
        from edge_icl.cli import batches

        return batches.Target(kind, self.safe, self.out, self.resume, model)

    def _kind(self, file: questions.File | None, *, lines: bool) -> Format | None:
        """Return the format of the table, if one is written.

        Raises:
            click.UsageError: the name of the new file does not tell.
        """
        if file is None:
            return None
        if self.out is None:
            return file.kind if file.kind.header is not None and not lines else None
        from edge_icl.cli.formats import table

        found = table.of_answers(self.out, file.kind)
        if found is None:
            raise click.UsageError(f"{self.out} ends in none of {table.endings(table.ANSWERED, last='and')}")
        return found
