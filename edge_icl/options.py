"""How to ask: one record for every way in, `Memory.ask`, `Memory.stream` and the command line alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_icl.selection import DEFAULT_SELECT

LabelMode = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask.

    Attributes:
        select: a name in `selection.SELECTIONS`.
        shots: how many examples to show; None for the store's own number.
        labels: whether to choose among the store's outputs ("on"), to write ("off"), or to look ("auto").
        max_tokens: most tokens of a written answer.
    """

    select: str = DEFAULT_SELECT
    shots: int | None = None
    labels: LabelMode = "auto"
    max_tokens: int = 256
