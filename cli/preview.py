"""Examples that are to be forgotten, as they are shown before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_icl.cli.tables import counted
from edge_icl.display.unseen import visible
from edge_icl.search.matching import as_json, only_folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.cli.session import Session
    from edge_icl.memory import Memory
    from edge_icl.results import Held

MOST_SHOWN = 10
"""Examples that are shown one by one; more are counted."""

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Preview:
    """Examples that are to be forgotten.

    Attributes:
        session: where they are shown.
        memory: the store.
        found: the examples.
        folded: ids of those that hold the text that was asked for only as a person reads them.
    """

    session: Session
    memory: Memory
    found: Sequence[Held]
    folded: set[str]

    @classmethod
    def of(cls, session: Session, memory: Memory, found: Sequence[Held], match: str | None) -> Preview:
        """Return a preview of examples that were found by a text, or in another way."""
        return cls(session, memory, found, only_folded(found, match))

    def plan(self) -> None:
        """Show all of them: what would be forgotten."""
        output = self.session.output
        if output.json:
            output.document({"dry_run": True, "examples": as_json(self.found, self.folded)})
            return
        output.table(self._header(), self._shown(self.found))
        output.note(f"{counted(len(self.found))} would be forgotten; nothing was changed")
        self._note_folded()

    def rows(self) -> Rows:
        """Return the first of them as rows of a table, and a row that counts the others.

        Those that hold the text only as a person reads them come first: no user expects them.
        """
        first = sorted(self.found, key=lambda one: one.id not in self.folded)[:MOST_SHOWN]
        rows = self._shown(first)
        if len(self.found) > MOST_SHOWN:
            rows.append(["…", *[""] * (len(rows[0]) - 2), f"and {len(self.found) - MOST_SHOWN:,} more"])
        return rows

    def confirm(self, rows: Rows, question: str) -> bool:
        """Show rows beside the result, and ask."""
        self.session.output.list_aside(rows)
        self._note_folded()
        return self.session.output.confirm(question)

    def show(self, rows: Rows) -> None:
        """Show rows as a result."""
        self.session.output.table(self._header(), rows)
        self._note_folded()

    def _header(self) -> list[str]:
        """Return the header of a table of them."""
        return ["id", *([] if self.found[0].similarity is None else ["similar"]), "output", "input"]

    def _shown(self, some: Sequence[Held]) -> Rows:
        """Return some of them as rows; where the eye was deceived, with escapes for what cannot be seen."""
        rows = self.session.rows(self.memory, some)
        for one, row in zip(some, rows, strict=True):
            if one.id in self.folded:
                row[-2:] = map(visible, row[-2:])
        return rows

    def _note_folded(self) -> None:
        """Say how many hold the text only as a person reads them."""
        if self.folded:
            one = len(self.folded) == 1
            self.session.output.note(
                f"{len(self.folded):,} of them {'holds' if one else 'hold'} the text only as a person reads "
                f"{'it' if one else 'them'}; what cannot be seen there is shown as \\u00a0 and the like"
            )
