"""The prior is a function of the set, forgets by subtraction, and says what its sources say it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from edge_icl.cluster.points import Points
from edge_icl.prior import evidence, opinion_pool
from edge_icl.prior.discriminant import Scatter
from edge_icl.prior.fitted import MOST_LEFT_OUT, Prior, fit
from edge_icl.prior.statistics import Statistics

LABELS = ("food", "office", "travel")
sizes = st.integers(1, 40)
components = st.one_of(st.sampled_from((-127, 127)), st.integers(-127, 127))


@st.composite
def sets(draw: st.DrawFn) -> tuple[NDArray[np.int8], list[str]]:
    size = draw(sizes)
    vectors = draw(arrays(np.int8, (size, 6), elements=components))
    return vectors, draw(st.lists(st.sampled_from(LABELS), min_size=size, max_size=size))


def same(one: Statistics, other: Statistics) -> bool:
    return (
        one.counts == other.counts
        and one.totals.keys() == other.totals.keys()
        and all((one.totals[label] == other.totals[label]).all() for label in one.totals)
        and bool((one.gram == other.gram).all())
    )


def blobs(size: int, *, seed: int = 0, spread: float = 25.0) -> tuple[Points, list[str]]:
    """Return examples around one centre a label."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 30, (len(LABELS), 16))
    classes = rng.integers(len(LABELS), size=size)
    vectors = np.clip(np.rint(centres[classes] + rng.normal(0, spread, (size, 16))), -127, 127)
    ids = np.sort(rng.integers(256, size=(size, 16), dtype=np.uint8), axis=0)
    return Points(ids, vectors.astype(np.int8)), [LABELS[i] for i in classes]


def fitted(points: Points, outputs: list[str]) -> Prior:
    return fit(points, outputs, Statistics.of(points.vectors, outputs))


@given(sets(), sets())
def test_what_is_added_and_forgotten_leaves_the_sums_of_what_is_left(
    one: tuple[NDArray[np.int8], list[str]], other: tuple[NDArray[np.int8], list[str]]
) -> None:
    both = Statistics.of(*one).plus(*other)

    assert same(both.minus(*other), Statistics.of(*one))
    assert same(both, Statistics.of(np.concatenate((one[0], other[0])), one[1] + other[1]))


def test_sums_are_exact_at_the_extremes() -> None:
    vectors = np.full((3000, 4), -127, np.int8)

    statistics = Statistics.of(vectors, ["food"] * 3000)

    assert (statistics.gram == 3000 * 127 * 127).all()
    assert (statistics.totals["food"] == -3000 * 127).all()


@pytest.mark.usefixtures("all_cores")
def test_sums_of_many_parts_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(3).integers(-127, 128, (500, 6)).astype(np.int8)
    outputs = [f"label {i * i % 7}" for i in range(450)] + ["last"] * 50
    monkeypatch.setattr("edge_icl.prior.statistics.PART", 60)

    found = Statistics.of(vectors, outputs)

    wide = vectors.astype(np.int64)
    own = {name: [i for i, output in enumerate(outputs) if output == name] for name in set(outputs)}
    assert (found.gram == wide.T @ wide).all()
    assert found.counts == {name: len(rows) for name, rows in own.items()}
    assert all((found.totals[name] == wide[rows].sum(0)).all() for name, rows in own.items())


def test_sums_take_no_second_copy_of_the_vectors() -> None:
    vectors = np.random.default_rng(4).integers(-127, 128, (1 << 16, 128)).astype(np.int8)
    outputs = [LABELS[i % 3] for i in range(len(vectors))]
    tracemalloc.start()

    Statistics.of(vectors, outputs)

    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < vectors.nbytes


@pytest.mark.parametrize("shrinkage", [0.01, 0.3, 0.97])
def test_an_example_left_out_is_scored_as_by_a_discriminant_that_never_saw_it(shrinkage: float) -> None:
    points, outputs = blobs(40)
    labels = sorted(set(outputs))
    classes = np.array([labels.index(output) for output in outputs])
    whole = Scatter(Statistics.of(points.vectors, outputs), labels)

    found = whole.left_out(whole.rotated(points.vectors), classes, shrinkage)

    for i in range(len(outputs)):
        keep = np.arange(len(outputs)) != i
        rest = Scatter(
            Statistics.of(points.vectors[keep], [o for o, k in zip(outputs, keep, strict=True) if k]), labels
        )
        # The amount of shrinkage is relative to the whole set's size and length, so these are taken from it.
        rest._size, rest._isotropic = whole._size, whole._isotropic
        rest._spread = rest._spread * (keep.sum() / whole._size)
        scores = rest.scores(rest.rotated(points.vectors[i : i + 1]), shrinkage)[0]
        assert found[i] == pytest.approx(scores - scores.mean(), rel=1e-6, abs=1e-6)


