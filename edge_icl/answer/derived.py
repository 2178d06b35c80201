"""What is derived from one snapshot of a store for questions: computed when it is first needed, and kept."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.answer import labels
from edge_icl.cluster.points import BLOCK
from edge_icl.example import Example
from edge_icl.prior.evidence import MOST_SAMPLED
from edge_icl.prior.fitted import Prior, fit
from edge_icl.prior.likeness import Likeness
from edge_icl.prior.statistics import Statistics
from edge_icl.results import Labelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.answer.options import LabelMode
    from edge_icl.cluster.points import Points
    from edge_icl.store.pages import Row
    from edge_icl.store.snapshot import Snapshot
    from edge_icl.store.writer import Change


class Derived:
    """What is derived from one snapshot for questions: computed when it is first needed, and kept.

    Args:
        snapshot: the state.
        statistics: its sums, if they are known.
    """

    def __init__(self, snapshot: Snapshot, statistics: Statistics | None = None) -> None:
        self.snapshot = snapshot
        self._statistics = statistics

    @cached_property
    def points(self) -> Points:
        """All ids and vectors, sorted by id."""
        return self.snapshot.points()

    @cached_property
    def _texts(self) -> tuple[list[str], list[str]]:
        """The first inputs and all outputs, in the order of the ids.

        Both are read at once: later a writer may have wiped the pages. Equal outputs are one object.
        """
        _ = self.points  # first: pages read for their texts alone would hold their vectors a second time
        inputs: list[str] = []
        outputs: list[str] = []
        for page in self.snapshot.load():
            outputs += page.outputs()
            if len(inputs) < MOST_SAMPLED:
                inputs += [example.input for _, example in page.examples()][: MOST_SAMPLED - len(inputs)]
        return inputs, outputs

    @property
    def inputs(self) -> list[str]:
        """The inputs that are sampled, the first in the order of the ids."""
        return self._texts[0]

    @cached_property
    def outputs(self) -> Counter[str]:
        """How often each output occurs."""
        return Counter(self._texts[1])

    @cached_property
    def statistics(self) -> Statistics:
        """Sums over all examples."""
        return self._statistics or Statistics.of(self.points.vectors, self._texts[1])

    def statistics_after(self, change: Change) -> Statistics | None:
        """Return the sums after a change of this state, if those before it are known."""
        if "statistics" not in self.__dict__ or change.root_before != self.snapshot.root:
            return None
        statistics, rows = self.statistics, iter(change.added)
        while some := [*islice(rows, BLOCK)]:
            statistics = statistics.plus(*_columns(some))
        return statistics.minus(*_columns(change.removed))

    @cached_property
    def prior(self) -> Prior:
        """What the examples say about a question's label; there must be one at least."""
        return fit(self.points, self._texts[1], self.statistics)

    @cached_property
    def likeness(self) -> Likeness:
        """How near examples are to each other, without a look at their outputs."""
        return Likeness.of(self.points.vectors, np.arange(min(MOST_SAMPLED, len(self.points.ids))))

    def labelling(self, mode: LabelMode) -> Labelling:
        """Return whether the outputs are labels, and why.

        Args:
            mode: "on" or "off" if that was said with the question, or "auto" to look at the outputs.
        """
        if mode == "auto":
            return self._labelling
        return Labelling(labels=mode == "on", why=f"it was asked for with labels {mode}")

    @cached_property
    def _labelling(self) -> Labelling:
        """Whether the outputs are labels, as they look."""
        return labels.decide(self.outputs, self.snapshot.manifest.labels)


def _columns(rows: Sequence[Row]) -> tuple[NDArray[np.int8], list[str]]:
    """Return the vectors i8[n, d] and the outputs of rows."""
    outputs = [Example.from_canonical(row.text).output for row in rows]
    return np.array([row.vector for row in rows], np.int8), outputs
