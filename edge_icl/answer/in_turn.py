"""Examples left out in turn, each judged by all others; and whether another encoder would make that better.

>>> other = compare(opened, derived, examples, settings, progress)
>>> other.accuracy, other.own_accuracy, other.better
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.answer.check import OtherEncoder
from edge_icl.cluster.points import Points
from edge_icl.prior import accuracy
from edge_icl.prior.fitted import fit
from edge_icl.prior.statistics import Statistics
from edge_icl.runtime.threads import each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_icl.access.opening import Wanted
    from edge_icl.answer.derived import Derived
    from edge_icl.answer.open_store import OpenStore
    from edge_icl.prior.fitted import Prior
    from edge_icl.results import Held
    from edge_icl.runtime.progress import Progress

MOST_ROWS, MOST_SHARES = 2048, 1 << 20
"""Most examples, and most probabilities, examples times labels, that a thread computes at a time."""

MOST_COMPARED = 1000
"""Examples by which encoders are compared: seconds of encoding, and a gain of three points is hardly chance."""


def judge(prior: Prior, count: int, progress: Progress) -> NDArray[np.float64]:
    """Return the log-probabilities f64[count, labels] of labels for the first examples, each by all others.

    Args:
        prior: of two examples at least.
        count: how many are left out.
        progress: told about them, stage "judge".
    """
    step = max(1, min(MOST_SHARES // len(prior.labels), MOST_ROWS))
    logs = np.empty((count, len(prior.labels)))

    def leave_out(start: int) -> int:
        rows = np.arange(start, min(start + step, count))
        logs[rows] = prior.leaving_out(rows)
        return len(rows)

    done = 0
    progress("judge", done, count)
    with closing(each(leave_out, range(0, count, step), chunk=1)) as judged:
        for some in judged:
            done += some
            progress("judge", done, count)
    return logs


def compare(
    opened: OpenStore, derived: Derived, examples: Sequence[Held], other: Wanted, progress: Progress
) -> OtherEncoder:
    """Return how the first examples fare with the store's encoder, and with another.

    Both priors know these examples alone. Where a store holds more, its own accuracy is better than what is
    said of its encoder here: what is compared must have been taught the same.

    Args:
        opened: the store.
        derived: what is derived of its state.
        examples: all of them, sorted by id; with two labels at least.
        other: the store's settings with the other encoder, and where that is.
        progress: told about examples that are embedded ("embed") and judged ("judge").

    Raises:
        ModelFileError: one of the encoder's files is not usable, or not what was installed.
    """
    sample = examples[:MOST_COMPARED]
    ids, own = derived.points.ids[:MOST_COMPARED], derived.points.vectors[:MOST_COMPARED]
    with closing(opened.engines.of(*other)) as engines:
        vectors = engines.encoder().encode([held.input for held in sample], progress=progress)
    outputs = [held.output for held in sample]
    prior = derived.prior if len(sample) == len(examples) else _fit(Points(ids, own), outputs)
    mine, others = (_right(one, outputs, progress) for one in (prior, _fit(Points(ids, vectors), outputs)))
    gained, lost = int((others & ~mine).sum()), int((mine & ~others).sum())
    return OtherEncoder(
        name=other.settings.encoder,
        examples=len(sample),
        right=int(others.sum()),
        own_right=int(mine.sum()),
        interval=accuracy.paired_interval(gained, lost, len(sample)),
    )


def _fit(points: Points, outputs: Sequence[str]) -> Prior:
    """Return the prior of a sample."""
    return fit(points, outputs, Statistics.of(points.vectors, outputs))


def _right(prior: Prior, outputs: Sequence[str], progress: Progress) -> NDArray[np.bool_]:
    """Return which examples all others call what they are, bool[n]."""
    index = {label: i for i, label in enumerate(prior.labels)}
    own = np.array([index[output] for output in outputs], np.intp)
    return np.asarray(accuracy.called(judge(prior, len(own), progress)) == own)
