"""The examples that a prompt for a question would show, for programs that write prompts of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.answer.behind import Behind
from edge_icl.answer.options import AUTO
from edge_icl.answer.selection import FOR_LABELS, FOR_TEXT
from edge_icl.example import normalise

if TYPE_CHECKING:
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.answer.options import Options
    from edge_icl.results import Held
    from edge_icl.store.snapshot import Snapshot


def select(opened: OpenStore, question: str, options: Options) -> list[Held]:
    """Return the examples to show; see `Memory.select`."""
    text = normalise(question, "question")

    def look(snapshot: Snapshot) -> list[Held]:
        if not snapshot.manifest.count:
            return []
        derived = opened.cache.derived(snapshot)
        how: str = options.select
        if how == AUTO:
            how = FOR_LABELS if derived.labelling(options.labels).labels else FOR_TEXT
        (vector,) = opened.embed([text])
        behind = Behind(derived)
        return list(behind.read(behind.choose(how, options.shots, vector), vector))

    return opened.read(look)
