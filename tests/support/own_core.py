"""A processor for each process of pytest, while models are at work.

llama.cpp's threads wait for each other hundreds of times a token. Two models whose threads share two processors
wait for those that are not running, and take several times as long as with one thread each.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_core() -> Iterator[None]:
    """Keep this thread, and what it starts, on one processor while the block runs: each process on another."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker or not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[int(worker.removeprefix("gw")) % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
