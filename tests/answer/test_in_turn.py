"""`Memory.check(encoder=...)`: whether examples, left out in turn, fare better with another encoder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from small_encoders import FIRST, JOINED, SECOND, imported_encoders, small_encoders
from stores import tree

from edge_icl import (
    Check,
    Example,
    InputError,
    Memory,
    ModelFileError,
    ModelMissingError,
    StoreClosedError,
    StoreEncoderError,
    Vector,
)
from edge_icl.aio import AsyncMemory
from edge_icl.answer import in_turn
from edge_icl.models.importing import import_model
from edge_icl.prior.accuracy import paired_interval

__all__ = ["imported_encoders", "small_encoders"]

pytestmark = pytest.mark.usefixtures("small_encoders")

SEED = bytes(range(32))
WORDS = {"animal": ["cat", "dog", "mat"], "travel": ["taxi", "to", "airport"], "money": ["pay", "my", "card"]}
EXAMPLES = [
    Example.create(" ".join((some[n % 3], some[n // 3 % 3], some[n // 9])), label)
    for label, some in WORDS.items()
    for n in range(0, 27, 2)
]


def taught(encoder: str = FIRST, examples: list[Example] = EXAMPLES, **more: Any) -> Memory:
    memory = Memory.create(f"with-{encoder}", seed=SEED, encoder=encoder, **more)
    memory.add_many(examples)
    return memory


def blind(examples: list[Example] = EXAMPLES) -> Memory:
    """A store whose vectors say nothing: all are one."""
    memory = Memory.create("blind", seed=SEED, encoder=FIRST)
    one = Vector(memory.settings.encoder_digest, bytes([1] * memory.settings.dimension))
    memory.add_many(examples, vectors=[one] * len(examples))
    return memory


@pytest.mark.parametrize("other", [SECOND, JOINED])
def test_each_encoder_is_as_right_as_in_a_store_of_its_own(other: str) -> None:
    with taught() as memory, taught(other) as its:
        found = memory.check(encoder=other)
        compared = found.other_encoder

        assert (compared.name, compared.examples, compared.own_right) == (other, 42, found.right)
        assert compared.accuracy == its.check().accuracy
        assert compared.difference == pytest.approx(compared.accuracy - found.accuracy)
        assert compared.interval[0] <= compared.difference <= compared.interval[1]
        back = its.check(encoder=FIRST).other_encoder
    assert (back.accuracy, back.own_accuracy) == (compared.own_accuracy, compared.accuracy)
    assert back.interval == pytest.approx((-compared.interval[1], -compared.interval[0]))


def test_an_encoder_that_sees_more_is_better_and_the_store_stays_as_it_is() -> None:
    with blind() as memory:
        before, root = tree(memory.path), memory.root

        found = memory.check(encoder=SECOND).other_encoder

        assert found.better
        assert found.own_accuracy + 0.3 < found.accuracy
        assert (tree(memory.path), memory.root) == (before, root)
        assert found.as_json() == {
            "name": SECOND,
            "accuracy": round(found.accuracy, 6),
            "own_accuracy": round(found.own_accuracy, 6),
            "examples": 42,
            "difference": round(found.difference, 6),
            "interval": [round(end, 6) for end in found.interval],
        }


def test_of_many_examples_both_know_the_first_by_id_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "MOST_COMPARED", 20)
    told: list[tuple[str, int, int]] = []
    with taught() as memory:
        found = memory.check(encoder=SECOND, progress=lambda *step: told.append(step))
        first = [held.example for held in memory.examples()][:20]
    with Memory.create("few", seed=SEED, encoder=FIRST) as few:
        few.add_many(first)

        assert found.other_encoder == few.check(encoder=SECOND).other_encoder
    assert (found.tested, found.other_encoder.examples) == (42, 20)
    assert [step for step in told if step[0] == "embed"][-1] == ("embed", 20, 20)
    assert told.count(("judge", 20, 20)) == 2


def test_the_stores_own_encoder_is_not_needed(small_encoders: Path, tmp_path: Path) -> None:
    taught().close()
    (small_encoders / "models" / FIRST).rename(tmp_path / "gone")

    with Memory.open(f"with-{FIRST}", create=False) as memory:
        found = memory.check(encoder=SECOND)

    assert (found.other_encoder.examples, found.unread) == (42, None)


@pytest.mark.parametrize("how", ["raise", "close"])
def test_what_ends_the_embedding_leaves_the_store_as_it_is(how: str) -> None:
    with taught() as memory:
        before = tree(memory.path)

        def stop(stage: str, *_: int) -> None:
            if stage == "embed" and how == "raise":
                raise ZeroDivisionError
            if stage == "embed":
                memory._opened.lifetime.closed = True  # as `close` does, called from another thread

        with pytest.raises((ZeroDivisionError, StoreClosedError)):
            memory.check(encoder=SECOND, progress=stop)
        assert tree(memory.path) == before


def test_without_an_accuracy_nothing_is_compared_and_nothing_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    with taught(examples=[EXAMPLES[0]]) as memory, taught(SECOND, labels="no") as free:
        monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)

        assert memory.check(encoder=SECOND).other_encoder is None
        assert free.check(encoder=FIRST).as_json()["other_encoder"] is None


def test_unasked_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    with taught() as memory:
        monkeypatch.setattr("edge_icl.encode.encoder.Encoder.encode", pytest.fail)

        assert memory.check().other_encoder is None


@pytest.mark.parametrize(
    ("encoder", "error", "words"),
    [
        (FIRST, StoreEncoderError, "was made with the encoder first already"),
        ("nowhere", ModelMissingError, "edge-icl models import nowhere FILE"),
        ("multilingual-e5-small", ModelMissingError, "edge-icl models fetch multilingual-e5-small"),
        ("llm", ModelFileError, "llm is an LLM, not an encoder"),
    ],
)
def test_an_encoder_that_cannot_be_compared_is_refused_at_once(
    tmp_path: Path, encoder: str, error: type[Exception], words: str
) -> None:
    if encoder == "llm":
        (tmp_path / "llm.gguf").write_bytes(tiny.llama())
        import_model("llm", tmp_path / "llm.gguf")
    with taught() as memory, pytest.raises(error, match=words):
        memory.check(encoder=encoder, progress=pytest.fail)


def test_held_out_rows_compare_no_encoders() -> None:
    with taught() as memory, pytest.raises(InputError, match="not by held-out rows"):
        memory.check(held_out=[("a cat", "animal")], encoder=SECOND)


def test_it_is_the_same_for_asyncio() -> None:
    async def main() -> Check:
        async with await AsyncMemory.open(f"with-{FIRST}") as other:
            return await other.check(encoder=SECOND)

    with taught() as memory:
        assert asyncio.run(main()) == memory.check(encoder=SECOND)


@pytest.mark.parametrize(
    ("gained", "lost", "tested", "low", "high"),
    [(7, 1, 21, 0.0134, 0.5084), (16, 6, 161, 0.0032, 0.1195)],
    ids=["Bentur et al. 2009", "Cavo et al. 2012"],
)
def test_the_interval_of_tables_with_few_and_with_many_cases(
    gained: int, lost: int, tested: int, low: float, high: float
) -> None:
    """Two examples of Fagerland, Lydersen and Laake, Statistics in Medicine 2014; worked out by hand."""
    assert paired_interval(gained, lost, tested) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))))
def test_the_interval_holds_what_was_seen_and_is_the_other_way_round_for_the_other(
    seen: tuple[int, int, int],
) -> None:
    gained, lost, tested = seen[0], seen[1] * (seen[2] - seen[0]) // seen[2], seen[2]

    low, high = paired_interval(gained, lost, tested)

    assert -1 <= low <= (gained - lost) / tested <= high <= 1
    assert paired_interval(lost, gained, tested) == pytest.approx((-high, -low))


@pytest.mark.parametrize("shares", [(0.1, 0.1), (0.3, 0.1), (0.02, 0.05)])
@pytest.mark.parametrize("tested", [20, 100, 500])
def test_of_intervals_95_in_100_hold_the_truth(shares: tuple[float, float], tested: int) -> None:
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(tested, [*shares, 1 - sum(shares)], size=4000)

    holding = [
        low <= shares[0] - shares[1] <= high
        for low, high in (paired_interval(gained, lost, tested) for gained, lost, _ in drawn.tolist())
    ]

    assert np.mean(holding) > 0.935
