"""Signals at many moments of every command: it ends in order, with one sentence, and the store is whole."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from campaigns import some
from command import IDS, Ran, process
from stores import tree

from edge_icl import Memory

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has other signals")

Count = Callable[[str, int], None]

WORDS = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "the terminal was closed",
}
NUMBERS = list(WORDS)

PATIENCE = 120

PROGRAM = """
import os, signal, sys
from edge_icl.cli.main import main
for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # a test run in the background ignores some
    signal.signal(signal.Signals[name], signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
begun, moment, number, seen = int(sys.argv.pop(1)), int(sys.argv.pop(1)), int(sys.argv.pop(1)), 0
def note(event, arguments):
    global seen
    seen += 1
    if seen == moment:
        os.kill(os.getpid(), number)
if moment:
    sys.addaudithook(note)
os.write(begun, b"x")
code = main()
if moment < 0:
    os.write(begun, str(seen).encode())
sys.exit(code)
"""
"""Sends itself a signal at the nth event that Python audits (imports, files ...); -1 tells their number."""


@dataclass(frozen=True)
class Moment:
    """When a signal comes: seconds after the command has begun, or at an event of its own."""

    seconds: float = 0
    event: int = 0


def start(args: tuple[str, ...], moment: int, number: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command; return it, and what it writes to when it has begun."""
    read, write = os.pipe()
    command = [sys.executable, "-c", PROGRAM, str(write), str(moment), str(number), *args]
    pipe = subprocess.PIPE
    running = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=[write])
    os.close(write)
    return running, read


def whole(args: tuple[str, ...], stdin: bytes) -> tuple[float, int, Ran]:
    """Run a command undisturbed; return how long it took, how many events it had, and what it left."""
    running, read = start(args, -1, 0)
    os.read(read, 1)
    begun = time.monotonic()
    out, err = running.communicate(stdin, PATIENCE)
    seconds = time.monotonic() - begun
    events = int(os.read(read, 20) or b"0")
    os.close(read)
    return seconds, events, Ran(running.returncode, out.decode(), err.decode())


def disturbed(args: tuple[str, ...], stdin: bytes, moment: Moment, number: int) -> Ran:
    """Run a command that gets a signal at a moment."""
    running, read = start(args, moment.event, number)
    os.read(read, 1)
    os.close(read)
    if moment.event:
        out, err = running.communicate(stdin, PATIENCE)
    else:
        assert running.stdin
        running.stdin.write(stdin)
        running.stdin.flush()
        time.sleep(moment.seconds)
        running.send_signal(number)
        out, err = running.communicate(timeout=PATIENCE)
    return Ran(running.returncode, out.decode(), err.decode())


def moments(seconds: float, events: int, each: int, chance: random.Random) -> Iterator[Moment]:
    """Yield a moment in each part of a command's life: in turns by the clock and at an event."""
    first = chance.randrange(2)
    for part in range(each):
        share = (part + chance.random()) / each
        by_event = events and (first + part) % 2
        yield Moment(event=1 + int(events * share)) if by_event else Moment(seconds=seconds * share)


SIGN, MADE = "edge-icl: error: ", "the change is made, and after it: "


def check_end(ran: Ran, number: int, undisturbed: Ran) -> str:
    """Check how a command ended that got a signal; return in which way."""
    if ran.code == undisturbed.code:
        assert (ran.out, ran.err) == (undisturbed.out, undisturbed.err)
        return "came too late"
    assert ran.code == 128 + number, ran
    assert ran.err.removeprefix(SIGN).removeprefix(MADE) == f"{WORDS[signal.Signals(number)]}\n", ran
    assert undisturbed.out.startswith(ran.out), ran
    return "ended it"


def disturb(
    args: tuple[str, ...], chance: random.Random, each: int, *, stdin: bytes = b"", reset: Callable[[], None]
) -> Iterator[tuple[str, Ran, Ran]]:
    """Run a command with a signal at `each` moments for every signal; yield how each ended."""
    reset()
    seconds, events, undisturbed = whole(args, stdin)
    for number in NUMBERS:
        for moment in moments(seconds, events, each, chance):
            reset()
            ran = disturbed(args, stdin, moment, number)
            yield check_end(ran, number, undisturbed), ran, undisturbed


@pytest.mark.campaign
def test_a_question_is_interrupted_at_any_moment_and_never_answered_after_all(
    home: Path, campaign: bool, count: Count
) -> None:
    ends = [
        end
        for end, *_ in disturb(
            ("ask", "Taxi downtown"), random.Random(7), 120 if campaign else 2, reset=lambda: None
        )
    ]

    assert ends.count("ended it") > len(ends) // 2
    count("signals while a question was answered", len(ends))
    with Memory.open("default") as memory:
        assert memory.verify(deep=True).ok


