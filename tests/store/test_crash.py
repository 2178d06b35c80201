"""Whatever the moment at which a writer stops, the store is the one before the change or the one after."""

from __future__ import annotations

import itertools
import shutil
import stat
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stores
from campaigns import some
from faults import (
    ASIDE,
    NEVER,
    PREFIXES,
    Count,
    Crash,
    Faulty,
    PowerLoss,
    Tree,
    broken_disk,
    full_disk,
    lay_out,
    without_entries,
)
from stores import HOME_KEY, Unflushed, check, create, make, reopen, tree

from edge_icl.errors import StoreAccessError, StoreNotFoundError
from edge_icl.store import drafts, trie
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.recovery import at_rest
from edge_icl.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge_icl.store.manifest import LabelsSetting
    from edge_icl.store.pages import Row

SETTINGS = replace(stores.SETTINGS, dimension=16, step=160)
"""Vectors long enough to be looked for in files, and a lattice so coarse that some changes need no refit."""

START = range(18)


def row(number: int) -> Row:
    return stores.row(number, settings=SETTINGS)


def forms(one: Row) -> list[bytes]:
    """Return the bytes by which an example is recognised in a file."""
    return [one.text, one.id, one.vector.tobytes(), one.id.hex().encode()]


@dataclass(frozen=True)
class Change:
    """What is added, removed and set, and what this is known to do to the pages and the clustering.

    Attributes:
        labels: whether outputs are labels, before and after.
        large: whether it is made as one that memory should not hold: rows in a temporary file, and pages that
            are written as they are made.
    """

    added: Iterable[int] = ()
    removed: Iterable[int] = ()
    labels: tuple[LabelsSetting, LabelsSetting] = ("auto", "auto")
    split: bool = False
    merge: bool = False
    refit: bool = False
    large: bool = False

    def make(self, path: Path, files: Faulty) -> None:
        with ExitStack() as small:
            if self.large:
                small.enter_context(stores.little_memory())
            with writing(reopen(path, files=files)) as writer:
                writer.commit(**self.wanted())

    @property
    def small(self) -> bool:
        """Whether it takes few operations on files."""
        return len([*self.added, *self.removed]) < 4

    @property
    def wipes(self) -> bool:
        """Whether there are files that it puts others in the place of; a setting is in the manifest alone."""
        return bool([*self.added, *self.removed])

    def wanted(self) -> dict[str, object]:
        ids = [row(number).id for number in self.removed]
        return {"added": map(row, self.added), "removed": ids, "labels": self.labels[1]}


CHANGES = {
    "add": Change([33]),
    "add, refit": Change([30], refit=True),
    "add, split": Change([38], split=True),
    "add, split, refit": Change([35], split=True, refit=True),
    "forget": Change([], [4]),
    "forget, refit": Change([], [0], refit=True),
    "forget, merge": Change([], [5], merge=True),
    "forget, merge, refit": Change([], [1], merge=True, refit=True),
    "add a batch": Change(range(30, 37), split=True, refit=True),
    "forget a batch": Change([], range(12), merge=True, refit=True),
    "both": Change([33], [4]),
    "both, batches": Change(range(40, 52), range(6), split=True, refit=True),
    "both, batches, written as they are made": Change(
        range(40, 52), range(6), split=True, refit=True, large=True
    ),
    "forget all": Change([], START, refit=True),
    "set": Change(labels=("auto", "yes")),
    "set back": Change(labels=("no", "auto")),
    "both, and set": Change([33], [4], labels=("yes", "no")),
}
SMALL = ["add", "forget, merge", "both", "set"]


pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture(autouse=True, scope="module")
def tiny_pages() -> None:
    """Let four examples fill a page, so that changes split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie, "PAGE_MAX", 4)
        yield


@pytest.fixture(scope="module", params=CHANGES)
def change(request: pytest.FixtureRequest, kind: str, campaign: bool) -> Change:
    if kind == "encrypted" and request.param not in SMALL and not campaign:
        pytest.skip("the same steps, told apart by what they write: in a campaign")
    return CHANGES[request.param]


class Trial:
    """One change, to be stopped at any moment, and the judge of what is found then.

    Attributes:
        start: the tree before it, with a cache entry that tells of all examples.
        before, after: the trees, caches aside, one of which every outcome must be.
        judged: the trees that were judged so far; equal ones are judged once.
    """

    def __init__(self, folder: Path, change: Change) -> None:
        self.folder = folder
        self.change = change
        self.places = (folder / f"place {n}" for n in itertools.count())
        held = set(START)
        first, last = change.labels
        store = make(folder / "start", map(row, held), settings=SETTINGS, labels=first)
        self.state = b"state of " + b"".join(row(number).text for number in held)
        PrefixCache(store, store.snapshot(), HOME_KEY).put("name", self.state)
        self.start = tree(store.path)
        self.before = without_entries(self.start)
        held = (held | {*change.added}) - {*change.removed}
        after = make(folder / "after", map(row, held), settings=SETTINGS, labels=last)
        self.after = without_entries(tree(after.path))
        self.seen = {
            name: self.read(folder / place) for name, place in (("before", "start"), ("after", "after"))
        }
        self.gone = [form for number in change.removed for form in forms(row(number))]
        self.secret = [form for number in (*START, *change.added) for form in forms(row(number))]
        self.secret += [self.state[:100], SETTINGS.seed, SETTINGS.seed.hex().encode(), stores.KEY.data]
        self.judged: dict[tuple[object, ...], None] = {}

    def place(self) -> Path:
        """Return a fresh copy of the store before the change."""
        path = next(self.places)
        lay_out(self.start, path, at_rest=True)
        return path

    def read(self, path: Path) -> tuple[object, ...]:
        """Return all that a reader sees, who changes nothing."""
        store = reopen(path, files=Unflushed())
        cached = PrefixCache(store, store.snapshot(), HOME_KEY).get("name")
        assert cached in (None, self.state)
        return store.read(
            lambda snapshot: (
                snapshot.root,
                [(example_id, one.canonical()) for example_id, one in snapshot.examples()],
                snapshot.points().vectors.tobytes(),
                snapshot.clustering.representative_ids(),
            )
        )

    def judge(self, found: Tree, *, acknowledged: bool = False) -> None:
        """Assert that a reader finds this tree to be the store before or after, and leaves just that."""
        key = (acknowledged, *sorted(found.items()))
        if key in self.judged:
            return
        self.judged[key] = None
        if stores.encrypted:
            assert not traces(self.secret, found)
        path = next(self.places)
        lay_out(found, path)
        seen = self.read(path)
        assert seen in self.seen.values()
        if acknowledged:
            assert not traces(self.gone, found)
            assert without_entries(found) == self.after
        assert without_entries(tree(path)) == (self.before if seen == self.seen["before"] else self.after)
        assert at_rest(path)
        assert check(path).differences == ()
        shutil.rmtree(path)


def traces(secret: list[bytes], found: Tree) -> list[str]:
    """Return the files in which, or in whose names, something of what is secret can be read."""
    whole = {name: name.encode() + data for name, data in found.items()}
    return [name for name, seen in whole.items() if any(form in seen for form in secret)]


@pytest.fixture(scope="module")
def trial(folder_in_memory: Path, change: Change) -> Trial:
    """The trial of a change, one for all tests: what one of them has judged, the others need not."""
    return Trial(Path(tempfile.mkdtemp(dir=folder_in_memory)), change)


def stops(make: Callable[[int], bool], *, each: int = 1) -> int:
    """Call make(0), make(each), ... until the fault no longer fires; return how often it fired."""
    return next(times for times in itertools.count() if not make(times * each))


def test_the_changes_do_what_their_names_say(tmp_path: Path, change: Change) -> None:
    store = make(tmp_path / "store", map(row, START), settings=SETTINGS, labels=change.labels[0])
    before = {leaf.path for leaf in store.snapshot().manifest.pages}
    with writing(store) as writer:
        done = writer.commit(**change.wanted())
    after = {leaf.path for leaf in store.snapshot().manifest.pages}

    assert done.refit == change.refit
    assert store.snapshot().manifest.labels == change.labels[1]
    assert any(new != old and new.startswith(old) for old in before for new in after) == change.split
    assert any(new != old and old.startswith(new) for old in before for new in after) == change.merge


def test_a_crash_at_any_operation_leaves_the_store_before_or_after(trial: Trial, count: Count) -> None:
    def crash(n: int) -> bool:
        path, files = trial.place(), Faulty(n)
        try:
            trial.change.make(path, files)
        except Crash:
            assert files.fired
        trial.judge(tree(path), acknowledged=not files.fired)
        shutil.rmtree(path)
        seen.update(files.done)
        return files.fired

    seen: set[str] = set()
    fired = stops(crash)

    assert {"read", "names", "create", "write", "flush", "rename"} <= seen
    assert ({"open", "unlink"} <= seen) == trial.change.wipes
    assert fired > (20 if trial.change.wipes else 10)
    count("operations stopped at by a crash", fired)


@pytest.mark.parametrize("torn", some(PREFIXES, "half of it"))
def test_a_torn_write_leaves_the_store_before_or_after(trial: Trial, torn: str, count: Count) -> None:
    counting = Faulty()
    trial.change.make(trial.place(), counting)
    writes = [n for n, name in enumerate(counting.done) if name == "write"]

    for n in writes:
        path, files = trial.place(), Faulty(n, torn=torn)
        with pytest.raises(Crash):
            trial.change.make(path, files)
        assert files.fired
        trial.judge(tree(path))

    assert len(writes) >= (4 if trial.change.wipes else 1)
    count("writes torn", len(writes))


def tells(files: Faulty, n: int) -> bool:
    """Tell whether an error at the n-th operation is to be told: not where a store looks beside itself."""
    return files.fired and (files.stuck or files.done[n] != ASIDE)


@pytest.mark.parametrize(("error", "stuck"), [(full_disk, True), (broken_disk, False)])
def test_an_error_at_any_operation_is_told_and_leaves_the_store_before_or_after(
    trial: Trial, error: Callable[[], OSError], stuck: bool, campaign: bool, count: Count
) -> None:
    def fail(n: int) -> bool:
        path, files = trial.place(), Faulty(n, error=error(), stuck=stuck)
        told = None
        try:
            trial.change.make(path, files)
        except StoreAccessError as raised:
            told = raised
        left = without_entries(tree(path))
        now = next(name for name, seen in trial.seen.items() if seen == trial.read(path))
        assert (told is not None) is tells(files, n)
        if told is not None:
            wrong = {"after": "nothing was changed", "before": "the change is made"}
            assert told.committed is (now == "after")
            assert wrong[now] not in told.hint
            if not stuck and now == "before":
                assert left == trial.before  # what was written is taken back at once
        trial.judge(tree(path), acknowledged=not files.fired)
        shutil.rmtree(path)
        return files.fired

    count("operations refused", stops(fail, each=1 if campaign else 7))


def test_a_power_cut_at_any_moment_leaves_the_store_before_or_after(
    trial: Trial, campaign: bool, count: Count
) -> None:
    outcomes = 0
    differing = set()

    def cut(n: int) -> bool:
        nonlocal outcomes
        path = trial.place()
        files = PowerLoss(path, n)
        try:
            trial.change.make(path, files)
        except Crash:
            assert files.fired
        assert not files.remnants
        for found in files.outcomes(400 if campaign else 8):
            outcomes += 1
            differing.add(frozenset(found.items()))
            trial.judge(found, acknowledged=not files.fired)
        shutil.rmtree(path)
        return files.fired

    fired = stops(cut, each=1 if campaign or not trial.change.wipes else 2 if trial.change.small else 7)

    assert outcomes > 2 * fired
    count("moments of a power cut", fired)
    count("outcomes of a power cut", outcomes)
    count("outcomes of a power cut that differ", len(differing))


@pytest.mark.parametrize("change", SMALL, indirect=True)
def test_a_power_cut_after_a_kill_leaves_the_store_before_or_after(
    trial: Trial, campaign: bool, count: Count
) -> None:
    """The writer is killed, another begins to clean up, and before it has flushed everything the power goes."""
    outcomes = moments = 0

    def kill(n: int) -> bool:
        nonlocal moments
        probe = Faulty(n)
        with suppress(Crash):
            trial.change.make(trial.place(), probe)
        if probe.fired:
            moments += stops(lambda m: cut(n, m))
        return probe.fired

    def cut(n: int, m: int) -> bool:
        nonlocal outcomes
        files = PowerLoss(path := trial.place(), n)
        with pytest.raises(Crash):
            trial.change.make(path, files)
        files.live(m)
        try:
            with writing(reopen(path, files=files)):
                pass
        except Crash:
            assert files.fired
        for found in files.outcomes(100 if campaign else 4):
            outcomes += 1
            trial.judge(found)
        shutil.rmtree(path)
        return files.fired

    killed = stops(kill, each=1 if campaign else 23 if trial.change.small else 97)

    assert moments > killed
    count("moments of a power cut during recovery", moments)
    count("outcomes of a power cut during recovery", outcomes)


@pytest.mark.parametrize("cut", [False, True], ids=["crash", "power cut"])
def test_a_crash_leaves_cache_entries_whole_or_wiped_by_the_next_writer(
    tmp_path: Path, cut: bool, count: Count
) -> None:
    """Puts and replaces an entry, in a full cache, so that another one has to go."""
    trial = Trial(tmp_path, Change())
    store = reopen(tmp_path / "start", files=Unflushed())
    for n in range(3):
        PrefixCache(store, store.snapshot(), HOME_KEY).put(f"other {n}", trial.state)
    trial.start = tree(store.path)

    def put(n: int) -> bool:
        path = trial.place()
        store = reopen(path, files=PowerLoss(path))
        cache = PrefixCache(store, store.snapshot(), HOME_KEY)
        store.files.live(n)
        try:
            cache.put("name", trial.state)
            cache.put("one more", trial.state)
        except Crash:
            assert store.files.fired
        for found in store.files.outcomes(50) if cut else [tree(path)]:
            trial.judge(found)
        shutil.rmtree(path)
        return store.files.fired

    count("operations stopped at by a crash", stops(put))


@pytest.mark.parametrize("cut", [False, True], ids=["crash", "power cut"])
def test_a_deep_check_that_is_cut_off_leaves_nothing_to_the_next_writer(
    tmp_path: Path, cut: bool, campaign: bool, count: Count
) -> None:
    trial = Trial(tmp_path, Change())

    def stop(n: int) -> bool:
        path = trial.place()
        files = PowerLoss(path, n)
        try:
            assert check(path, deep=True, files=files).differences == ()
        except Crash:
            assert files.fired
        for found in files.outcomes(100 if campaign else 4) if cut else [tree(path)]:
            trial.judge(found)
        shutil.rmtree(path)
        return files.fired

    fired = stops(stop, each=1 if campaign else 11)

    assert fired > 10
    count("operations stopped at by a crash", fired)


@pytest.mark.parametrize(("error", "stuck"), [(full_disk, True), (broken_disk, False)])
def test_an_error_during_a_deep_check_is_told_and_leaves_the_store_as_it_was(
    tmp_path: Path, error: Callable[[], OSError], stuck: bool, campaign: bool, count: Count
) -> None:
    trial = Trial(tmp_path, Change())

    def fail(n: int) -> bool:
        path, files = trial.place(), Faulty(n, error=error(), stuck=stuck)
        told = ""
        try:
            findings = check(path, deep=True, files=files).differences
            told = "; ".join(map(str, findings))
        except StoreAccessError as refused:
            told = str(refused)
        assert bool(told) is files.fired or not tells(files, n)  # a copy's folder is listed to wipe it, too
        trial.judge(tree(path))
        shutil.rmtree(path)
        return files.fired

    count("operations refused", stops(fail, each=1 if campaign else 11))


def test_a_deep_check_wipes_its_copy_which_nobody_else_may_read(tmp_path: Path) -> None:
    class Watching(Unflushed):
        def make_directory(self, path: Path) -> None:
            super().make_directory(path)
            modes.append(stat.S_IMODE(path.stat().st_mode))

        def unlink(self, path: Path) -> None:
            wiped.append(not any(path.read_bytes()))
            super().unlink(path)

    modes: list[int] = []
    wiped: list[bool] = []
    store = make(tmp_path / "store", map(row, START), settings=SETTINGS)

    assert check(store.path, deep=True, files=Watching()).differences == ()

    assert set(modes) == {0o700}
    assert len(wiped) > 5
    assert all(wiped)


@pytest.mark.parametrize("above", ["", "home/stores/"], ids=["in a folder", "in folders to be made"])
def test_a_store_is_made_whole_or_not_at_all(tmp_path: Path, above: str, campaign: bool, count: Count) -> None:
    whole = tree(create(tmp_path / "whole", SETTINGS, files=Unflushed()).path)
    place = f"{above}store/"
    outcomes = 0

    def stop(n: int) -> bool:
        nonlocal outcomes
        folder = tmp_path / f"folder {n}"
        folder.mkdir()
        files = PowerLoss(folder, n)
        try:
            create(folder / place, SETTINGS, files=files)
        except Crash:
            assert files.fired
        found = [tree(folder), *files.outcomes(400 if campaign else 40)]
        for names in found:
            outcomes += 1
            made = {name.removeprefix(place): names[name] for name in names if name.startswith(place)}
            made.pop("", None)
            assert made in ([whole] if not files.fired else [whole, {}])
            ours = (f"{above}.store.", f"{above}store")
            assert all(name.startswith(ours) or above.startswith(name) for name in names)
        return files.fired

    fired = stops(stop)

    assert fired > 10
    count("moments of a power cut", fired)
    count("outcomes of a power cut", outcomes)


def test_a_store_that_cannot_be_made_leaves_nothing(tmp_path: Path, count: Count) -> None:
    def stop(n: int) -> bool:
        files = Faulty(n, error=broken_disk())
        path = tmp_path / f"folder {n}" / "store"
        try:
            create(path, SETTINGS, files=files)
        except StoreAccessError:
            assert files.fired
            assert tree(path.parent) in ({}, {f"store/{name}": data for name, data in whole.items()})
        return files.fired

    whole = {"": b"", **tree(create(tmp_path / "whole", SETTINGS, files=Unflushed()).path)}

    count("operations refused", stops(stop))


@pytest.mark.parametrize("next_one", ["making", "looking"])
def test_what_somebody_left_who_was_killed_making_a_store_is_wiped(
    tmp_path: Path, next_one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "ABANDONED", -1.0)  # as if hours had passed
    others = {".store.letters/": b"", ".store.letters/letter": b"mine", ".store.12345678/": b""}
    others |= {".store.12345678/letter": b"mine", ".store.87654321": b"mine"}

    def stop(n: int) -> bool:
        folder, files = tmp_path / f"folder {n}", Faulty(n)
        lay_out(others, folder)
        with suppress(Crash):
            create(folder / "store", SETTINGS, files=files)
        if files.fired and not (folder / "store").exists():
            if next_one == "making":
                create(folder / "store", SETTINGS)
            else:
                with pytest.raises(StoreNotFoundError):
                    reopen(folder / "store")
        assert {name: data for name, data in tree(folder).items() if not name.startswith("store")} == others
        return files.fired

    assert stops(stop) > 10


def test_ctrl_c_while_forgetting_is_heard_after_the_wipe(tmp_path: Path) -> None:
    class Pressed(Unflushed):
        def __init__(self, left: int) -> None:
            self.left = left

        def unlink(self, path: Path) -> None:
            self.left -= 1
            if self.left == -1:
                raise KeyboardInterrupt
            super().unlink(path)

    trial = Trial(tmp_path, Change([], [4]))
    trial.start = trial.before
    for n in range(2):
        path = trial.place()
        with pytest.raises(KeyboardInterrupt):
            trial.change.make(path, Pressed(n))
        assert tree(path) == trial.after


def test_nothing_is_stopped_without_a_fault(trial: Trial) -> None:
    """The control: the same machinery without a fault reaches the state after, and finds its own traces."""
    path, files = trial.place(), Faulty(NEVER)

    trial.change.make(path, files)

    assert not files.fired
    assert without_entries(tree(path)) == trial.after
    assert bool(traces(trial.gone, trial.start)) == (bool(trial.gone) and not stores.encrypted)


@pytest.mark.parametrize("change", some(CHANGES, "both"), indirect=True)
def test_what_is_secret_would_be_seen(trial: Trial) -> None:
    """The control: each secret of an encrypted store, in any file of it, or in the name of one."""
    for secret in trial.secret:
        for name, data in trial.start.items():
            assert traces(trial.secret, {name: data[:7] + secret + data[7:]})
    assert traces(trial.secret, {f"cache/{row(0).id.hex()}": b""})
