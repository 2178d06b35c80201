"""Where `edge-icl` begins: signals are taken first, and everything else is imported after that.

A signal that comes while Python itself starts, before this module, ends the program in Python's own way.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.cli import interrupts

if TYPE_CHECKING:
    from collections.abc import Sequence


ONE_BLAS_THREAD = ("OPENBLAS_NUM_THREADS", "1")
"""For numpy, which reads it when it loads. Products are small here, and OpenBLAS's threads wait for each other
in a loop: with two of them, the prior of 10,000 examples took more than twice the processor's time, and no less
of the user's. A user's own choice stays."""


COLLECTED_AFTER = 50_000
"""Objects that are made before Python looks for circles among them. By itself it looks after 700, again and
again at what imports have made, which lives to the end. What runs for hours still has them taken away."""


def main(args: Sequence[str] | None = None, *, called: str | None = None) -> int:
    """Run the program.

    Args:
        args: what was typed after its name; None for what was typed in the shell, and then nothing comes after.
        called: what is typed before the commands, where another program has them among its own.

    Returns:
        The exit code.
    """
    _hold_standard_descriptors()
    interrupts.begin(json="--json" in (sys.argv if args is None else args))
    try:
        if args is None:  # otherwise the process is that of a program around this one
            gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
        from edge_icl.cli import passphrases
        from edge_icl.cli.program import run

        if args is None:
            passphrases.take()
            os.environ.setdefault(*ONE_BLAS_THREAD)
        return run(sys.argv[1:] if args is None else args, called=called)
    finally:
        interrupts.end(for_good=args is None)
        if args is None:
            gc.freeze()  # or Python would look for circles among all objects once more, and then ends anyway


def _hold_standard_descriptors() -> None:
    """Open what was closed of stdin, stdout and stderr.

    Or the next file that is opened, such as a page of a store, would get the number of one, and what a library
    writes to stderr would go into it. Python has noted before that they are closed, and commands tell so.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, flags)  # the lowest number that is free, which is this one
