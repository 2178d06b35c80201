"""Processes that ask while another one adds, forgets and checks: each answer is that of one state, bit for bit.

Run as a program, this file is one of the processes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from expenses import EXAMPLES, SEED
from faults import Count, without_entries
from repository import with_support
from stores import tree

from edge_icl import Example, ExamplesChangedError, Memory, Options
from edge_icl.store.prefix_cache import PrefixCache

SHOTS = 6
"""Half of them make a prefix that is long enough to be kept on the disk."""

NEAR = [
    Example.create("Taxi downtown, with luggage", "travel"),
    Example.create("Taxi from downtown to the fair", "office"),
    Example.create("Bus pass for June", "travel"),
    Example.create("Bus pass of the intern", "meals"),
]
"""Near to the questions, so `hybrid` shows them; the store begins without them."""

EVERY = [*EXAMPLES, *NEAR]

QUESTIONS = [(question, select) for question in ("Taxi downtown", "Bus pass") for select in ("erase", "hybrid")]
"""What is asked, and by the selections whose prefixes are kept on the disk."""

PAUSE = 1.0
"""Seconds between two changes at most, for each process that asks: some answers come in between, others begin
anew, and a few are given up, since a question whose examples change again and again is."""

PATIENCE = 300.0


class Asked(NamedTuple):
    """A question and its answer.

    Attributes:
        begun, ended: by the clock that all processes of a machine share.
        answer: the ids of the examples shown, and each label's probability.
        restored: KV states that were read from the disk for it.
    """

    question: str
    select: str
    begun: int
    ended: int
    answer: tuple[list[str], dict[str, float]]
    restored: int


class Changed(NamedTuple):
    """A change: the example that came or went, and the root after it."""

    number: int
    came: bool
    begun: int
    ended: int
    root: str


def opened(path: Path) -> Memory:
    """Open the store as every process does: on one thread, since others want the cores too."""
    return Memory.open(path, create=False, threads=1, timeout=PATIENCE)


def made(path: Path, examples: list[Example]) -> Memory:
    with Memory.create(path, seed=SEED, shots=SHOTS) as memory:
        memory.add_many(examples)
    return opened(path)


class Asker:
    """A process that asks, and counts what it finds on the disk."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.found = 0
        self.get = PrefixCache.get

    def ask(self, question: str, select: str) -> Asked:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PrefixCache, "get", lambda cache, key: self.counted(self.get(cache, key)))
            self.found, begun = 0, time.monotonic_ns()
            answer = self.memory.ask(question, Options(select=select, ask_model="always"))
        told = ([held.id for held in answer.examples], dict(answer.labels))
        return Asked(question, select, begun, time.monotonic_ns(), told, self.found)

    def counted(self, state: bytes | None) -> bytes | None:
        self.found += state is not None
        return state

    def until(self, finished: Path, chance: random.Random) -> Iterator[Asked]:
        while True:
            with suppress(ExamplesChangedError):
                yield self.ask(*chance.choice(QUESTIONS))
            if finished.exists():
                return


def be_an_asker(path: str, number: str, finished: str) -> None:
    """For each line on stdin, ask everything once, or else ask on until the file is there."""
    chance = random.Random(int(number))
    with opened(Path(path)) as memory:
        asker = Asker(memory)
        for line in sys.stdin:
            if line == "once\n":
                tell([asker.ask(*one) for one in chance.sample(QUESTIONS, len(QUESTIONS))])
            else:
                tell(list(asker.until(Path(finished), chance)))


def be_the_writer(path: str, changes: str, pause: str) -> None:
    """At a line on stdin, let one example after another come or go, and check the store after each."""
    chance = random.Random(2026)
    held = set(range(len(EXAMPLES)))
    done = []
    with opened(Path(path)) as memory:
        sys.stdin.readline()
        for step in range(int(changes)):
            time.sleep(chance.random() * float(pause))
            number = chance.randrange(len(EVERY))
            begun = time.monotonic_ns()
            turn(memory, number, came=number not in held)
            done.append(Changed(number, number not in held, begun, time.monotonic_ns(), memory.root))
            held ^= {number}
            assert memory.verify(deep=step % 2 == 0).ok
    tell(done)


def turn(memory: Memory, number: int, *, came: bool) -> None:
    if came:
        memory.add_many([EVERY[number]])
    else:
        memory.forget(EVERY[number].id(SEED).hex())


