"""Every command of the command line, run while its whole process tree is watched for sockets.

Two witnesses look on: Python's audit events tell which sockets a program makes, and the kernel (seccomp, on
Linux) kills whatever process calls `socket`, be it Python, a library's own threads or a child. As a script,
`python tests/support/watch.py` counts with strace and prints the table of docs/privacy.md.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import terminal
import tiny
from command import EXAMPLES, PROGRAM, SEED
from repository import SUPPORT

from edge_icl import Memory
from edge_icl.cli.program import cli
from edge_icl.models import placed
from edge_icl.runtime.home import home

WATCHER = SUPPORT / "watcher"
KILLED = -31
"""The exit code of a process that the kernel killed for a forbidden system call (SIGSYS)."""

TELLTALES = ("CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "TRAVIS", "JENKINS_URL", "ORT_DISABLE_TELEMETRY")
"""Variables that make onnxruntime silent by themselves: no user has them set."""

GIVEN = {"EDITOR": "true"}
"""What stands for a person at the terminal: an editor that changes nothing."""

TYPED = {"EDGE_ICL_PASSPHRASE": "old", "EDGE_ICL_NEW_PASSPHRASE": "new"}
"""Passphrases, too; not for a plain store, which is refused then."""


def given(words: Sequence[str]) -> dict[str, str]:
    """Return what stands for a person who runs these words."""
    return GIVEN | (TYPED if "sealed" in words else {})


Script = Sequence[tuple[tuple[str, ...], str]]
"""Runs of a command: words, and what stdin holds."""

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "watch", "version": "1"}}
"""What a client of the Model Context Protocol begins with."""


def mcp_calls(*calls: tuple[str, dict[str, object]]) -> str:
    """Return what a client writes to call these tools with these arguments."""
    messages: list[dict[str, object]] = [
        {"id": 0, "method": "initialize", "params": HELLO},
        {"method": "notifications/initialized"},
    ]
    for number, (name, arguments) in enumerate(calls, start=1):
        messages.append(
            {"id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        )
    return "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)


SCRIPTS: dict[str, Script] = {
    "init": [(("--store", "fresh", "init", "--task", "Name the kind of expense"), "")],
    "add": [
        (("add", "Cab to the fair", "travel"), ""),
        (("add", "--file", "-"), '{"input": "Lunch", "output": "food"}\n'),
    ],
    "ask": [
        (("ask", "Taxi downtown", "--explain"), ""),
        (("ask", "--file", "-", "--labels", "off"), '{"input": "Tea"}\n'),
    ],
    "stale": [
        (("ask", "--file", "-", "--format", "txt", "--out", "answered.jsonl"), "Taxi downtown\n"),
        (("stale", "answered.jsonl", "--answers-only"), ""),
    ],
    "learn": [(("learn",), "Taxi downtown\n\nu\nfood\nq\n")],
    "forget": [(("forget", "--like", "Printer paper", "--yes"), "")],
    "fix": [(("fix", EXAMPLES[2].id(SEED).hex(), "meals"), "")],
    "edit": [(("edit", EXAMPLES[2].id(SEED).hex()), "")],
    "list": [(("list",), "")],
    "show": [(("show", EXAMPLES[2].id(SEED).hex()), "")],
    "search": [(("search", "a ride"), "")],
    "labels": [
        (("labels",), ""),
        (("labels", "--set", "yes"), ""),
        (("labels", "--rename", "travel", "trips"), ""),
    ],
    "check": [(("check",), "")],
    "report": [(("report", "--out", "memory.html"), "")],
    "demo": [(("demo",), "")],
    "status": [(("status",), "")],
    "export": [(("export",), "")],
    "import": [(("--store", "copy", "import", "-"), '{"input": "Lunch", "output": "food"}\n')],
    "reencode": [
        (("models", "import", "mine", "bert"), ""),
        (("reencode", "--encoder", "mine", "--into", "fresh"), ""),
    ],
    "merge": [
        (("--store", "phone", "init", "--like", "default"), ""),
        (("--store", "phone", "add", "Bus to Rome", "travel"), ""),
        (("merge", "phone", "--into", "default"), ""),
    ],
    "verify": [(("verify", "--deep"), "")],
    "passphrase": [
        (("--store", "sealed", "init", "--encrypt"), ""),
        (("--store", "sealed", "passphrase"), ""),
    ],
    "mcp": [
        (
            ("mcp",),
            mcp_calls(
                ("ask", {"question": "Taxi downtown"}),
                *((tool, {}) for tool in ("list", "labels", "check", "status")),
                ("fix_dry_run", {"id": EXAMPLES[2].id(SEED).hex(), "output": "trains"}),
                ("forget_dry_run", {"like": "Printer paper"}),
            ),
        )
    ],
    "stores list": [(("stores", "list"), "")],
    "stores rename": [(("stores", "rename", "default", "other"), "")],
    "stores remove": [(("stores", "remove", "default", "--yes"), "")],
    "models default": [(("models", "default"), ""), (("models", "default", "--reset"), "")],
    "models list": [(("models", "list"), "")],
    "models fetch": [(("models", "fetch"), "")],
    "models import": [
        (("models", "import", "mine", "tiny.gguf"), ""),
        (("models", "import", "other", "bert"), ""),
    ],
    "models verify": [(("models", "verify"), "")],
    "models remove": [(("models", "remove", "all-minilm-l6-v2", "--yes"), "")],
    "models path": [(("models", "path", "all-minilm-l6-v2"), "")],
    "doctor": [(("doctor",), "")],
    "completion": [(("completion", "bash"), "")],
}
"""Command -> runs that take it through all that could make it want a connection."""


@dataclass(frozen=True)
class Watched:
    """What a watched program left behind.

    Attributes:
        code: its exit code, KILLED where the kernel stopped it.
        err: its stderr.
        sockets: the audit events about sockets, of its whole process tree.
        left: files in its user's home, which was empty before.
        out: its stdout.
    """

    code: int
    err: str
    sockets: list[str]
    left: list[str]
    out: str


@cache
def can_forbid() -> bool:
    """Whether this kernel lets a process give up system calls."""
    program = "import os; os.environ.update(WATCH_LOG=os.devnull, WATCH_FORBID='1'); import sitecustomize"
    command = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(WATCHER)!r}); {program}"]
    return sys.platform == "linux" and subprocess.run(command, check=False, capture_output=True).returncode == 0


def commands(group: click.Group = cli, path: str = "") -> Iterator[str]:
    """Yield every command of the command line, those of groups with the group's name before theirs."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}"


