"""llm.score: the trie scores each label as an evaluation of its own would."""

import json
import random

import numpy as np
import pytest
from campaigns import later
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_icl.errors import InputError
from edge_icl.llm import score
from edge_icl.llm.context import BATCH
from edge_icl.llm.label import label_tokens
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_apart, score_labels
from edge_icl.prompt.chat import Chat

pytest_plugins = ["llm_fixtures"]

LABELS = ["card", "card_arrival", "card_linking", "cash", "a b", "a b c", "negative", "positive", "Grüße"]

NOISE = 1.0
"""How far the default model's log-probability of a label moves when its tokens are evaluated in other
calls: its activations are rounded to 8 bits. With the same weights in 32 bits it was 0.01."""


def alone(prefixes: Prefixes, prefix: list[int], question: list[int], label: str) -> float:
    """Score a label the plain way: its tokens after the prompt, one evaluation each."""
    total = 0.0
    with prefixes.asked(prefix, question) as first:
        logits = first
        for token in label_tokens(prefixes.model.vocabulary, label):
            wide = logits.astype(np.float64)
            total += wide[token] - wide.max() - np.log(np.exp(wide - wide.max()).sum())
            logits = prefixes.model.window.append([token])
    return total


def test_label_ends_with_the_token_that_ends_an_answer(model: Model) -> None:
    def pieces(label: str) -> list[bytes]:
        return [model.vocabulary.piece(token) for token in label_tokens(model.vocabulary, label)]

    assert pieces("positive") == [b" positive", b"\n"]
    assert b"".join(pieces("two\nlines")) == b" two\nlines\n"


def test_label_of_a_chat_ends_with_the_token_that_ends_a_turn(model: Model) -> None:
    vocabulary = model.vocabulary
    tokens = label_tokens(vocabulary, "two\nlines", model.chat())
    assert b"".join(map(vocabulary.piece, tokens)) == b"two\nlines"
    assert [vocabulary.ends(token) for token in tokens] == [False] * (len(tokens) - 1) + [True]
    words = Chat.read("{% for m in messages %}{{ '\n[' }}{{ m.role }}] {{ m.content }}{% endfor %}", end="")
    pieces = [vocabulary.piece(token) for token in label_tokens(vocabulary, "two lines", words)]
    assert b"".join(pieces[:-1]) == b" two lines"
    assert pieces[-1].startswith(b"\n")


def test_trie_scores_each_label_as_if_it_were_alone(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    scores = score_labels(prefixes, prefix, question, LABELS)
    expected = [alone(prefixes, prefix, question, label) for label in LABELS]
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected, rtol=0, atol=NOISE)
    assert np.abs(scores - expected).mean() < NOISE / 4


@settings(deadline=None, max_examples=6)
@given(labels=st.lists(st.text("ab_", min_size=1, max_size=8), min_size=1, max_size=6))
def test_any_set_of_labels_is_scored_as_if_each_were_alone(loaded: Model, labels: list[str]) -> None:
    prefixes, prompt = Prefixes(loaded), loaded.tokenize("Input: a\nOutput:")
    scores = score_labels(prefixes, prompt[:4], prompt[4:], labels)
    expected = [alone(prefixes, prompt[:4], prompt[4:], label) for label in labels]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=NOISE)