def test_trust_goes_to_the_expert_who_is_right() -> None:
    rng = np.random.default_rng(0)
    answers = rng.integers(3, size=200)
    right = np.where(answers[:, None] == np.arange(3), 1.0, 0.0) + rng.normal(0, 0.3, (200, 3))
    opinions = np.stack([right, rng.normal(0, 1, (200, 3)), -right])

    weights = opinion_pool.trust(opinions, answers, np.ones(3), firmness=1.0)

    assert weights[0] > 2
    assert weights[1] < 0.3
    assert weights[2] == 0


def test_where_nothing_can_be_left_out_the_expected_weights_stand() -> None:
    points, _ = blobs(3)

    prior = fitted(points, list(LABELS))
    shares = np.exp(prior.log_probabilities(points.vectors[0]))

    assert shares.sum() == pytest.approx(1)
    assert (prior.weights[0] / prior.weights[1]) == pytest.approx(3)


def test_a_store_of_one_label_is_certain() -> None:
    points, _ = blobs(5)

    assert np.exp(fitted(points, ["food"] * 5).log_probabilities(points.vectors[0])) == pytest.approx([1])


def test_the_prior_learns_and_knows_how_sure_to_be() -> None:
    points, outputs = blobs(300)
    asked, truth = blobs(300, seed=1)
    prior = fitted(points, outputs)

    shares = np.exp([prior.log_probabilities(vector) for vector in asked.vectors])
    right = np.array([prior.labels[i] for i in shares.argmax(1)]) == np.array(truth)

    assert right.mean() > 0.9
    assert shares.max(1).mean() == pytest.approx(right.mean(), abs=0.05)


def test_the_prior_is_a_function_of_the_set_bit_for_bit() -> None:
    points, outputs = blobs(200)
    more, their = blobs(50, seed=2)
    statistics = Statistics.of(points.vectors, outputs).plus(more.vectors, their).minus(more.vectors, their)

    one, other = fitted(points, outputs), fit(points, outputs, statistics)

    assert (one.shrinkage, one.sharpness) == (other.shrinkage, other.sharpness)
    assert (one.log_probabilities(more.vectors[0]) == other.log_probabilities(more.vectors[0])).all()


TIES = """
import json
import numpy as np
from edge_icl.cluster.points import Points
from edge_icl.prior.evidence import shortlist
from edge_icl.prior.fitted import fit
from edge_icl.prior.statistics import Statistics

rng = np.random.default_rng(0)
few = rng.integers(-60, 60, (6, 31), dtype=np.int8).repeat(300, 0)
few_say = [f"{i // 300} {rng.integers(9)}" for i in range(len(few))]  # who votes is decided among 300 equals
many = rng.integers(-60, 60, (120, 111), dtype=np.int8).repeat(3, 0)
many_say = [f"{i // 30} {'abc'[i % 3]}" for i in range(len(many))]  # three labels for each, equally likely
few_agree = [f"{i // 300} {'ab'[i % 2]}" for i in range(len(few))]  # every shrinkage costs the same
for vectors, outputs in (few, few_say), (few, few_agree), (many, many_say):
    ids = np.arange(len(vectors), dtype=">u8").view(np.uint8).reshape(-1, 8).repeat(2, axis=1)
    prior = fit(Points(ids, vectors), outputs, Statistics.of(vectors, outputs))
    logs = np.array([prior.log_probabilities(one) for one in vectors[::25]])
    put = [shortlist(one).tolist() for one in logs]
    print(json.dumps([[prior.shrinkage, prior.sharpness], prior.weights.tolist(), logs.tolist(), put]))
"""


