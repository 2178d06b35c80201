"""The clustering is what its definition says, on any set of points."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import DIMENSION, PARAMETERS, vectors

from edge_icl.cluster import record
from edge_icl.cluster.distances import add_members, assign
from edge_icl.cluster.kmeans import EMPTY, Clustering, Parameters, centroids_of, fit, refit
from edge_icl.cluster.points import Points
from edge_icl.cluster.sampling import draw_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

cuts = st.sets(st.integers(1, 24))
"""Where a set is cut into blocks."""


class Cut:
    """A set of points in blocks, worked on several at a time.

    Attributes:
        visits: how often it was visited.
    """

    def __init__(self, whole: Points, cuts: set[int]) -> None:
        ends = sorted({cut for cut in cuts if 0 < cut < len(whole.ids)} | {0, len(whole.ids)})
        self._blocks = [Points(whole.ids[a:b], whole.vectors[a:b]) for a, b in pairwise(ends)]
        self.visits = 0

    def visit(self, work: Callable[[Points], T]) -> Iterator[T]:
        self.visits += 1
        with ThreadPoolExecutor(3) as pool:
            yield from pool.map(work, self._blocks)


def point_set(rows: list[list[int]]) -> Points:
    keys = sorted(hashlib.blake2b(i.to_bytes(2), digest_size=16).digest() for i in range(len(rows)))
    ids = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
    return Points(ids, np.array(rows, np.int8).reshape(-1, DIMENSION))


def members(points: Points) -> dict[bytes, tuple[int, ...]]:
    return {
        key.tobytes(): tuple(int(x) for x in row) for key, row in zip(points.ids, points.vectors, strict=True)
    }


def representatives(clustering: Clustering) -> list[bytes | None]:
    return [
        None if d == EMPTY else row.tobytes()
        for row, d in zip(clustering.representatives, clustering.distances, strict=True)
    ]


@given(st.lists(vectors, max_size=25), st.integers(1, 5), st.integers(1, 3), st.integers(1, 90), cuts)
def test_clustering_is_what_the_definition_says(
    rows: list[list[int]], shots: int, iterations: int, step: int, cuts: set[int]
) -> None:
    parameters = Parameters(PARAMETERS.seed, shots, iterations, step, DIMENSION)
    points = point_set(rows)

    found = fit(parameters, Cut(points, cuts))
    winners, history, expected = reference.cluster(parameters.seed, shots, iterations, step, members(points))

    assert [row.tobytes() for row in found.winners] == winners
    centroids = [
        [tuple(int(x) for x in row) for row in moment]
        for moment in centroids_of(parameters, found, upto=iterations)
    ]
    assert centroids[1:] == history
    assert representatives(found) == expected


@given(st.integers(0, 2**32), st.sets(st.integers(1, 9_999)), st.integers(1, 5))
def test_blocks_of_any_size_give_the_bytes_that_one_block_gives(seed: int, cuts: set[int], shots: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.choice([1, 63, 64, 65, 1024, 1025, 5000]))
    points = point_set(rng.integers(-127, 128, (count, DIMENSION)).tolist())
    parameters = Parameters(PARAMETERS.seed, shots, 2, 20, DIMENSION)

    whole = fit(parameters, Cut(points, set()))

    assert record.encode(fit(parameters, points)) == record.encode(whole)
    assert record.encode(fit(parameters, Cut(points, cuts))) == record.encode(whole)
    for known in range(3):
        again = refit(parameters, Cut(points, cuts), whole, known=known)
        assert record.encode(again) == record.encode(whole)


@settings(max_examples=15)
@given(st.lists(vectors, min_size=2, max_size=12), st.binary(min_size=32, max_size=32), cuts)
def test_the_start_is_found_where_nearly_all_vectors_are_the_same(
    some: list[list[int]], seed: bytes, cuts: set[int]
) -> None:
    points = point_set(some[:1] * 1_000 + some[1:])
    parameters = Parameters(seed, 4, 1, 5, DIMENSION)

    found = fit(parameters, Cut(points, {50 * cut for cut in cuts}))

    assert [row.tobytes() for row in found.winners] == reference.start(seed, 4, members(points))


def test_the_start_is_found_where_few_vectors_are_long() -> None:
    rng = np.random.default_rng(0)
    points = point_set(
        [*rng.integers(-2, 3, (1_000, DIMENSION)).tolist(), [127] * DIMENSION, [-127] * DIMENSION]
    )
    for number in range(10):
        parameters = Parameters(bytes([number] * 32), 4, 1, 5, DIMENSION)

        found = fit(parameters, points)

        start = reference.start(parameters.seed, 4, members(points))
        assert [row.tobytes() for row in found.winners] == start


def test_a_set_is_visited_once_for_the_start_each_iteration_and_the_representatives() -> None:
    ids = point_set([[0] * DIMENSION] * 9_000).ids
    far_apart = np.random.default_rng(0).normal(0, 30, (9_000, 64)).clip(-127, 127).astype(np.int8)
    blocks = Cut(Points(ids, far_apart), {5_000})
    parameters = Parameters(PARAMETERS.seed, 8, 3, 20, 64)

    found = fit(parameters, blocks)
    assert blocks.visits == 1 + 3 + 1

    for known in range(4):
        blocks.visits = 0
        refit(parameters, blocks, found, known=known)
        assert blocks.visits == 3 - known + 1


@given(st.lists(vectors, min_size=1, max_size=12))
def test_repeated_vectors_start_only_one_cluster(rows: list[list[int]]) -> None:
    parameters = Parameters(PARAMETERS.seed, 20, 1, 5, DIMENSION)

    found = fit(parameters, point_set(rows + rows))

    assert len(found.winners) == len({tuple(row) for row in rows})


@pytest.mark.parametrize("dimension", [384, 1_022, 1_024])
@pytest.mark.parametrize("size", [1, 127, 176, 300, 32_767])
def test_distances_are_exact_at_the_extremes(size: int, dimension: int) -> None:
    vectors = np.resize([[-127], [127], [-128], [126], [0]], (1_300, dimension)).astype(np.int8)
    vectors[:, ::2] = np.roll(vectors[:, ::2], 1, 0)
    others = np.array([[size] * dimension, [-size, size] * (dimension // 2)], np.int64)

    nearest, distances = assign(vectors, others)

    exact = ((vectors.astype(np.int64)[:, None] - others) ** 2).sum(2)
    assert np.array_equal(nearest, exact.argmin(1))
    assert np.array_equal(distances, exact.min(1))


def test_column_sums_are_exact_for_many_equal_rows() -> None:
    full = np.full((1 << 16, 2), -127, np.int8)
    sums, counts = np.zeros((1, 2), np.int64), np.zeros(1, np.int64)

    add_members(sums, counts, full, np.zeros(len(full), np.intp), sign=1)

    assert sums.tolist() == [[-127 << 16, -127 << 16]]
    assert counts.tolist() == [1 << 16]


def test_equal_distances_go_to_the_first_centroid() -> None:
    nearest, distances = assign(np.array([[0, 0, 0]], np.int8), np.array([[0, 5, 0], [5, 0, 0]], np.int64))

    assert (nearest.tolist(), distances.tolist()) == ([0], [25])


def test_weight_zero_never_wins_and_an_empty_race_has_no_winner() -> None:
    draws = np.array([0, 1 << 63], np.uint64)

    assert draw_one(draws, np.array([0, 1])) == 1
    assert draw_one(draws, np.array([0, 0])) is None
    assert draw_one(draws[:0], np.array([], np.int64)) is None


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=6), st.data())
def test_close_races_are_decided_exactly(draws: list[int], data: st.DataObject) -> None:
    close = [min(draw + data.draw(st.integers(0, 3)), 2**64 - 1) for draw in draws[:1] * 3] + draws
    weights = [data.draw(st.sampled_from([1, 2, 25_000_000])) for _ in close]

    drawn = draw_one(np.array(close, np.uint64), np.array(weights))

    def key(i: int) -> object:
        unit = reference.Decimal(2**64 - close[i]) / reference.Decimal(2**64)
        return -unit.ln() / weights[i]

    assert drawn == min(range(len(close)), key=key)


def test_wins_are_proportional_to_weights() -> None:
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 2**64, (6000, 3), dtype=np.uint64)

    wins = np.bincount([draw_one(row, np.array([1, 2, 5])) for row in draws], minlength=3) / len(draws)

    assert np.allclose(wins, [1 / 8, 2 / 8, 5 / 8], atol=0.03)
