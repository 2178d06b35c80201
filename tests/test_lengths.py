"""lengths: what no prompt has room for is refused, at the cost of one vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_icl import Example, InputError, ModelMissingError
from edge_icl.lengths import CONTEXT, Lengths
from edge_icl.llm.vocabulary import Vocabulary

FITS = Example.create("word " * 1000, "long")
TOO_LONG = Example.create("word " * 3000, "long")


def test_long_examples_load_the_vocabulary_once(models_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    load = Vocabulary.load
    monkeypatch.setattr(Vocabulary, "load", lambda path: loaded.append(load(path)) or loaded[-1])

    with Lengths() as lengths:
        for _ in range(3):
            lengths.check(FITS)
            with pytest.raises(InputError, match=rf"has 300\d tokens .* room for {CONTEXT // 2}"):
                lengths.check(TOO_LONG)

    assert len(loaded) == 1


def test_an_example_that_is_surely_short_needs_no_model(own_home: Path) -> None:
    with Lengths() as lengths:
        lengths.check(Example.create("Uber to the airport", "travel"))

        with pytest.raises(ModelMissingError, match="edge-icl models fetch"):
            lengths.check(FITS)


def test_lengths_of_a_model_that_is_not_there_are_not_guessed(models_home: Path) -> None:
    with Lengths("other") as lengths, pytest.raises(ModelMissingError, match="other"):
        lengths.check(TOO_LONG)
