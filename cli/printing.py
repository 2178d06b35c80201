"""How text reaches a terminal or a pipe: the only module of the project that prints.

What is printed may hold what another user wrote, so all of it goes through `put`: a terminal is shown escapes
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
from edge_icl.errors import EdgeIclError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person reads this stream, or types into it; a closed one is None."""
    return stream is not None and stream.isatty()


def styled(text: str, stream: TextIO | None, **style: Any) -> str:
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
def printing() -> Iterator[None]:
    """Print nothing once the program was interrupted, and say so if the operating system refuses the output."""
    interrupts.check()
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EdgeIclError(f"the output cannot be written: {(error.strerror or str(error)).lower()}") from error


def flush() -> None:
    """Bring what is printed so far to its reader."""
    with printing():
        print(end="", flush=True)


def settle() -> None:
    """Bring what is printed to its readers; Python must not complain at its end that one is gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def put(stream: TextIO | None, text: str, *, sign: str = "", end: str = "\n", flush: bool = False) -> None:
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


def tell(text: str, *, sign: str = "", end: str = "\n") -> None:
    """Tell something that is no result; a command does not fail because stderr is closed."""
    with suppress(OSError):
        put(sys.stderr, text, sign=sign, end=end, flush=True)


def as_rows(rows: Iterable[Sequence[str]], below: Sequence[str]) -> Iterator[str]:
    """Yield each row as it comes, whole, with tabs between fields."""
    for i, row in enumerate(rows):
        yield "\t".join(map(tables.folded, [*row, *below[i : i + 1]]))


def as_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], below: Sequence[str], *, columns: int, whole: int
) -> Iterator[str]:
    """Yield the lines of a table that fits a terminal with so many columns; see `Output.table`."""
    first, *others = tables.table(header, rows, columns=columns, whole=whole)
    yield first
    for i, line in enumerate(others):
        yield "\n".join([line, *(tables.cut(f"    {text}", columns) for text in below[i : i + 1])])


def as_json(fields: object) -> str:
    """Return a JSON document, with escapes where stdout has no UTF-8."""
    import json

    utf8 = "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
    return tables.json_printable(json.dumps(fields, ensure_ascii=not utf8, allow_nan=False))
