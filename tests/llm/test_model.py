"""llm.native, llm.vocabulary, llm.window, llm.model: loading, tokens, and one window that forgets."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import llama_cpp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_icl.errors import InputError, ModelError, ModelFileError, ModelMissingError
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.model import Model
from edge_icl.llm.native import complaint
from edge_icl.llm.vocabulary import Decoder, Vocabulary
from edge_icl.runtime import cores
from edge_icl.runtime.cores import usable_cores

pytest_plugins = ["llm_fixtures"]


def test_model_says_what_it_is(model: Model) -> None:
    assert model.name.startswith("Smollm2 135M")
    assert "CPU" in model.backend.split(", ")
    assert "CPU" in model.system
    assert model.context == 2048
    assert model.threads == usable_cores() >= 1


def test_context_is_capped_at_what_the_model_was_trained_on(gguf: Path) -> None:
    with Model.load(gguf, identity="x", options=EngineOptions(context=10**6, threads=1)) as model:
        assert model.context == 8192
        assert model.threads == 1


def test_gpu_layers_are_none_without_a_gpu_backend(gguf: Path) -> None:
    with Model.load(gguf, identity="x", options=EngineOptions(context=256, gpu_layers=5)) as model:
        assert model.gpu_layers == (0 if model.backend == "CPU" else 5)


def test_a_context_that_does_not_fit_into_memory_is_told_with_what_helps(
    gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_cpp, "llama_init_from_model", lambda *_: None)

    with pytest.raises(
        ModelError, match=r"no room for the model's context of 4,096 tokens: .*a smaller model$"
    ):
        Model.load(gguf, identity="x")


@pytest.mark.parametrize("wrong", [{"context": 0}, {"threads": 0}, {"gpu_layers": -1}])
def test_numbers_out_of_range_are_refused(gguf: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"is (0|-1); give [01] or more"):
        Model.load(gguf, identity="x", options=EngineOptions(**wrong))


@pytest.mark.parametrize("load", [Vocabulary.load, lambda path: Model.load(path, identity="x")])
def test_missing_file_is_named_with_the_command_that_fetches_it(
    load: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(ModelMissingError, match=r"nothing\.gguf.*edge-icl models fetch"):
        load(tmp_path / "nothing.gguf")


@pytest.mark.parametrize("load", [Vocabulary.load, lambda path: Model.load(path, identity="x")])
def test_file_that_is_no_model_is_refused_with_the_reason_of_llama_cpp(
    load: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "text.gguf"
    path.write_text("this is no model")
    with pytest.raises(ModelFileError, match=r"text\.gguf.*invalid magic"):
        load(path)


def test_truncated_model_is_refused_with_the_reason_of_llama_cpp(gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    with gguf.open("rb") as whole:
        path.write_bytes(whole.read(50_000_000))
    with pytest.raises(ModelFileError, match="corrupted or incomplete"):
        Model.load(path, identity="x")


def test_llama_cpp_is_silent_and_loaded_late(gguf: Path) -> None:
    code = """
import sys
from pathlib import Path
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_labels
assert "llama_cpp" not in sys.modules
with Model.load(Path(sys.argv[1]), identity="x", options=EngineOptions(context=512)) as model:
    limits = Limits(stop="x", max_tokens=2)
    list(generate(Prefixes(model), model.tokenize("Input:"), model.tokenize(" a"), limits))
try:
    Model.load(Path(sys.argv[0]) if sys.argv[0] != "-c" else Path(sys.executable), identity="x")
except Exception as error:
    assert type(error).__name__ == "ModelFileError"
