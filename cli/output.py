"""What a user sees: results, notes, questions and errors.

Results go to stdout, all else to stderr. A terminal gets tables, progress bars and questions; a pipe gets plain
lines, one a result, with tabs between fields; `--json` gets JSON. Errors read `edge-icl: error: ...`, in lower
case, without a full stop, in one sentence that also says what to do.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from edge_icl.cli import tables
from edge_icl.cli.bars import Bars
from edge_icl.cli.clock import Clock
from edge_icl.cli.printing import (
    as_json,
    as_rows,
    as_table,
    flush,
    is_terminal,
    printing,
    put,
    styled,
    tell,
)
from edge_icl.errors import InputError
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROGRAM = "edge-icl"

_COMMAND = rf"(?m)(`|: |see |=\w+ |^ *){PROGRAM}(?=\s+[\[a-z-])"
"""A command that is advised: in backquotes, after a colon or a variable, or on a line of its own."""


class Output:
    """Where a command's results, notes and questions go.

    Attributes:
        json: JSON on stdout, and errors as JSON on stderr.
        verbose: whole ids, times, and where an error came from.
        clock: runs since the program began.
        called: what a user types before the command; another program may have these commands among its own.
    """

    def __init__(self, *, called: str = PROGRAM) -> None:
        self.called = called
        self.json = False
        self.verbose = False
        self._bars: Bars | None = None
        self._before = self._joiner = ""  # of the piece that was printed last
        self.clock = Clock()

    @property
    def terminal(self) -> bool:
        """Whether a person reads the results."""
        return is_terminal(sys.stdout) and not self.json

    @property
    def watched(self) -> bool:
        """Whether a person sees bars."""
        return is_terminal(sys.stderr)

    @property
    def can_ask(self) -> bool:
        """Whether a user is there to confirm something."""
        return is_terminal(sys.stdin) and is_terminal(sys.stderr)

    def as_called(self, text: str) -> str:
        """Return a text of ours whose commands are as the user types them."""
        if self.called == PROGRAM:
            return text
        import re

        return re.sub(_COMMAND, lambda found: f"{found[1]}{self.called}", text)

    def waiting(self, what: str) -> None:
        """Tell a person at the terminal what is to be typed there, and how that ends."""
        if is_terminal(sys.stdin):
            end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
            self.note(f"type {what}, then Enter and {end}")

    def waiting_for_rows(self, file: str) -> None:
        """Tell the same where the rows of a file are to be typed; `file` is - for stdin."""
        if file == "-":
            self.waiting("a row a line")

    def heading(self, text: str) -> None:
        """Print a line that begins something new."""
        self._clear()
        with printing():
            put(sys.stdout, "", sign=styled(tables.one_line(text), sys.stdout, bold=True), flush=True)

    def line(self, text: str = "") -> None:
        """Print a line of the result."""
        self._clear()
        text, self._joiner, self._before = self._joiner + text, "", ""
        with printing():
            put(sys.stdout, text, flush=True)

    def piece(self, text: str) -> None:
        """Print a piece of a line on a terminal as it comes; a joiner waits for what it joins."""
        text, before = self._joiner + text, self._before
        self._joiner = text[len(text.rstrip(tables.JOINERS)) :]
        text = text.removesuffix(self._joiner)
        self._before = text[-1:] or before
        with printing():
            put(sys.stdout, "", sign=tables.printable(text, before=before), end="", flush=True)

    def document(self, fields: object) -> None:
        """Print a JSON document on one line."""
        self.documents([fields])

    def documents(self, some: Iterable[object]) -> None:
        """Print JSON documents, each on one line."""
        self._clear()
        for fields in some:
            with printing():
                put(sys.stdout, as_json(fields))
        flush()

    def array(self, some: Iterable[object]) -> None:
        """Print one JSON document, an array of these, each on a line."""
        self._clear()
        before = "["
        for fields in some:
            with printing():
                put(sys.stdout, before + ("" if before == "[" else "\n") + as_json(fields), end="")
            before = ","
        with printing():
            put(sys.stdout, "[]" if before == "[" else "]", flush=True)

    def table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        below: Sequence[str] = (),
        whole: int = 0,
    ) -> None:
        """Print rows: as a table that fits the terminal, or each as it comes, whole, with tabs between fields.

        Args:
            header: names of the columns.
            rows: as many texts each.
            below: for each row one more text, too long for a column: it goes under the row.
            whole: how many columns, from the left, are never cut, such as names that are typed.
        """
        lines = as_rows(rows, below)
        if self.terminal:
            lines = as_table(header, rows, below, columns=self.size[0], whole=whole)
        if self.terminal:
            with printing():
                put(sys.stdout, "", sign=styled(next(lines), sys.stdout, bold=True))
        for line in lines:
            with printing():
                put(sys.stdout, line)
        flush()

    def verdict(self, word: str, text: str, *, colour: str) -> None:
        """Print a word that says how something is, in a colour, and what it is about."""
        with printing():
            text = self.as_called(text)
            put(sys.stdout, f"  {text}", sign=styled(word, sys.stdout, fg=colour), flush=True)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Print names and what they stand for."""
        self.line(self.as_called("\n".join(tables.pairs(facts, hanging=self.terminal))))

    def note(self, text: str) -> None:
        """Tell something that is no result."""
        self._clear()
        tell(f"{PROGRAM}: {self.as_called(tables.folded(text))}")

    def list_aside(self, rows: Sequence[Sequence[str]]) -> None:
        """Show rows beside the result, such as what a question is about."""
        lines = tables.table([""] * len(rows[0]), rows, columns=self.size[0] - 2)[1:]
        tell("\n".join(f"  {line}" for line in lines))

    def confirm(self, question: str) -> bool:
        """Ask for a yes; everything else is a no."""
        tell(f"{tables.folded(question)} [y/N]:", end=" ")
        assert sys.stdin is not None
        return sys.stdin.buffer.readline().strip().lower() in {b"y", b"yes"}  # what is typed may be no UTF-8

    @property
    def size(self) -> tuple[int, int]:
        """How many columns and lines the terminal has now."""
        import shutil

        columns, lines = shutil.get_terminal_size()
        return columns, lines

    def typed(self, prompt: str, completed: Sequence[str] = ()) -> str | None:
        """Return what a user types on a line, without the line break; None at the end of what can be typed.

        What was typed before the prompt is there answers nothing that the user has seen: it is dropped. Lines
        that are pasted together belong together.

        Args:
            prompt: plain ASCII.
            completed: texts of one line that the Tab key completes.

        Raises:
            InputError: it is not text in the terminal's encoding.
        """
        from edge_icl.cli import keyboard

        self._clear()
        flush()
        try:
            with keyboard.completing(completed):
                return keyboard.line(prompt)
        except EOFError:
            self.line()
            return None
        except UnicodeDecodeError as error:
            raise InputError(
                "what was typed is not text in the terminal's encoding", "type it again"
            ) from error

    def secret(self, question: str) -> str:
        """Ask for what the terminal must not show.

        Raises:
            click.Abort: the terminal was closed.
        """
        from getpass import getpass

        try:
            return getpass(f"{tables.one_line(question)}: ", stream=sys.stderr)
        except EOFError:
            raise click.Abort from None

    def error(
        self, message: str, kind: str, *, cause: BaseException | None = None, committed: bool = False
    ) -> None:
        """Tell what went wrong, with `-v` where in the program that was, and whether a change is made."""
        import json

        message = self.as_called(message)
        if self.verbose and cause is not None:
            import traceback

            tell("".join(traceback.format_exception(cause)), end="")
        if self.json:
            fields = {"error": message, "type": kind, "committed": committed}
            tell(tables.json_printable(json.dumps(fields)))
        else:
            sign = styled("error:", sys.stderr, fg="red", bold=True)
            tell(tables.folded(message), sign=f"{PROGRAM}: {sign} ")

    def interrupted(self, words: str, *, committed: bool = False) -> None:
        """Tell that the program was interrupted; on a terminal below the ^C that it shows."""
        if self.watched:
            tell("")
        self.error(words, "KeyboardInterrupt", committed=committed)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show bars while the block runs, on a terminal; and take the times, for `-v`."""
        self._bars = Bars() if self.watched else None
        with self.clock.watch(self._bars or silent) as watched:
            try:
                yield watched
            finally:
                if self._bars:
                    self._bars.close()
                self._bars = None

    def _clear(self) -> None:
        """Take the bar off the terminal, so that a line does not begin beside it; it comes back by itself."""
        if self._bars is not None:
            self._bars.clear()

    def times(self) -> None:
        """Tell, with `-v`, how long each stage and the whole took."""
        if self.verbose:
            told = [f"{stage} {seconds:.2f} s" for stage, seconds in self.clock.times()]
            self.note(f"time: {', '.join(told)}")