def without_extensions() -> dict[str, str]:
    """Return variables with which numpy and its BLAS compute as on a processor without vector extensions."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(found), "OPENBLAS_CORETYPE": "Nehalem"}


@given(
    component=st.integers(-127, 127),
    counts=st.lists(st.integers(2, 12), min_size=2, max_size=5),  # all of them vote
    dimension=st.integers(1, 40),
)
def test_where_all_vectors_are_one_nothing_but_the_counts_decides(
    component: int, counts: list[int], dimension: int
) -> None:
    outputs = [f"label {i}" for i, count in enumerate(counts) for _ in range(count)]
    vectors = np.full((len(outputs), dimension), component, np.int8)
    ids = np.arange(len(outputs), dtype=">u8").repeat(2).view(np.uint8).reshape(-1, 16)

    prior = fit(Points(ids, vectors), outputs, Statistics.of(vectors, outputs))

    logs = prior.log_probabilities(vectors[0])
    for i, count in enumerate(counts):
        for j, other in enumerate(counts):
            assert count > other or logs[i] <= logs[j] + 1e-6, (i, j)


def test_no_tie_is_left_to_the_processor() -> None:
    """Of the last digits alone it is: BLAS sums in its own order, and exponentials differ."""
    here, elsewhere = (
        subprocess.run(
            [sys.executable, "-c", TIES], env={**os.environ, **env}, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for env in ({}, without_extensions())
    )

    assert len(here) == len(elsewhere) == 3
    for one, other in zip(map(json.loads, here), map(json.loads, elsewhere), strict=True):
        assert one[0] == other[0]
        assert np.array(one[1]) == pytest.approx(np.array(other[1]), rel=1e-6)
        assert np.array(one[2]) == pytest.approx(np.array(other[2]), rel=1e-6, abs=1e-9)
        assert one[3] == other[3]


def test_the_prior_keeps_no_cosines_of_all_examples() -> None:
    points, outputs = blobs(32_768)
    statistics = Statistics.of(points.vectors, outputs)
    pairs = MOST_LEFT_OUT * len(outputs)

    tracemalloc.start()
    fit(points, outputs, statistics)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < pairs * np.dtype(np.float64).itemsize


def test_eigenvectors_take_one_thread_of_a_program_that_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them only wait for each other where another program is busy; the program has its number back."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    decompose, seen = np.linalg.eigh, []
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: (seen.append(blas_threads()), decompose(matrix))[1])

    with threadpool_limits(limits=2, user_api="blas"):
        fitted(*blobs(20))
        after = blas_threads()

    assert (seen, after) == ([{1}], {2})


def blas_threads() -> set[int]:
    """Return with how many threads the BLAS libraries of this process compute."""
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_probabilities_are_stable() -> None:
    def probabilities(scores: list[float]) -> list[float]:
        return np.exp(opinion_pool.log_probabilities(np.array(scores))).tolist()

    assert probabilities([-1e4, -1e4]) == pytest.approx([0.5, 0.5])
    assert probabilities([0.0, -np.inf]) == [1.0, 0.0]
    assert probabilities(np.log([0.1, 0.3])) == pytest.approx([0.25, 0.75])


def test_evidence_moves_probability_only_between_the_labels_put() -> None:
    logs = opinion_pool.log_probabilities(np.linspace(0, 3, 12))
    put = evidence.shortlist(logs)

    after = evidence.weighed(logs, put, np.linspace(5, -5, len(put)))

    assert put.tolist() == list(range(4, 12))
    assert evidence.shortlist(np.array([-9.0, -0.1, -3.9, -5.0])).tolist() == [1, 2]
    assert evidence.shortlist(np.array([-9.0, -0.1, -8.0])).tolist() == [1, 2]
    assert np.exp(after).sum() == pytest.approx(1)
    assert after[:4] == pytest.approx(logs[:4])
    assert after[4] - after[11] > logs[4] - logs[11]


def test_of_labels_that_are_equally_likely_but_for_rounding_the_first_are_put() -> None:
    rounded = np.full(12, -2.5) + np.linspace(-1, 1, 12) * 1e-14

    assert evidence.shortlist(rounded).tolist() == list(range(8))
    assert evidence.shortlist(np.append(rounded, -2.4)).tolist() == [*range(7), 12]


@given(st.lists(st.text("ab c", min_size=1).filter(str.strip), min_size=1, max_size=400))
def test_content_free_texts_are_words_of_the_inputs(inputs: list[str]) -> None:
    texts = evidence.content_free_texts(inputs, bytes(32))

    words = {word for text in inputs for word in text.split()}
    assert all(text and set(text.split()) <= words for text in texts)
    assert texts == evidence.content_free_texts(inputs, bytes(32))
