"""How long work tells its caller where it is: a callback, so that the library never prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from the working thread each time some work is done.

    Args:
        stage: what is being done, in one or two words ("embed", "fetch model.gguf"); a new word is a new bar.
        done: units finished so far, 0 at the start of a stage.
        total: units in this stage, 0 where that is not known.
    """

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of the work done."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing: the default of every `progress` parameter."""
