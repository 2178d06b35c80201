"""Forgets that were shown and not done yet: each has a token, and only the token does it.

    >>> token = plans.keep(Plan(ids, root))
    >>> plans.take(token)
    Plan(ids=..., root=...)

An assistant may misread what to forget. So it is shown what would go, and the token that it then gives back can
only mean that. Tokens are kept in memory alone, serve once and expire; the root tells whether the store has
changed since.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.errors import ConfirmationError

if TYPE_CHECKING:
    from collections.abc import Callable

LIFETIME = 600.0
"""Seconds that a token serves: long enough to ask a person, too short to be forgotten about."""

MOST = 100
"""Plans kept at once, the newest: an assistant that only ever plans must not fill the memory."""

TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """A forget that was shown.

    Attributes:
        ids: of the examples that it was shown for, hex.
        root: the store's root when they were looked up.
    """

    ids: tuple[str, ...]
    root: str


class Plans:
    """The plans of one process. Safe to use from several threads.

    Args:
        clock: returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Plan]] = {}

    def keep(self, plan: Plan) -> str:
        """Keep a plan and return its token."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._lock:
            self._drop_expired()
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[token] = (self._clock() + LIFETIME, plan)
        return token

    def take(self, token: str) -> Plan:
        """Return the plan of a token, which then no longer serves.

        Raises:
            ConfirmationError: no plan has this token: it is wrong, was used, or has expired.
        """
        with self._lock:
            self._drop_expired()
            found = self._kept.pop(token, None)
        if found is None:
            raise ConfirmationError(
                f"no forget waits for this token: it is wrong, was used, or is older than {LIFETIME:.0f} s",
                "call forget_dry_run again",
            )
        return found[1]

    def _drop_expired(self) -> None:
        """Drop the plans whose time is over; the oldest come first."""
        now = self._clock()
        self._kept = {token: kept for token, kept in self._kept.items() if kept[0] > now}
