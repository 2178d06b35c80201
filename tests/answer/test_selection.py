"""Which examples are chosen is a function of the set, the clustering and the question."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import PARAMETERS, SETTINGS, make, numbers, points, rows, vectors

from edge_icl.answer.selection import SELECTIONS, Scene, choose
from edge_icl.cluster.exact import EXACT_PRODUCTS
from edge_icl.cluster.kmeans import fit
from edge_icl.cluster.points import Points
from edge_icl.search.near_copies import Asked, Likeness, near_copies
from edge_icl.search.neighbours import neighbours
from edge_icl.search.scripts import Sight
from edge_icl.search.similarity import cosines, search, similarities

if TYPE_CHECKING:
    from pathlib import Path


def scene(chosen: set[int], question: list[int], shots: int) -> Scene:
    some = points(rows(chosen))
    clustering = fit(PARAMETERS, some)
    return Scene(SETTINGS.seed, some, clustering, np.array(question, np.int8), shots)


@given(st.sets(numbers, min_size=1, max_size=30), st.lists(vectors, min_size=2, max_size=5))
def test_many_questions_find_what_each_finds_alone(chosen: set[int], questions: list[list[int]]) -> None:
    some, asked = points(rows(chosen)).vectors, np.array(questions, np.int8)

    together = cosines(some, asked)

    assert (together == np.stack([similarities(some, one) for one in asked])).all()


@given(st.lists(vectors, min_size=1, max_size=8), st.lists(st.integers(0, 7), max_size=30), st.integers(0, 12))
def test_the_nearest_others_are_exact_and_of_equal_cosines_the_smaller_ids(
    some: list[list[int]], again: list[int], limit: int
) -> None:
    parts = [[int(c / 3) for c in one] for one in some]  # each also three times as long: the very same cosine
    held = np.array([*parts, *some, *([3 * c for c in parts[i % len(parts)]] for i in again)], np.int8)

    def cosine(i: int, other: int) -> Fraction:
        dot, squares = int(held[i].astype(int) @ held[other].astype(int)), held[other].astype(int) ** 2
        return Fraction(dot * abs(dot), max(int(squares.sum()), 1))

    for i, (found, near) in enumerate(zip(*neighbours(held, np.arange(len(held)), limit), strict=True)):
        others = [other for other in range(len(held)) if other != i]
        nearest = sorted(others, key=lambda other: (-cosine(i, other), other))[:limit]
        assert found.tolist() == sorted(nearest)
        assert near == pytest.approx(similarities(held[found], held[i]), abs=1e-15)


def ranks(vectors: np.ndarray, question: np.ndarray) -> np.ndarray:
    """What has the order of cosines to a question; of products where the lengths are within 2 %."""
    held = vectors.astype(int)
    dots, squares = held @ question.astype(int), np.maximum((held**2).sum(1), 1)
    alike = not len(held) or squares.max() <= squares.min() * 1.02**2
    return dots if alike else np.abs(dots) * dots / squares


def test_products_are_exact_at_the_extremes() -> None:
    most = np.full((3, EXACT_PRODUCTS), -127, np.int8)

    assert cosines(most, most) == pytest.approx(1, abs=1e-15)


@given(st.sets(numbers, max_size=30), vectors, st.integers(0, 35))
def test_nearest_search_is_exact(chosen: set[int], question: list[int], limit: int) -> None:
    some = points(rows(chosen))
    scores = ranks(some.vectors, np.array(question))

    found = search(some, np.array(question, np.int8), limit)

    assert found.tolist() == sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:limit]


@pytest.mark.parametrize("limit", [1, 10, 3_000, 300_000])
def test_nearest_search_is_exact_where_pieces_and_threads_share_the_work(limit: int) -> None:
    rng = np.random.default_rng(limit)
    many = rng.integers(-40, 41, (300_000, 3), dtype=np.int8)  # so cosines come again
    question = np.array([5, -3, 2], np.int8)

    found = search(Points(np.zeros((len(many), 16), np.uint8), many), question, limit)

    assert (found == np.argsort(-ranks(many, question), kind="stable")[:limit]).all()


@given(st.sets(numbers, max_size=30), vectors, st.integers(0, 12), st.sampled_from(sorted(SELECTIONS)))
def test_every_selection_but_none_gives_as_many_as_wanted_and_each_once(
    chosen: set[int], question: list[int], shots: int, name: str
) -> None:
    found = choose(name, scene(chosen, question, shots))

    ids = [*found.prefix, *found.extra]
    assert len(ids) == len(set(ids)) <= min(shots, len(chosen))
    assert set(ids) <= {row.id for row in rows(chosen)}
    assert len(ids) == (0 if name == "none" else min(shots, len(chosen)))


def test_erase_shows_the_representatives_whatever_the_question() -> None:
    one, other = scene(set(range(40)), [1, 2, 3], 3), scene(set(range(40)), [-99, 0, 9], 3)

    assert choose("erase", one) == choose("erase", other)
    assert choose("erase", one).prefix == one.clustering.representative_ids()


@given(st.sets(numbers, max_size=30), vectors, vectors, st.integers(0, 40))
def test_erase_fills_up_before_the_representatives_whatever_the_question(
    chosen: set[int], question: list[int], other: list[int], shots: int
) -> None:
    some = scene(chosen, question, shots)
    stand = some.clustering.representative_ids()

    found = choose("erase", some)

    assert found == choose("erase", scene(chosen, other, shots))
    if shots <= len(stand):
        assert set(found.prefix) <= set(stand)
    else:
        others = sorted({row.id for row in rows(chosen)} - set(stand))
        assert found.prefix == [*others[: shots - len(stand)], *stand]


def test_fewer_representatives_are_those_of_the_largest_clusters() -> None:
    some = scene(set(range(40)), [1, 2, 3], 1)

    (shown,) = choose("erase", some).prefix

    assert shown == some.clustering.representatives[some.clustering.counts[-1].argmax()].tobytes()


def test_the_nearest_stands_last() -> None:
    some = scene(set(range(40)), [50, 40, 3], 5)
    best = search(some.points, some.question, 1)[0]

    assert choose("nearest", some).extra[-1] == some.points.ids[best].tobytes()
    hybrid = choose("hybrid", some)
    assert len(hybrid.prefix) == 2
    assert len(hybrid.extra) == 3


def test_random_knows_no_question_and_follows_the_seed() -> None:
    one, other = scene(set(range(40)), [1, 2, 3], 5), scene(set(range(40)), [-99, 0, 9], 5)

    assert choose("random", one) == choose("random", other)
    assert choose("random", one) != choose("random", Scene(bytes(32), *_rest(one)))


def _rest(one: Scene) -> tuple[object, ...]:
    return one.points, one.clustering, one.question, one.shots


@given(st.lists(vectors, min_size=1, max_size=10), vectors)
def test_similarity_is_the_cosine(some: list[list[int]], question: list[int]) -> None:
    exact = np.array(some, float)
    norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(question)
    expected = exact @ question / np.maximum(norms, 1)

    assert np.allclose(similarities(np.array(some, np.int8), np.array(question, np.int8)), expected)


def test_examples_alike_are_those_near_any_of_the_vectors(tmp_path: Path) -> None:
    now = make(tmp_path / "store", rows(range(400))).snapshot()
    some = points(rows(range(400)))
    near = np.maximum(*(similarities(some.vectors, vector) for vector in some.vectors[:2]))

    found = near_copies(now, Asked(some.vectors[:2], ["Taxi downtown", "Lunch"]), Likeness(Sight(), 0.99))

    assert [one.id for one in found] == [some.ids[i].tobytes().hex() for i in np.flatnonzero(near >= 0.99)]
    assert [one.similarity for one in found] == pytest.approx(near[near >= 0.99])
    assert 2 < len(found) < 400
