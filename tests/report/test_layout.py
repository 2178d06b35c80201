"""Where examples lie on the map: a function of their vectors, to the last bit."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_icl.report.axes import principal
from edge_icl.report.layout import lay_out
from edge_icl.runtime.progress import silent

VECTORS = arrays.arrays(
    np.int8, st.tuples(st.integers(1, 30), st.integers(1, 8)), elements=st.integers(-127, 127)
)


def groups(count: int, of: int, dimension: int = 32) -> np.ndarray:
    """Return vectors in groups: those of a group are like each other."""
    rng = np.random.default_rng(7)
    centres = rng.integers(-90, 91, (count, dimension))
    return (np.repeat(centres, of, axis=0) + rng.integers(-20, 21, (count * of, dimension))).astype(np.int8)


def test_the_plane_holds_as_much_of_the_variance_as_any_can() -> None:
    vectors = groups(9, 30)
    centred = vectors - vectors.mean(0)
    squares = np.linalg.svd(centred, compute_uv=False) ** 2

    plane = principal(vectors)

    assert plane.share == pytest.approx(squares[:2].sum() / squares.sum(), abs=1e-4)
    one, other = plane.axes.T
    assert abs(one @ other) < 0.01 * np.sqrt((one @ one) * (other @ other))


def test_like_examples_lie_near_each_other() -> None:
    vectors, group = groups(12, 25), np.repeat(np.arange(12), 25)

    found = lay_out(vectors, silent)

    away = ((found.positions[:, None] - found.positions[None]).astype(float) ** 2).sum(2)
    np.fill_diagonal(away, np.inf)
    assert (group[away.argmin(1)] == group).mean() > 0.98
    assert 0.2 < found.kept <= 1


def test_a_map_has_the_same_bits_on_every_machine() -> None:
    """The digests were written down on another run: what differs here would differ between two users' pages."""
    small, large = (lay_out(groups(count, 30), silent).positions for count in (2, 40))

    assert hashlib.sha256(small.tobytes()).hexdigest()[:16] == "c95557face0e7b16"
    assert hashlib.sha256(large.tobytes()).hexdigest()[:16] == "23a3d1c3404fdcf3"


@settings(max_examples=8)
@given(VECTORS)
def test_any_vectors_have_a_map_on_which_no_two_hide_each_other(vectors: np.ndarray) -> None:
    found = lay_out(vectors, silent)

    assert found.positions.shape == (len(vectors), 2)
    assert len(np.unique(found.positions, axis=0)) == len(vectors)
    assert 0 <= found.share <= 1
    assert 0 <= found.kept <= 1
    assert (lay_out(vectors, silent).positions == found.positions).all()
