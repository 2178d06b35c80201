"""Texts of a command line that come from stdin: `-` stands for one, as `--file -` does for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.cli.given import MOST_OF_A_LINE, STDIN, is_unicode, text
from edge_icl.errors import InputError

if TYPE_CHECKING:
    import click

    from edge_icl.cli.output import Output


def text_or_stdin(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return a text as it was typed or, for -, as stdin has it; see `from_stdin`.

    Raises:
        InputError: see `from_stdin`.
    """
    if value != STDIN or ctx.resilient_parsing:  # while a shell completes a line, nothing has been piped yet
        return value
    called = parameter.name if parameter.name in {"output", "task"} else "text"
    return from_stdin(ctx.find_root().obj.output, f"the {called}")


def from_stdin(output: Output, what: str) -> str:
    """Return the whole of stdin as one text, without line breaks at its end.

    Args:
        output: tells a person at the terminal what is waited for.
        what: that, such as "the question".

    Raises:
        InputError: stdin is closed, holds nothing, or bytes that are not UTF-8.
    """
    output.waiting(what)
    with text(STDIN, newline=None) as stream:
        typed = stream.read(MOST_OF_A_LINE)
    if len(typed) == MOST_OF_A_LINE:
        raise InputError("stdin holds too long a text", "pipe in the one that you mean")
    typed = typed.rstrip("\n")
    if not typed:
        raise InputError("stdin holds no text", "pipe one in, or type it and end it with Enter and Ctrl-D")
    if not is_unicode([typed]):
        raise InputError("stdin is not UTF-8 text", "save it as UTF-8")
    return typed
