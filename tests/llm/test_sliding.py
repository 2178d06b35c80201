"""Models with a sliding window: beyond it a kept state is not seen in the logits either, bit for bit.

Each test runs with a small Gemma made by hand, whose window is 32 tokens, and with a real one: 512.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import gemma
import ggufs
import numpy as np
import pytest
from campaigns import later

from edge_icl import Answer, Example, Memory, Options
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.model import Model
from edge_icl.llm.native import llama
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_apart, score_labels

NEVER = "\0"
BEYOND = 1.1
"""How many windows long a prefix is that is just longer than one."""

LABELS = ["travel", "food", "office and travel", "a", "travelling"]


class Sliding(NamedTuple):
    """A model that is loaded, and its file.

    Attributes:
        window: how many tokens most of its layers see.
    """

    file: Path
    model: Model
    window: int

    def tokens(self, count: int, *, seed: int = 0) -> list[int]:
        """Return tokens without sense, for which no state of another length will do."""
        drawn = np.random.default_rng(seed).integers(3, self.model.vocabulary.size, 1 << 12)
        return [int(token) for token in drawn[:count]]


class Folder(dict[str, bytes]):
    """A cache of states that outlives a model."""

    def put(self, name: str, data: bytes) -> None:
        """Keep a state."""
        self[name] = data


@pytest.fixture(scope="module", params=["small", later("real")])
def sliding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sliding]:
    """Both models, one after the other; the real one in a campaign."""
    if request.param == "small":
        file = ggufs.gemma(tmp_path_factory.mktemp("gemma") / "small.gguf", context=2048, window=32)
    else:
        file = real_file()
    with Model.load(file, identity="gemma", options=EngineOptions(context=2048)) as model:
        window = int(llama().llama_model_n_swa(model.vocabulary.model))
        yield Sliding(file, model, window)


def real_file() -> Path:
    try:
        return gemma.find()
    except gemma.NotHereError as error:
        pytest.skip(f"the model cannot be had: {error}")


@pytest.fixture
def prefixes(sliding: Sliding) -> Prefixes:
    """Prefixes of nothing yet, on a model that has seen nothing yet."""
    sliding.model.window.purge()
    return Prefixes(sliding.model)


def steps(prefixes: Prefixes, prefix: list[int], question: list[int], count: int = 4) -> list[bytes]:
    """Return the logits after a question, and after each of some more tokens."""
    with prefixes.asked(prefix, question) as logits:
        found = [logits.tobytes()]
        window = prefixes.model.window
        return found + [window.append([token]).tobytes() for token in question[:count]]


def scores(prefixes: Prefixes, prefix: list[int], question: list[int]) -> list[bytes]:
    """Return the scores of labels, together and each by itself."""
    return [score(prefixes, prefix, question, LABELS).tobytes() for score in (score_labels, score_apart)]


@pytest.mark.parametrize("times", [0.3, 1, BEYOND, 2])
def test_cold_warm_from_the_disk_and_reopened_are_the_same_logits_and_scores(
    sliding: Sliding, prefixes: Prefixes, times: float
) -> None:
    prefix, question = sliding.tokens(max(32, int(times * sliding.window))), sliding.tokens(20, seed=1)
    cold = steps(prefixes, prefix, question)
    window = prefixes.model.window
    window.purge()
    cold += scores(Prefixes(sliding.model), prefix, question)
    folder = Folder()
    kept = Prefixes(sliding.model, disk=folder)

    def found(prefixes: Prefixes) -> list[bytes]:
        return steps(prefixes, prefix, question) + scores(prefixes, prefix, question)

    assert found(kept) == cold
    assert found(kept) == cold  # the window still holds the prefix
    steps(kept, sliding.tokens(40, seed=2), question)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "_evaluate", lambda *_: pytest.fail("evaluated again"))
        assert found(kept) == cold
    window.purge()
    kept = Prefixes(sliding.model, disk=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "_evaluate", lambda *_: pytest.fail("evaluated again"))
        assert found(kept) == cold
    with Model.load(sliding.file, identity="gemma", options=EngineOptions(context=2048)) as again:
        assert found(Prefixes(again, disk=folder)) == cold


def test_states_are_the_same_bytes_whatever_was_asked_before(sliding: Sliding, prefixes: Prefixes) -> None:
    prefix, question = sliding.tokens(sliding.window + 50), sliding.tokens(9, seed=1)
    first, second = Folder(), Folder()
    steps(Prefixes(sliding.model, disk=first), prefix, question)
    scores(prefixes, prefix[: len(prefix) // 2], question)

    steps(Prefixes(sliding.model, disk=second), prefix, question)

    assert len(first) == 1
    assert first == second


def test_what_is_cut_off_beyond_the_window_leaves_no_trace(sliding: Sliding, prefixes: Prefixes) -> None:
    window = prefixes.model.window
    beginning, rest = sliding.tokens(sliding.window + 50), sliding.tokens(30, seed=1)
    with prefixes.model.lock:
        window.append(beginning)
        state, expected = window.save(), window.append(rest)
        window.branch(255)
        window.cut(len(beginning))
        assert np.array_equal(window.append(rest), expected)
        window.append(sliding.tokens(sliding.window, seed=2))
        window.cut(len(beginning))
        assert np.array_equal(window.append(rest), expected)
        window.empty()
        assert window.restore(state)
        window.cut(len(beginning))
        assert np.array_equal(window.append(rest), expected)


def test_as_many_labels_as_sequences_are_scored_as_each_alone(sliding: Sliding, prefixes: Prefixes) -> None:
    prefix, question = sliding.tokens(sliding.window + 50), sliding.tokens(9, seed=1)
    labels = [f"label {number}" for number in range(255)]
    cold = score_labels(prefixes, prefix, question, labels)
    steps(prefixes, question * 9, question)

    assert np.array_equal(score_labels(prefixes, prefix, question, labels), cold)


def test_answers_in_turns_beyond_the_window_are_the_answers_alone(sliding: Sliding, prefixes: Prefixes) -> None:
    prompts = [(sliding.tokens(sliding.window + 90, seed=n), sliding.tokens(9, seed=n)) for n in range(2)]

    def answer(number: int) -> Iterator[str]:
        return generate(Prefixes(sliding.model), *prompts[number], Limits(stop=NEVER, max_tokens=12))

    alone = ["".join(answer(number)) for number in range(2)]
    prefixes.clear()
    turns = [answer(number) for number in range(2)]
    found = ["", ""]
    for step in range(24):
        found[step % 2] += next(turns[step % 2], "")
        if step == 7:
            scores(prefixes, *prompts[0])

    assert found == alone


def test_rubbish_is_no_state(sliding: Sliding, prefixes: Prefixes) -> None:
    window = prefixes.model.window
    with prefixes.model.lock:
        window.append(sliding.tokens(sliding.window + 9))
        state = window.save()
        for rubbish in (b"", b"rubbish", state[: len(state) // 2], state[:40], bytes(len(state))):
            window.empty()
            assert not window.restore(rubbish)


def asked(memory: Memory) -> list[Answer]:
    """Return answers to one question, chosen and written."""
    ways = (Options(prior=False), Options(labels="off", select="erase", max_tokens=6))
    return [memory.ask("Taxi to the station", options) for options in ways]


@pytest.mark.campaign
@pytest.mark.usefixtures("models_home")
def test_after_a_forget_answers_are_those_of_a_store_that_never_held_it(tmp_path: Path) -> None:
    model, seed = str(real_file()), bytes(32)
    long = "and so on, from the station to the hotel and back again, with luggage and a dog, " * 7
    examples = [Example.create(f"Taxi number {n} {long}", ("travel", "food")[n % 2]) for n in range(6)]
    for name in ("held", "never"):
        Memory.create(tmp_path / name, seed=seed, shots=4).close()
    with Memory.open(tmp_path / "held", model=model) as memory:
        memory.add_many(examples)
        before = asked(memory)
        (gone,) = (one for one in examples if one.id(seed).hex() == before[0].examples[0].id)
        memory.forget(gone.id(seed).hex())
        after = asked(memory)
    with Memory.open(tmp_path / "never", model=model) as memory:
        memory.add_many([example for example in examples if example is not gone])
        expected = asked(memory)

    assert before[0].labels != after[0].labels == expected[0].labels
    assert after[1].text == expected[1].text
