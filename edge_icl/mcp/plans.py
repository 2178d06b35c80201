"""Changes that were shown and not made yet: each has a token, and only the token makes it.

    >>> token = plans.keep(Forgetting(ids, root))
    >>> plans.take(token)
    Forgetting(ids=..., root=...)

An assistant may misread what to forget, or to correct. So it is shown what would go, and the token that it then
gives back can only mean that. Tokens are kept in memory alone, serve once and expire. What is forgotten must be
what the store held when it was shown, which the root tells; the one example that is corrected is told by its
id, so that several can be shown and then corrected.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from edge_icl.errors import ConfirmationError

if TYPE_CHECKING:
    from collections.abc import Callable

P = TypeVar("P")

LIFETIME = 600.0
"""Seconds that a token serves: long enough to ask a person, too short to be forgotten about."""

MOST = 100
"""Plans kept at once, the newest: an assistant that only ever plans must not fill the memory."""

TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A forget that was shown.

    Attributes:
        ids: of the examples that it was shown for, hex.
        root: the store's root when they were looked up.
    """

    ids: tuple[str, ...]
    root: str


@dataclass(frozen=True, slots=True)
class Fixing:
    """A correction that was shown.

    Attributes:
        id: of the example, hex.
        output: its new output.
    """

    id: str
    output: str


class Plans(Generic[P]):
    """The plans of one process for one tool. Safe to use from several threads.

    Args:
        tool: what does them.
        clock: returns seconds that never go back.
    """

    def __init__(self, tool: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._tool = tool
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, P]] = {}

    def keep(self, plan: P) -> str:
        """Keep a plan and return its token."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._lock:
            self._drop_expired()
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[token] = (self._clock() + LIFETIME, plan)
        return token

    def take(self, token: str) -> P:
        """Return the plan of a token, which then no longer serves.

        Raises:
            ConfirmationError: no plan has this token: it is wrong, was used, or has expired.
        """
        with self._lock:
            self._drop_expired()
            found = self._kept.pop(token, None)
        if found is None:
            raise ConfirmationError(
                f"no {self._tool} waits for this token: it is wrong, was used, or is over {LIFETIME:.0f} s old",
                f"call {self._tool}_dry_run again",
            )
        return found[1]

    def _drop_expired(self) -> None:
        """Drop the plans whose time is over; the oldest come first."""
        now = self._clock()
        self._kept = {token: kept for token, kept in self._kept.items() if kept[0] > now}
