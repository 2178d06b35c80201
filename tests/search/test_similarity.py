"""search.similarity: the nearest come first, whatever the lengths of the vectors."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.cluster.points import Points
from edge_icl.search.similarity import search, search_many, similarities


def points_of(vectors: np.ndarray) -> Points:
    ids = np.arange(len(vectors), dtype=">u8").view("V8")
    return Points(ids, vectors)


@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 40))
def test_the_nearest_have_the_greatest_cosine_and_of_equals_the_smaller_id(
    seed: int, count: int, limit: int
) -> None:
    chance = np.random.default_rng(seed)
    base = chance.normal(size=(count, 8)) * chance.choice([5, 20, 40], size=(count, 1))
    vectors = np.clip(np.rint(base), -127, 127).astype(np.int8)
    vectors[:, 0] = np.where((vectors == 0).all(1), 1, vectors[:, 0])
    vectors[:2] = [[9] + 7 * [0], [90] + 7 * [0]][: len(vectors[:2])]  # two lengths, so that they differ
    question = vectors[chance.integers(count)]
    dots = vectors.astype(int) @ question.astype(int)
    squared = np.square(vectors.astype(int)).sum(1)
    ranks = [Fraction(int(abs(dot) * dot), int(length)) for dot, length in zip(dots, squared, strict=True)]
    expected = sorted(range(count), key=lambda i: (-ranks[i], i))[:limit]

    assert search(points_of(vectors), question, limit).tolist() == expected
    found, near = search_many(vectors, question[None], limit)
    assert found[0].tolist() == expected
    assert np.allclose(near[0], similarities(vectors[expected], question))
