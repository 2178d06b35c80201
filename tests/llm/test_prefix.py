"""llm.prefix: a kept state is never seen in the logits."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from campaigns import later

from edge_icl.errors import InputError
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.label import label_tokens
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import WORTH_KEEPING, Prefixes
from edge_icl.llm.score import score_labels

pytest_plugins = ["llm_fixtures"]

FRESH = """
import hashlib, sys
from pathlib import Path
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
prefix, question = ([int(token) for token in text.split()] for text in sys.argv[2:])
with Model.load(Path(sys.argv[1]), identity="default", options=EngineOptions(context=2048)) as model:
    with Prefixes(model).asked(prefix, question) as logits:
        print(hashlib.sha256(logits.tobytes()).hexdigest())
"""


class Folder:
    """A cache of states that keeps them in a dict and counts."""

    def __init__(self) -> None:
        self.states: dict[str, bytes] = {}
        self.hits = 0

    def get(self, name: str) -> bytes | None:
        """Return a state and count it."""
        self.hits += name in self.states
        return self.states.get(name)

    def put(self, name: str, data: bytes) -> None:
        """Keep a state."""
        self.states[name] = data


@pytest.fixture
def folder() -> Folder:
    """An empty cache of states."""
    return Folder()


def ask(prefixes: Prefixes, prefix: list[int], question: list[int]) -> np.ndarray:
    with prefixes.asked(prefix, question) as logits:
        return logits


@pytest.fixture(scope="module")
def cold(loaded: Model, prefix: list[int], question: list[int]) -> np.ndarray:
    """The logits of a first question, in an empty window that is empty again afterwards."""
    assert len(prefix) >= WORTH_KEEPING
    loaded.window.purge()
    logits = ask(Prefixes(loaded), prefix, question).copy()
    loaded.window.purge()
    return logits


def test_prefix_that_is_still_in_the_window_gives_the_same_logits(
    prefixes: Prefixes, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    assert np.array_equal(ask(prefixes, prefix, question), cold)
    assert prefixes.model.window.held == prefixes.state_name(prefix)
    assert np.array_equal(ask(prefixes, prefix, question), cold)


def test_prefix_from_memory_gives_the_same_logits(
    prefixes: Prefixes,
    prefix: list[int],
    question: list[int],
    cold: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(prefixes, prefix, question)
    ask(prefixes, prefix[: len(prefix) // 2], question)
    monkeypatch.setattr(prefixes, "_evaluate", lambda *_: pytest.fail("evaluated again"))
    assert np.array_equal(ask(prefixes, prefix, question), cold)


def test_prefix_from_the_disk_gives_the_same_logits(
    model: Model, folder: Folder, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    ask(Prefixes(model, disk=folder), prefix, question)
    model.window.purge()
    assert folder.hits == 0
    assert np.array_equal(ask(Prefixes(model, disk=folder), prefix, question), cold)
    assert folder.hits == 1
    assert len(folder.states) == 1


@pytest.mark.parametrize(
    "forge",
    [
        later(lambda _: b"", id="empty"),
        later(lambda state: state[:15], id="no header"),
        later(lambda state: state[:12] + b"\xff" * 4 + state[16:], id="many cells"),
        pytest.param(lambda state: state[:8] + b"\xff" * 4 + state[12:], id="many parts"),
        later(lambda state: state[:4] + b"\x05" + state[5:], id="another sequence"),
        pytest.param(lambda state: state[:100], id="cut off"),
        later(lambda _: bytes(1000), id="zeros"),
    ],
)
def test_a_state_that_is_none_of_this_prefix_is_kept_from_llama_cpp(
    model: Model,
    folder: Folder,
    prefix: list[int],
    question: list[int],
    cold: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    forge: Callable[[bytes], bytes],
) -> None:
    ask(Prefixes(model, disk=folder), prefix, question)
    model.window.purge()
    folder.states = {name: forge(state) for name, state in folder.states.items()}
    monkeypatch.setattr(model.window, "restore", lambda _: pytest.fail("llama.cpp has seen it"))

    assert np.array_equal(ask(Prefixes(model, disk=folder), prefix, question), cold)


def test_prefix_after_other_questions_gives_the_same_logits(
    prefixes: Prefixes, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    model = prefixes.model
    for tokens in (question[:3], question * 9, model.tokenize(" a\n\n\nb"), [question[0]]):
        ask(prefixes, prefix, tokens)
        score_labels(prefixes, prefix, tokens, ["positive", "negative", "neither of them"])
        list(generate(prefixes, prefix, tokens, Limits(stop="\n", max_tokens=5)))
    assert np.array_equal(ask(prefixes, prefix, question), cold)


def test_stem_is_kept_in_memory_only_and_its_state_gives_the_same_logits(
    model: Model,
    folder: Folder,
    prefix: list[int],
    question: list[int],
    cold: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    *stem, last = question

    def after_stem(prefixes: Prefixes) -> np.ndarray:
        with prefixes.before(prefix, [last], stem=stem) as window:
            assert window.length() == len(prefix) + len(stem)
            return window.append([last])

    prefixes = Prefixes(model, disk=folder)
    first = after_stem(prefixes)
    assert list(folder.states) == [prefixes.state_name(prefix)]
    assert np.array_equal(after_stem(prefixes), first)
    assert np.array_equal(ask(prefixes, prefix, question), cold)
    monkeypatch.setattr(model.window, "append", lambda tokens: pytest.fail("evaluated again"))
    with prefixes.before(prefix, [last], stem=stem) as window:
        assert window.length() == len(prefix) + len(stem)
    monkeypatch.undo()
    assert np.array_equal(after_stem(prefixes), first)


def test_prefix_that_a_stem_was_put_after_is_used_where_it_lies(
    prefixes: Prefixes,
    prefix: list[int],
    question: list[int],
    cold: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the stem evaluated before, and with its state restored."""
    *stem, last = question
    for _ in range(2):
        with prefixes.before(prefix, [last], stem=stem) as window:
            window.append([last])
        monkeypatch.setattr(prefixes, "_evaluate", lambda *_: pytest.fail("evaluated again"))
        monkeypatch.setattr(prefixes, "_restored", lambda *_: pytest.fail("copied again"))
        assert np.array_equal(ask(prefixes, prefix, question), cold)
        assert prefixes.model.window.held == prefixes.state_name(prefix)
        monkeypatch.undo()


