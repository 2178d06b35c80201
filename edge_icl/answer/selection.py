"""Which examples go into a prompt: pure functions of the store's state and the question, in one table.

    erase    the representatives: the same for every question, so their KV state is computed once
    nearest  those nearest to the question, the nearest last
    hybrid   half of them representatives, then the nearest others
    random   a random choice, the same for every question; for comparison
    none     the question alone; for comparison

Each shows as many examples as are asked for, if the store has so many. A store has as many representatives as
it was made for, fewer if some clusters are empty; `erase` fills up with a random choice, which stands first,
since what stands first is left out where a prompt is too long.

Every one is a function of the *set* of examples: none remembers an order, or what was forgotten. A new one is a
function, a line in `SELECTIONS`, and its name in `options.SelectMode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_icl.cluster.kmeans import EMPTY
from edge_icl.cluster.randomness import shuffle_draws
from edge_icl.search.similarity import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_icl.cluster.kmeans import Clustering
    from edge_icl.cluster.points import Points


@dataclass(frozen=True, slots=True)
class Scene:
    """What a selection may look at.

    Attributes:
        seed: the store's.
        points: all examples, sorted by id.
        clustering: theirs.
        question: i8[d], the question's vector.
        shots: how many examples are wanted.
    """

    seed: bytes
    points: Points
    clustering: Clustering
    question: NDArray[np.int8]
    shots: int


class Chosen(NamedTuple):
    """The ids of the examples for a prompt, in the order in which they stand there.

    Attributes:
        prefix: those that are the same for every question; their KV state can be kept.
        extra: those chosen for this question; they follow.
    """

    prefix: list[bytes]
    extra: list[bytes]


def choose(name: str, scene: Scene) -> Chosen:
    """Choose examples in the way that `name` names, one of `SELECTIONS`."""
    return SELECTIONS[name].choose(scene)


def erase(scene: Scene) -> Chosen:
    """Choose the representatives; if fewer are wanted, those of the largest clusters, if more, others too."""
    shown = _representatives(scene, scene.shots)
    return Chosen([*_some_others(scene, scene.shots - len(shown), set(shown)), *shown], [])


def nearest(scene: Scene) -> Chosen:
    """Choose the examples nearest to the question, the nearest last."""
    return Chosen([], _nearest_others(scene, scene.shots, set()))


def hybrid(scene: Scene) -> Chosen:
    """Choose representatives for half of the shots, rounded down and if there are so many; then the nearest."""
    prefix = _representatives(scene, scene.shots // 2)
    return Chosen(prefix, _nearest_others(scene, scene.shots - len(prefix), set(prefix)))


def random(scene: Scene) -> Chosen:
    """Choose the examples with the smallest keys from the seed: a random sample that knows no question."""
    keys = shuffle_draws(scene.seed, scene.points.ids)
    return Chosen([scene.points.ids[i].tobytes() for i in keys.argsort(kind="stable")[: scene.shots]], [])


def none(_scene: Scene) -> Chosen:
    """Choose no example."""
    return Chosen([], [])


class Selection(NamedTuple):
    """A way to choose examples.

    Attributes:
        choose: the function.
        lasting: whether its prefix follows from the state of the store and the number of shots alone. Only then
            may the KV state after it be kept on disk, where the cache is wiped when a representative changes.
    """

    choose: Callable[[Scene], Chosen]
    lasting: bool = False


SELECTIONS = {
    "erase": Selection(erase, lasting=True),
    "nearest": Selection(nearest),
    "hybrid": Selection(hybrid, lasting=True),
    "random": Selection(random),
    "none": Selection(none),
}

FOR_LABELS = "erase"
"""Beside a prior, which has heard the neighbours already, the representatives say as much as any others; and
they cost least, since their prompt is evaluated once. See benchmarks/accuracy.py."""

FOR_TEXT = "hybrid"
"""A written answer follows the examples that it is shown, and the nearest show its form best."""


def _representatives(scene: Scene, limit: int) -> list[bytes]:
    """Return the ids of at most `limit` representatives, of the largest clusters, in the order of clusters."""
    clustering = scene.clustering
    sizes = np.where(clustering.distances == EMPTY, 0, clustering.counts[-1] + 1)
    chosen = np.sort(np.argsort(-sizes, kind="stable")[:limit])
    return [clustering.representatives[j].tobytes() for j in chosen if sizes[j]]


def _some_others(scene: Scene, limit: int, taken: set[bytes]) -> list[bytes]:
    """Return the smallest ids that are not taken: a random choice, since ids are keyed digests, at no cost."""
    first = (row.tobytes() for row in scene.points.ids[: limit + len(taken)])
    return [id for id in first if id not in taken][:limit]


def _nearest_others(scene: Scene, limit: int, taken: set[bytes]) -> list[bytes]:
    """Return the ids of the nearest examples that are not taken yet, the nearest last."""
    found = search(scene.points, scene.question, limit + len(taken))
    ids = [id for i in found if (id := scene.points.ids[i].tobytes()) not in taken]
    return ids[:limit][::-1]
