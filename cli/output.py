"""What a user sees: the only module of the project that prints.

Results go to stdout, all else to stderr. A terminal gets tables, progress bars and questions; a pipe gets plain
lines, one a result, with tabs between fields; `--json` gets JSON. Errors read `edge-icl: error: ...`, in lower
case, without a full stop, in one sentence that also says what to do.

What is printed may hold what another user wrote, so all of it goes through `_put`: a terminal is shown escapes
for what it would obey or hide. What is piped is data, and stays as it is. JSON has escapes everywhere, since a
program that parses it gets the same text.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

from edge_icl.cli import interrupts, tables
from edge_icl.cli.bars import Bars
from edge_icl.cli.clock import Clock
from edge_icl.errors import EdgeIclError, InputError
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROGRAM = "edge-icl"

_COMMAND = rf"(?m)(`|: |see |=\w+ |^ *){PROGRAM}(?=\s+[\[a-z-])"
"""A command that is advised: in backquotes, after a colon or a variable, or on a line of its own."""


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person reads this stream, or types into it; a closed one is None."""
    return stream is not None and stream.isatty()


def _styled(text: str, stream: TextIO | None, **style: Any) -> str:
    """Return a text with colours, if the stream is a terminal that shows them."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **style)


class Closed(io.TextIOBase):
    """In the place of a stdout that was closed before the program began; Python would say nothing."""

    def write(self, text: str, /) -> int:
        """Refuse.

        Raises:
            OSError: always.
        """
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@contextmanager
def _printing() -> Iterator[None]:
    """Print nothing once the program was interrupted, and say so if the operating system refuses the output."""
    interrupts.check()
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EdgeIclError(f"the output cannot be written: {(error.strerror or str(error)).lower()}") from error


def settle() -> None:
    """Bring what is printed to its readers; Python must not complain at its end that one is gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _put(stream: TextIO | None, text: str, *, sign: str = "", end: str = "\n", flush: bool = False) -> None:
    """Print a text: escaped for a terminal, and for a pipe as it is.

    Args:
        stream: where to; None for one that is closed.
        text: what.
        sign: what goes in front of it as it is, such as our own words in colours.
        end: what follows it.
        flush: bring it to its reader at once.
    """
    if stream is None:
        return
    print(f"{sign}{tables.printable(text) if is_terminal(stream) else text}", end=end, file=stream, flush=flush)


def _tell(text: str, *, sign: str = "", end: str = "\n") -> None:
    """Tell something that is no result; a command does not fail because stderr is closed."""
    with suppress(OSError):
        _put(sys.stderr, text, sign=sign, end=end, flush=True)


def _as_rows(rows: Iterable[Sequence[str]], below: Sequence[str]) -> Iterator[str]:
    """Yield each row as it comes, whole, with tabs between fields."""
    for i, row in enumerate(rows):
        yield "\t".join(map(tables.folded, [*row, *below[i : i + 1]]))


def _as_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], below: Sequence[str], whole: int
) -> Iterator[str]:
    """Yield the lines of a table that fits the terminal."""
    columns = _columns()
    first, *others = tables.table(header, rows, columns=columns, whole=whole)
    yield first
    for i, line in enumerate(others):
        yield "\n".join([line, *(tables.cut(f"    {text}", columns) for text in below[i : i + 1])])


def _json(fields: object) -> str:
    """Return a JSON document, with escapes where stdout has no UTF-8."""
    import json

    utf8 = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
    return tables.json_printable(json.dumps(fields, ensure_ascii=not utf8, allow_nan=False))


def _columns() -> int:
    """Return the width of the terminal."""
    import shutil

    return shutil.get_terminal_size().columns


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
        with _printing():
            _put(sys.stdout, "", sign=_styled(tables.one_line(text), sys.stdout, bold=True), flush=True)

    def line(self, text: str = "") -> None:
        """Print a line of the result."""
        self._clear()
        text, self._joiner, self._before = self._joiner + text, "", ""
        with _printing():
            _put(sys.stdout, text, flush=True)

    def piece(self, text: str) -> None:
        """Print a piece of a line on a terminal as it comes; a joiner waits for what it joins."""
        text, before = self._joiner + text, self._before
        self._joiner = text[len(text.rstrip(tables.JOINERS)) :]
        text = text.removesuffix(self._joiner)
        self._before = text[-1:] or before
        with _printing():
            _put(sys.stdout, "", sign=tables.printable(text, before=before), end="", flush=True)

    def document(self, fields: object) -> None:
        """Print a JSON document on one line."""
        self.documents([fields])

    def documents(self, some: Iterable[object]) -> None:
        """Print JSON documents, each on one line."""
        self._clear()
        for fields in some:
            with _printing():
                _put(sys.stdout, _json(fields))
        with _printing():
            print(end="", flush=True)

    def array(self, some: Iterable[object]) -> None:
        """Print one JSON document, an array of these, each on a line."""
        self._clear()
        before = "["
        for fields in some:
            with _printing():
                _put(sys.stdout, before + ("" if before == "[" else "\n") + _json(fields), end="")
            before = ","
        with _printing():
            _put(sys.stdout, "[]" if before == "[" else "]", flush=True)

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
        lines = iter(_as_table(header, rows, below, whole) if self.terminal else _as_rows(rows, below))
        if self.terminal:
            with _printing():
                _put(sys.stdout, "", sign=_styled(next(lines), sys.stdout, bold=True))
        for line in lines:
            with _printing():
                _put(sys.stdout, line)
        with _printing():
            print(end="", flush=True)

    def verdict(self, word: str, text: str, *, colour: str) -> None:
        """Print a word that says how something is, in a colour, and what it is about."""
        with _printing():
            text = self.as_called(text)
            _put(sys.stdout, f"  {text}", sign=_styled(word, sys.stdout, fg=colour), flush=True)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Print names and what they stand for."""
        self.line(self.as_called("\n".join(tables.pairs(facts, hanging=self.terminal))))

    def note(self, text: str) -> None:
        """Tell something that is no result."""
        self._clear()
        _tell(f"{PROGRAM}: {self.as_called(tables.folded(text))}")

    def list_aside(self, rows: Sequence[Sequence[str]]) -> None:
        """Show rows beside the result, such as what a question is about."""
        lines = tables.table([""] * len(rows[0]), rows, columns=_columns() - 2)[1:]
        _tell("\n".join(f"  {line}" for line in lines))

    def confirm(self, question: str) -> bool:
        """Ask for a yes; everything else is a no."""
        _tell(f"{tables.folded(question)} [y/N]:", end=" ")
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
        with _printing():
            print(end="", flush=True)
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

            _tell("".join(traceback.format_exception(cause)), end="")
        if self.json:
            fields = {"error": message, "type": kind, "committed": committed}
            _tell(tables.json_printable(json.dumps(fields)))
        else:
            sign = _styled("error:", sys.stderr, fg="red", bold=True)
            _tell(tables.folded(message), sign=f"{PROGRAM}: {sign} ")

    def interrupted(self, words: str, *, committed: bool = False) -> None:
        """Tell that the program was interrupted; on a terminal below the ^C that it shows."""
        if self.watched:
            _tell("")
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
