"""Which store a program may have meant where none has that name; the command line has its own words."""

from __future__ import annotations

import warnings
from pathlib import Path

from edge_icl.errors import StoreNotFoundError
from edge_icl.search.matching import fold
from edge_icl.search.spelling import slipped
from edge_icl.store.presence import similar

SHORTEST = 4
"""Letters of a store's name in which one may be wrong: shorter names are more often both meant."""


def not_found(path: Path) -> StoreNotFoundError:
    """Return the error for a path where no store is: which stores may be meant, and how to make this one."""
    near = " or ".join(map(repr, similar(path)))
    make = "make it with create=True, or Memory.create"
    return StoreNotFoundError(
        f"there is no store at {path}",
        f"did you mean {near}? if not, {make}"
        if near
        else f"{make}; edge_icl.list_stores() names those there are",
    )


def warn_of_slip(path: Path) -> None:
    """Warn, for `Memory.open`, before a store is made whose name is that of another with a slip in it."""
    near = [
        name for name in similar(path) if slipped(fold(path.name), fold(Path(name).name), shortest=SHORTEST)
    ]
    if near:
        warnings.warn(
            f"a new store is made at {path}; did you mean {near[0]!r}? "
            "Memory.create makes one without this warning, create=False makes none",
            stacklevel=4,
        )
