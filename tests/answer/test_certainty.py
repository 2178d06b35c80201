"""A probability in words."""

from __future__ import annotations

import pytest

from edge_icl.answer.certainty import in_words


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "almost certain"),
        (0.99, "almost certain"),
        (0.98, "very likely"),
        (0.90, "very likely"),
        (0.89, "likely"),
        (0.66, "likely"),
        (0.65, "about as likely as not"),
        (0.33, "about as likely as not"),
        (0.32, "unlikely"),
        (0.0, "unlikely"),
    ],
)
def test_the_words_are_those_of_the_ipcc(probability: float, words: str) -> None:
    assert in_words(probability) == words
