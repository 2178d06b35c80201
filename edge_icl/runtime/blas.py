"""One thread for numpy's BLAS, where more of them wait for each other longer than they work."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_icl.runtime import fork

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Turn:
    """One caller at a time: two that set and restore the number crosswise would leave it at one."""

    def __init__(self) -> None:
        self.renew()
        fork.renewed(self)

    def renew(self) -> None:
        """Take a new lock."""
        self.lock = threading.Lock()


_turn = _Turn()


@contextmanager
def one_thread() -> Iterator[None]:
    """Have BLAS compute on one thread in the block, and on as many as before after it.

    The number is the process's: products of other threads have one thread meanwhile. So what is in the block
    takes milliseconds. Where BLAS has one thread from the start, as on the command line, nothing is done.
    """
    if os.environ.get("OPENBLAS_NUM_THREADS") == "1":
        yield
        return
    from threadpoolctl import threadpool_limits

    with _turn.lock, threadpool_limits(limits=1, user_api="blas"):
        yield