def tell(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


Process = subprocess.Popen[str]


@contextmanager
def started(*arguments: object) -> Iterator[Process]:
    """Start one of the processes; it is gone when the block ends."""
    command = [sys.executable, __file__, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=with_support()) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def begin(processes: list[Process], how: str) -> None:
    for process in processes:
        process.stdin.write(f"{how}\n")
        process.stdin.flush()


def told(process: Process) -> list[list[object]]:
    """Return what a process has done since it began."""
    line = process.stdout.readline()
    assert line, "the process has ended"
    return json.loads(line)


def answers(askers: list[Process]) -> list[Asked]:
    found = [Asked(*one) for asker in askers for one in told(asker)]
    return [one._replace(answer=tuple(one.answer)) for one in found]


class Played(NamedTuple):
    """What the processes did: answers before, during and after the changes, which the writer made meanwhile."""

    first: list[Asked]
    before: list[Asked]
    during: list[Asked]
    after: list[Asked]
    changes: list[Changed]

    def asked(self) -> list[Asked]:
        return [*self.first, *self.before, *self.during, *self.after]


def play(path: Path, finished: Path, *, processes: int, times: int) -> Played:
    """Let one process ask, then all of them; then one changes the store while they ask; then all ask again."""
    with ExitStack() as stack:
        askers = [stack.enter_context(started("be_an_asker", path, n, finished)) for n in range(processes)]
        writer = stack.enter_context(started("be_the_writer", path, times, processes * PAUSE))
        begin(askers[:1], "once")
        first = answers(askers[:1])
        begin(askers, "once")
        before = answers(askers)
        begin([writer, *askers], "on")
        changes = [Changed(*one) for one in told(writer)]
        finished.touch()
        during = answers(askers)
        begin(askers, "once")
        after = answers(askers)
        for process in (*askers, writer):
            process.stdin.close()
            assert process.wait(PATIENCE) == 0
    return Played(first, before, during, after, changes)


def may_have_seen(asked: Asked, changes: list[Changed], state: int) -> bool:
    """Tell whether the store can have been in the state after so many changes while this was asked."""
    begun = not state or changes[state - 1].begun < asked.ended
    ended = state < len(changes) and changes[state].ended < asked.begun
    return begun and not ended


def explain(path: Path, changes: list[Changed], asked: list[Asked]) -> dict[str, bytes]:
    """Make the same changes with nobody else there, and find for each answer the state whose answer it is.

    Returns:
        The tree of the store then.
    """
    left = asked
    with made(path, EXAMPLES) as memory:
        asker = Asker(memory)
        for state in range(len(changes) + 1):
            if state:
                turn(memory, changes[state - 1].number, came=changes[state - 1].came)
                assert memory.root == changes[state - 1].root
            seen = {one[:2] for one in left if may_have_seen(one, changes, state)}
            right = {one: asker.ask(*one).answer for one in sorted(seen)}
            left = [
                one
                for one in left
                if not may_have_seen(one, changes, state) or one.answer != right[one.question, one.select]
            ]
    assert left == []
    return tree(path)


def gone_before(asked: Asked, changes: list[Changed]) -> set[str]:
    """Return the ids whose forgetting was acknowledged before this was asked, and not undone before its end."""
    last = {change.number: change for change in changes if change.begun < asked.ended}
    gone = [one.number for one in last.values() if not one.came and one.ended < asked.begun]
    return {EVERY[number].id(SEED).hex() for number in gone}


@pytest.mark.campaign
def test_processes_that_ask_during_changes_give_the_answers_of_one_state(
    models_home: Path, tmp_path: Path, count: Count, all_cores: None
) -> None:
    processes, times = 5, 50
    store = tmp_path / "store"
    made(store, EXAMPLES).close()

    played = play(store, tmp_path / "finished", processes=processes, times=times)

    assert len(played.changes) == times
    assert len(played.during) > processes
    # Two prefixes, which the first process left on the disk for each of the others.
    assert sum(one.restored for one in played.before) >= 2 * (processes - 1)
    assert not [id for one in played.asked() for id in gone_before(one, played.changes) & {*one.answer[0]}]
    left = without_entries(tree(store))
    assert left == without_entries(explain(tmp_path / "one by one", played.changes, played.asked()))
    last = dict.fromkeys(range(len(EXAMPLES)), True) | {one.number: one.came for one in played.changes}
    with made(tmp_path / "fresh", [EVERY[number] for number, held in last.items() if held]) as fresh:
        assert left == tree(fresh.path)
    with opened(store) as memory:
        assert memory.verify(deep=True).ok
    count("processes that asked during changes", processes)
    count("changes while real models answered", times)
    count("answers of real models during changes", len(played.during))
    count("KV states of another process read from the disk", sum(one.restored for one in played.before))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
