"""Which questions are suggested: those that teach most, none twice, and a function of the set of examples."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from expenses import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stores import points, rows

from edge_icl import InputError, Memory, Options, Suggestion, Vector
from edge_icl.aio import AsyncMemory
from edge_icl.answer.usefulness import Copies, most_useful, weights
from edge_icl.prior.fitted import fit
from edge_icl.prior.opinion_pool import log_probabilities
from edge_icl.prior.statistics import Statistics
from edge_icl.search.similarity import cosines

QUESTIONS = ["Taxi to the hotel", "Ferry to the island", "A stapler", "Taxi  to the hotel", "Dinner for two"]


SAME = 0.9


def copies(near: NDArray[np.float64]) -> Copies:
    """Near copies as vectors tell them of texts that the encoder reads."""
    read = np.zeros(len(near), np.bool_)
    return Copies(near >= SAME, SAME, read.astype(np.intp), read)


def group(centre: int, count: int) -> NDArray[np.int8]:
    """Vectors i8[count, 16] around one axis, no two nearly the same."""
    vectors = np.zeros((count, 16), np.int8)
    vectors[:, centre] = 60
    vectors[np.arange(count), 6 + np.arange(count)] = 50
    return vectors


def test_a_question_that_stands_for_many_comes_first_and_then_one_of_the_next_group() -> None:
    vectors = np.concatenate([group(0, 3), group(1, 8), group(2, 5)])
    nothing, heavy = np.full(16, -1.0), np.ones(16)

    found = most_useful(vectors, nothing, heavy, 3, copies=copies(nothing))

    assert [3 <= found[0] < 11, found[1] >= 11, found[2] < 3] == [True, True, True]


def test_what_is_taught_is_not_asked_about_again() -> None:
    vectors = np.concatenate([group(0, 8), group(1, 3)])
    near = cosines(group(0, 9)[8:], vectors).max(1)

    assert most_useful(vectors, near, np.ones(11), 1, copies=copies(near))[0] >= 8


@given(st.lists(st.lists(st.integers(-127, 127), min_size=4, max_size=4), max_size=12), st.integers(0, 15))
def test_every_question_is_suggested_once_and_near_copies_last(vectors: list[list[int]], limit: int) -> None:
    some = np.array(vectors, np.int8).reshape(len(vectors), 4)
    alike = cosines(some, some)

    nothing = np.full(len(some), -1.0)
    found = most_useful(some, nothing, np.ones(len(some)), limit, copies=copies(nothing))

    assert len(found) == len(set(found)) == min(limit, len(some))
    again = [bool(found[:i]) and alike[found[:i], one].max() >= SAME for i, one in enumerate(found)]
    assert again == sorted(again)


def test_of_equals_what_the_store_is_least_sure_of_comes_first_the_more_so_the_more_it_has_seen() -> None:
    sure = np.array([1.0, 0.5, 0.9, 0.2])

    assert np.argsort(-weights(sure, 100)).tolist() == [3, 1, 2, 0]
    assert np.ptp(weights(sure, 1000)) > np.ptp(weights(sure, 10)) > np.ptp(weights(sure, 0)) == 0
    pair = np.concatenate([group(0, 4), group(1, 4)])
    heavy = weights(np.repeat([0.9, 0.4], 4), 100)
    nothing = np.full(8, -1.0)
    assert most_useful(pair, nothing, heavy, 1, copies=copies(nothing))[0] >= 4


@pytest.mark.parametrize("count", [1, 5, 200])
def test_many_questions_are_judged_as_one_is(count: int) -> None:
    some = rows(range(count))
    taught = points(some)
    outputs = [f"output {i % 4}" for i in range(count)]
    prior = fit(taught, outputs, Statistics.of(taught.vectors, outputs))
    asked = points(rows(range(1000, 1020))).vectors

    logs, near = prior.say(asked)

    for vector, found, cosine in zip(asked, logs, near, strict=True):
        opinions, voters = prior.opinions(vector)
        np.testing.assert_allclose(found, log_probabilities(opinions.sum(0)), atol=1e-9)
        assert cosine == pytest.approx(voters.cosines.max())


@pytest.mark.usefixtures("models_home")
def test_a_store_suggests_what_it_does_not_know_and_what_was_forgotten_leaves_no_trace() -> None:
    with Memory.open("work") as memory:
        empty = memory.suggest(QUESTIONS, 10)
        memory.add_many(EXAMPLES)
        before = memory.suggest(QUESTIONS, 10)
        added = memory.add("Ferry to  the island", "travel")
        known = memory.suggest(QUESTIONS, 10)
        memory.forget(*added.ids)

        assert memory.suggest(QUESTIONS, 10) == before

    assert [one.position for one in empty] != []
    assert all(one.probability is None and one.similarity is None for one in empty)
    assert {one.question for one in before} == {*QUESTIONS[:3], QUESTIONS[4]}
    assert {one.question for one in known} == {QUESTIONS[0], QUESTIONS[2], QUESTIONS[4]}
    assert all(one.question == QUESTIONS[one.position] for one in before)


@pytest.mark.usefixtures("models_home")
def test_what_it_says_of_a_suggestion_is_what_ask_says() -> None:
    with Memory.open("work") as memory:
        memory.add_many(EXAMPLES)
        for one in memory.suggest(QUESTIONS, 2):
            answer = memory.ask(one.question, Options(ask_model="never", labels="on"))
            assert answer.probability == pytest.approx(one.probability)
            assert answer.nearest[0].similarity == pytest.approx(one.similarity)


@pytest.mark.usefixtures("models_home")
def test_vectors_that_are_given_are_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_icl.answer.open_store import OpenStore

    with Memory.open("work") as memory:
        memory.add_many(EXAMPLES)
        made = memory.embed(QUESTIONS)
        without = memory.suggest(QUESTIONS, 3)
        monkeypatch.setattr(OpenStore, "embed", None)

        assert memory.suggest(QUESTIONS, 3, vectors=made) == without
        passed = memory.suggest(QUESTIONS, 4, vectors=made, seen=[made[without[0].position]])
        assert passed[-1].position == without[0].position
        assert memory.suggest([], 3) == memory.embed([]) == []
        with pytest.raises(InputError, match="components"):
            memory.suggest(QUESTIONS[:1], vectors=[Vector(made[0].encoder, b"abc")])
        with pytest.raises(InputError, match="empty"):
            memory.suggest(["  "], vectors=[made[0]])
        with pytest.raises(ValueError, match="vectors has 1"):
            memory.suggest(QUESTIONS, vectors=made[:1])


def test_asyncio_has_the_same(models_home: Path) -> None:
    async def main() -> tuple[list[Suggestion], list[Vector]]:
        async with await AsyncMemory.open("work") as memory:
            await memory.add_many(EXAMPLES)
            return await memory.suggest(QUESTIONS, 3), await memory.embed(QUESTIONS)

    found, vectors = asyncio.run(main())

    with Memory.open("work") as memory:
        assert memory.suggest(QUESTIONS, 3) == found
        assert memory.embed(QUESTIONS) == vectors
    assert models_home.exists()


def test_only_the_same_texts_are_near_copies_where_the_encoder_reads_nothing(models_home: Path) -> None:
    train, tea = (
        "\u0e23\u0e16\u0e44\u0e1f\u0e40\u0e0a\u0e49\u0e32",
        "\u0e0a\u0e32\u0e19\u0e21\u0e40\u0e22\u0e47\u0e19",
    )
    questions = [f"{train}!", tea, f"{tea} !", "\U0001f355", "A stapler"]
    with Memory.create("work") as memory:
        memory.add(train, "travel")

        found = [one.question for one in memory.suggest(questions, limit=5)]

    assert {*found[-2:]} == {f"{train}!", found[-1]}
    assert len({*found[-2:]} & {tea, f"{tea} !"}) == 1
