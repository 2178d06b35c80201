"""Models that users bring: what edge-icl cannot ask is refused with a sentence, and the rest answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ggufs
import numpy as np
import pytest
from command import refused, run

from edge_icl.errors import InputError, ModelFileError
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_labels
from edge_icl.llm.vocabulary import Vocabulary
from edge_icl.models.location import find_llm


@pytest.mark.parametrize(
    ("make", "metadata", "kind"),
    [
        (ggufs.bert, {}, "an encoder"),
        (ggufs.bert, {"attention__causal": True}, "an encoder"),
        (ggufs.bert, {"pooling_type": 1}, "an embedding model"),
        (ggufs.llama, {"attention__causal": False}, "an encoder"),
        (ggufs.llama, {"pooling_type": 3}, "an embedding model"),
        (ggufs.llama, {"pooling_type": 4}, "a reranker"),
        (ggufs.mamba, {}, "a recurrent model"),
        (ggufs.gemma, {"attention__causal": False, "pooling_type": 1}, "an embedding model"),
        (ggufs.llama, {"context_length": 0}, "a model for 0 tokens"),
        (ggufs.llama, {"context_length": (1 << 32) - 1}, "a model for -1 tokens"),
    ],
)
def test_what_writes_no_answers_is_refused_and_named(
    tmp_path: Path, make: Callable[..., Path], metadata: dict[str, object], kind: str
) -> None:
    file = make(tmp_path / "other.gguf", **metadata)

    with pytest.raises(ModelFileError, match=f"is {kind}.* use a generative transformer"):
        Model.load(file, identity="x")


def test_a_causal_model_whose_header_says_so_answers(tmp_path: Path) -> None:
    file = ggufs.llama(tmp_path / "said.gguf", attention__causal=True, pooling_type=0)

    with Model.load(file, identity="x") as model:
        assert len(model.window.append([1, 2, 3])) == model.vocabulary.size


def test_a_model_in_parts_is_loaded_from_the_first(tmp_path: Path) -> None:
    whole = ggufs.llama(tmp_path / "whole.gguf")
    with Model.load(whole, identity="x") as model:
        expected = model.window.append([1, 2, 3])
    first, *_ = ggufs.split(whole, parts=3)

    with Model.load(first, identity="x") as model:
        assert np.array_equal(model.window.append([1, 2, 3]), expected)


@pytest.mark.parametrize("context", [1, 50, 128, 255])
def test_a_model_with_a_short_context_answers_as_one_with_a_long_context(tmp_path: Path, context: int) -> None:
    labels = ["food", "travel", "tea"]

    def found(length: int) -> tuple[int, list[bytes], list[str]]:
        with Model.load(ggufs.llama(tmp_path / f"{length}.gguf", context=length), identity="x") as model:
            prefixes = Prefixes(model)
            prefix, question = list(range(3, context - 30)), [5, 6, 7]
            scores = score_labels(prefixes, prefix, question, labels)
            with prefixes.asked(prefix, question) as logits:
                answer = list(generate(prefixes, prefix, question, Limits(stop="\0", max_tokens=9)))
                return model.context, [scores.tobytes(), logits.tobytes()], answer

    if context < 50:
        with pytest.raises(InputError, match="room for 0"):
            found(context)
    else:
        assert found(context) == (context, *found(512)[1:])


def test_a_short_context_is_filled_to_its_end_and_no_further(tmp_path: Path) -> None:
    with Model.load(ggufs.llama(tmp_path / "short.gguf", context=100), identity="x") as model:
        prefixes = Prefixes(model)
        with pytest.raises(InputError, match="the prompt has 100 tokens and the model has room for 99"):
            next(generate(prefixes, list(range(3, 53)), [9] * 50, Limits(stop="")))
        full = [*generate(prefixes, list(range(3, 53)), [9] * 49, Limits(stop="", max_tokens=50))]

        assert len(full) <= 1
        with pytest.raises(InputError, match=r"a label has .* and the prompt leaves room for 10"):
            score_labels(prefixes, list(range(3, 53)), [9] * 40, ["much too long a label"])


def test_a_file_that_llama_cpp_cannot_run_names_what_tells_more(tmp_path: Path) -> None:
    file = ggufs.llama(tmp_path / "unknown.gguf")
    file.write_bytes(file.read_bytes().replace(b"llama", b"lemma"))

    for load in (Vocabulary.load, lambda path: Model.load(path, identity="x")):
        with pytest.raises(
            ModelFileError, match=r"unknown model architecture: 'lemma'.*edge-icl models verify"
        ):
            load(file)


@pytest.mark.usefixtures("own_home")
def test_a_model_in_parts_is_imported_whole_from_its_first_part(tmp_path: Path) -> None:
    first, *others = ggufs.split(ggufs.llama(tmp_path / "large.gguf"), parts=3)
    with Model.load(first, identity="x") as model:
        expected = model.window.append([1, 2, 3])

    refused(run("models", "import", "large", str(others[0])), "part 2 of 3")
    assert run("models", "import", "large", str(first)).code == 0
    for part in (first, *others):
        part.unlink()

    assert run("models", "verify", "large").out == "large: as it was installed\n"
    with Model.load(find_llm("large").path, identity="x") as model:
        assert np.array_equal(model.window.append([1, 2, 3]), expected)
