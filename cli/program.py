"""The program around the commands: finds one, runs it, tells what went wrong in a sentence and an exit code.

Commands are named in a table and imported when they are called, so that `edge-icl --version` and
`edge-icl forget ID` pay for nothing that they do not use.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from edge_icl import __version__
from edge_icl.cli import interrupts
from edge_icl.cli.command import Group, global_options
from edge_icl.cli.output import PROGRAM, Output
from edge_icl.cli.printing import Closed, settle
from edge_icl.cli.session import Session
from edge_icl.errors import EdgeIclError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FAILED = 1
WRONG_USAGE = 2
READER_LEFT = 141
"""What shells report for a program that SIGPIPE ended."""

COMPLETING = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"
"""Environment variable: where click looks for what a shell asks."""

COMMANDS = {
    "init": ("commands.init:init", "Make a store, with settings of your own."),
    "add": ("commands.add:add", "Teach: add examples."),
    "ask": ("commands.ask:ask", "Ask a question, answered from the examples."),
    "stale": ("commands.stale:stale", "Find rows of an earlier run that would be labelled otherwise now."),
    "learn": ("commands.learn:learn", "Confirm or correct answers at the terminal."),
    "forget": ("commands.forget:forget", "Take examples back, exactly."),
    "fix": ("commands.fix:fix", "Correct an example: give it another output."),
    "edit": ("commands.edit:edit", "Correct an example in your editor."),
    "list": ("commands.list:list_", "List the examples."),
    "show": ("commands.show:show", "Show one example."),
    "search": ("commands.search:search", "Find the examples most similar to a text."),
    "labels": ("commands.labels:labels", "List the outputs, rename one, say whether they are labels."),
    "status": ("commands.status:status", "Say what the store and this machine have."),
    "export": ("commands.export:export", "Write all examples to a file."),
    "import": ("commands.import_:import_", "Make a store of the examples in a file."),
    "reencode": ("commands.reencode:reencode", "Make a store with another encoder of the examples."),
    "merge": ("commands.merge:merge", "Bring the examples of other stores into one, exactly."),
    "check": ("commands.check:check", "Say how good the store is, and what to correct."),
    "report": ("commands.report:report", "Write a page to look at the store in a browser."),
    "verify": ("commands.verify:verify", "Check every byte of the store."),
    "passphrase": ("commands.passphrase:passphrase", "Change the passphrase of an encrypted store."),
    "mcp": ("commands.mcp:mcp", "Serve the store to an assistant (MCP)."),
    "stores": ("commands.stores:stores", "List, remove and rename stores."),
    "models": ("commands.models:models", "Fetch, import, check and remove models."),
    "doctor": ("commands.doctor:doctor", "Look over this machine, and say what to do."),
    "demo": ("commands.demo:demo", "Show what edge-icl does, in some seconds."),
    "completion": ("commands.completion:completion", "Let your shell complete what you type."),
}
"""Command -> (module:attribute, what it does)."""

HELP = """Teach a local language model with your own examples, and take any of them back exactly.

Examples (an input and the output that you want for it) go into a store, a folder on this machine. A question
is answered by a model that is shown a few of them. What is forgotten leaves no trace in the store: every byte
is as if it had never been added. Nothing ever leaves this machine.

\b
  edge-icl models fetch
  edge-icl add "Uber to the airport" travel
  edge-icl ask "Taxi downtown"

The options below may stand before the command or after it."""

FIRST_STEPS = """Teach a local language model with your own examples; take any back exactly.

  edge-icl models fetch                         once: two small models
  edge-icl add "Uber to the airport" travel     teach
  edge-icl ask "Taxi downtown"                  ask

