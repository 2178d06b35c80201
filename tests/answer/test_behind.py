"""The examples behind an answer: as each is by itself, and read once for all questions to a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import make, rows, vectors

from edge_icl.answer.behind import Behind
from edge_icl.answer.derived import Derived
from edge_icl.answer.selection import Chosen
from edge_icl.errors import StoreDamagedError
from edge_icl.search.similarity import similarities

if TYPE_CHECKING:
    pass

HELD = frozenset(range(12))


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    """Of a store with a dozen examples."""
    store = make(tmp_path_factory.mktemp("behind") / "s", rows(HELD))
    return Derived(store.read(lambda snapshot: snapshot))


@given(numbers=st.lists(st.sampled_from(sorted(HELD)), max_size=5), questions=st.lists(vectors, max_size=3))
def test_each_example_is_as_it_is_alone_whatever_was_read_before(
    derived: Derived, numbers: list[int], questions: list[list[int]]
) -> None:
    behind, chosen = Behind(derived), rows(numbers)

    for question in (np.array(one, np.int8) for one in questions):
        found = behind.read(Chosen([row.id for row in chosen[:2]], [row.id for row in chosen[2:]]), question)

        assert [one.id for one in found] == [row.id.hex() for row in chosen]
        assert [one.example.canonical() for one in found] == [row.text for row in chosen]
        alone = [similarities(row.vector[None], question)[0] for row in chosen]
        assert [one.similarity for one in found] == alone


def test_representatives_are_read_once_for_all_questions(
    derived: Derived, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind, (first, second) = Behind(derived), rows([0, 1])
    question = np.array(first.vector, np.int8)
    before = behind.read(Chosen([first.id], []), question)
    read: list[bytes] = []
    row = type(derived.snapshot).row
    monkeypatch.setattr(type(derived.snapshot), "row", lambda of, id: read.append(id) or row(of, id))

    after = behind.read(Chosen([first.id], [second.id]), question)

    assert (after[:1], read) == (before, [second.id])


def test_an_example_that_the_store_does_not_hold_is_told(derived: Derived) -> None:
    (gone,) = rows([len(HELD)])

    with pytest.raises(StoreDamagedError, match=gone.id.hex()):
        Behind(derived).read(Chosen([gone.id], []), gone.vector)