def material(folder: Path) -> None:
    """Put into a folder what SCRIPTS names: a model and an encoder of a few kilobytes."""
    (folder / "tiny.gguf").write_bytes(tiny.llama())
    tiny.bert(folder / "bert")


def watched(*words: object, folder: Path, stdin: str = "", forbid: bool = False) -> Watched:
    """Run a program, with an empty home below `folder`.

    Args:
        words: the program and its arguments.
        folder: where it runs.
        stdin: what it reads.
        forbid: have the kernel kill what opens a socket.
    """
    home, log = Path(tempfile.mkdtemp(dir=folder)), folder / "sockets.log"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        [str(word) for word in words],
        input=stdin,
        cwd=folder,
        env=_environment(home)
        | given([*map(str, words)])
        | {"WATCH_LOG": str(log), "WATCH_FORBID": "1" if forbid else ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    left = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())
    return Watched(done.returncode, done.stderr, log.read_text().splitlines(), left, done.stdout)


def edge_icl(*args: str) -> tuple[str, ...]:
    """Return the words that run a command in a process of its own; at a terminal if it must be at one."""
    if args[0] == "learn":
        return (sys.executable, str(Path(terminal.__file__)), *args)
    return (sys.executable, "-c", PROGRAM, *args)


def _environment(home: Path) -> dict[str, str]:
    """Return this environment, as a user has it who set nothing."""
    kept = {name: value for name, value in os.environ.items() if name not in TELLTALES}
    kept.pop("XDG_CACHE_HOME", None)
    return kept | {"HOME": str(home), "PYTHONPATH": str(WATCHER)}


def _traced(words: Sequence[str], stdin: str, folder: Path) -> list[str]:
    """Return the families of the sockets that a process tree makes, as strace tells."""
    trace = folder / "trace"
    options = ["--follow-forks", "--quiet=all", "--trace=socket", f"--output={trace}"]
    environment = os.environ | given(words) | {"HOME": str(folder / "empty")}
    subprocess.run(
        ["strace", *options, *words],
        input=stdin,
        text=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    return re.findall(r"socket\((AF_\w+)", trace.read_text())


def table(folder: Path, models: Path) -> Iterator[str]:
    """Yield the lines of the table: every command, and how many sockets its process tree made.

    Args:
        folder: an empty one to work in.
        models: the default models, for every command but `models fetch`.
    """
    material(folder)
    (folder / "empty").mkdir()
    yield "| command | sockets |"
    yield "| --- | ---: |"
    for name in commands():
        home = folder / name.replace(" ", "-")
        os.environ["EDGE_ICL_HOME"] = str(home)
        if name != "models fetch":
            shutil.copytree(models, home / "models", copy_function=os.link)
            with Memory.create(seed=SEED, shots=3) as memory:
                memory.add_many(EXAMPLES)
        made = [family for args, stdin in SCRIPTS[name] for family in _traced(edge_icl(*args), stdin, folder)]
        yield f"| `{name}` | {len(made)} |"


if __name__ == "__main__":
    for name in TELLTALES:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(dir=home()) as scratch:
        for line in table(Path(scratch), placed.models_folder()):
            print(line, flush=True)  # noqa: T201 - a script's result
