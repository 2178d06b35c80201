"""Renaming a label: one commit, after which the old one might never have been taught."""

from __future__ import annotations

import asyncio
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
from stores import DIMENSION, HOME_KEY, SETTINGS, Unflushed, make, tree

from edge_icl import Example, ExampleNotFoundError, InputError, Memory, Renamed
from edge_icl.aio import AsyncMemory
from edge_icl.store import trie
from edge_icl.store.audit import audit
from edge_icl.store.disk import Store
from edge_icl.store.pages import Row
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.writer import writing

LABELS = st.sampled_from(["travel", "Travel", "travel ", "food"])
EXAMPLES = st.sets(
    st.builds(
        Example.create,
        st.integers(0, 30).map("input {}".format),
        LABELS,
        tags=st.sets(st.just("2026")),
    ),
    max_size=20,
)


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that changes split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


def row(example: Example) -> Row:
    """Return an example as a row, whose vector follows from its input, as an encoder's does."""
    rng = np.random.default_rng(int(example.input.removeprefix("input ")))
    vector = rng.integers(-127, 128, DIMENSION).astype(np.int8)
    return Row(example.id(SETTINGS.seed), vector, example.canonical())


def taught(path: Path, examples: set[Example], **renamed: str) -> Store:
    """Return a store that was taught these examples, with other labels in the place of some."""
    return make(path, [row(one.changed(output=renamed.get(one.output, one.output))) for one in examples])


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
@given(examples=EXAMPLES, old=LABELS, new=LABELS | st.just("something new"))
def test_after_any_renaming_the_store_is_one_that_was_taught_the_new_label(
    tmp_path_factory: pytest.TempPathFactory, sealed: bool, examples: set[Example], old: str, new: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "encrypted", sealed)
        see_renaming(tmp_path_factory.mktemp("rename"), examples, old, new)


def see_renaming(path: Path, examples: set[Example], old: str, new: str) -> None:
    """Rename a label, and compare the store with one that was taught the new label."""
    memory = without_models(taught(path / "store", examples))
    having = {one for one in examples if one.output == old}
    there = {one.changed(output=new) for one in having} & examples
    if not having:
        with pytest.raises(ExampleNotFoundError):
            memory.rename_label(old, new)
        return

    done = memory.rename_label(old, new)

    assert tree(path / "store") == tree(taught(path / "never", examples, **{old: new}).path)
    assert done.root_after == memory.root
    if old == new:
        assert (done.ids, done.root_before) == ((), done.root_after)
    else:
        assert set(done.ids) == {one.id(SETTINGS.seed).hex() for one in having}
        assert done.duplicates == len(there)
        assert old not in memory.outputs()
    assert memory.verify(deep=True, receipt=done.as_json() if done.ids else None).ok


@given(examples=EXAMPLES, old=LABELS)
def test_a_label_that_was_renamed_to_a_new_one_is_renamed_back_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, examples: set[Example], old: str
) -> None:
    store = taught(tmp_path_factory.mktemp("back") / "store", {*examples, Example.create("input 0", old)})
    before, memory = tree(store.path), without_models(store)

    memory.rename_label(old, "something new")
    memory.rename_label("something new", old)

    assert tree(store.path) == before


HELD = {Example.create(f"input {n}", ("travle", "travel", "food")[n % 3]) for n in range(15)}
HELD |= {Example.create("input 0", "travel")}


@pytest.fixture
def start(tmp_path: Path) -> Tree:
    """A store whose cache holds a state that tells of the label that is to be renamed."""
    store = taught(tmp_path / "start", HELD)
    PrefixCache(store, store.snapshot(), HOME_KEY).put("key", b"travle")
    return tree(store.path)


