"""Whatever is done to a store's files: an error that names a file, or the right answer; and verify tells."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from faults import Count, Tree, lay_out
from stores import HOME_KEY, SETTINGS, Unflushed, check, commit, make, reopen, row, rows, tree

from edge_icl.cluster import record
from edge_icl.errors import EdgeIclError, StoreFormatError
from edge_icl.search.similarity import search
from edge_icl.store import reading, trie
from edge_icl.store.disk import Store
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.snapshot import Snapshot

HELD = range(9)
NEW = 40
STATE = b"a prefix state"
QUESTION = np.array([10, 60, -5], np.int8)
PARTS = ("store.json", "manifest", "pages", "clustering", "cache", "lock", "key")
SMALL = ("store.json", "manifest", "key")

pytestmark = pytest.mark.usefixtures("kind")


@dataclass(frozen=True)
class Damage:
    """A store to which something was done.

    Attributes:
        tree: what is there now.
        path: the file or directory that was damaged.
        told: whether verify must tell; the lock, which it makes itself, and cache entries may be missing.
    """

    tree: Tree
    path: str
    told: bool = True


@pytest.fixture(autouse=True, scope="module")
def quick() -> None:
    """Tiny pages, and no waiting for a writer who might explain the damage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        patch.setattr(reading, "ATTEMPTS", 1)
        yield


