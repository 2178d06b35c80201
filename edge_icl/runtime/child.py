"""A child process of this Python, for work that may crash a process or never end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SECRETS = ("EDGE_ICL_PASSPHRASE", "HF_TOKEN")
"""Environment variables that a child does not need to know."""

_PROGRAM = """import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from {module} import main
main()
"""


def is_python() -> bool:
    """Return whether `sys.executable` starts Python.

    In a frozen program, and in one that has Python inside, it would open another window of that program.
    """
    name = Path(sys.executable or "").name.lower()
    return not getattr(sys, "frozen", False) and name.startswith(("python", "pypy"))


def command(module: str) -> list[str] | None:
    """Return the command that runs `main` of one of this package's modules. Its first input is `search_path`.

    None where there is no Python to start.
    """
    return [sys.executable, "-P", "-c", _PROGRAM.format(module=module)] if is_python() else None


def search_path() -> list[str]:
    """Return where this process finds its modules."""
    return [str(Path(entry).absolute()) for entry in sys.path]  # "" is the current folder


def environment() -> dict[str, str]:
    """Return the child's environment."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


def end_with_the_parent() -> None:
    """Wait until the parent is gone, and end this process: to be run in a thread of its own.

    The standard input is a pipe that the parent holds open. A child that hangs would outlive one that was
    killed.
    """
    while os.read(0, 1):
        pass
    os._exit(1)  # `sys.exit` would end this thread alone


def limit(*, seconds: int | None = None, memory: int | None = None, data: int | None = None) -> None:
    """Bound what this process may take, where the system can; and write no core file where it ends.

    Args:
        seconds: of processor time.
        memory: bytes of address space.
        data: bytes of address space, without files that are mapped to be read.
    """
    if sys.platform == "win32":
        return
    import resource

    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_DATA, data),
    ):
        hard = resource.getrlimit(kind)[1]
        if most is not None and (hard == resource.RLIM_INFINITY or most <= hard):
            resource.setrlimit(kind, (most, hard))
