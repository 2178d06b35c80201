"""`edge-icl demo`: a first session, shown command by command: teach, ask, forget, and prove the forgetting."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from contextlib import chdir
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from edge_icl.cli import interrupts
from edge_icl.cli.command import Command, examples
from edge_icl.cli.output import PROGRAM
from edge_icl.cli.session import Session

EXPENSES = "expenses.jsonl"
"""88 expenses of 8 labels, invented; it is beside this module."""

SEED = bytes(range(32)).hex()
"""The same for both stores, so that they can be compared. Without --seed, `init` draws a secret one."""

FORGOTTEN = "Taxi from the conference to the hotel"
QUESTIONS = ("Cab to the trade fair", "Sushi with a customer", "Licence for the photo editor", "Gas bill")
TAUGHT, NEVER = "./taught", "./never"


@click.command(cls=Command, epilog=examples("edge-icl demo"))
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Show what edge-icl does, with 88 invented expenses; it takes some seconds.

    Every command is shown as you would type it, with what it says. The stores are in a folder of their own,
    which is removed at the end; yours are left alone.
    """
    session = ctx.ensure_object(Session)
    if session.output.json:
        raise click.UsageError("the demo is for people to read: leave out --json")
    if session.sealed:
        raise click.UsageError("the demo's stores are not encrypted: leave out --encrypted and the passphrase")
    with TemporaryDirectory(prefix="edge-icl-demo-", ignore_cleanup_errors=True) as folder, chdir(folder):
        _Stage(ctx, session).play()


class _Stage:
    """Where the demo is played: commands are run in this process, by the same group as those that are typed."""

    def __init__(self, ctx: click.Context, session: Session) -> None:
        group = ctx.find_root().command
        assert isinstance(group, click.Group)
        self._group = group
        self._output = session.output

    def play(self) -> None:
        """Play all of it, in the folder that is the current one."""
        data = (resources.files(__package__) / EXPENSES).read_bytes()
        Path(EXPENSES).write_bytes(data)
        self._say("Teach a store 88 expenses")
        self._teach(TAUGHT, EXPENSES)
        self._say("Ask")
        for question in QUESTIONS:
            self._run("--store", TAUGHT, "ask", question)
        self._say("Forget one example, exactly")
        self._run("--store", TAUGHT, "forget", "--match", FORGOTTEN, "--yes")
        self._say("Prove it: another store with the same seed, which was never taught that example")
        rest = [line for line in data.splitlines(keepends=True) if FORGOTTEN.encode() not in line]
        Path("without.jsonl").write_bytes(b"".join(rest))
        self._teach(NEVER, "without.jsonl")
        self._compare()
        self._say("Ask the model too: both answer alike, and what is cached of its state is the same")
        for store in (TAUGHT, NEVER):
            self._run("--store", store, "ask", QUESTIONS[0], "--ask-model", "always")
        self._compare()
        self._run("--store", TAUGHT, "verify", "--deep")
        self._say("Now teach it what you know:")
        self._output.line(f'{PROGRAM} add "an input" "the output that you want for it"')

    def _teach(self, store: str, file: str) -> None:
        """Make a store and teach it a file."""
        self._run("--store", store, "init", "--seed", SEED)
        self._run("--store", store, "add", "--file", file)

    def _say(self, text: str) -> None:
        """Say what comes next."""
        self._output.line()
        self._output.heading(text)

    def _run(self, *words: str) -> None:
        """Show a command and run it."""
        self._show(shlex.join([PROGRAM, *words]))
        with interrupts.held():  # the group lets them be heard
            self._group.main(words, prog_name=PROGRAM, obj=Session(words=words), standalone_mode=False)

    def _compare(self) -> None:
        """Show that the two stores are the same."""
        folders = [store.removeprefix("./") for store in (TAUGHT, NEVER)]
        self._show(shlex.join(["diff", "-r", *folders]))
        self._output.line(differences(*folders) or "(nothing: every byte is the same)")

    def _show(self, command: str) -> None:
        """Show a command as it is typed."""
        self._output.line(f"$ {command}")


def differences(first: str, second: str) -> str:
    """Return in what two folders differ; nothing where they are the same.

    By `diff -r`, which is not ours, where the system has it.
    """
    words = ["diff", "-r", first, second]
    if shutil.which(words[0]):
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.rstrip("\n")
    one, other = _contents(Path(first)), _contents(Path(second))
    return "\n".join(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))


def _contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder and those below it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
