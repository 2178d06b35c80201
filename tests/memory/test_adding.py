"""Adding is the same whatever the blocks in which it is done, and reads what it is given once."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_encoders import FIRST, imported_encoders, small_encoders
from stores import little_memory, tree

from edge_icl import Example, InputError, Memory, Vector
from edge_icl.changes import adding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_icl import Added

__all__ = ["imported_encoders", "small_encoders"]

SEED = bytes(range(32))
WORDS = ("taxi", "lunch", "paper", "hotel", "tram")

taught = st.lists(
    st.tuples(
        st.integers(0, 14).map(lambda n: (f"{WORDS[n % 5]} number {n % 12}", f"label {n % 3}")),
        st.booleans(),  # whether it comes with its vector
    ),
    max_size=25,
)


@pytest.fixture
def vectors(small_encoders: Path) -> dict[Example, Vector]:
    """The vectors of all that may be taught."""
    every = [Example.create(f"{WORDS[n % 5]} number {n % 12}", f"label {n % 3}") for n in range(60)]
    with Memory.create("vectors", encoder=FIRST, seed=SEED) as memory:
        memory.add_many(every)
        return {held.example: vector for held, vector in memory.export()}


def added(before: list[Example], pairs: list[tuple[tuple[str, str], Vector | None]]) -> tuple[Added, object]:
    """Return what adding says, and what the store is then."""
    with Memory.create(Path(tempfile.mkdtemp()) / "store", encoder=FIRST, seed=SEED) as memory:
        memory.add_many(before)
        texts, given = zip(*pairs, strict=True) if pairs else ((), ())
        told: list[tuple[str, int, int]] = []
        done = memory.add_many(iter(texts), vectors=iter(given), progress=lambda *step: told.append(step))
        assert all(step[0] in ("embed", "encoder") for step in told)
        embedded = [step for step in told if step[0] == "embed"]
        assert [now for _, now, _ in embedded] == sorted(now for _, now, _ in embedded)
        assert {most for _, _, most in embedded} == ({done.added - done.carried} if embedded else set())
        return done, tree(memory.path)


@pytest.mark.usefixtures("small_encoders")
def test_blocks_change_neither_the_store_nor_what_is_said(vectors: dict[Example, Vector]) -> None:
    @settings(max_examples=12)
    @given(taught, st.integers(0, 20), st.integers(1, 7))
    def check(some: list[tuple[tuple[str, str], bool]], held: int, block: int) -> None:
        pairs = [(text, vectors[Example.create(*text)] if given else None) for text, given in some]
        before = [*vectors][:held]
        expected = added(before, pairs)
        with ExitStack() as small, pytest.MonkeyPatch.context() as patch:
            small.enter_context(little_memory())
            patch.setattr(adding, "BLOCK", block)
            assert added(before, pairs) == expected

    check()


def test_what_is_wrong_in_a_later_block_is_named_and_nothing_is_embedded(
    small_encoders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "BLOCK", 2)

    def some() -> Iterator[tuple[str, str]]:
        yield from ((f"taxi {n}", "travel") for n in range(5))
        yield ("", "travel")

    def refused(*_: object) -> None:
        raise AssertionError("embedded")

    with Memory.create("work", encoder=FIRST, seed=SEED) as memory, little_memory():
        before = tree(memory.path)
        monkeypatch.setattr(adding, "embedded", refused)
        with pytest.raises(InputError, match=r"^examples\[5\]: the input is empty"):
            memory.add_many(some())
        for count, said in ((3, "vectors has 3 elements, not 5"), (7, "vectors has 7 elements, not 5")):
            with pytest.raises(ValueError, match=said):
                memory.add_many([(f"taxi {n}", "travel") for n in range(5)], vectors=[None] * count)
        assert tree(memory.path) == before


def test_one_example_with_two_vectors_is_refused_in_any_blocks(
    vectors: dict[Example, Vector], monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, first), (_, second), *_ = vectors.items()
    other = vectors[next(example for example, vector in vectors.items() if vector != first)]
    with Memory.create("work", encoder=FIRST, seed=SEED) as memory, little_memory():
        for block in (1, 100):
            monkeypatch.setattr(adding, "BLOCK", block)
            with pytest.raises(InputError, match="comes with two different vectors"):
                memory.add_many([one, one], vectors=[first, other])
        assert len(memory) == 0
    assert second