def test_scores_are_the_same_bits_in_any_order_and_after_anything(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    first = score_labels(prefixes, prefix, question, LABELS)
    score_labels(prefixes, prefix, question * 3, ["other", "labels"])
    assert np.array_equal(score_labels(prefixes, prefix, question, LABELS), first)
    shuffled = random.Random(1).sample(range(len(LABELS)), len(LABELS))
    again = score_labels(prefixes, prefix, question, [LABELS[index] for index in shuffled] + LABELS[:2])
    assert np.array_equal(again, [*first[shuffled], *first[:2]])
    prefixes.clear()
    assert np.array_equal(score_labels(prefixes, prefix, question, LABELS), first)


def test_labels_scored_apart_have_the_same_bits_whatever_else_is_scored(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    scores = score_apart(prefixes, prefix, question, LABELS)
    expected = [alone(prefixes, prefix, question, label) for label in LABELS]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=NOISE)
    score_labels(prefixes, prefix, question * 3, ["other", "labels"])
    for fresh in (prefixes, Prefixes(prefixes.model)):
        parts = [score_apart(fresh, prefix, question, some) for some in (LABELS[3:], LABELS[:3])]
        assert np.array_equal(np.concatenate(parts[::-1]), scores)


@pytest.mark.campaign
def test_labels_are_scored_apart_also_after_one_token_and_without_a_prefix(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    for before, asked in ((prefix, question[:1]), ([], question), ([], question[:1])):
        scores = score_apart(prefixes, before, asked, LABELS)
        expected = [alone(prefixes, before, asked, label) for label in LABELS]
        np.testing.assert_allclose(scores, expected, rtol=0, atol=NOISE)
        assert np.array_equal(score_apart(prefixes, before, asked, LABELS[:1]), scores[:1])


@pytest.mark.campaign
def test_question_longer_than_one_call_is_scored_with_its_labels(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    """With labels that begin alike and one that does not: each needs the whole question evaluated again."""
    long = (question * 20)[: BATCH + 9]
    labels = LABELS[1:4]
    scores = score_labels(prefixes, prefix, long, labels)
    expected = [alone(prefixes, prefix, long, label) for label in labels]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=NOISE)


@pytest.mark.parametrize("number", [0, 1, 2, later(77), later(300)])
def test_any_number_of_labels_is_scored(
    prefixes: Prefixes, prefix: list[int], question: list[int], number: int
) -> None:
    labels = [f"{'abcdefg'[index % 7]} {index}" for index in range(number)]
    scores = score_labels(prefixes, prefix, question, labels)
    assert scores.shape == (number,)
    assert np.isfinite(scores).all()
    assert (scores < 0).all()
    if number > 255:  # more than one group
        assert np.array_equal(score_labels(prefixes, prefix, question, labels[::-1]), scores[::-1])
    for index in {0, number // 2, number - 1} & set(range(number)):
        assert scores[index] == pytest.approx(alone(prefixes, prefix, question, labels[index]), abs=NOISE)


def test_groups_hold_every_label_and_fit_sequences_and_room() -> None:
    candidates = sorted({(index % 9, index % 5, index, 99) for index in range(600)})
    for room in (3, 50, 2000):
        groups = list(score._groups(candidates, room))
        assert [candidate for group in groups for candidate in group] == candidates
        assert all(len(group) < 256 for group in groups)
        nodes = [{tuple(label[:end]) for label in group for end in range(1, len(label))} for group in groups]
        assert max(map(len, nodes)) <= room


def test_scores_agree_where_the_context_makes_groups_small(
    small: Model, prefix: list[int], question: list[int]
) -> None:
    prefixes = Prefixes(small)
    room = 6
    long = (prefix * 100)[: prefixes.model.context - len(question) - room]
    labels = [*LABELS[:4], "positive", "Grüße"]  # those of a later group begin with another token
    assert len(list(score._groups(sorted(map(prefixes.label, labels)), room))) > 2
    scores = score_labels(prefixes, long, question, labels)
    expected = [alone(prefixes, long, question, label) for label in labels]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=NOISE)


def test_label_that_does_not_fit_is_refused_with_both_lengths(
    small: Model, prefix: list[int], question: list[int]
) -> None:
    prefixes = Prefixes(small)
    long = (prefix * 100)[: prefixes.model.context - len(question) - 5]
    with pytest.raises(InputError, match=r"a label has \d+ tokens and the prompt leaves room for 5"):
        score_labels(prefixes, long, question, ["short", "one two three four five six seven"])
    assert np.isfinite(score_labels(prefixes, prefix, question, ["short"])).all()


def test_examples_decide_the_answer(prefixes: Prefixes, prefix: list[int], model: Model) -> None:
    for review, expected in ((" a joy from start to finish .\nOutput:", 0), (" a boring mess .\nOutput:", 1)):
        scores = score_labels(prefixes, prefix, model.tokenize(review), ["positive", "negative"])
        assert int(scores.argmax()) == expected, json.dumps(scores.tolist())