@pytest.fixture(scope="module")
def sound(kind: str, quick: None, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A tiny store with every kind of file."""
    store = make(tmp_path_factory.mktemp("sound") / "store", rows(HELD))
    PrefixCache(store, store.snapshot(), HOME_KEY).put("name", STATE)
    assert len(store.snapshot().manifest.pages) == 3
    return tree(store.path)


@pytest.fixture(scope="module")
def others(kind: str, quick: None, tmp_path_factory: pytest.TempPathFactory) -> list[Tree]:
    """Other stores: another seed, another lattice, other examples, an older state, two empty ones."""
    folder = tmp_path_factory.mktemp("others")
    settings = replace(SETTINGS, seed=bytes(range(1, 33)))
    made = [
        make(folder / "seed", [row(n, settings=settings) for n in HELD], settings=settings),
        make(folder / "step", rows(HELD), settings=replace(SETTINGS, step=21)),
        make(folder / "examples", rows(range(20, 29))),
        make(folder / "older", rows(HELD[:-1])),
        make(folder / "empty"),
        make(folder / "empty seed", settings=settings),
    ]
    for store in made:
        PrefixCache(store, store.snapshot(), HOME_KEY).put("name", b"another state")
    return [tree(store.path) for store in made]


def files(sound: Tree) -> list[str]:
    return [name for name in sound if not name.endswith("/")]


def flipped(sound: Tree, *, each: int, of_small: int, masks: tuple[int, ...]) -> Iterator[Damage]:
    """Yield a changed byte: every so many of the small files by every mask, and of the others by two at most.

    A digest covers the others whole, so there one mask at each position, another at the next, and the last do.
    """
    for name in files(sound):
        small = name in SMALL
        for position in range(0, len(sound[name]), of_small if small else each):
            for mask in masks if small else {masks[position % len(masks)], masks[-1]}:
                data = bytearray(sound[name])
                data[position] ^= mask
                yield Damage({**sound, name: bytes(data)}, name)


def resized(sound: Tree, *, each: int) -> Iterator[Damage]:
    """Yield a file that is cut off, or longer."""
    for name in files(sound):
        data = sound[name]
        lengths = {*range(0, len(data), each), 1, 7, 8, 9, len(data) - 1} & {*range(len(data))}
        for length in sorted(lengths):
            yield Damage({**sound, name: data[:length]}, name)
        if name != "lock":
            for more in (b"\0", b"\n", b" ", data):
                yield Damage({**sound, name: data + more}, name)


def removed(sound: Tree) -> Iterator[Damage]:
    """Yield a file or a directory that is gone, or is a directory or a file instead."""
    for name in sound:
        left = {other: data for other, data in sound.items() if not other.startswith(name)}
        made_again = name == "lock" or name.startswith("cache/")
        yield Damage(left, name.rstrip("/"), told=not made_again or name == "cache/")
        yield Damage({**left, name.rstrip("/") if name.endswith("/") else f"{name}/": b""}, name.rstrip("/"))


def copied(sound: Tree) -> Iterator[Damage]:
    """Yield a file that is there twice, or has another name."""
    for name in files(sound):
        if name == "lock":
            continue
        folder, _, last = name.rpartition("/")
        renamed = last[:40] + last[40:].translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
        for other in (
            f"{name}.bak",
            f"{folder}/{renamed}".lstrip("/"),
            f"pages/{'0' * 64}.safetensors",
            "cache/x",
        ):
            if other not in sound:
                yield Damage({**sound, other: sound[name]}, other)
                moved = {old: data for old, data in sound.items() if old != name}
                yield Damage({**moved, other: sound[name]}, other if folder == "cache" else name)
    for name in ("store.json", "manifest"):
        yield Damage({**sound, "other/": b"", f"other/{name}": sound[name]}, "other")


def replaced(sound: Tree, others: list[Tree]) -> Iterator[Damage]:
    """Yield files of another store in place of those of the same role."""
    for other in others:
        for name in files(sound):
            folder = name.rpartition("/")[0]
            for theirs in files(other):
                same_role = theirs.rpartition("/")[0] == folder and (folder or theirs == name)
                if same_role and other[theirs] != sound[name]:
                    yield Damage({**sound, name: other[theirs]}, name)
        both = {name: other[name] for name in ("store.json", "manifest")}
        yield Damage({**sound, **both}, "manifest")
        clustering = {name: data for name, data in other.items() if name.startswith("clustering/")}
        pages = {name for name in other if name.startswith("pages/")}
        if pages - set(sound):  # else it is the other store, and all there
            yield Damage({**sound, **both, **clustering}, "manifest")


class Examiner:
    """Tries everything with a damaged store."""

    def __init__(self, folder: Path, sound: Tree) -> None:
        self.path = folder / "examined"
        self.right = self.answers(sound)
        self.tried = 0

    def answers(self, sound: Tree) -> list[object]:
        lay_out(sound, self.path)
        found = [self.attempt(work) for work in (self.read, self.find, self.resolve)]
        shutil.rmtree(self.path)
        assert not any(isinstance(one, EdgeIclError) for one in found)
        return found

    def attempt(self, work: Callable[[], object]) -> object:
        """Return what comes out: an answer, or an error of ours, which must name a file."""
        try:
            return work()
        except EdgeIclError as error:
            told = error
        assert isinstance(told, StoreFormatError) or any(part in str(told) for part in PARTS), told
        return told

    def open(self) -> Store:
        return reopen(self.path, files=Unflushed())

    def read(self) -> object:
        return self.open().read(
            lambda snapshot: [(example_id, one.canonical()) for example_id, one in snapshot.examples()]
        )

    def find(self) -> object:
        def look(snapshot: Snapshot) -> object:
            shown = snapshot.clustering.representative_ids()
            cached = PrefixCache(store, snapshot, HOME_KEY).get("name")
            return (
                search(snapshot.points(), QUESTION, 4).tolist(),
                record.encode(snapshot.clustering),
                [snapshot.row(key)[0].text_of(snapshot.row(key)[1]) for key in shown],
                cached in (None, STATE),
            )

        store = self.open()
        return store.read(look)

    def resolve(self) -> object:
        return self.open().read(
            lambda snapshot: [snapshot.resolve(row(number).id.hex()[:12]) for number in HELD]
        )

    def change(self, verb: str) -> object:
        change = {"added": [row(NEW)]} if verb == "added" else {"removed": [row(HELD[0]).id]}
        return commit(self.open(), **change).root_before

    def examine(self, damage: Damage) -> None:
        self.tried += 1
        lay_out(damage.tree, self.path)
        self.check_audit(damage)
        shutil.rmtree(self.path)
        lay_out(damage.tree, self.path)
        for work, right in zip((self.read, self.find, self.resolve), self.right, strict=True):
            found = self.attempt(work)
            assert isinstance(found, EdgeIclError) or found == right, damage.path
        opened = without_lock(tree(self.path))  # what a killed writer may have left is wiped
        for verb, held in (("added", [*HELD, NEW]), ("removed", HELD[1:])):
            found = self.attempt(lambda verb=verb: self.change(verb))
            if isinstance(found, EdgeIclError):
                assert without_lock(tree(self.path)) == opened, damage.path  # what was read before
                continue
            after = self.attempt(self.read)
            if not isinstance(after, EdgeIclError):
                assert sorted(text for _, text in after) == sorted(one.text for one in rows(held))
            shutil.rmtree(self.path)
            lay_out(damage.tree, self.path)
        shutil.rmtree(self.path)

    def check_audit(self, damage: Damage) -> None:
        """Let verify find it: by name, or in a file that does not fit the settings or the manifest any more."""
        paths = self.attempt(lambda: {finding.path for finding in check(self.path, deep=True).differences})
        if isinstance(paths, StoreFormatError):
            assert damage.path in ("store.json", "key")  # each has a format of its own
        elif isinstance(paths, EdgeIclError):
            assert damage.path in str(paths)
        elif damage.told:
            assert paths, damage.path
            assert damage.path in paths | {"store.json", "manifest"}, damage.path


def without_lock(found: Tree) -> Tree:
    return {name: data for name, data in found.items() if name.rstrip("/") != "lock"}


@pytest.fixture
def examiner(tmp_path: Path, sound: Tree) -> Examiner:
    return Examiner(tmp_path, sound)


def test_the_control_is_sound(examiner: Examiner, sound: Tree) -> None:
    examiner.examine(Damage(sound, "", told=False))


def test_a_changed_byte_is_noticed(examiner: Examiner, sound: Tree, campaign: bool, count: Count) -> None:
    masks = (1, 2, 4, 8, 16, 32, 64, 128, 255) if campaign else (1,)
    every = {"each": 1, "of_small": 1} if campaign else {"each": 29, "of_small": 4}

    for damage in flipped(sound, **every, masks=masks):
        examiner.examine(damage)

    assert examiner.tried > (500 if campaign else 200)
    count("bytes flipped", examiner.tried)


def test_a_file_that_was_cut_off_or_is_longer_is_noticed(
    examiner: Examiner, sound: Tree, campaign: bool, count: Count
) -> None:
    for damage in resized(sound, each=1 if campaign else 61):
        examiner.examine(damage)

    count("files truncated or made longer", examiner.tried)


def test_a_missing_file_is_noticed(examiner: Examiner, sound: Tree, count: Count) -> None:
    for damage in removed(sound):
        examiner.examine(damage)

    count("files and directories removed", examiner.tried)


def test_a_file_that_is_there_twice_is_noticed(examiner: Examiner, sound: Tree, count: Count) -> None:
    for damage in copied(sound):
        examiner.examine(damage)

    count("files copied or renamed", examiner.tried)


def test_a_file_of_another_store_is_noticed(
    examiner: Examiner, sound: Tree, others: list[Tree], count: Count
) -> None:
    for damage in replaced(sound, others):
        examiner.examine(damage)

    count("files replaced by another store's", examiner.tried)


def test_a_text_of_any_kind_in_place_of_json_is_noticed(examiner: Examiner, sound: Tree, count: Count) -> None:
    texts = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"1",
        b"1" * 5000,
        b"NaN",
        b'"\\ud800"',
        b"\xff",
        b"[" * 100_000,
        bytes(500),
    ]
    for name in ("store.json", "manifest"):
        fields = [sound[name].replace(b": ", b": -"), sound[name].replace(b"1", b"1e999"), sound[name][::-1]]
        for text in {*texts, *fields} - {sound[name]}:
            examiner.examine(Damage({**sound, name: text}, name))

    count("settings and manifests made up", examiner.tried)
