"""llm.generate: an answer ends where it should, and the model is free in between."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.errors import InputError, ModelError
from edge_icl.llm.generate import Limits, _free, _Text, _tokens, generate
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_labels
from edge_icl.runtime.cancel import Cancel

pytest_plugins = ["llm_fixtures"]

NEVER = "\0"


@pytest.fixture
def counting(model: Model) -> list[int]:
    """A prompt that goes on for long."""
    return model.tokenize("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30")


def test_answer_follows_the_examples_and_stops_at_their_format(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    assert "".join(generate(prefixes, prefix, question, Limits(stop="\n"))) == "positive"
    assert "".join(generate(prefixes, prefix, question, Limits(stop="\n\nInput:"))) == "positive"


def test_answer_is_the_same_every_time_and_comes_in_pieces(prefixes: Prefixes, counting: list[int]) -> None:
    pieces = list(generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=12)))
    assert len(pieces) > 3
    prefixes.clear()
    assert list(generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=12))) == pieces


def test_answer_has_at_most_max_tokens(prefixes: Prefixes, counting: list[int]) -> None:
    pick = _free(prefixes.model.vocabulary)
    for most in (1, 2, 7):
        assert len(list(_tokens(prefixes, counting, counting[:1], most, pick))) == most
    with pytest.raises(InputError, match="0 tokens"):
        next(generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=0)))


def test_answer_ends_with_the_context(small: Model, counting: list[int]) -> None:
    room = 6
    prompt = (counting * 100)[: small.context - room]
    assert len(list(_tokens(Prefixes(small), prompt[:-1], prompt[-1:], 100, _free(small.vocabulary)))) == room


def test_answer_ends_where_the_model_says_so(
    prefixes: Prefixes, counting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary = prefixes.model.vocabulary
    whole = "".join(generate(prefixes, [], counting, Limits(stop=NEVER, max_tokens=20)))
    ended = iter([False, False, True])
    monkeypatch.setattr(vocabulary, "ends", lambda _token: next(ended))
    text = "".join(generate(prefixes, [], counting, Limits(stop=NEVER, max_tokens=20)))
    assert whole.startswith(text)
    assert len(text) < len(whole)


def test_closed_answer_leaves_the_model_usable(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    expected = "".join(generate(prefixes, prefix, question, Limits(stop=NEVER, max_tokens=9)))
    answer = generate(prefixes, prefix, question, Limits(stop=NEVER, max_tokens=9))
    next(answer)
    answer.close()
    assert list(answer) == []
    assert prefixes.model.window._owner is None
    assert prefixes.model.window._parked == {}
    assert "".join(generate(prefixes, prefix, question, Limits(stop=NEVER, max_tokens=9))) == expected


def test_another_thread_cancels_between_tokens(prefixes: Prefixes, counting: list[int]) -> None:
    cancel = Cancel()
    pieces = []
    for piece in generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=500), cancel=cancel):
        pieces.append(piece)
        if len(pieces) == 3:
            thread = threading.Thread(target=cancel.set)
            thread.start()
            thread.join()
    assert len(pieces) == 3


def test_answers_in_turns_are_the_answers_alone(
    prefixes: Prefixes, prefix: list[int], question: list[int], counting: list[int]
) -> None:
    first = list(generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=8)))
    second = list(generate(prefixes, prefix, question, Limits(stop=NEVER, max_tokens=8)))
    scores = score_labels(prefixes, prefix, question, ["positive", "negative"])
    prefixes.clear()
    one = generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=8))
    two = generate(prefixes, prefix, question, Limits(stop=NEVER, max_tokens=8))
    found: tuple[list[str], list[str]] = ([next(one)], [next(two)])
    assert (score_labels(prefixes, prefix, question, ["positive", "negative"]) == scores).all()
    for answer, pieces in zip((one, two) * 8, found * 8, strict=True):
        pieces.extend(piece for piece in [next(answer, "")] if piece)
    assert found == (first, second)
    assert prefixes.model.window._parked == {}


def test_answers_in_threads_are_the_answers_alone(model: Model, prefix: list[int], question: list[int]) -> None:
    prompts = [question[:length] for length in (3, 6, 9)]

    def answer(index: int) -> list[str]:
        return list(generate(Prefixes(model), prefix, prompts[index], Limits(stop=NEVER, max_tokens=10)))

    expected = [answer(index) for index in range(3)]
    found: dict[int, list[str]] = {}
    threads = [
        threading.Thread(target=lambda index=index: found.update({index: answer(index)})) for index in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[index] for index in range(3)] == expected


@pytest.mark.parametrize("parked", [False, True])
def test_answer_whose_examples_were_cleared_does_not_go_on(
    prefixes: Prefixes, prefix: list[int], question: list[int], counting: list[int], parked: bool
) -> None:
    answer = generate(prefixes, counting, counting[:1], Limits(stop=NEVER, max_tokens=50))
    next(answer)
    if parked:
        score_labels(prefixes, prefix, question, ["a"])
        assert prefixes.model.window._parked
    prefixes.clear()
    assert prefixes.model.window._parked == {}
    with pytest.raises(ModelError, match="the examples have changed"):
        list(answer)


@given(st.text("ab\n", max_size=30), st.text("ab\n", min_size=1, max_size=4), st.data())
def test_stop_text_is_found_in_any_pieces_and_no_beginning_of_it_is_given(
    text: str, stop: str, data: st.DataObject
) -> None:
    splitter, rest, given_ = _Text(stop), text, ""
    while rest and not splitter.over:
        size = data.draw(st.integers(1, len(rest)))
        given_ += splitter.feed(rest[:size])
        rest = rest[size:]
    stripped = text.lstrip()
    assert splitter.over == (stop in stripped)
    if splitter.over:
        assert given_ == stripped[: stripped.index(stop)]
    else:
        held = max(size for size in range(len(stop)) if stripped.endswith(stop[:size]))
        assert given_ == stripped[: len(stripped) - held]
