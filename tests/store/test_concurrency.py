"""Processes and threads that change, read and check one store at once lose nothing and see no half state.

Run as a program, this file is one of the processes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from faults import Count, without_entries
from repository import with_support
from stores import HOME_KEY, Unflushed, check, make, reopen, row, rows, tree

from edge_icl.errors import StoreBusyError
from edge_icl.store import trie
from edge_icl.store.disk import Store
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.snapshot import Snapshot
from edge_icl.store.writer import writing

pytestmark = pytest.mark.usefixtures("kind")

GROUP = 5
"""Examples that come and go in one commit: a reader sees all of a group or none."""

GROUPS = 4
"""Groups that a thread adds and forgets in turn; in the end every other one stays."""

WRITERS = 2
"""Threads of a process that write; another one reads."""

PATIENCE = 300.0
TINY_PAGE = 4


def members(group: int) -> range:
    return range(group * GROUP, (group + 1) * GROUP)


def groups_of(writer: int) -> range:
    return range(writer * GROUPS, (writer + 1) * GROUPS)


def staying(writers: int) -> list[int]:
    """Return the examples that are there when all these writers have finished."""
    return [n for writer in range(writers) for group in groups_of(writer)[::2] for n in members(group)]


class Actor:
    """What one process does: two threads write, each with examples of its own, and one reads what is there."""

    def __init__(self, path: Path, number: int, times: int) -> None:
        self.path = path
        self.times = times
        self.shared = reopen(path, files=Unflushed())
        self.counts: Counter[str] = Counter()
        self.errors: list[BaseException] = []
        self.writers = [
            threading.Thread(target=self.attempt, args=(self.write, number * WRITERS + n))
            for n in range(WRITERS)
        ]
        self.reader = threading.Thread(target=self.attempt, args=(self.read,))

    def run(self) -> None:
        for thread in (*self.writers, self.reader):
            thread.start()
        for thread in (*self.writers, self.reader):
            thread.join()

    def attempt(self, work: object, *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            self.errors.append(error)
            raise

    def write(self, writer: int) -> None:
        chance = random.Random(writer)
        store = self.shared if writer % 2 else reopen(self.path, files=Unflushed())
        mine = list(groups_of(writer))
        for _ in range(self.times):
            for order, verb in (("come", "added"), ("go", "removed")):
                chance.shuffle(mine)
                for group in mine:
                    self.change(store, order, **{verb: members(group)})
        self.change(store, "come", added=[n for group in groups_of(writer)[::2] for n in members(group)])

    def change(
        self, store: Store, what: str, *, added: Iterable[int] = (), removed: Iterable[int] = ()
    ) -> None:
        with writing(store, timeout=PATIENCE) as writer:
            writer.commit(added=rows(added), removed=[row(number).id for number in removed])
            self.counts["commits of several processes"] += 1

    def read(self) -> None:
        own = reopen(self.path, files=Unflushed())
        while any(thread.is_alive() for thread in self.writers):
            for store in (self.shared, own):
                snapshot = store.read(self.look)
                self.counts["readings during changes"] += 1
                state = b"".join(snapshot.clustering.representative_ids()) * 50
                entries = PrefixCache(store, snapshot, HOME_KEY)
                entries.put("name", state)
                found = entries.get("name")
                assert found in (None, state)
                self.counts["cache entries that were there"] += found is not None
            assert check(self.path, timeout=PATIENCE).differences == ()
            self.counts["audits during changes"] += 1

    def look(self, snapshot: Snapshot) -> Snapshot:
        """Read all there is, and see whether it is one state."""
        found = {int(example.input.split()[1]): (key, example) for key, example in snapshot.examples()}
        assert len(found) == snapshot.manifest.count
        assert all(
            (key, example.canonical()) == (row(n).id, row(n).text) for n, (key, example) in found.items()
        )
        assert all(set(members(number // GROUP)) <= set(found) for number in found)
        assert (snapshot.clustering.counts.sum(axis=1) == len(found)).all()
        assert set(snapshot.clustering.representative_ids()) <= {key for key, _ in found.values()}
        return snapshot


def main(path: str, number: str, times: str) -> None:
    """Be one of the processes: wait for the word, act, and print what was done."""
    trie.PAGE_MAX = TINY_PAGE
    actor = Actor(Path(path), int(number), int(times))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    actor.run()
    sys.stdout.write(json.dumps(actor.counts) + "\n")
    sys.exit(len(actor.errors))


@pytest.fixture(autouse=True)
def tiny_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four examples fill a page, so that small stores split and merge."""
    monkeypatch.setattr(trie, "PAGE_MAX", TINY_PAGE)


def test_processes_and_threads_at_once_lose_nothing(tmp_path: Path, campaign: bool, count: Count) -> None:
    processes, times = (6, 40) if campaign else (3, 3)
    store = make(tmp_path / "store")
    command = [sys.executable, __file__, str(store.path)]
    actors = [
        subprocess.Popen(
            [*command, str(n), str(times)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=with_support(),
        )
        for n in range(processes)
    ]
    for actor in actors:
        assert actor.stdout.readline() == "ready\n"
    for actor in actors:
        actor.stdin.write("go\n")
        actor.stdin.flush()
    done = [actor.communicate(timeout=3000)[0] for actor in actors]

    assert [actor.returncode for actor in actors] == [0] * processes
    counts = sum((Counter(json.loads(text)) for text in done), Counter())
    assert counts["commits of several processes"] == processes * WRITERS * (times * GROUPS * 2 + 1)
    fresh = make(tmp_path / "fresh", rows(staying(processes * WRITERS)))
    assert without_entries(tree(store.path)) == tree(fresh.path)
    assert check(store.path, deep=True).differences == ()
    assert counts["readings during changes"] > processes
    count("processes that changed one store", processes)
    count("threads that changed one store", processes * WRITERS)
    for name, number in counts.items():
        count(name, number)


def test_a_commit_that_waits_for_another_thread_names_the_process(tmp_path: Path) -> None:
    store = make(tmp_path / "store", rows(range(5)))
    before = tree(store.path)

    with (
        writing(store),
        pytest.raises(StoreBusyError, match=f"process {os.getpid()}"),
        writing(reopen(store.path), timeout=0.05),
    ):
        pass

    assert tree(store.path) == before


if __name__ == "__main__":
    main(*sys.argv[1:])
