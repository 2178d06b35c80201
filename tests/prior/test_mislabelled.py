"""Accuracy and its interval, examples that are possibly mislabelled, and the neighbours of all at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_icl.cluster.points import Points
from edge_icl.prior.accuracy import called, confused, interval
from edge_icl.prior.fitted import Prior, fit
from edge_icl.prior.mislabelled import mislabelled
from edge_icl.prior.statistics import Statistics
from edge_icl.search import neighbours as blocks
from edge_icl.search.neighbours import neighbours

LABELS = ("food", "office", "travel")


def blobs(size: int, *, spread: float = 15.0) -> tuple[Points, list[str]]:
    """Return examples around one centre a label."""
    rng = np.random.default_rng(7)
    centres = rng.normal(0, 30, (len(LABELS), 16))
    classes = np.arange(size) % len(LABELS)
    vectors = np.clip(np.rint(centres[classes] + rng.normal(0, spread, (size, 16))), -127, 127)
    ids = np.sort(rng.integers(256, size=(size, 16), dtype=np.uint8), axis=0)
    return Points(ids, vectors.astype(np.int8)), [LABELS[i] for i in classes]


def fitted(points: Points, outputs: list[str]) -> Prior:
    return fit(points, outputs, Statistics.of(points.vectors, outputs))


def one_by_one(
    vectors: NDArray[np.int8], chosen: NDArray[np.intp], limit: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Yield the nearest others of each example chosen and their cosines, by sorting all others."""
    exact = vectors.astype(np.float64)
    squared = np.maximum((exact**2).sum(1), 1)
    for own in chosen.tolist():
        dots = exact @ exact[own]
        ranks = np.abs(dots) * dots / squared
        ranks[own] = -np.inf
        others = np.sort(np.argsort(-ranks, kind="stable")[: min(limit, len(vectors) - 1)])
        yield others, dots[others] / np.sqrt(squared[others]) / np.sqrt(squared[own])


def test_the_interval_is_wilsons() -> None:
    """The first two are worked out in Newcombe, Statistics in Medicine 1998, table I, method 3."""
    assert interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert interval(29, 29) == pytest.approx((0.8830, 1.0), abs=1e-4)


@given(st.integers(1, 10**6), st.data())
def test_an_interval_holds_its_share_and_stays_a_share(tested: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, tested))

    low, high = interval(right, tested)

    assert 0 <= low <= right / tested + 1e-12
    assert right / tested - 1e-12 <= high <= 1


def test_the_pair_that_is_mixed_up_most_comes_first() -> None:
    own, likeliest = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 0, 0, 1, 1])

    assert confused(own, likeliest) == [(1, 0, 2), (0, 1, 1), (2, 1, 1)]


def test_of_equal_labels_the_first_is_called() -> None:
    assert called(np.log([[0.5, 0.5 + 1e-13], [0.2, 0.8]])).tolist() == [0, 1]


@pytest.mark.parametrize("size", [40, 300])
def test_a_planted_label_is_the_first_suspect(size: int) -> None:
    points, outputs = blobs(size)
    for planted in range(12):
        wrong = LABELS[(planted + 1) % len(LABELS)]
        taught = [*outputs[:planted], wrong, *outputs[planted + 1 :]]
        prior = fitted(points, taught)

        found = mislabelled(
            prior.leaving_out(np.arange(size)), np.array([prior.labels.index(one) for one in taught])
        )

        assert found.rows[0] == planted
        assert prior.labels[found.likelier[0]] == outputs[planted]


def test_what_two_labels_are_often_mixed_up_with_is_less_suspect() -> None:
    """The last is as sure as the first two; but their labels are mixed up with each other all the time."""
    shares = [[0.2, 0.7, 0.1], [0.7, 0.2, 0.1]] * 60 + [[0.05, 0.05, 0.9]] * 30 + [[0.7, 0.1, 0.2]]
    own = [0, 1] * 60 + [2] * 30 + [2]

    found = mislabelled(np.log(shares), np.array(own))

    assert found.rows[0] == len(own) - 1
    assert len(found.rows) == 121


def test_an_example_alone_with_its_label_is_no_suspect() -> None:
    with np.errstate(divide="ignore"):
        logs = np.log([[0.0, 0.9, 0.1], [0.1, 0.9, 0.0], [0.2, 0.8, 0.0]])

    assert mislabelled(logs, np.array([0, 1, 1])).rows.tolist() == []


def test_where_nothing_is_left_out_there_is_no_suspect() -> None:
    assert mislabelled(np.zeros((0, 3)), np.zeros(0, np.intp)).rows.tolist() == []


def test_all_left_out_at_once_or_one_by_one_is_the_same() -> None:
    points, outputs = blobs(60)
    prior = fitted(points, outputs)

    at_once = prior.leaving_out(np.arange(60))
    one_by_one = np.concatenate([prior.leaving_out(np.array([i])) for i in range(60)])

    assert at_once == pytest.approx(one_by_one, abs=1e-9)


@given(
    st.integers(1, 60).flatmap(
        lambda n: arrays(np.int8, (n, 3), elements=st.integers(-2, 2) | st.sampled_from((-127, 127)))
    ),
    st.integers(1, 70),
    st.sampled_from((1, 7, 1 << 17)),
    st.integers(1, 40),
)
def test_neighbours_of_all_are_those_of_each(
    vectors: NDArray[np.int8], limit: int, piece: int, rows: int
) -> None:
    chosen = np.arange(len(vectors))[::-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "PIECE", piece)
        patch.setattr(blocks, "ROWS", rows)

        positions, cosines = neighbours(vectors, chosen, limit)

    if len(vectors) == 1:
        assert positions.shape == (1, 0)
        return
    for i, (found, near) in enumerate(one_by_one(vectors, chosen, limit)):
        assert (positions[i] == found).all()
        assert (cosines[i] == near).all()
