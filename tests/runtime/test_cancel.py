"""A question is cancelled within a token, whatever the model is doing, and leaves no trace in the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_icl import AskCancelledError, Cancel
from edge_icl.llm.context import BATCH
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.scheduling import Scheduler
from edge_icl.llm.score import score_apart, score_labels
from edge_icl.llm.window import Window

pytest_plugins = ["llm_fixtures"]

LABELS = ["positive", "negative", "neither of them", "both of them"]


def ask(prefixes: Prefixes, prefix: list[int], question: list[int], cancel: Cancel | None = None) -> np.ndarray:
    with prefixes.asked(prefix, question, cancel=cancel) as logits:
        return logits


@pytest.fixture
def set_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[Cancel, list[int]]]:
    """Return what makes a cancel that is set as llama.cpp is called for the nth time, and a list of calls."""

    def arrange(call: int) -> tuple[Cancel, list[int]]:
        cancel, calls = Cancel(), []
        decode = Window.decode

        def counted(window: Window, tokens: list[int], *others: object) -> None:
            calls.append(len(tokens))
            if len(calls) == call:
                cancel.set()
            decode(window, tokens, *others)

        monkeypatch.setattr(Window, "decode", counted)
        return cancel, calls

    return arrange


@pytest.fixture(scope="module")
def long(loaded: Model) -> list[int]:
    """A prefix that takes two calls to read."""
    return loaded.tokenize("Input: dull, flat and far too long.\nOutput: negative\n\n" * 30)[: BATCH + 9]


@pytest.fixture(scope="module")
def last(loaded: Model) -> list[int]:
    """What is asked after it."""
    return loaded.tokenize("Input: a small miracle\nOutput:")


@pytest.fixture(scope="module")
def after_long(loaded: Model, long: list[int], last: list[int]) -> np.ndarray:
    """The logits after both, in an empty window."""
    loaded.window.purge()
    return ask(Prefixes(loaded), long, last)


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_long_prompt_is_cancelled_within_the_call_that_reads_it(
    after_long: np.ndarray,
    model: Model,
    long: list[int],
    last: list[int],
    set_in: Callable[[int], tuple[Cancel, list[int]]],
    call: int,
) -> None:
    prefixes = Prefixes(model)
    cancel, calls = set_in(call)

    with pytest.raises(AskCancelledError):
        ask(prefixes, long, last, cancel)

    assert calls == [BATCH, 9, len(last)][:call]
    assert np.array_equal(ask(prefixes, long, last), after_long)


@pytest.mark.parametrize("call", [1, 2])
def test_scoring_labels_is_cancelled_and_leaves_the_next_scores_as_they_are(
    model: Model,
    prefix: list[int],
    question: list[int],
    set_in: Callable[[int], tuple[Cancel, list[int]]],
    call: int,
) -> None:
    expected = score_labels(Prefixes(model), prefix, question, LABELS)
    model.window.purge()
    prefixes = Prefixes(model)
    cancel, calls = set_in(call)

    with pytest.raises(AskCancelledError):
        score_labels(prefixes, prefix, question, LABELS, cancel=cancel)

    assert len(calls) == call
    assert np.array_equal(score_labels(prefixes, prefix, question, LABELS), expected)


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_scoring_labels_apart_is_cancelled_and_leaves_the_next_scores_as_they_are(
    model: Model,
    prefix: list[int],
    question: list[int],
    set_in: Callable[[int], tuple[Cancel, list[int]]],
    call: int,
) -> None:
    expected = score_apart(Prefixes(model), prefix, question, LABELS)
    model.window.purge()
    prefixes = Prefixes(model)
    cancel, calls = set_in(call)

    with pytest.raises(AskCancelledError):
        score_apart(prefixes, prefix, question, LABELS, cancel=cancel)

    assert calls[:2] == [len(prefix), len(question) - 1][:call]
    assert len(calls) == call
    assert np.array_equal(score_apart(prefixes, prefix, question, LABELS), expected)


def test_a_written_answer_is_cancelled_within_a_token_and_others_go_on(
    model: Model, prefix: list[int], question: list[int], set_in: Callable[[int], tuple[Cancel, list[int]]]
) -> None:
    counting = model.tokenize(" ".join(map(str, range(1, 31))))
    expected = list(generate(Prefixes(model), prefix, question, Limits(stop="\0", max_tokens=9)))
    other = generate(Prefixes(model), prefix, question, Limits(stop="\0", max_tokens=9))
    begun = [next(other)]
    cancel, calls = set_in(5)

    found = list(
        generate(Prefixes(model), counting, counting[:1], Limits(stop="\0", max_tokens=99), cancel=cancel)
    )

    assert len(calls) == 5
    assert 0 < len(found) < 4  # the first two calls read the prompt
    assert begun + list(other) == expected


def test_a_question_that_waits_for_another_one_is_cancelled_too(
    model: Model, prefix: list[int], question: list[int]
) -> None:
    cancel, found = Cancel(), []

    def wait() -> None:
        with pytest.raises(AskCancelledError) as raised:
            ask(Prefixes(model), prefix, question, cancel)
        found.append(raised)

    with model.lock:
        thread = threading.Thread(target=wait)
        thread.start()
        cancel.set()
        thread.join()

    assert found


def test_a_thread_may_take_its_turn_again_and_others_come_in_order() -> None:
    lock, order = Scheduler(), []

    def come(number: int) -> None:
        for _ in range(3):
            with lock:
                order.append(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(3)]
    with lock, lock:
        for number, thread in enumerate(threads):
            thread.start()
            while len(lock._queue) <= number:
                pass
    for thread in threads:
        thread.join()

    assert order[:3] == [0, 1, 2]
    assert sorted(order) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 6))
def test_a_cancel_sets_its_children_and_nobody_else(parents: list[int], chosen: int) -> None:
    family = [Cancel()]
    for parent in parents:
        family.append(Cancel(family[parent % len(family)]))
    tree = {0: None} | {i + 1: parent % (i + 1) for i, parent in enumerate(parents)}
    chosen %= len(family)

    family[chosen].set()

    def below(one: int | None) -> bool:
        return one == chosen or (one is not None and below(tree[one]))

    assert [cancel.is_set() for cancel in family] == [below(one) for one in range(len(family))]
    assert Cancel(family[chosen]).is_set()
