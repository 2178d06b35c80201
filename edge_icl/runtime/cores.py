"""How many processors this process may use."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_CPUS = Path("/sys/devices/system/cpu")
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")

_most: ContextVar[int] = ContextVar("_most", default=sys.maxsize)


@contextmanager
def at_most(processors: int | None) -> Iterator[None]:
    """Have what this thread does in the block use so many processors at most; None for all.

    For a process beside others that are as many as the processors: more threads would only take turns.
    """
    before = _most.set(sys.maxsize if processors is None else processors)
    try:
        yield
    finally:
        _most.reset(before)


def usable_cpus() -> int:
    """Return how many threads that work independently this process should have."""
    return max(1, min(len(_allowed()), _granted(), _most.get()))


def usable_cores() -> int:
    """Return how many threads llama.cpp should have: one for each physical core that this process may use.

    Its threads wait for each other hundreds of times a token, so one too many makes all of them wait: with
    twice as many as processors a token of an answer took 2.0 times as long, with half 1.6 times
    (benchmarks/settings.py). A second one on a core is too many, and so is one for which a container is given
    no time.
    """
    cores = set()
    for cpu in _allowed():
        try:
            cores.add((_CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text())
        except OSError:
            cores.add(str(cpu))
    return max(1, min(len(cores), _granted()))


def _allowed() -> Collection[int]:
    """Return the numbers of the logical processors that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return affinity(0) if affinity else range(os.cpu_count() or 1)


def _granted() -> int:
    """Return how many processors' time Linux's control groups give to this process, as containers set it."""
    granted = sys.maxsize
    with suppress(OSError):
        for line in _OWN_GROUP.read_text().splitlines():
            if line.startswith("0::/"):
                own = _GROUPS / line.removeprefix("0::/")
                granted = min(map(_granted_by, (own, *own.parents)))
    return granted


def _granted_by(group: Path) -> int:
    """Return how many processors' time one control group gives, rounded up."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # no such limit, or "max"
        return sys.maxsize
