"""How a language model is to be run: one record for what loads it, tries it and looks for a kept result.

    >>> EngineOptions(threads=2)
    EngineOptions(context=4096, gpu_layers=None, threads=2, extra_buffers=True)

Importing it loads nothing else: every open store has one, and most commands never need the model. That is also
why it is not a dataclass, which takes the interpreter six times as long to make.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from edge_icl.errors import InputError
from edge_icl.runtime.arguments import whole

CONTEXT = 4096
"""Most tokens of prompt and answer together: eight examples of a page each. The default model's KV cache has
94 MB then."""

ALWAYS_ALLOWED = 16
"""Processor threads that may be asked for on any machine; on a larger one, two for each processor may."""


class EngineOptions(NamedTuple):
    """How a language model is to be run.

    Attributes:
        context: most tokens of prompt and answer together; the model's own limit caps it.
        gpu_layers: how many layers the GPU holds; None is all, where llama.cpp was built for a GPU.
        threads: processor threads; None is one for each core that this process may use.
        extra_buffers: let llama.cpp repack weights for its fastest kernels, such as those for AMX.
    """

    context: int = CONTEXT
    gpu_layers: int | None = None
    threads: int | None = None
    extra_buffers: bool = True

    def check(self) -> None:
        """Refuse numbers that are out of range.

        Raises:
            InputError: one is.
        """
        for what, number, least in (
            ("context", self.context, 1),
            ("threads", self.threads, 1),
            ("gpu_layers", self.gpu_layers, 0),
        ):
            if number is not None:
                whole(number, what, least=least)
        _refuse_too_many(self.threads)


def _refuse_too_many(threads: int | None) -> None:
    """Refuse threads that would only wait for each other: an answer would seem to hang, or llama.cpp would end.

    Raises:
        InputError: there are too many.
    """
    processors = os.cpu_count() or 1
    most = max(ALWAYS_ALLOWED, 2 * processors)
    if threads is not None and threads > most:
        raise InputError(
            f"{threads:,} threads are too many for {processors} processor{'s' * (processors > 1)}",
            f"ask for {most} at most, or leave the number out: one for each core is the fastest",
        )


DEFAULTS = EngineOptions()
"""What is used where the caller gives no options."""