All commands: edge-icl --help       One of them: edge-icl ask --help"""
"""What is shown where no command is given: it fits a small terminal."""

EPILOG = """\b
Exit codes:
  0    done
  1    an error, told in one sentence; nothing was changed, unless it says so
  2    wrong usage
  3    verify found a difference, or stale a row
  130  interrupted by Ctrl-C; 129 by a closed terminal, 143 by kill (SIGTERM)
  141  the program that read the output has ended; what was changed stays changed"""


class _Past(BaseException):
    """Takes its cause past click, which has answers of its own to Ctrl-C and to a closed pipe."""


@contextmanager
def _past_click() -> Iterator[None]:
    """Let an interrupt and a closed pipe come out of click as they are.

    Signals are heard in the block alone: one that is raised in click's own steps prints an empty line.
    """
    try:
        with interrupts.heard():
            interrupts.check()
            yield
    except (KeyboardInterrupt, BrokenPipeError) as error:
        raise _Past from error


class Commands(Group):
    """The commands of the table, each imported when it is called."""

    def make_context(self, *args: Any, **others: Any) -> click.Context:
        """Read the command line."""
        with _past_click():
            return super().make_context(*args, **others)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed; where that is nothing, say how to begin."""
        if not args and not ctx.resilient_parsing:  # not while a shell completes a line
            output = ctx.ensure_object(Session).output
            output.line(output.as_called(FIRST_STEPS))
            ctx.exit()
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and bring what it has printed to its reader."""
        with _past_click():
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for a name that is none."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(f"edge_icl.cli.{module}"), attribute)
        interrupts.check()
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so, and options; click would import every command."""
        found = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(item for item in found if item.value.startswith(incomplete)), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table; click would import every command to ask for its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _show_version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    """Print the version and end."""
    if value and not ctx.resilient_parsing:  # not while a shell completes a line
        ctx.ensure_object(Session).output.line(f"{PROGRAM} {__version__}")
        ctx.exit()


cli = Commands(
    PROGRAM,
    help=HELP,
    epilog=EPILOG,
    params=[
        *global_options(),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Print the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="COMMAND [ARGS]...",
    no_args_is_help=False,
)


def run(args: Sequence[str], *, called: str | None = None) -> int:
    """Run a command, and tell in one sentence what went wrong.

    Args:
        args: what was typed after the program's name.
        called: see `main`.

    Returns:
        The exit code.
    """
    args = list(args)
    session = Session(words=args, output=Output(called=called or PROGRAM))
    if COMPLETING in os.environ:
        importlib.import_module("edge_icl.cli.shells")  # which tells click how each shell is answered
    sys.stdout = Closed() if sys.stdout is None else sys.stdout
    for stream in (sys.stdout, sys.stderr):
        # An example may hold characters that the terminal's encoding lacks; that must not be an error.
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    error: BaseException | None = None
    result: Any = 0
    try:
        result = cli.main(args, prog_name=PROGRAM, obj=session, standalone_mode=False)
    except Exception as raised:  # noqa: BLE001 - told below
        error = raised
    except KeyboardInterrupt as raised:
        error = raised
    except _Past as past:
        error = past.__cause__
    with suppress(OSError):  # stderr may have no reader either
        if error is None and not interrupts.taken():
            session.tell_made()
            session.output.times()
        else:
            result = _tell(session, args, error)
    settle()
    return result if isinstance(result, int) else 0


def _tell(session: Session, args: Sequence[str], error: BaseException | None) -> int:
    """Tell why a command ended early; return the exit code."""
    output = session.output
    if isinstance(error, (click.Abort, KeyboardInterrupt)) or interrupts.taken():
        told = _after_change(session, interrupts.taken() or "interrupted")
        with interrupts.telling():
            output.interrupted(told, committed=session.committed)
        return interrupts.code()
    if isinstance(error, BrokenPipeError):
        return READER_LEFT
    if isinstance(error, click.UsageError):
        from edge_icl.cli import usage

        output.json |= "--json" in args  # click may have stopped before it came to that option
        output.error(usage.told(error, args), "UsageError")
        return WRONG_USAGE
    if isinstance(error, EdgeIclError):
        sentence = session.told(error)
        told = sentence if error.committed else _after_change(session, sentence)
        output.error(told, type(error).__name__, cause=error, committed=error.committed or session.committed)
        return error.exit_code
    if isinstance(error, (OSError, MemoryError)) or (
        isinstance(error, ImportError) and not (error.name or "").startswith("edge_icl")
    ):
        told = _after_change(session, _refusal(error))
        output.error(told, type(error).__name__, cause=error, committed=session.committed)
        return FAILED
    assert error is not None
    raise error


def _after_change(session: Session, told: str) -> str:
    """Return what went wrong, and that a change was made before, if one was."""
    return f"the change is made, and after it: {told}" if session.committed else told


def _refusal(error: OSError | MemoryError | ImportError) -> str:
    """Return what the operating system refused, or which library cannot be loaded, in a sentence."""
    if isinstance(error, ImportError):
        return _unloaded(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; close other programs, or use a smaller model"
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def _unloaded(error: ImportError) -> str:
    """Return which library of others cannot be loaded, which an upgrade or a removal elsewhere can bring."""
    from edge_icl.cli.tables import one_line

    cause: BaseException = error
    while cause.__cause__ is not None:  # numpy writes a page around it
        cause = cause.__cause__
    return f"a library cannot be loaded: {one_line(str(cause))}; install what is missing, or edge-icl again"
