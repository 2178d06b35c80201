"""Any stores, merged in any order and as any tree: they are one store that was given all at once."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stores
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import PASSPHRASE, QUICK, commit, label_settings, make, numbers, reopen, row, tree, variant

from edge_icl import InputError, Memory, SignatureError, StoreClosedError, StoreExistsError
from edge_icl.access.merging import Union
from edge_icl.aio import AsyncMemory
from edge_icl.changes import merging
from edge_icl.results import RECEIPT
from edge_icl.store import disk, spool, trie
from edge_icl.store.files import Files
from edge_icl.store.keys import Key
from edge_icl.store.manifest import AUTO, LabelsSetting
from edge_icl.store.pages import Row
from edge_icl.store.writer import writing

Content = dict[int, int]
"""The numbers of the examples that a store holds -> which of its vectors each has."""

VARIANTS = 3


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Let four examples fill a page, and no flush be waited for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        patch.setattr(Files, "flush", lambda *_: None)
        patch.setattr(Files, "flush_directory", lambda *_: None)
        yield


def smaller(number: int, one: int, other: int) -> int:
    """Return which of two vectors of an example has the smaller bytes."""
    return min(one, other, key=lambda step: (variant(number, step).vector.tobytes(), step))


def union(*contents: Content) -> Content:
    """Return what stores hold together."""
    found: Content = {}
    for content in contents:
        for number, step in content.items():
            found[number] = smaller(number, step, found.get(number, step))
    return found


@cache
def fresh(content: frozenset[tuple[int, int]], labels: LabelsSetting, kind: bool) -> dict[str, bytes]:
    """Return the tree of a store that was given all of this at once."""
    with tempfile.TemporaryDirectory() as folder:
        return tree(make(Path(folder) / "store", [variant(*one) for one in content], labels=labels).path)


def expected(content: Content, labels: LabelsSetting = AUTO) -> dict[str, bytes]:
    return fresh(frozenset(content.items()), labels, stores.encrypted)


def secret() -> bytes | None:
    return PASSPHRASE if stores.encrypted else None


def opened(path: Path) -> Memory:
    return Memory.open(path, create=False, passphrase=secret())


def taught(path: Path, content: Content, forgotten: set[int] = frozenset(), **more: LabelsSetting) -> Path:
    """Make a store of a device that was taught something, and has forgotten some of it."""
    store = make(path, [variant(*one) for one in content.items()], **more)
    commit(store, removed=[row(number).id for number in forgotten & content.keys()])
    return path


contents = st.dictionaries(numbers, st.integers(0, VARIANTS - 1), max_size=14)
devices = st.lists(st.tuples(contents, st.sets(numbers, max_size=5)), min_size=2, max_size=5)
places = st.integers(0, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), places, st.sets(places, min_size=1, max_size=3)),
        st.tuples(st.just("forget"), places, st.sets(numbers, max_size=3)),
    ),
    max_size=6,
)


@pytest.mark.usefixtures("kind")
@given(given_devices=devices, steps=steps, last=st.permutations(range(5)))
@settings(max_examples=max(settings.default.max_examples // 6, 1))
def test_merged_in_any_order_and_as_any_tree_they_are_one_store_that_was_given_all_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    given_devices: list[tuple[Content, set[int]]],
    steps: list[tuple[str, int, set[int]]],
    last: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("fleet")
    held: list[Content] = []
    for i, (content, forgotten) in enumerate(given_devices):
        taught(folder / f"{i}", content, forgotten)
        held.append({number: step for number, step in content.items() if number not in forgotten})
    count = len(held)
    last = [i for i in last if i < count]
    for what, place, some in [*steps, ("merge", last[0], set(last)), ("merge", last[0], set(last[:1:-1]))]:
        i = place % count
        if what == "forget":
            commit(reopen(folder / f"{i}"), removed=[row(number).id for number in some & held[i].keys()])
            held[i] = {number: step for number, step in held[i].items() if number not in some}
        elif others := sorted({one % count for one in some} - {i}, key=last.index):
            with opened(folder / f"{i}") as memory:
                done = memory.merge(*(folder / f"{one}" for one in others), passphrase=secret())
                before, held[i] = held[i], union(held[i], *(held[one] for one in others))
                assert (done.added, done.examples) == (len(held[i].keys() - before.keys()), len(held[i]))
                assert done.replaced == sum(held[i][one] != before[one] for one in before)
                assert memory.root == done.root_after
        assert tree(folder / f"{i}") == expected(held[i])
    everything = union(*held)
    assert tree(folder / f"{last[0]}") == expected(everything)
    with opened(folder / f"{last[1]}") as memory:
        rest = [folder / f"{one}" for one in last if one != last[1]]
        done = memory.merge(*rest, into=folder / "new", passphrase=secret())
        assert done.examples == len(everything)
    check_new(folder / "new", everything, done.root_after)


def check_new(path: Path, content: Content, root: str | None) -> None:
    """Check that a store that a merge has made is what it must be; an encrypted one has its own data key."""
    if not stores.encrypted:
        assert tree(path) == expected(content)
        return
    with opened(path) as memory:
        assert memory.encrypted
        assert memory.root == root
        assert memory.verify(deep=True).ok
    other = make(path.with_name("plainly"), [variant(*one) for one in content.items()])
    assert other.snapshot().root == root


@given(settings_given=st.lists(label_settings, min_size=2, max_size=4), data=st.data())
@settings(max_examples=max(settings.default.max_examples // 6, 1))
def test_the_setting_for_labels_is_that_of_the_stores_that_have_one_or_the_merge_is_refused(
    tmp_path_factory: pytest.TempPathFactory, settings_given: list[LabelsSetting], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    paths = [taught(folder / f"{i}", {i: 0}, labels=setting) for i, setting in enumerate(settings_given)]
    said = {*settings_given} - {AUTO}
    order = data.draw(st.permutations(paths))

    with opened(order[0]) as memory:
        before = tree(order[0])
        if len(said) > 1:
            with pytest.raises(InputError, match="say the same in both"):
                memory.merge(*order[1:])
            assert tree(order[0]) == before
            return
        done = memory.merge(*order[1:])

    wanted = next(iter(said), AUTO)
    assert done.labels_setting == wanted
    assert tree(order[0]) == expected(dict.fromkeys(range(len(paths)), 0), wanted)


@pytest.mark.usefixtures("kind")
def test_what_was_forgotten_on_one_device_comes_back_and_on_all_of_them_it_is_gone(tmp_path: Path) -> None:
    taught(tmp_path / "laptop", {1: 0, 2: 0, 3: 0}, {2, 3})
    taught(tmp_path / "phone", {2: 0, 3: 0, 4: 0}, {3})

    with opened(tmp_path / "laptop") as memory:
        memory.merge(tmp_path / "phone", passphrase=secret())

    assert tree(tmp_path / "laptop") == expected({1: 0, 2: 0, 4: 0})
    assert row(3).text not in b"".join(tree(tmp_path / "laptop").values())


some_numbers = st.sets(numbers, max_size=8)


@given(here=some_numbers, there=some_numbers, more=some_numbers, gone=some_numbers)
@settings(max_examples=max(settings.default.max_examples // 6, 1))
def test_with_receipts_what_they_name_is_nowhere(
    tmp_path_factory: pytest.TempPathFactory, here: set[int], there: set[int], more: set[int], gone: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("receipts")
    one = taught(folder / "one", dict.fromkeys(here, 0))
    others = [taught(folder / f"{i}", dict.fromkeys(some, 0)) for i, some in enumerate((there, more))]
    with opened(one) as memory:
        receipts = [
            {
                "ids": [row(number).id.hex()],
                "root_after": memory.root,
                "store": memory.settings.digest(RECEIPT),
            }
            for number in gone
        ]
        planned = memory.merge(*others, receipts=receipts, dry_run=True)
        assert tree(one) == expected(dict.fromkeys(here, 0))
        done = memory.merge(*others, receipts=receipts)
        found = memory.forget_from(*receipts) if receipts else None

    assert {*done.forgotten} == {row(number).id.hex() for number in here & gone}
    assert done.left_out == len(((there | more) - here) & gone)
    for name in ("examples", "new", "duplicates", "replaced", "only_here", "forgotten", "left_out", "sources"):
        assert getattr(planned, name) == getattr(done, name), name
    assert tree(one) == expected(dict.fromkeys((here | there | more) - gone, 0))
    assert found is None or (found.ids, found.root_before) == ((), done.root_after)


def test_stores_with_one_data_key_are_the_same_also_in_their_encrypted_bytes(tmp_path: Path) -> None:
    key = Key.from_seed(PASSPHRASE, stores.SETTINGS.seed, stretch=QUICK)
    made = [stores.Store.create(tmp_path / name, stores.SETTINGS, key=key) for name in ("one", "two")]
    for store, some in zip(made, (range(6), range(4, 12)), strict=True):
        commit(store, added=stores.rows(some))

    for store, other in (made, reversed(made)):
        with Memory.open(store.path, passphrase=PASSPHRASE) as memory:
            memory.merge(other.path, passphrase=PASSPHRASE)

    assert tree(made[0].path) == tree(made[1].path)


@pytest.fixture(autouse=True)
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have plain stores where a test does not ask for both kinds: that of an earlier test may be set still."""
    if "kind" not in request.fixturenames:
        monkeypatch.setattr(stores, "encrypted", False)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """The stores of two devices."""
    return taught(tmp_path / "one", {1: 0, 2: 0}), taught(tmp_path / "two", {2: 0, 3: 0, 4: 0})


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Have something happen after the stores were read, before the lock is held."""
    real = merging.writing

    @contextmanager
    def late(*args: Any, **more: Any) -> Iterator[Any]:
        change()
        with real(*args, **more) as writer:
            yield writer

    monkeypatch.setattr(merging, "writing", late)


def test_what_another_store_forgets_meanwhile_does_not_come(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    meanwhile(monkeypatch, lambda: commit(reopen(two), removed=[row(3).id]))

    with opened(one) as memory:
        done = memory.merge(two)

    assert done.new == (row(4).id.hex(),)
    assert tree(one) == expected({1: 0, 2: 0, 4: 0})


def test_what_another_store_forgets_while_it_is_read_again_does_not_come(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    real, left = Union.of, [4, 3]

    def late(*args: Any, **more: Any) -> Union:
        found = real(*args, **more)
        if left:
            commit(reopen(two), removed=[row(left.pop()).id])
        return found

    monkeypatch.setattr(Union, "of", late)
    with opened(one) as memory:
        done = memory.merge(two)

    assert not done.new
    assert tree(one) == expected({1: 0, 2: 0})


def test_what_this_store_is_taught_or_forgets_meanwhile_stays_so(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    meanwhile(monkeypatch, lambda: commit(reopen(one), added=[row(5), row(3)], removed=[row(1).id]))

    with opened(one) as memory:
        done = memory.merge(two)

    assert (done.new, done.only_here) == ((row(4).id.hex(),), 1)
    assert tree(one) == expected(dict.fromkeys((2, 3, 4, 5), 0))


def test_a_new_store_is_made_of_one_state_of_each(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    real, left = Union.everything, [lambda: commit(reopen(two), removed=[row(3).id])]

    def late(union: Union) -> list[Row]:
        found = real(union)
        while left:
            left.pop()()
        return found

    monkeypatch.setattr(Union, "everything", late)
    with opened(one) as memory:
        before = tree(one)
        memory.merge(two, into=tmp_path / "new")

    assert tree(tmp_path / "new") == expected({1: 0, 2: 0, 4: 0})
    assert tree(one) == before


def test_a_store_that_another_process_makes_at_the_same_moment_stays(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when this one is ready to get its name; it is empty still, and has the same settings."""
    one, two = pair
    real, path = disk.lay_out, tmp_path / "new"

    def late(*given: Any) -> None:
        real(*given)
        if not path.exists():
            path.mkdir()
            monkeypatch.setattr(disk, "lay_out", real)
            make(path, [])

    monkeypatch.setattr(disk, "lay_out", late)
    with opened(one) as memory, pytest.raises(StoreExistsError, match="choose another name"):
        memory.merge(two, into=path)

    assert tree(path) == expected({})


