"""Correcting an example: one commit, after which the old one might never have been there."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import stores
from faults import Crash, Faulty, PowerLoss, Tree, lay_out, without_entries
from handles import without_models
from hypothesis import given
from hypothesis import strategies as st
from stores import HOME_KEY, SETTINGS, Unflushed, make, numbers, row, rows, tree

from edge_icl import AmbiguousIdError, Example, ExampleNotFoundError, InputError, Memory, Replaced
from edge_icl.store import trie
from edge_icl.store.audit import audit
from edge_icl.store.disk import Store
from edge_icl.store.pages import Row
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.writer import writing

OUTPUT = "the right output"
HELD = range(14)


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that changes split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


def corrected(old: Row, **fields: object) -> Row:
    example = Example.from_canonical(old.text).changed(**fields)
    return Row(example.id(SETTINGS.seed), old.vector, example.canonical())


def wanted(path: Path, held: set[int], number: int) -> Tree:
    """Return the tree of a store that was given the corrected example and never held the old one."""
    others = rows(held - {number})
    return tree(make(path, [corrected(row(number), output=OUTPUT), *others]).path)


@given(held=st.sets(numbers, min_size=1, max_size=20), data=st.data())
def test_after_any_correction_the_store_is_one_that_never_held_the_old_example(
    tmp_path_factory: pytest.TempPathFactory, held: set[int], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("replace")
    number = data.draw(st.sampled_from(sorted(held)))
    memory = without_models(make(path / "store", rows(held)))

    done = memory.replace(row(number).id.hex(), output=OUTPUT)

    assert tree(path / "store") == wanted(path / "never", held, number)
    assert (done.old, done.root_after) == (row(number).id.hex(), memory.root)
    assert memory.get(done.new).output == OUTPUT
    assert memory.verify(deep=True, receipt=done.as_json()).ok


@pytest.fixture
def start(tmp_path: Path) -> Tree:
    """A store whose cache holds a state that tells of the example that is to be corrected."""
    store = make(tmp_path / "start", rows(HELD))
    PrefixCache(store, store.snapshot(), HOME_KEY).put("key", row(3).text)
    return tree(store.path)


@pytest.mark.parametrize("power", [False, True], ids=["crash", "power cut"])
def test_an_interrupted_correction_leaves_the_old_example_or_the_new_one_never_both(
    tmp_path: Path, start: Tree, power: bool
) -> None:
    outcomes = {
        "before": without_entries(start),
        "after": wanted(tmp_path / "after", set(HELD), 3),
    }
    places = (tmp_path / f"place {n}" for n in itertools.count())
    seen = set()
    for stop in itertools.count():
        path = next(places)
        lay_out(start, path)
        files = PowerLoss(path, stop) if power else Faulty(stop)
        try:
            without_models(Store.open(path, files=files)).replace(row(3).id.hex(), output=OUTPUT)
        except Crash:
            assert files.fired
        for found in files.outcomes(8) if power else [tree(path)]:
            seen.add(judge(found, next(places), outcomes, finished=not files.fired))
        shutil.rmtree(path)
        if not files.fired:
            break

    assert stop > 20
    assert seen == {"before", "after"}


def judge(found: Tree, path: Path, outcomes: dict[str, Tree], *, finished: bool) -> str:
    """Return which of the outcomes a reader sees; the next writer makes every byte be so."""
    lay_out(found, path)
    store = Store.open(path, files=Unflushed())
    outputs = {example.output for _, example in store.snapshot().examples() if example.input == "input 3"}
    assert outputs in ({"output 3"}, {OUTPUT})
    seen = "after" if outputs == {OUTPUT} else "before"
    if finished:
        assert without_entries(found) == outcomes["after"]
    with writing(store):
        pass
    assert without_entries(tree(path)) == outcomes[seen]
    assert audit(path, home_key=HOME_KEY).differences == ()
    shutil.rmtree(path)
    return seen


def test_a_correction_into_an_example_that_is_there_forgets_the_old_one(tmp_path: Path) -> None:
    there = corrected(row(1), output=OUTPUT)
    memory = without_models(make(tmp_path / "store", [row(1), row(2), there]))

    done = memory.replace(row(1).id.hex(), output=OUTPUT)

    assert done.new == there.id.hex()
    assert tree(memory.path) == tree(make(tmp_path / "never", [row(2), there]).path)


def test_a_correction_that_changes_nothing_changes_no_byte(tmp_path: Path, start: Tree) -> None:
    memory = without_models(Store.open(tmp_path / "start"))

    done = memory.replace(row(3).id.hex(), output="output 3", tags=[], source="")

    assert not done.changed
    assert done.old == done.new
    assert done.root_before == done.root_after
    assert done.as_json()["ids"] == []
    assert tree(memory.path) == start


def test_every_field_can_be_changed_and_the_others_stay(tmp_path: Path) -> None:
    memory = without_models(make(tmp_path / "store", [row(1)]))

    done = memory.replace(row(1).id.hex()[:8], tags=["b", "a"], source="me")
    assert memory.get(done.new).example == Example("input 1", "output 1", ("a", "b"), "me")
    done = memory.replace(done.new, output=OUTPUT)
    assert memory.get(done.new).example == Example("input 1", OUTPUT, ("a", "b"), "me")
    done = memory.replace(done.new, tags=(), source="")
    assert memory.get(done.new).example == Example("input 1", OUTPUT)
    assert len(memory) == 1
    assert np.array_equal(stored_vector(memory), row(1).vector)


def stored_vector(memory: Memory) -> np.ndarray:
    (vector,) = Store.open(memory.path).snapshot().points().vectors
    return vector


def test_a_new_input_gets_its_own_vector(models_home: Path) -> None:
    with Memory.create("work", seed=stores.SETTINGS.seed) as memory:
        old = memory.add("Uber to the airport", "travel").ids[0]
        memory.add("Printer toner", "office")
        memory.replace(old, input="Taxi downtown")
    with Memory.create("never", seed=stores.SETTINGS.seed) as never:
        never.add("Printer toner", "office")
        never.add("Taxi downtown", "travel")

    assert tree(memory.path) == tree(never.path)


@pytest.mark.parametrize(
    ("id", "output", "error"),
    [("ffff", "x", ExampleNotFoundError), ("", "x", ExampleNotFoundError), (None, " ", InputError)],
)
def test_what_cannot_be_corrected_changes_nothing(
    tmp_path: Path, start: Tree, id: str | None, output: str, error: type[Exception]
) -> None:
    memory = without_models(Store.open(tmp_path / "start"))

    with pytest.raises(error):
        memory.replace(row(3).id.hex() if id is None else id, output=output)

    assert tree(memory.path) == start


def test_an_ambiguous_id_changes_nothing(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(40)))
    digits = [row(number).id.hex()[0] for number in range(40)]
    shared = next(digit for digit in digits if digits.count(digit) > 1)
    before = tree(store.path)

    with pytest.raises(AmbiguousIdError):
        without_models(store).replace(shared, output="x")

    assert tree(store.path) == before


def test_the_record_is_a_receipt_of_what_was_forgotten(tmp_path: Path) -> None:
    memory = without_models(make(tmp_path / "store", rows(range(3))))
    done = memory.replace(row(1).id.hex(), output=OUTPUT)
    memory.replace(done.new, output="output 1")

    assert isinstance(done, Replaced)
    found = memory.verify(receipt=done.as_json())
    assert [finding.path for finding in found.differences] == [done.old]
