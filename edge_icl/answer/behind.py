"""The examples behind an answer: those that the model is shown, and those that are nearest to the question."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from edge_icl.answer.selection import Scene, choose
from edge_icl.errors import ExampleNotFoundError, StoreDamagedError
from edge_icl.results import Held
from edge_icl.search import finding
from edge_icl.search.similarity import similarities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_icl.answer.derived import Derived
    from edge_icl.answer.selection import Chosen
    from edge_icl.example import Example
    from edge_icl.prior.fitted import Voters
    from edge_icl.store.snapshot import Snapshot

MOST_NAMED = 4
"""Nearest examples that an answer names."""

MOST_READ = 64
"""Examples whose texts and vectors are kept: every question shows the representatives."""


class Behind:
    """Finds examples of one snapshot for a question.

    Args:
        derived: from the snapshot that is asked.
    """

    def __init__(self, derived: Derived) -> None:
        self._derived = derived
        self._row = lru_cache(MOST_READ)(partial(_read, derived.snapshot))

    def choose(self, select: str, shots: int | None, vector: NDArray[np.int8]) -> Chosen:
        """Choose the examples for a prompt.

        Args:
            select: how, a name in `selection.SELECTIONS`.
            shots: how many; None for the store's own number.
            vector: i8[d], the question's.
        """
        settings = self._derived.snapshot.settings
        scene = Scene(
            seed=settings.seed,
            points=self._derived.points,
            clustering=self._derived.snapshot.clustering,
            question=vector,
            shots=settings.shots if shots is None else shots,
        )
        return choose(select, scene)

    def read(self, chosen: Chosen, vector: NDArray[np.int8]) -> tuple[Held, ...]:
        """Return chosen examples, each with its similarity to the question's vector i8[d].

        Raises:
            StoreDamagedError: the store does not hold one that its clustering names.
        """
        ids = (*chosen.prefix, *chosen.extra)
        if not ids:
            return ()
        examples, vectors = zip(*map(self._row, ids), strict=True)
        near = similarities(np.stack(vectors), vector)
        return tuple(map(Held.of, (id.hex() for id in ids), examples, near.tolist()))

    def nearest(self, voters: Voters) -> tuple[Held, ...]:
        """Return the voters nearest to the question, whose votes weigh most."""
        derived = self._derived
        some = (voters.positions[:MOST_NAMED], voters.cosines[:MOST_NAMED])
        return tuple(finding.at(derived.snapshot, derived.points, *some))

    def unlike(self, vector: NDArray[np.int8]) -> bool:
        """Tell whether a question, by its vector i8[d], is unlike everything taught; without a prior."""
        near = similarities(self._derived.points.vectors, vector)
        return self._derived.likeness.unlike(float(near.max()))


def _read(snapshot: Snapshot, id: bytes) -> tuple[Example, NDArray[np.int8]]:
    """Return an example that was chosen, and its vector i8[d], without the page that it is in."""
    try:
        page, row = snapshot.row(id)
    except ExampleNotFoundError as error:
        raise StoreDamagedError(
            f"the clustering names an example that the store does not hold: {id.hex()}",
            "restore the store from a backup",
        ) from error
    return page.example(row), page.vectors[row].copy()
