"""Several stores of one process use one model at once, and none notices the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from expenses import EXAMPLES, SEED
from hypothesis import given
from hypothesis import strategies as st
from stores import tree

from edge_icl import Memory, Options
from edge_icl.answer import engines
from edge_icl.llm import model as models
from edge_icl.runtime.shared import Shared

pytestmark = pytest.mark.usefixtures("fresh_models")

JUDGED = Options(ask_model="always")
WRITE = Options(labels="off", max_tokens=12)
STORY = Options(labels="off", select="none", max_tokens=60)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every LLM that has been loaded, oldest first; none is there from a store that another test left open."""
    found = []
    monkeypatch.setattr(engines, "_models", Shared())
    load = models.load_file
    monkeypatch.setattr(models, "load_file", lambda *a, **k: found.append(load(*a, **k)) or found[-1])
    return found


@pytest.fixture
def pair(models_home: Path, loaded: list[object]) -> Iterator[tuple[Memory, Memory]]:
    """Two stores with some examples each, two of them the same."""
    with Memory.create("one", seed=SEED, shots=3) as one, Memory.create("two", seed=SEED, shots=3) as two:
        one.add_many(EXAMPLES[:8])
        two.add_many(EXAMPLES[6:])
        yield one, two


def test_stores_share_one_model_until_the_last_one_closes(
    pair: tuple[Memory, Memory], loaded: list[object]
) -> None:
    one, two = pair
    expected = two.ask("Taxi downtown", JUDGED).labels
    one.ask("Taxi downtown", JUDGED)
    assert len(loaded) == 1

    one.close()

    assert two.ask("Taxi downtown", JUDGED).labels == expected
    two.close()
    with Memory.open("one") as again:
        again.ask("Taxi downtown", JUDGED)
    assert len(loaded) == 2


def test_a_store_with_other_parameters_has_a_model_of_its_own(
    pair: tuple[Memory, Memory], loaded: list[object]
) -> None:
    pair[0].ask("Taxi downtown", JUDGED)
    with Memory.open("two", threads=1) as other:
        other.ask("Taxi downtown", JUDGED)

    assert len(loaded) == 2


def test_two_stores_asked_at_once_answer_as_each_does_alone(pair: tuple[Memory, Memory]) -> None:
    asked = [(store, options) for store in pair for options in (Options(), WRITE)]
    alone = [(a.text, a.labels) for a in (store.ask("Taxi to the fair", options) for store, options in asked)]
    found: dict[int, list[tuple[str, object]]] = {}

    def ask(number: int) -> None:
        store, options = asked[number]
        answers = [store.ask("Taxi to the fair", options) for _ in range(2)]
        found[number] = [(answer.text, answer.labels) for answer in answers]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [found[number] for number in range(len(asked))] == [[one] * 2 for one in alone]


@pytest.mark.parametrize("what", ["forget", "close"])
def test_an_answer_goes_on_while_another_store_forgets_or_closes(
    pair: tuple[Memory, Memory], what: str
) -> None:
    one, two = pair
    expected = two.ask("Taxi downtown", STORY).text
    one.ask("Taxi downtown", WRITE)
    reply = two.stream("Taxi downtown", STORY)
    next(reply)

    if what == "forget":
        one.forget(next(one.examples()).id)
    else:
        one.close()
    list(reply)

    assert reply.answer.text == expected


def test_what_a_store_caches_does_not_depend_on_what_another_one_was_asked(
    models_home: Path, tmp_path: Path
) -> None:
    with Memory.create(tmp_path / "a", seed=SEED) as a, Memory.create(tmp_path / "b", seed=SEED) as b:
        for store in (a, b):
            store.add_many(EXAMPLES)
            store.ask("Taxi downtown", Options(select="erase", ask_model="always"))

    assert list((tmp_path / "a" / "cache").iterdir())
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


class Thing:
    """Something that is closed once."""

    closed = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True


@given(st.lists(st.integers(-3, 3)))
def test_what_is_borrowed_is_there_until_the_last_gives_it_back(steps: list[int]) -> None:
    shared, users, things = Shared[Thing](), dict.fromkeys(range(4), 0), {}
    for step in steps:
        key = abs(step)
        if step > 0 and users[key]:
            shared.give_back(key)
            users[key] -= 1
            assert things[key].closed == (users[key] == 0)
        elif step <= 0:
            thing = shared.borrow(key, Thing)
            assert not thing.closed
            assert not users[key] or thing is things[key]
            users[key], things[key] = users[key] + 1, thing


def test_what_cannot_be_loaded_is_tried_again_by_the_next() -> None:
    shared = Shared[Thing]()

    with pytest.raises(ZeroDivisionError):
        shared.borrow("key", lambda: 1 / 0)

    assert not shared.borrow("key", Thing).closed
