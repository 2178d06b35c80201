"""What the user wants otherwise than an encoder's folder says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_icl.encode.settings import Pooling


@dataclass(frozen=True, slots=True)
class Choices:
    """How an encoder is to be imported.

    Attributes:
        pooling: how the tokens become one vector; None for what the folder says, else the mean.
        instruction: a text to put in front of each input; None for what the folder says, else nothing.
        centred: whether the mean vector of common texts is subtracted.
        languages: codes of those that it reads well; () where that is not known.
    """

    pooling: Pooling | None = None
    instruction: str | None = None
    centred: bool = True
    languages: tuple[str, ...] = ()


AS_IT_SAYS = Choices()
