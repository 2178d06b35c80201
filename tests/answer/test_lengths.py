"""lengths: what no prompt has room for is refused, at the cost of one vocabulary."""

from __future__ import annotations

from pathlib import Path

import ggufs
import pytest

from edge_icl import Example, InputError, ModelFileError, ModelMissingError
from edge_icl.answer.lengths import Lengths
from edge_icl.llm.engine_options import CONTEXT
from edge_icl.llm.vocabulary import Vocabulary
from edge_icl.models import record
from edge_icl.models.importing import import_model

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


@pytest.mark.parametrize("context", [128, 1000, 3000, 100_000])
def test_half_of_the_context_that_the_model_gets_is_the_limit(tmp_path: Path, context: int) -> None:
    file = ggufs.llama(tmp_path / "small.gguf", context=context)
    limit = min(context, CONTEXT) // 2
    around = len(" \nOutput: a\n\nInput:")  # a token each

    with Lengths(str(file)) as lengths:
        lengths.check(Example.create("x" * (limit - around), "a"))
        with pytest.raises(InputError, match=f"has {limit + 1} tokens and the model has room for {limit}"):
            lengths.check(Example.create("x" * (limit - around + 1), "a"))


def test_lengths_are_those_of_an_imported_model_by_its_name(tmp_path: Path) -> None:
    import_model("mine", ggufs.llama(tmp_path / "small.gguf", context=128))

    with Lengths("mine") as lengths, pytest.raises(InputError, match="room for 64"):
        lengths.check(Example.create("word " * 30, "short elsewhere"))


def test_a_file_given_by_its_path_is_not_hashed_for_its_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ggufs.llama(tmp_path / "small.gguf", context=1000)
    monkeypatch.setattr(record, "hash_file", lambda *_, **__: pytest.fail("hashed"))

    with Lengths(str(file)) as lengths:
        lengths.check(Example.create("word " * 60, "longer than a few words"))


def test_a_damaged_model_is_not_in_the_way_of_short_examples(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")

    with Lengths(str(tmp_path / "bad.gguf")) as lengths:
        lengths.check(Example.create("Uber to the airport", "travel"))
        with pytest.raises(ModelFileError):
            lengths.check(FITS)
