"""Labels of an earlier run beside what the store says now: told row by row, and written again if wanted."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from edge_icl.batch import stale
from edge_icl.batch.stale import Why
from edge_icl.cli.tables import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from edge_icl.batch import Labeler, StaleRow
    from edge_icl.batch.stale import Stale
    from edge_icl.cli.labelled import Block, Labels, Write
    from edge_icl.cli.session import Session
    from edge_icl.runtime.progress import Progress

WHY: dict[Why, str] = {
    "answer": "another answer",
    "forgotten": "rested on what is gone",
    "encoder": "made with another encoder",
    "unknown": "does not say what it rested on",
}
"""Why a row is stale, in words."""


class Run(NamedTuple):
    """Labels that are put to a store.

    Attributes:
        session: where is told what is found.
        labels: those of the earlier run.
        label: labels rows as that run did, from the store as it is.
        store: the path of the store.
        out: where all rows are written as they are labelled now; None for nowhere.
        answers_only: see `edge_icl.batch.stale`.
        again: whether rows of the present root are asked again too, as another model was asked then.
    """

    session: Session
    labels: Labels
    label: Labeler
    store: Path
    out: Path | None
    answers_only: bool
    again: bool

    def writing(self, state: Mapping[str, Any]) -> AbstractContextManager[Write]:
        """Return what writes rows, if they are to be written."""
        if self.out is None:
            return nullcontext(_nowhere)
        return self.labels.writing(self.out, store=self.store, state=state)


class Found(NamedTuple):
    """How many rows there are, of each kind."""

    rows: int
    asked: int
    stale: int
    why: Counter[Why]


def check(run: Run, state: Mapping[str, Any], progress: Progress) -> Found:
    """Compare the labels with what the store says now, a block after another, and tell each row that is stale.

    Args:
        run: what is compared.
        state: see `Labels.writing`.
        progress: told about the rows.

    Raises:
        InputError: the labels cannot be read, or not be written where they are wanted.
        StoreChangedError: the store changed meanwhile: nothing was written.
    """
    total = run.labels.total() if run.session.output.watched else 0
    rows, asked, wrong, why = 0, 0, 0, Counter[Why]()
    progress("ask", 0, total)
    with run.writing(state) as write:
        for block in run.labels.blocks():
            found = stale(
                block.rows,
                run.label,
                again=run.again,
                answers_only=run.answers_only,
                as_written=run.labels.as_written,
            )
            for row in found.rows:
                _show(run.session, rows + row.index + 1, row)
            write(block, found)
            rows, asked, wrong = rows + found.count, asked + found.asked, wrong + len(found.rows)
            why.update(found.whys)
            progress("ask", rows, total)
    return Found(rows, asked, wrong, why)


def tell(run: Run, found: Found) -> None:
    """Tell how many rows are stale, and why."""
    session = run.session
    text = f"stale: {found.stale:,} of {counted(found.rows, 'row')}"
    if found.why:
        text += f" ({', '.join(f'{WHY[why]}: {found.why[why]:,}' for why in WHY if found.why[why])})"
    if session.output.json:
        session.output.note(text)
    else:
        session.output.line(text)
    if found.rows > found.asked:
        same = counted(found.rows - found.asked, "row")
        session.output.note(f"{same} not asked again: labelled from the store as it is")
    if run.again:
        session.output.note(
            "another model was asked when these rows were labelled: all of them were asked again"
        )
    if found.why["encoder"]:
        session.output.note(
            "the store has another encoder than when these rows were labelled: all of them are stale"
        )


def _nowhere(block: Block, found: Stale) -> None:
    """Write nothing."""


def _show(session: Session, number: int, row: StaleRow) -> None:
    """Show a row that is stale."""
    if session.output.json:
        session.output.document(
            {"row": number, "old": row.old, "new": row.new, "why": row.why, "forgotten": row.forgotten}
        )
        return
    text = f"row {number}: {_said(row.old)}" + (f" -> {_said(row.new)}" if "answer" in row.why else "")
    whys = [WHY[one] for one in row.why if one != "answer"]
    session.output.line(text + (f" ({', '.join(whys)})" if whys else ""))


def _said(answer: str | None) -> str:
    """Return an answer on one line."""
    return "(none)" if answer is None else one_line(answer)
