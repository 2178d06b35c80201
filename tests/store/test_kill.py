"""The real thing: processes that add and forget, flushes and all, are killed; the next one finishes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from faults import Count, without_entries
from repository import SUPPORT
from stores import check, make, reopen, rows, tree

from edge_icl.store import trie
from edge_icl.store.layout import REBUILD
from edge_icl.store.manifest import LabelsSetting
from edge_icl.store.pages import Row
from edge_icl.store.writer import writing

pytestmark = pytest.mark.usefixtures("kind", "on_disk")

WORKER = """
import json, os, random, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from stores import HOME_KEY, check, reopen, row, rows
from edge_icl.store import trie
from edge_icl.store.manifest import LABELS_SETTINGS
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.writer import writing

trie.PAGE_MAX = 4

def tell(*entry):
    os.write(1, json.dumps(entry).encode() + b"\\n")  # one write, so that lines never mix

def work(path, held, labels, chance):
    store = reopen(path)
    while True:
        labels = chance.choice([labels, *LABELS_SETTINGS])
        added = {chance.randrange(60) for _ in range(chance.choice([0, 1, 1, 9]))} - held
        removed = {number for number in held if chance.random() < chance.choice([0.05, 0.4])}
        tell("begin", sorted(added), sorted(removed), labels)
        with writing(store) as writer:
            ids = [row(number).id for number in removed]
            writer.commit(added=rows(added), removed=ids, labels=labels)
        held = (held | added) - removed
        tell("done", sorted(added), sorted(removed), labels)
        entry = b"".join(row(number).text for number in held)
        PrefixCache(store, store.snapshot(), HOME_KEY).put("name", entry * 100)
        if chance.random() < 0.2:
            assert not check(path, deep=True).differences

for line in sys.stdin:
    path, held, labels, seed = json.loads(line)
    child = os.fork()
    if child == 0:
        work(Path(path), set(held), labels, random.Random(seed))
    tell("child", child)
    tell("end", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Forks a child for each round, so that imports are paid for once. The child's first words may come before its
number does."""


LEFT_PAGES = "kills that left pages to wipe"


@pytest.fixture(autouse=True)
def tiny_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four examples fill a page, so that small stores split and merge."""
    monkeypatch.setattr(trie, "PAGE_MAX", 4)


@dataclass
class Diary:
    """What a killed process had done and was about to do."""

    held: set[int]
    labels: LabelsSetting
    next: tuple[set[int], LabelsSetting] | None = None
    exit_code: int = 0
    done: int = 0
    gone: set[int] = field(default_factory=set)

    def note(self, kind: str, *rest: Any) -> None:
        if kind == "end":
            (self.exit_code,) = rest
        elif kind in ("begin", "done"):
            added, removed = map(set, rest[:2])
            after = (self.held | added) - removed, rest[2]
            if kind == "begin":
                self.next = after
            else:
                (self.held, self.labels), self.next, self.done = after, None, self.done + 1
                self.gone = (self.gone | removed) - added


def run_and_kill(
    zygote: subprocess.Popen[str],
    path: Path,
    held: set[int],
    labels: LabelsSetting,
    chance: random.Random,
) -> Diary:
    """Let a process change the store and kill it at a random moment; return its diary."""
    zygote.stdin.write(json.dumps([str(path), sorted(held), labels, chance.random()]) + "\n")
    zygote.stdin.flush()
    diary, entries, child = Diary(set(held), labels), [], None
    while child is None:
        entry = json.loads(zygote.stdout.readline())
        entries.append(entry)
        child = entry[1] if entry[0] == "child" else None
    time.sleep(chance.random() ** 2 * 0.3)
    os.kill(child, signal.SIGKILL)
    while entries[-1][0] != "end":
        entries.append(json.loads(zygote.stdout.readline()))
    for entry in entries:
        diary.note(*entry)
    return diary


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_killed_writer_leaves_the_store_before_or_after(tmp_path: Path, campaign: bool, count: Count) -> None:
    chance = random.Random(2024)
    store = make(tmp_path / "store")
    held: set[int] = set()
    labels: LabelsSetting = "auto"
    gone: set[int] = set()
    counts = Counter()
    rounds = 500 if campaign else 20

    with zygote() as process:
        while (n := counts["kills"]) < rounds or not seen(counts, rounds):
            assert n < 10 * rounds, counts
            diary = run_and_kill(process, store.path, held, labels, chance)
            gone = (gone | diary.gone) - diary.held - (diary.next[0] if diary.next else set())
            left = tree(store.path)

            assert diary.exit_code == -signal.SIGKILL
            assert not any(form in data for data in left.values() for form in forms(gone))
            held, labels = seen_by_a_reader(store.path, diary)
            with writing(store):
                pass
            fresh = tree(make(tmp_path / f"fresh {n}", rows(held), labels=labels).path)
            assert without_entries(tree(store.path)) == fresh
            assert check(store.path).differences == ()

            counts["kills"] += 1
            counts["changes acknowledged by writers that were killed"] += diary.done
            counts["kills during a change"] += diary.next is not None
            counts["kills during a deep check"] += f"{REBUILD}/" in left
            counts[LEFT_PAGES] += any(name not in fresh for name in left if name.startswith("pages/"))
        process.stdin.close()

    for name, number in counts.items():
        count(name, number)


def seen(counts: Counter[str], rounds: int) -> bool:
    """Return whether kills came at the moments that matter; when a process is where, no seed decides."""
    return counts["kills during a change"] > rounds // 5 and counts[LEFT_PAGES] > 0


def zygote() -> subprocess.Popen[str]:
    """Start the process that forks a writer for each round."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(SUPPORT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads and fork do not go together
    )


def seen_by_a_reader(path: Path, diary: Diary) -> tuple[set[int], LabelsSetting]:
    """Return what a reader finds before anything is cleaned up: what was acknowledged, or what was begun."""
    texts, labels = reopen(path).read(
        lambda snapshot: ([one.canonical() for _, one in snapshot.examples()], snapshot.manifest.labels)
    )
    before = diary.held, diary.labels
    possible = [before] if diary.next is None else [before, diary.next]
    return next(one for one in possible if ([row.text for row in by_id(one[0])], one[1]) == (texts, labels))


def by_id(held: set[int]) -> list[Row]:
    return sorted(rows(held), key=lambda one: one.id)


def forms(gone: set[int]) -> list[bytes]:
    """Return what must not be found in any file when these are forgotten; vectors of 3 bytes say nothing."""
    return [form for one in rows(gone) for form in (one.text, one.id, one.id.hex().encode())]
