"""What examples that were left out say: how sure is sure enough, and what is unlike all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_icl.cluster.points import Points
from edge_icl.prior.fitted import Prior, fit
from edge_icl.prior.left_out import LOSS, LeftOut, gain
from edge_icl.prior.likeness import FEWEST, Likeness
from edge_icl.prior.opinion_pool import log_probabilities
from edge_icl.prior.statistics import Statistics

Floats = NDArray[np.float64]


@st.composite
def said(draw: st.DrawFn) -> tuple[Floats, NDArray[np.intp]]:
    """Return log-probabilities of labels for some examples, and the right labels."""
    size, labels = draw(st.integers(0, 60)), draw(st.integers(1, 5))
    scores = draw(arrays(np.float64, (size, labels), elements=st.floats(-9, 9)))
    return log_probabilities(scores), draw(arrays(np.intp, size, elements=st.integers(0, labels - 1)))


def blobs(size: int, labels: int, *, seed: int = 0, dimension: int = 16) -> tuple[Points, list[str]]:
    """Return examples around one centre a label."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(labels, size=size)
    centres = np.random.default_rng(99).normal(0, 30, (labels, dimension))
    vectors = np.clip(np.rint(centres[classes] + rng.normal(0, 25, (size, dimension))), -127, 127).astype(
        np.int8
    )
    ids = np.arange(16 * size, dtype=np.uint32).reshape(size, 16).astype(np.uint8)
    return Points(ids, vectors), [f"label {i}" for i in classes]


def fitted(points: Points, outputs: list[str]) -> Prior:
    return fit(points, outputs, Statistics.of(points.vectors, outputs))


@given(said(), st.floats(0.001, 0.999))
def test_of_the_answers_given_no_more_than_the_rate_is_wrong(
    one: tuple[Floats, NDArray[np.intp]], rate: float
) -> None:
    left_out = LeftOut.of(*one)

    given = left_out.sure >= left_out.threshold(rate)

    assert (~left_out.right[given]).sum() + 1 <= rate * (given.sum() + 1) or not given.any()


@given(said(), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_who_allows_more_wrong_answers_gets_more_answers(
    one: tuple[Floats, NDArray[np.intp]], rate: float, other: float
) -> None:
    left_out = LeftOut.of(*one)

    assert left_out.threshold(max(rate, other)) <= left_out.threshold(min(rate, other))


def test_a_few_examples_show_no_low_rate() -> None:
    logs = log_probabilities(np.tile([9.0, 0.0], (18, 1)))

    assert LeftOut.of(logs, np.zeros(18, np.intp)).threshold(0.05) == np.inf
    assert LeftOut.of(logs[:1].repeat(20, 0), np.zeros(20, np.intp)).threshold(0.05) < 1


@given(said(), st.floats(0, 6))
def test_where_the_model_is_not_asked_little_is_lost(
    one: tuple[Floats, NDArray[np.intp]], spread: float
) -> None:
    left_out = LeftOut.of(*one)
    margin = left_out.margin(spread)

    lost = [gain(gap, spread) for gap in left_out.gaps.tolist() if gap >= margin]

    assert sum(lost) <= LOSS * len(left_out.gaps) + 1e-9 or max(lost) <= LOSS


@given(st.floats(0, 9), st.floats(0.01, 6))
def test_the_gain_is_what_evidence_of_that_spread_gains(gap: float, spread: float) -> None:
    """By numerical integration: evidence that exceeds the gap turns the answer."""
    x = np.linspace(-60, 60, 200_001)

    def mean(at: float, turned: NDArray[np.bool_]) -> float:
        density = np.exp(-((x - at) ** 2) / (2 * spread**2)) / (spread * np.sqrt(2 * np.pi))
        return float((density * turned).sum() * (x[1] - x[0]))

    second = 1 / (1 + np.exp(gap))
    turned = x > gap

    found = gain(gap, spread)

    expected = second * mean(spread**2 / 2, turned) - (1 - second) * mean(-(spread**2) / 2, turned)
    assert found == pytest.approx(expected, abs=0.01)
    assert found >= -1e-12


@pytest.mark.parametrize("labels", [2, 5, 30])
def test_examples_left_out_are_judged_by_all_others(labels: int) -> None:
    """Leaving out by a formula is close to making the prior without the example."""
    points, outputs = blobs(40, labels)
    prior = fitted(points, outputs)
    found, refitted = [], []
    for i in range(40):
        others = [j for j in range(40) if j != i]
        without = Prior(
            *_parts(
                Points(points.ids[others], points.vectors[others]), [outputs[j] for j in others], like=prior
            )
        )
        logs = without.log_probabilities(points.vectors[i])
        refitted.append((np.exp(logs.max()), without.labels[int(logs.argmax())] == outputs[i]))
        found.append((prior.left_out.sure[i], bool(prior.left_out.right[i])))

    same = sum(one[1] == other[1] for one, other in zip(found, refitted, strict=True))
    assert same >= 38
    assert np.corrcoef([one[0] for one in found], [one[0] for one in refitted])[0, 1] > 0.95


def _parts(points: Points, outputs: list[str], *, like: Prior) -> tuple[object, ...]:
    """Return the parts of a prior of these examples with the choices of another one."""
    own = fitted(points, outputs)
    return (
        own.labels,
        like.shrinkage,
        like.sharpness,
        like.weights,
        own.left_out,
        own.likeness,
        own._points,
        own._classes,
        own._scatter,
        like._scale,
    )


def test_a_label_of_one_example_is_never_guessed_when_that_is_left_out() -> None:
    points, outputs = blobs(30, 3)
    outputs[7] = "only once"

    assert not fitted(points, outputs).left_out.right[7]


@given(st.lists(st.floats(-1, 1), min_size=FEWEST, max_size=200))
def test_of_what_is_like_the_examples_at_most_one_in_a_hundred_is_called_unlike(cosines: list[float]) -> None:
    likeness = Likeness(np.sort(np.array(cosines)))

    flagged = sum(map(likeness.unlike, cosines))

    assert flagged <= max(1, 0.01 * (len(cosines) + 1))
    assert likeness.unlike(-1.1)
    assert not likeness.unlike(1.0) or min(cosines) == 1.0


def test_few_examples_do_not_tell_what_is_unlike_them() -> None:
    points, outputs = blobs(FEWEST - 1, 2)

    assert not fitted(points, outputs).likeness.unlike(-1)
    assert Likeness.of(points.vectors[:1], np.arange(1)).nearest.size == 0


def test_a_store_of_labels_and_one_of_texts_call_the_same_unlike() -> None:
    points, outputs = blobs(300, 3)

    assert (
        Likeness.of(points.vectors, np.arange(256)).nearest == fitted(points, outputs).likeness.nearest
    ).all()
