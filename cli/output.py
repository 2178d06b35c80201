"""What a user sees: the only module of the project that prints.

Results go to stdout, all else to stderr. A terminal gets tables, progress bars and questions; a pipe gets plain
lines, one a result, with tabs between fields; `--json` gets JSON. Errors read `edge-icl: error: ...`, in lower
case, without a full stop, in one sentence that also says what to do.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from edge_icl.cli import interrupts, tables
from edge_icl.cli.clock import Clock
from edge_icl.errors import EdgeIclError
from edge_icl.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PROGRAM = "edge-icl"
_BYTE_STAGES = ("fetch", "check", "copy", "read")
"""First words of the stages that count bytes."""


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person reads this stream, or types into it; a closed one is None."""
    return stream is not None and stream.isatty()


def _styled(text: str, stream: TextIO | None, **style: Any) -> str:
    """Return a text with colours, if the stream is a terminal that shows them."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **style)


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
    """Bring what is printed to its readers; Python, when it ends, must not complain of those who have left."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _as_rows(rows: Iterable[Sequence[str]], below: Sequence[str]) -> Iterator[str]:
    """Yield each row as it comes, whole, with tabs between fields."""
    for i, row in enumerate(rows):
        yield "\t".join(map(tables.one_line, [*row, *below[i : i + 1]]))


def _columns() -> int:
    """Return the width of the terminal."""
    import shutil  # noqa: PLC0415 - not for `--version`

    return shutil.get_terminal_size().columns


class Output:
    """Where a command's results, notes and questions go.

    Attributes:
        json: JSON on stdout, and errors as JSON on stderr.
        verbose: whole ids, times, and where an error came from.
        clock: runs since the program began.
    """

    def __init__(self) -> None:
        self.json = False
        self.verbose = False
        self._bars: _Bars | None = None
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
        """Whether somebody is there to confirm something."""
        return is_terminal(sys.stdin) and is_terminal(sys.stderr)

    def line(self, text: str = "") -> None:
        """Print a line of the result."""
        self._clear()
        with _printing():
            print(tables.printable(text) if self.terminal else text, flush=True)

    def piece(self, text: str) -> None:
        """Print a piece of a line as it comes."""
        with _printing():
            print(tables.printable(text), end="", flush=True)

    def document(self, fields: object) -> None:
        """Print a JSON document on one line."""
        self.documents([fields])

    def documents(self, some: Iterable[object]) -> None:
        """Print JSON documents, each on one line."""
        import json  # noqa: PLC0415 - not for `--version`

        self._clear()
        utf8 = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
        for fields in some:
            text = json.dumps(fields, ensure_ascii=not utf8, allow_nan=False)
            with _printing():
                print(text)
        with _printing():
            print(end="", flush=True)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], *, below: Sequence[str] = ()) -> None:
        """Print rows: as a table that fits the terminal, or each as it comes, whole, with tabs between fields.

        Args:
            header: names of the columns.
            rows: as many texts each.
            below: for each row one more text, too long for a column: it goes under the row.
        """
        lines = self._as_table(header, rows, below) if self.terminal else _as_rows(rows, below)
        for line in lines:
            with _printing():
                print(line)
        with _printing():
            print(end="", flush=True)

    def _as_table(
        self, header: Sequence[str], rows: Iterable[Sequence[str]], below: Sequence[str]
    ) -> Iterator[str]:
        """Yield the lines of a table that fits the terminal."""
        columns = _columns()
        first, *others = tables.table(header, rows, columns=columns)
        yield _styled(first, sys.stdout, bold=True)
        for i, line in enumerate(others):
            yield "\n".join([line, *(tables.cut(f"    {text}", columns) for text in below[i : i + 1])])

    def verdict(self, word: str, text: str, *, colour: str) -> None:
        """Print a word that says how something is, in a colour, and what it is about."""
        text = tables.printable(text) if self.terminal else text
        with _printing():
            print(f"{_styled(word, sys.stdout, fg=colour)}  {text}", flush=True)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Print names and what they stand for."""
        self.line("\n".join(tables.pairs(facts)))

    def note(self, text: str) -> None:
        """Tell something that is no result."""
        self._clear()
        print(f"{PROGRAM}: {tables.one_line(text)}", file=sys.stderr)

    def list_aside(self, rows: Sequence[Sequence[str]]) -> None:
        """Show rows beside the result, such as what a question is about."""
        lines = tables.table([""] * len(rows[0]), rows, columns=_columns() - 2)[1:]
        print("\n".join(f"  {line}" for line in lines), file=sys.stderr)

    def confirm(self, question: str) -> bool:
        """Ask for a yes; everything else is a no."""
        print(f"{question} [y/N]:", end=" ", file=sys.stderr, flush=True)
        assert sys.stdin is not None
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def secret(self, question: str) -> str:
        """Ask for what the terminal must not show.

        Raises:
            click.Abort: the terminal was closed.
        """
        from getpass import getpass  # noqa: PLC0415 - few stores need it

        try:
            return getpass(f"{question}: ", stream=sys.stderr)
        except EOFError:
            raise click.Abort from None

    def error(
        self, message: str, kind: str, *, cause: BaseException | None = None, committed: bool = False
    ) -> None:
        """Tell what went wrong, with `-v` where in the program that was, and whether a change is made."""
        import json  # noqa: PLC0415 - not for `--version`

        if self.verbose and cause is not None:
            import traceback  # noqa: PLC0415 - likewise

            traceback.print_exception(cause)
        if self.json:
            print(json.dumps({"error": message, "type": kind, "committed": committed}), file=sys.stderr)
        else:
            sign = _styled("error:", sys.stderr, fg="red", bold=True)
            print(f"{PROGRAM}: {sign} {tables.one_line(message)}", file=sys.stderr)

    def interrupted(self, words: str, *, committed: bool = False) -> None:
        """Tell that the program was interrupted; on a terminal below the ^C that it shows."""
        if self.watched:
            print(file=sys.stderr)
        self.error(words, "KeyboardInterrupt", committed=committed)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show bars while the block runs, if somebody watches; and take the times, for `-v`."""
        self._bars = _Bars() if self.watched else None
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


class _Bars:
    """One bar at a time, each gone when its stage is over. Is a `Progress`."""

    def __init__(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - most commands show no bar

        tqdm.monitor_interval = 0  # no thread that outlives the command
        self._tqdm = tqdm
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage or self._bar is None:
            self.close()
            self._stage = stage
            self._bar = self._tqdm(desc=stage, total=total or None, leave=False, delay=0.3, **_unit(stage))
        self._bar.total = total or None  # a check knows its steps once it has begun
        self._bar.update(done - self._bar.n)
        if done == total > 0:
            self.close()  # what comes next may be an answer, on the line of the bar

    def clear(self) -> None:
        """Take the bar away until there is more to tell."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _unit(stage: str) -> Mapping[str, Any]:
    """Return how tqdm counts in a stage."""
    if stage.split(maxsplit=1)[0] in _BYTE_STAGES and stage != "check":  # that one counts steps
        return {"unit": "B", "unit_scale": True}
    return {"unit": ""}
