"""What a process that was forked must not take over from its parent.

A fork copies the memory and one thread. Locks that other threads held stay locked in the child, where nothing
opens them, and C libraries wait there for threads of theirs that do not exist. So every object of this package
that outlives a call registers here, and starts again in the child: with new locks, and without models.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """What starts again in a forked process."""

    def renew(self) -> None:
        """Take new locks and let go of what belongs to the parent; no other thread is there."""


_registered: WeakSet[Renewable] = WeakSet()
_kept: list[object] = []


def renewed(one: Renewable) -> None:
    """Have `one.renew()` called in every process that is forked from this one, as long as `one` lives."""
    _registered.add(one)


def leave(*things: object) -> None:
    """Keep in memory what is the parent's: giving it back may need a lock that a thread of the parent holds."""
    _kept.extend(things)


def _renew() -> None:
    """Let everything that is registered start again."""
    for one in list(_registered):
        one.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
