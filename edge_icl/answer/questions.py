"""Questions to an open store: embedded, then answered from one snapshot, again if it changes meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge_icl.errors import ExamplesChangedError
from edge_icl.example import normalise
from edge_icl.runtime.cancel import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_icl.answer.open_store import OpenStore
    from edge_icl.answer.options import Options
    from edge_icl.answer.reply import Reply

ATTEMPTS, PATIENCE = 5, 60.0
"""So often, and for so many seconds, a question is asked again whose examples change before it is answered."""


def stream(opened: OpenStore, question: str, options: Options, cancel: Cancel | None) -> Reply:
    """Return an answer in the making, from the store as it is now; see `Memory.stream`."""
    own = Cancel(cancel)
    question = normalise(question, "question")

    return opened.read(
        lambda snapshot: opened.cache.asker(snapshot).ask(
            question, options, embed=opened.embed, cancel=own, lifetime=opened.lifetime
        )
    )


def complete(start: Callable[[], Reply], show: Callable[[str], None] | None = None) -> Reply:
    """Return a reply when it is complete or cancelled; started again where the examples change meanwhile.

    Args:
        start: begins to answer.
        show: takes each piece as it comes. It cannot be taken back, so from then on a change ends the answer.

    Raises:
        ExamplesChangedError: they changed each time, for a minute at least; or after a piece was shown.
    """
    until, attempts = time.monotonic() + PATIENCE, 0
    while True:
        reply, shown = start(), False
        try:
            for piece in reply:
                if show is not None:
                    show(piece)
                    shown = True
        except ExamplesChangedError:
            attempts += 1
            if shown or (attempts >= ATTEMPTS and time.monotonic() > until):
                raise
        else:
            return reply
