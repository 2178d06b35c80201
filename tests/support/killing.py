"""Commands that are killed at their n-th system call: a program that a test talks to, a line of JSON a time.

    python tests/support/killing.py            {"args": [...], "at": 17}  ->  {"killed": true, "code": null}

Each command runs in a child of its own, forked after all is imported, and is traced with ptrace: it stops
before and after every system call, and at the stop of that number (from 0) it is killed. So a call is killed
both before it has done anything and when it has done all. Linux on x86-64 and ARM.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TRACEME, SYSCALL, KILL_WITH_TRACER = 0, 24, 0x00100000
SETOPTIONS = 0x4200


def run(args: list[str]) -> int:
    """Run a command of edge-icl in this process, quietly."""
    from edge_icl.cli.main import main

    with Path(os.devnull).open("w") as nothing:
        sys.stdout = sys.stderr = nothing
        return main(args)


def kill_at(args: list[str], at: int) -> tuple[bool, int]:
    """Run a command in a child, and kill it at its stop of this number; return whether, and its exit code."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        libc.ptrace(TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(run(args))
    os.waitpid(child, 0)
    libc.ptrace(SETOPTIONS, child, None, ctypes.c_void_p(KILL_WITH_TRACER))
    stops = passed_on = 0
    while True:
        if stops > at:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True, 0
        libc.ptrace(SYSCALL, child, None, ctypes.c_void_p(passed_on))
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            return False, os.waitstatus_to_exitcode(status)
        passed_on = 0 if os.WSTOPSIG(status) == signal.SIGTRAP else os.WSTOPSIG(status)
        stops += not passed_on


def warm() -> None:
    """Import what commands import late, so that no child has to."""
    with contextlib.suppress(SystemExit):
        run(["--store", "/nowhere/at/all", "list"])


class Killer:
    """The program, to be asked from a test."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads and fork do not go together
        )

    def kill(self, *args: str, at: int) -> bool:
        """Run a command, killed at its stop of this number; return whether it came so far."""
        self.process.stdin.write(json.dumps({"args": args, "at": at}) + "\n")
        self.process.stdin.flush()
        killed, code = json.loads(self.process.stdout.readline())
        assert killed or code == 0, (args, code)
        return killed


@contextlib.contextmanager
def killer() -> Iterator[Killer]:
    """Start the program; it ends with the block."""
    found = Killer()
    with found.process:
        yield found
        found.process.stdin.close()


if __name__ == "__main__":
    answers = os.dup(1)
    warm()
    for line in sys.stdin:
        asked = json.loads(line)
        os.write(answers, json.dumps(kill_at(asked["args"], asked["at"])).encode() + b"\n")