def test_another_prefix_is_not_taken_for_the_one_before_a_stem(
    prefixes: Prefixes, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    *stem, last = question
    shorter = prefix[:-1]
    with prefixes.before(shorter, [last], stem=[prefix[-1], *stem]):
        assert prefixes.model.window.held.startswith(prefixes.state_name(shorter))
    assert np.array_equal(ask(prefixes, prefix, question), cold)


def test_tokens_of_a_label_are_kept_until_all_is_dropped(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    prefixes, asked = Prefixes(model), []
    chat, tokenize = model.chat(), model.vocabulary.tokenize

    def counted(text: str) -> list[int]:
        asked.append(text)
        return tokenize(text)

    monkeypatch.setattr(model.vocabulary, "tokenize", counted)
    for _ in range(3):
        assert prefixes.label("card arrival") == label_tokens(model.vocabulary, "card arrival")
        assert prefixes.label("card arrival", chat) == label_tokens(model.vocabulary, "card arrival", chat)
    assert len(asked) == 2 + 6
    prefixes.clear()
    prefixes.label("card arrival")
    assert len(asked) == 9


@pytest.mark.campaign
def test_prefix_longer_than_one_call_gives_the_same_logits(
    model: Model, folder: Folder, prefix: list[int], question: list[int]
) -> None:
    long = prefix * 8
    assert len(long) > 600
    expected = ask(Prefixes(model, disk=folder), long, question)
    assert np.array_equal(ask(Prefixes(model), long, question), expected)
    model.window.purge()
    assert np.array_equal(ask(Prefixes(model, disk=folder), long, question), expected)
    model.window.purge()
    assert np.array_equal(ask(Prefixes(model), long, question), expected)


def test_fresh_process_gives_the_same_logits(
    gguf: Path, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    arguments = [" ".join(map(str, tokens)) for tokens in (prefix, question)]
    done = subprocess.run(
        [sys.executable, "-c", FRESH, gguf, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == hashlib.sha256(cold.tobytes()).hexdigest()


def test_prefix_may_be_empty_or_too_short_to_keep(prefixes: Prefixes, question: list[int]) -> None:
    for prefix in ([], question[:1], question[: WORTH_KEEPING - 1]):
        first = ask(prefixes, prefix, question)
        ask(prefixes, question[2:5], question)
        assert np.array_equal(ask(prefixes, prefix, question), first)
    assert not prefixes._states


@pytest.mark.parametrize(
    "spoil", [lambda _: b"", lambda _: b"rubbish", lambda s: s[:-1], lambda s: s[: len(s) // 3]]
)
def test_state_that_llama_cpp_refuses_is_evaluated_again(
    model: Model,
    folder: Folder,
    prefix: list[int],
    question: list[int],
    cold: np.ndarray,
    spoil: Callable[[bytes], bytes],
) -> None:
    ask(Prefixes(model, disk=folder), prefix, question)
    (name,) = folder.states
    good = folder.states[name]
    folder.states[name] = spoil(good)
    model.window.purge()
    assert np.array_equal(ask(Prefixes(model, disk=folder), prefix, question), cold)
    assert folder.states[name] == good


def test_state_of_another_prefix_is_evaluated_again(
    model: Model, folder: Folder, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    ask(Prefixes(model, disk=folder), prefix[: WORTH_KEEPING + 5], question)
    (other,) = folder.states.values()
    folder.states[Prefixes(model).state_name(prefix)] = other
    model.window.purge()
    assert np.array_equal(ask(Prefixes(model, disk=folder), prefix, question), cold)


def test_name_of_a_state_differs_by_tokens_weights_and_settings(
    gguf: Path, model: Model, prefix: list[int]
) -> None:
    names = {
        Prefixes(model).state_name(prefix),
        Prefixes(model).state_name(prefix[:-1]),
        Prefixes(model).state_name([]),
    }
    options = EngineOptions(context=2048)
    threads = model.threads + 1
    for identity, changed in (
        ("other", options),
        ("default", options._replace(context=1024)),
        ("default", options._replace(threads=threads)),
    ):
        with Model.load(gguf, identity=identity, options=changed) as other:
            names.add(Prefixes(other).state_name(prefix))
    assert len(names) == 6
    with Model.load(gguf, identity="default", options=EngineOptions(context=2048)) as same:
        assert Prefixes(same).state_name(prefix) in names


def test_clear_drops_states_and_zeroes_the_window(
    prefixes: Prefixes, prefix: list[int], question: list[int], cold: np.ndarray
) -> None:
    ask(prefixes, prefix, question)
    assert prefixes._states
    prefixes.clear()
    assert not prefixes._states
    window = prefixes.model.window
    assert (window.length(), window.held) == (0, "")
    assert np.array_equal(ask(prefixes, prefix, question), cold)


def test_memory_keeps_the_last_used_states_within_its_bytes(
    model: Model, prefix: list[int], question: list[int]
) -> None:
    prefixes = Prefixes(model)
    shorter = [prefix[:length] for length in (40, 41, 42)]
    ask(prefixes, shorter[0], question)
    size = prefixes._states.size
    prefixes = Prefixes(model, memory=round(size * 2.5))
    for each in (shorter[0], shorter[1], shorter[0], shorter[2]):
        ask(prefixes, each, question)
    assert prefixes._states.names() == [prefixes.state_name(shorter[0]), prefixes.state_name(shorter[2])]


def test_prompt_that_fills_the_context_is_refused_with_both_lengths(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    with pytest.raises(InputError, match="the prompt has 2048 tokens and the model has room for 2047"):
        ask(prefixes, prefix, (question * 200)[: 2048 - len(prefix)])
