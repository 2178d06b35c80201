"""The clustering is what its definition says, on any set of points."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from stores import DIMENSION, PARAMETERS, vectors

from edge_icl.cluster import record
from edge_icl.cluster.kmeans import (
    NOBODY,
    Clustering,
    Parameters,
    Points,
    add_members,
    assign,
    centroids_of,
    dots,
    fit,
)
from edge_icl.cluster.race import winner


def point_set(rows: list[list[int]]) -> Points:
    keys = sorted(hashlib.blake2b(bytes([i]), digest_size=16).digest() for i in range(len(rows)))
    ids = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
    return Points(ids, np.array(rows, np.int8).reshape(-1, DIMENSION))


def members(points: Points) -> dict[bytes, tuple[int, ...]]:
    return {
        key.tobytes(): tuple(int(x) for x in row) for key, row in zip(points.ids, points.vectors, strict=True)
    }


def representatives(clustering: Clustering) -> list[bytes | None]:
    return [
        None if d == NOBODY else row.tobytes()
        for row, d in zip(clustering.representatives, clustering.distances, strict=True)
    ]


@given(st.lists(vectors, max_size=25), st.integers(1, 5), st.integers(1, 3), st.integers(1, 90))
def test_clustering_is_what_the_definition_says(
    rows: list[list[int]], shots: int, iterations: int, step: int
) -> None:
    parameters = Parameters(PARAMETERS.seed, shots, iterations, step, DIMENSION)
    points = point_set(rows)

    found = fit(parameters, points)
    winners, history, expected = reference.cluster(parameters.seed, shots, iterations, step, members(points))

    assert [row.tobytes() for row in found.winners] == winners
    centroids = [
        [tuple(int(x) for x in row) for row in moment]
        for moment in centroids_of(parameters, found, upto=iterations)
    ]
    assert centroids[1:] == history
    assert representatives(found) == expected


@given(st.lists(vectors, min_size=1, max_size=12))
def test_repeated_vectors_start_only_one_cluster(rows: list[list[int]]) -> None:
    parameters = Parameters(PARAMETERS.seed, 20, 1, 5, DIMENSION)

    found = fit(parameters, point_set(rows + rows))

    assert len(found.winners) == len({tuple(row) for row in rows})


def test_products_are_exact_at_the_extremes() -> None:
    vectors = np.array([[-127] * 384, [127] * 384, [127, -127] * 192], np.int8)
    for size in (1, 127, 176, 300, 32767):
        others = np.array([[size] * 384, [-size, size] * 192], np.int64)

        assert np.array_equal(dots(vectors, others), vectors.astype(np.int64) @ others.T)


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

    assert winner(draws, np.array([0, 1])) == 1
    assert winner(draws, np.array([0, 0])) is None
    assert winner(draws[:0], np.array([], np.int64)) is None


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=6), st.data())
def test_close_races_are_decided_exactly(draws: list[int], data: st.DataObject) -> None:
    close = [min(draw + data.draw(st.integers(0, 3)), 2**64 - 1) for draw in draws[:1] * 3] + draws
    weights = [data.draw(st.sampled_from([1, 2, 25_000_000])) for _ in close]

    drawn = winner(np.array(close, np.uint64), np.array(weights))

    def key(i: int) -> object:
        unit = reference.Decimal(2**64 - close[i]) / reference.Decimal(2**64)
        return -unit.ln() / weights[i]

    assert drawn == min(range(len(close)), key=key)


def test_wins_are_proportional_to_weights() -> None:
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 2**64, (6000, 3), dtype=np.uint64)

    wins = np.bincount([winner(row, np.array([1, 2, 5])) for row in draws], minlength=3) / len(draws)

    assert np.allclose(wins, [1 / 8, 2 / 8, 5 / 8], atol=0.03)


@given(st.lists(vectors, max_size=12))
def test_a_clustering_survives_its_record(rows: list[list[int]]) -> None:
    clustering = fit(PARAMETERS, point_set(rows))

    data = record.encode(clustering)

    assert record.encode(record.decode(data, PARAMETERS)) == data


def test_a_record_of_another_shape_is_refused() -> None:
    data = record.encode(fit(PARAMETERS, point_set([[1, 2, 3], [60, 2, 3]])))
    other = Parameters(PARAMETERS.seed, PARAMETERS.shots, PARAMETERS.iterations + 1, PARAMETERS.step, DIMENSION)

    with pytest.raises(ValueError, match="shape"):
        record.decode(data, other)
    with pytest.raises(ValueError, match="not a clustering"):
        record.decode(data[:40], PARAMETERS)