@pytest.mark.parametrize(
    "line",
    some(
        [
            "list",
            "show ID",
            "status",
            "doctor",
            "verify --deep",
            "search taxi",
            "export --file OUT",
            "models list",
        ],
        "list",
        "verify --deep",
        "search taxi",
        "export --file OUT",
    ),
)
def test_a_command_that_reads_ends_in_order_and_changes_nothing(
    home: Path, tmp_path: Path, campaign: bool, count: Count, line: str
) -> None:
    store, out = home / "stores" / "default", tmp_path / "out.jsonl"
    before = tree(store)
    exported = process("export").out
    args = tuple(line.replace("ID", IDS["Printer paper"]).replace("OUT", str(out)).split())
    done = 0

    for _ in disturb(
        args, random.Random(line), 40 if campaign else 1, reset=lambda: out.unlink(missing_ok=True)
    ):
        done += 1
        assert not out.exists() or out.read_text() == exported
        assert tree(store) == before

    count("signals during commands that read", done)


@pytest.mark.parametrize(
    "line",
    [
        "forget ID --yes --no-similar",
        "add --file IN",
        "fix ID travel",
        "labels --rename travel trips",
        "add Tram travel",
    ],
)
def test_a_command_that_changes_ends_with_the_store_before_or_after(
    home: Path, tmp_path: Path, campaign: bool, count: Count, line: str
) -> None:
    store, untouched, file = home / "stores" / "default", tmp_path / "untouched", tmp_path / "in.jsonl"
    file.write_text("".join(f'{{"input": "Expense {n}", "output": "other"}}\n' for n in range(40)))
    shutil.copytree(store, untouched)
    args = tuple(line.replace("ID", IDS["Printer paper"]).replace("IN", str(file)).split())
    done, states = 0, {root(untouched)}

    def reset() -> None:
        shutil.rmtree(store)
        shutil.copytree(untouched, store)

    whole_runs = disturb(args, random.Random(line), 40 if campaign else 1, reset=reset)
    for end, ran, _ in whole_runs:
        done += 1
        states.add(root(store))
        assert len(states) <= 2
        if end == "ended it":
            assert (MADE in ran.err) is (root(untouched) != root(store)), ran
        with Memory.open(store, create=False) as memory:
            memory.forget(memory.add("One more", "other").ids[0])  # finishes what was left
            assert memory.verify(deep=True).ok
            assert end == "ended it" or root(untouched) != memory.root

    count("signals during changes", done)


SLOW_END = """
import os, signal, sys, time
from edge_icl.cli import main, program
from edge_icl.cli.session import Session

def open(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

def slow_settle():
    time.sleep(3)
    settle()

signal.signal(signal.SIGINT, signal.default_int_handler)
Session.open, settle, program.settle = open, program.settle, slow_settle
sys.exit(main.main())
"""
"""A command that is interrupted, and then takes longer to end than it is waited for."""


@pytest.mark.usefixtures("home")
def test_an_interrupt_is_told_once_however_long_the_end_takes() -> None:
    ran = subprocess.run([sys.executable, "-c", SLOW_END, "list"], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr == "edge-icl: error: interrupted\n"


def root(store: Path) -> str:
    with Memory.open(store, create=False) as memory:
        return memory.root


EMBEDDING = """
import os, signal, sys
from edge_icl import Memory
signal.signal(signal.SIGINT, signal.default_int_handler)
with Memory.open("default", create=False) as memory:
    os.write(int(sys.argv[1]), b"x")
    try:
        print(memory.ask("Taxi downtown").text)
    except KeyboardInterrupt:
        print("interrupted")
    os.write(int(sys.argv[1]), b"y")
    print(memory.ask("Taxi downtown").text)
"""
"""A program of another author, which goes on after Ctrl-C."""


def test_a_program_that_goes_on_after_ctrl_c_asks_again_with_the_same_store(
    home: Path, campaign: bool, count: Count
) -> None:
    """The signal comes while models load and answer; the program hears KeyboardInterrupt, and nothing else."""
    rounds, chance, done = 100 if campaign else 3, random.Random(3), Counter()
    embedded(None)  # afterwards the model's states are kept
    _, seconds = embedded(None)

    while done["rounds"] < rounds or not done["interrupted"]:
        assert done["rounds"] < 10 * rounds, done
        ran, _ = embedded(seconds * (done["rounds"] % rounds + chance.random()) / rounds)
        done["rounds"] += 1
        if ran.returncode:  # the second question was interrupted, or the end
            assert ran.stderr == "" or ran.stderr.strip().endswith("KeyboardInterrupt")  # "": it was at its end
            assert "ignored" not in ran.stderr
            continue
        assert ran.stderr == ""
        assert ran.stdout in ("interrupted\ntravel\n", "travel\ntravel\n")
        done["interrupted"] += ran.stdout.startswith("interrupted")

    count("Ctrl-C in a program that goes on", done["rounds"])


def embedded(interrupt: float | None) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run that program, interrupted so many seconds after it began; return how long its answer took."""
    read, write = os.pipe()
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", EMBEDDING, str(write)]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, pass_fds=[write], text=True) as running:
        os.close(write)
        os.read(read, 1)
        begun = time.monotonic()
        if interrupt is None:
            os.read(read, 1)
        else:
            time.sleep(interrupt)
            running.send_signal(signal.SIGINT)
        seconds = time.monotonic() - begun
        out, err = running.communicate(timeout=PATIENCE)
    os.close(read)
    return subprocess.CompletedProcess(command, running.returncode, out, err), seconds