def test_a_large_merge_is_known_to_what_was_asked_before(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    monkeypatch.setattr(spool, "MOST_HELD", 1)
    with opened(one) as memory, opened(two) as other:
        memory.check()  # for which sums over all examples are made

        done = memory.merge(other)

        assert done.root_after == memory.root
        assert len(memory) == 4


def test_another_store_may_be_locked_and_is_not_written_to(pair: tuple[Path, Path]) -> None:
    one, two = pair
    before = tree(two)

    with writing(reopen(two)), opened(one) as memory:
        memory.merge(two)

    assert tree(two) == before
    assert tree(one) == expected(dict.fromkeys((1, 2, 3, 4), 0))


def test_open_memories_are_merged_and_stay_open(pair: tuple[Path, Path]) -> None:
    with opened(pair[0]) as one, opened(pair[1]) as two:
        assert len(one.find(output="output 3")) == 0
        one.merge(two)
        assert len(one.find(output="output 3")) == 1
        two.merge(one)
        assert one.root == two.root
        two.close()
        with pytest.raises(StoreClosedError):
            one.merge(two)


def test_the_sums_that_an_open_store_keeps_take_another_vector_in(tmp_path: Path) -> None:
    step = next(step for step in (-1, 1) if variant(2, step).vector.tobytes() < row(2).vector.tobytes())
    one, two = taught(tmp_path / "one", {1: 0, 2: 0, 3: 0}), taught(tmp_path / "two", {2: step, 4: 0})
    with opened(one) as memory:
        cache = memory._opened.cache
        memory._opened.read(lambda snapshot: cache.derived(snapshot).statistics)
        memory.merge(two)
        kept = memory._opened.read(lambda snapshot: cache.derived(snapshot).statistics)

    with opened(one) as again:
        fresh = again._opened.read(lambda snapshot: again._opened.cache.derived(snapshot).statistics)
    assert (kept.counts, kept.gram.tolist()) == (fresh.counts, fresh.gram.tolist())
    assert {name: total.tolist() for name, total in kept.totals.items()} == {
        name: total.tolist() for name, total in fresh.totals.items()
    }


def test_a_loop_merges_memories_of_its_own(pair: tuple[Path, Path]) -> None:
    async def main() -> None:
        async with await AsyncMemory.open(pair[0]) as one, await AsyncMemory.open(pair[1]) as two:
            done = await one.merge(two)
            await two.merge(one)
            assert await one.root() == await two.root() == done.root_after
            receipt = await one.forget(row(1).id.hex())
            assert (await two.forget_from(receipt)).ids == receipt.ids
            made = await AsyncMemory.create(pair[0].with_name("third"), like=one)
            async with made as third:
                await third.merge(one, two)
                assert await third.root() == await one.root()

    asyncio.run(main())


def test_receipts_may_be_given_in_every_form(pair: tuple[Path, Path]) -> None:
    with opened(pair[0]) as one, opened(pair[1]) as two:
        one.merge(two)
        replaced = one.replace(row(2).id.hex(), output="other")
        renamed = one.rename_label("output 3", "new")
        forgotten = one.forget(row(1).id.hex(), sign=True)
        nothing = one.replace(replaced.new, output="other")
        text = json.dumps(forgotten.as_json())
        for receipts in ((replaced, renamed, nothing), (text, text.encode()), (forgotten.signed,)):
            two.forget_from(*receipts)
        assert two.ids() == [row(4).id.hex()]
        with pytest.raises(SignatureError):
            two.forget_from(forgotten.signed.replace(row(1).id.hex(), row(4).id.hex()))
        with pytest.raises(InputError, match=r"^receipts\[1\]: this is not a receipt"):
            two.forget_from(forgotten, "x")
        assert two.ids() == [row(4).id.hex()]
        two.merge(one, receipts=[replaced, renamed])
        assert {held.output for held in two} == {"other", "new", "output 0"}


def test_a_store_like_another_takes_only_a_passphrase(tmp_path: Path) -> None:
    other = taught(tmp_path / "other", {1: 0})
    for name, value in (("shots", 3), ("seed", bytes(32)), ("encoder", "x"), ("task", "y"), ("labels", "auto")):
        with pytest.raises(InputError, match="a store that is like another has its settings"):
            Memory.create(tmp_path / "new", like=other, **{name: value})
    with Memory.create(tmp_path / "new", like=other) as memory:
        assert tree(tmp_path / "new") == expected({})
        assert memory.merge(other).added == 1