@pytest.mark.parametrize("power", [False, True], ids=["crash", "power cut"])
def test_an_interrupted_renaming_has_changed_all_examples_or_none(
    tmp_path: Path, start: Tree, power: bool, campaign: bool
) -> None:
    outcomes = {
        "before": without_entries(start),
        "after": tree(taught(tmp_path / "after", HELD, travle="travel").path),
    }
    places = (tmp_path / f"place {n}" for n in itertools.count())
    seen = set()
    for stop in itertools.count(step=1 if campaign else 3):
        path = next(places)
        lay_out(start, path)
        files = PowerLoss(path, stop) if power else Faulty(stop)
        try:
            without_models(Store.open(path, files=files)).rename_label("travle", "travel")
        except Crash:
            assert files.fired
        for found in files.outcomes(8) if power else [tree(path)]:
            seen.add(judge(found, next(places), outcomes))
        shutil.rmtree(path)
        if not files.fired:
            break

    assert stop > 20
    assert seen == {"before", "after"}


def judge(found: Tree, path: Path, outcomes: dict[str, Tree]) -> str:
    """Return which of the outcomes a reader sees; the next writer makes every byte be so."""
    lay_out(found, path)
    store = Store.open(path, files=Unflushed())
    labels = [example.output for _, example in store.snapshot().examples()]
    assert labels.count("travle") in (0, 5)
    seen = "before" if "travle" in labels else "after"
    with writing(store):
        pass
    assert without_entries(tree(path)) == outcomes[seen]
    assert audit(path, home_key=HOME_KEY).differences == ()
    shutil.rmtree(path)
    return seen


def test_no_byte_tells_the_old_label(tmp_path: Path, start: Tree) -> None:
    assert any(b"travle" in data for data in start.values())

    without_models(Store.open(tmp_path / "start")).rename_label("travle", "travel")

    assert not any(b"travle" in data for data in tree(tmp_path / "start").values())


def test_the_record_is_a_receipt_of_what_was_forgotten(tmp_path: Path, start: Tree) -> None:
    memory = without_models(Store.open(tmp_path / "start"))
    assert start

    done = memory.rename_label("travle", "something new")
    memory.rename_label("something new", "travle")

    assert isinstance(done, Renamed)
    found = memory.verify(receipt=done.as_json())
    assert {finding.path for finding in found.differences} == set(done.ids)


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("Travle", "x", ExampleNotFoundError, "no example has the output Travle; did you mean travle?"),
        ("zebra", "x", ExampleNotFoundError, "no example has the output zebra"),
        ("travle", " ", InputError, "the new label is empty"),
        ("", "x", InputError, "the label is empty"),
        ("travle", "a\0b", InputError, "the new label holds a NUL character"),
        ("travle", "long " * 40_000, InputError, "tokens"),
    ],
)
def test_what_cannot_be_renamed_changes_nothing(
    tmp_path: Path, start: Tree, models_home: Path, old: str, new: str, error: type[Exception], words: str
) -> None:
    with without_models(Store.open(tmp_path / "start")) as memory, pytest.raises(error) as raised:
        memory.rename_label(old, new)

    assert words in str(raised.value)
    assert tree(tmp_path / "start") == start


def test_the_setting_for_labels_stays(tmp_path: Path) -> None:
    memory = without_models(make(tmp_path / "store", map(row, HELD), labels="yes"))

    memory.rename_label("travle", "travel")

    assert memory.labels_setting == "yes"


def test_the_same_holds_for_asyncio_and_real_vectors(models_home: Path) -> None:
    with Memory.create("never", seed=stores.SETTINGS.seed) as never:
        never.add("Uber to the airport", "travel")
        never.add("Sandwich", "food")
    with Memory.create("work", seed=stores.SETTINGS.seed) as memory:
        memory.add("Uber to the airport", "travle")
        memory.add("Sandwich", "food")

    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            done = await memory.rename_label("travle", "travel")
            assert (len(done.ids), done.duplicates) == (1, 0)

    asyncio.run(main())
    assert tree(memory.path) == tree(never.path)
