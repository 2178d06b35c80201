"""Any sequence of changes, questions, crashes and readings: the store equals a fresh one of its examples."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
import stores
from faults import PREFIXES, Crash, Faulty, Tree, without_entries
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from stores import (
    HOME_KEY,
    Unflushed,
    check,
    commit,
    label_settings,
    little_memory,
    make,
    numbers,
    reopen,
    row,
    rows,
    tree,
)

from edge_icl.store import trie
from edge_icl.store.disk import Store
from edge_icl.store.manifest import LabelsSetting
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.writer import writing

Numbers = set[int]

some = st.sets(numbers, max_size=8)
maybe_set = st.none() | label_settings
torn = st.sampled_from([None, *PREFIXES])


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that small stores split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


@cache
def fresh(held: frozenset[int], labels: LabelsSetting, kind: bool) -> Tree:
    """Return the tree of a store that never held anything else, and had this setting from the beginning."""
    with tempfile.TemporaryDirectory() as folder:
        return tree(make(Path(folder) / "store", rows(sorted(held)), labels=labels).path)


Content = tuple[LabelsSetting, list[bytes]]
"""Whether outputs are labels, and the texts of the examples in the order of their ids."""


def content(store: Store) -> Content:
    """Return what a reader finds."""
    return store.read(
        lambda snapshot: (
            snapshot.manifest.labels,
            [example.canonical() for _, example in snapshot.examples()],
        )
    )


def expected(held: Numbers, labels: LabelsSetting) -> Content:
    return labels, [one.text for one in sorted(rows(held), key=lambda one: one.id)]


class Watched(Unflushed):
    """A file system on which something else happens before the n-th write, rename or removal."""

    def __init__(self, moment: int, event: object) -> None:
        self.moment = moment
        self.event = event

    def step(self) -> None:
        self.moment -= 1
        if self.moment == -1:
            self.event()

    def write(self, file: int, data: bytes) -> None:
        self.step()
        super().write(file, data)

    def rename(self, source: Path, target: Path) -> None:
        self.step()
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self.step()
        super().unlink(path)


class StoreMachine(RuleBasedStateMachine):
    """A store beside the set of numbers that it should hold."""

    readers = Bundle("readers")
    encrypted = False

    def __init__(self) -> None:
        super().__init__()
        stores.encrypted = self.encrypted
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "store"
        self.held: Numbers = set()
        self.labels: LabelsSetting = "auto"

    @initialize(held=some, labels=label_settings)
    def begin(self, held: Numbers, labels: LabelsSetting) -> None:
        self.store = make(self.path, rows(held), labels=labels)
        self.held, self.labels = held, labels

    @rule(number=numbers)
    def add(self, number: int) -> None:
        change = commit(self.store, added=[row(number)])
        assert len(change.added) == (number not in self.held)
        self.held = self.held | {number}

    @rule(batch=some)
    def add_batch(self, batch: Numbers) -> None:
        commit(self.store, added=rows(batch))
        self.held = self.held | batch

    @rule(batch=some, gone=some)
    def change_with_little_memory(self, batch: Numbers, gone: Numbers) -> None:
        gone = (gone & self.held) - batch
        with little_memory():
            commit(self.store, added=(row(number) for number in batch), removed=[row(n).id for n in gone])
        self.held = (self.held - gone) | batch
        self.forgotten(*gone)

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        if self.held:
            number = data.draw(st.sampled_from(sorted(self.held)))
            commit(self.store, removed=[row(number).id])
            self.held = self.held - {number}
            self.forgotten(number)

    @rule(batch=some)
    def forget_batch(self, batch: Numbers) -> None:
        gone = batch & self.held
        commit(self.store, removed=[row(number).id for number in gone])
        self.held = self.held - gone
        self.forgotten(*gone)

    @rule(labels=label_settings)
    def set_labels(self, labels: LabelsSetting) -> None:
        change = commit(self.store, labels=labels)
        assert (change.root_before != change.root_after) == (labels != self.labels)
        self.labels = labels

    @rule(added=some, removed=some, labels=maybe_set)
    def all_at_once(self, added: Numbers, removed: Numbers, labels: LabelsSetting | None) -> None:
        gone = removed & self.held
        ids = [row(number).id for number in gone]
        commit(self.store, added=rows(added - gone), removed=ids, labels=labels)
        self.held, self.labels = (self.held | added) - gone, labels or self.labels

    @rule(name=st.sampled_from("abcdefg"))
    def ask(self, name: str) -> None:
        """Keep a state that tells of the representatives, as a question's prefix does."""
        snapshot = self.store.snapshot()
        texts_of = {one.id: one.text for one in rows(self.held)}
        state = b"".join(texts_of[one] for one in snapshot.clustering.representative_ids())
        entries = PrefixCache(self.store, snapshot, HOME_KEY)
        assert entries.get(name) in (None, state)
        entries.put(name, state)
        assert entries.get(name) == state

    @rule()
    def reopen(self) -> None:
        self.store = reopen(self.path, files=Unflushed())

    @rule(target=readers)
    def begin_to_read(self) -> Store:
        return reopen(self.path, files=Unflushed())

    @rule(reader=readers)
    def read_on(self, reader: Store) -> None:
        assert content(reader) == expected(self.held, self.labels)

    @rule(reader=consumes(readers), added=some, removed=some, labels=maybe_set, moment=st.integers(0, 30))
    def read_during_a_change(
        self, reader: Store, added: Numbers, removed: Numbers, labels: LabelsSetting | None, moment: int
    ) -> None:
        gone = removed & self.held
        before = expected(self.held, self.labels)
        seen = [before]
        files = Watched(moment, lambda: seen.append(content(reader)))

        ids = [row(number).id for number in gone]
        commit(reopen(self.path, files=files), added=rows(added - gone), removed=ids, labels=labels)

        self.held, self.labels = (self.held | added) - gone, labels or self.labels
        assert all(found in (before, expected(self.held, self.labels)) for found in seen)

    @rule(added=some, removed=some, labels=maybe_set, moment=st.integers(0, 80), torn=torn)
    def crash(
        self,
        added: Numbers,
        removed: Numbers,
        labels: LabelsSetting | None,
        moment: int,
        torn: str | None,
    ) -> None:
        gone = removed & self.held
        after = (self.held | added) - gone, labels or self.labels
        files = Faulty(moment, torn=torn)
        try:
            ids = [row(number).id for number in gone]
            commit(reopen(self.path, files=files), added=rows(added - gone), removed=ids, labels=labels)
        except Crash:
            assert files.fired
        found = content(reopen(self.path, files=Unflushed()))
        assert found == expected(*after) or (files.fired and found == expected(self.held, self.labels))
        if found == expected(*after):
            self.held, self.labels = after
        with writing(self.store):
            pass

    def forgotten(self, *gone: int) -> None:
        forms = [form for number in gone for form in (row(number).text, row(number).id)]
        assert not any(form in data for data in tree(self.path).values() for form in forms)

    @invariant()
    def the_directory_is_that_of_a_fresh_store(self) -> None:
        if self.path.exists():
            assert without_entries(tree(self.path)) == fresh(frozenset(self.held), self.labels, self.encrypted)
            assert check(self.path).differences == ()

    def teardown(self) -> None:
        stores.encrypted = False
        shutil.rmtree(self.folder)


class EncryptedStoreMachine(StoreMachine):
    """The same with an encrypted store, of which nothing can be read, of what it holds or of what it held."""

    encrypted = True

    @invariant()
    def nothing_is_in_the_clear(self) -> None:
        forms = [form for number in range(61) for form in (row(number).text, row(number).id)]
        if self.path.exists():
            assert not any(form in data for data in tree(self.path).values() for form in forms)


EXAMPLES = settings.default.max_examples
"""A quarter of what is usual in `make test`, where each is up to thirty steps; half of it in a campaign."""

for machine in (StoreMachine, EncryptedStoreMachine):
    machine.TestCase.settings = settings(
        max_examples=EXAMPLES // 2 if EXAMPLES > 100 else max(EXAMPLES // 4, 1), stateful_step_count=30
    )
TestAnySequenceWithCrashesAndReaders = StoreMachine.TestCase
TestAnySequenceOfAnEncryptedStore = EncryptedStoreMachine.TestCase
