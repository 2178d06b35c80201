"""What `forget` must know of an encoder, read in a millisecond: to load the rest of this room takes 25.

>>> brief("all-minilm-l6-v2").max_tokens
256
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.models.regular import read_regular
from edge_icl.runtime.home import home

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 1 << 24


class Brief(NamedTuple):
    """Some of an encoder's record; see `record.Record`. The defaults are those of the default encoder.

    Attributes:
        likeness: from which similarity on two inputs say nearly the same.
        languages: codes of those that it reads well; () where that is not recorded.
        max_tokens: what it reads at a time.
    """

    likeness: float = 0.9
    languages: tuple[str, ...] = ()
    max_tokens: int = 256


def brief(name: str, folder: Path | None = None) -> Brief:
    """Return what an encoder's record says; the defaults where it is not on this machine, or damaged.

    Args:
        name: the encoder's.
        folder: where it is; None for where it is installed.
    """
    if folder is None and set(name) & {"/", "\\"}:  # a store that another user made may say anything
        return Brief()
    try:
        place = folder or home() / "models" / name
        fields = json.loads(read_regular(place / "model.json", most=_LARGEST))
        likeness, languages = fields.get("likeness", Brief().likeness), fields.get("languages", [])
        found = Brief(float(likeness), tuple(map(str, languages)), int(fields["max_tokens"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Brief()
    return found if 0 < found.likeness <= 1 and found.max_tokens > 0 else Brief()
