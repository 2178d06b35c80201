"""A bound for what must not hang: ten seconds, and then it has."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 10


@contextmanager
def no_hang() -> Iterator[None]:
    """Fail if the block, in Python, takes longer."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it hangs: {SECONDS} seconds and no end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
