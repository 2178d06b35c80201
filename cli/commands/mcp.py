"""`edge-icl mcp`: the store, for an assistant."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from edge_icl import __version__
from edge_icl.cli import interrupts
from edge_icl.cli.command import Command, examples
from edge_icl.cli.printing import is_terminal
from edge_icl.errors import EdgeIclError, NotInstalledError

if TYPE_CHECKING:
    from edge_icl.cli.session import Session


@click.command(cls=Command, epilog=examples("edge-icl mcp", "edge-icl --store work mcp"))
@click.option("--model", metavar="NAME|PATH", help="The model, or a .gguf file; see `edge-icl models list`.")
@click.pass_obj
def mcp(session: Session, model: str | None) -> None:
    """Serve the store to an assistant, by the Model Context Protocol over stdin and stdout.

    An assistant's program starts this command by itself: docs/mcp.md shows what to tell it. It can add, ask,
    search, list and check, and correct and forget in two steps: a dry run shows what would go, and only the
    token that it returns does that. No connection is opened. What the assistant does with what it reads is
    beyond the control of edge-icl.

    Needs one package more: pip install "edge-icl[mcp]".
    """
    try:
        from edge_icl.mcp.desk import Desk
        from edge_icl.mcp.server import serve
    except ModuleNotFoundError as error:
        raise NotInstalledError(
            f"the Model Context Protocol needs a package that is missing, {error.name}",
            'install it: pip install "edge-icl[mcp]"',
        ) from error
    if sys.stdin is None or sys.stdout is None or not sys.stdout.writable():
        closed = "stdin" if sys.stdin is None else "stdout"
        raise EdgeIclError(
            f"{closed} is closed", "let an assistant's program start this command, see docs/mcp.md"
        )
    if is_terminal(sys.stdin):
        session.output.note("waiting for an assistant on stdin; Ctrl-D ends it")
    desk = Desk(partial(session.open, model=model), session.command_line())
    interrupts.end_by(desk.close)  # a thread of the SDK waits for stdin, where no KeyboardInterrupt reaches it
    serve(desk, version=__version__)
    session.new.clear()  # no user reads notes here