"""
    done = subprocess.run([sys.executable, "-c", code, gguf], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_closed_model_says_so_and_closes_twice(gguf: Path) -> None:
    model = Model.load(gguf, identity="x", options=EngineOptions(context=256))
    model.close()
    model.close()
    for use in (
        model.tokenize,
        model.count,
        lambda _: model.window.append([1]),
        lambda _: model.window.empty(),
    ):
        with pytest.raises(ModelError, match="closed"):
            use("a")


def test_vocabulary_without_weights_counts_as_the_model_does(gguf: Path, model: Model) -> None:
    with Vocabulary.load(gguf) as vocabulary:
        for text in ("Taxi downtown", "", " ", "Grüße 語 🙂\n\n"):
            assert vocabulary.tokenize(text) == model.tokenize(text)
            assert vocabulary.count(text) == len(model.tokenize(text))
    with pytest.raises(ModelError, match="closed"):
        vocabulary.count("a")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cn", "Co", "Cs"]), max_size=40))
def test_pieces_give_the_text_back(loaded: Model, text: str) -> None:
    tokens = loaded.tokenize(text)  # assigned characters only: this model has no tokens for 21 of the 256 bytes
    decoder = Decoder(loaded.vocabulary)
    assert "".join(map(decoder.feed, tokens)) == text
    assert len(tokens) <= len(text.encode())


def test_special_tokens_typed_by_a_user_are_plain_text(model: Model) -> None:
    assert not any(model.vocabulary.ends(token) for token in model.tokenize("<|im_end|>"))
    assert model.count("<|im_end|>") > 1


def test_full_window_is_an_error_and_leaves_the_model_usable(small: Model) -> None:
    tokens = small.tokenize("a") * small.context
    small.window.purge()
    with small.lock:
        before = small.window.append(tokens[:3])
        with pytest.raises(ModelError, match="context of 256 tokens is full"):
            small.window.append(tokens)
        small.window.empty()
        assert np.array_equal(small.window.append(tokens[:3]), before)
    complaint()


def test_purged_window_holds_nothing(model: Model) -> None:
    with model.lock:
        model.window.append(model.tokenize("my card number is 4929"))
        assert model.window.length() > 0
        model.window.purge()
        assert model.window.length() == 0
        fresh = model.window.append(model.tokenize("hello there"))
        model.window.purge()
        assert np.array_equal(fresh, model.window.append(model.tokenize("hello there")))


def test_cut_window_is_as_if_the_rest_had_never_come(model: Model) -> None:
    first, second = model.tokenize("one two three"), model.tokenize(" four five")
    with model.lock:
        model.window.append(first)
        expected = model.window.append(second)
        model.window.cut(len(first))
        model.window.append(model.tokenize(" something else that is longer"))
        model.window.branch(40)
        model.window.cut(len(first))
        assert np.array_equal(model.window.append(second), expected)


def test_state_goes_out_and_comes_back_and_rubbish_does_not(model: Model) -> None:
    tokens = model.tokenize("one two three four five six")
    with model.lock:
        model.window.append(tokens)
        state = model.window.save()
        expected = model.window.append(tokens)
        for rubbish in (b"", b"rubbish", state[: len(state) // 2], state[:40], bytes(len(state))):
            model.window.empty()
            assert not model.window.restore(rubbish)
            assert model.window.length() == 0
        model.window.empty()
        assert model.window.restore(state)
        assert np.array_equal(model.window.append(tokens), expected)
    complaint()


def test_threads_take_turns(model: Model) -> None:
    tokens = [model.tokenize(text) for text in ("a b c d", "the quick brown fox", "1 2 3", "x")]
    found = {}

    def alone(tokens: list[int]) -> np.ndarray:
        with model.lock:
            model.window.empty()
            return model.window.append(tokens)

    def work(index: int) -> None:
        found[index] = [alone(tokens[index]) for _ in range(5)]

    expected = [alone(each) for each in tokens]
    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(tokens))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(logits, expected[index]) for index in found for logits in found[index])
    assert len(found) == len(tokens)


@pytest.mark.campaign
def test_logits_do_not_depend_on_the_number_of_threads(gguf: Path) -> None:
    tokens = list(range(1000, 1600))  # beyond 512 cells, where flash attention would split by threads
    found = []
    for threads in (1, 2):
        with Model.load(gguf, identity="x", options=EngineOptions(context=1024, threads=threads)) as model:
            model.window.append(tokens)
            found.append(model.window.append([42]))
    assert all(np.array_equal(found[0], other) for other in found[1:])


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_usable_cores_are_those_this_process_may_run_on() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert 1 <= usable_cores() <= len(allowed)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 16),
        ({"": "max 100000"}, 16),
        ({"": "200000 100000"}, 2),
        ({"pod": "150000 100000", "pod/box": "max 100000"}, 2),
        ({"pod": "400000 100000", "pod/box": "20000 100000"}, 1),
        ({"pod": "no number"}, 16),
    ],
)
def test_container_that_is_given_less_time_has_fewer_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, str], expected: int
) -> None:
    for group, limit in limits.items():
        (tmp_path / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / group / "cpu.max").write_text(f"{limit}\n")
    (tmp_path / "own").write_text("1:cpu:/other\n0::/pod/box\n")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path)
    monkeypatch.setattr(cores, "_OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(cores, "_CPUS", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    assert usable_cores() == expected
