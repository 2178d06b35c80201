"""Every command after a killed writer finishes what that began, or the store says why it cannot be done."""

from __future__ import annotations

import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import killing
import pytest
from command import EXAMPLES, IDS, Ran, run
from faults import Count, Crash, Faulty, Tree, without_entries
from stores import tree

from edge_icl import Memory
from edge_icl.access.cache_key import home_key
from edge_icl.access.passphrases import unlocking
from edge_icl.store.disk import Store
from edge_icl.store.files import REST, Files
from edge_icl.store.lock import locked
from edge_icl.store.prefix_cache import PrefixCache
from edge_icl.store.recovery import at_rest

pytest_plugins = ["cli_fixtures"]

PASSPHRASE = "correct horse"
GONE, KEPT = IDS["Train to Berlin"], IDS["Printer paper"]
STATE = b"state of " + b"".join(example.canonical() for example in EXAMPLES)
"""A cache entry that tells of all examples."""


@pytest.fixture(scope="module", params=[None, PASSPHRASE], ids=["plain", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    return request.param


@pytest.fixture
def store(bare_home: Path) -> Path:
    """A taught store, at rest, with an entry in its cache."""
    path = bare_home / "stores" / "default"
    (bare_home / "stores").chmod(0o700)
    opened = open_store(path)
    PrefixCache(opened, opened.snapshot(), home_key(make=True)).put("name", STATE)
    assert at_rest(path)
    for page in (path / "pages").iterdir():  # copying has used them
        Files().rest(page)
    return path


def open_store(path: Path) -> Store:
    return Store.open(path, unlock=unlocking(os.environ.get("EDGE_ICL_PASSPHRASE")))


def copy(source: Path, target: Path) -> Path:
    """Copy a store as it lies there, times and all."""
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(source, target))


def times(path: Path) -> set[int]:
    """When files and directories were changed, entries of the cache apart, and when pages were read."""
    changed = [path, *(one for one in path.rglob("*") if one.parent.name != "cache")]
    read = [*(path / "pages").iterdir()]
    return {one.stat().st_mtime_ns for one in changed} | {one.stat().st_atime_ns for one in read}


def forms(store: Path) -> set[bytes]:
    """Return the bytes by which the examples of a store are recognised in files and their names."""
    with Memory.open(store, passphrase=os.environ.get("EDGE_ICL_PASSPHRASE")) as memory:
        return {
            form
            for held, vector in memory.export()
            for form in (held.example.canonical(), vector.components, bytes.fromhex(held.id), held.id.encode())
        }


class Judge:
    """Knows the store before a change and after it, and judges what a command has left.

    Attributes:
        start: the store before.
        outcomes: what a store may be found to be, caches aside, and what must not be found in it then.
        cached: whether what is in the cache holds after the change as well.
    """

    def __init__(self, start: Path, change: Callable[[Path], None], folder: Path) -> None:
        self.start = start
        after = copy(start, folder / "after")
        change(after)
        before_forms, after_forms = forms(start), forms(after)
        self.before, self.after = without_entries(tree(start)), without_entries(tree(after))
        self.outcomes = [(self.before, after_forms - before_forms), (self.after, before_forms - after_forms)]
        self.cached = before_forms == after_forms

    def judge(self, path: Path, command: str) -> bool:
        """Assert that a store is whole and nothing is left in it; return whether the change was made."""
        found = tree(path)
        kept = without_entries(found)
        assert kept in (self.before, self.after), command
        assert at_rest(path), command
        content = [name.encode() + data for name, data in found.items()]
        for outcome, gone in self.outcomes:
            if kept == outcome:
                assert not [form for form in gone if any(form in data for data in content)], command
        made = kept == self.after != self.before
        if made and not self.cached:
            assert not [name for name in found if name.startswith("cache/") and name != "cache/"], command
        return made


def fine(ran: Ran, code: int = 0) -> None:
    assert ran.code == code, ran


def opened(work: Callable[[Memory], object], path: Path) -> None:
    with Memory.open(path, passphrase=os.environ.get("EDGE_ICL_PASSPHRASE")) as memory:
        work(memory)


def command(*args: str, code: int = 0) -> Callable[[Path], None]:
    return lambda path: fine(run("--store", str(path), *args), code)


AFTERWARDS: dict[str, Callable[[Path], None]] = {
    "list": command("list"),
    "show": lambda path: run("--store", str(path), "show", KEPT) and None,  # it may be gone as well
    "status": command("status"),
    "verify": lambda path: run("--store", str(path), "verify") and None,
    "verify --deep": lambda path: run("--store", str(path), "verify", "--deep") and None,
    "doctor": lambda path: run("--store", str(path), "doctor") and None,  # there is no model here
    "export": lambda path: run("--store", str(path), "export") and None,
    "add what is known": lambda path: run("--store", str(path), "add", "Printer paper", "office") and None,
    "forget what is not there": command("forget", "0" * 32, "--yes", code=1),
    "forget --match, nothing": command("forget", "--match", "no such text", "--yes", code=1),
    "open and close": partial(opened, lambda _: None),
    "len": partial(opened, len),
    "examples": partial(opened, lambda memory: list(memory.examples())),
    "find": partial(opened, lambda memory: memory.find(match="paper")),
    "find by tag": partial(opened, lambda memory: memory.find(tag="2026")),
    "Memory.verify": partial(opened, lambda memory: memory.verify()),
    "root": partial(opened, lambda memory: memory.root),
}
"""Commands and calls that change nothing and need no model."""

LESSON = "lesson.jsonl"
CHANGES = {
    "forget": ("forget", GONE, "--yes", "--no-similar"),
    "forget a representative and others": ("forget", *list(IDS.values())[:3], "--yes", "--no-similar"),
    "forget all": ("forget", "--all", "--yes", "--no-similar"),
    "fix": ("fix", GONE, "outing"),
    "add": ("add", "--file", LESSON),
    "labels --set": ("labels", "--set", "yes"),
    "verify --deep": ("verify", "--deep"),
}
SMALL = ["forget", "fix", "add", "labels --set"]
"""Those that are stopped in every run; all of them are in a campaign."""


def by_command(change: tuple[str, ...], path: Path) -> None:
    fine(run("--store", str(path), *change))


@pytest.fixture(params=CHANGES)
def change(
    request: pytest.FixtureRequest, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, campaign: bool
) -> tuple[str, ...]:
    """A command that changes the store, in the folder of the file that it reads."""
    if request.param not in SMALL and not campaign:
        pytest.skip("in a campaign")
    monkeypatch.chdir(tmp_path)
    lesson = json.loads(run("export", "--vectors").out.splitlines()[0]) | {
        "input": "Taxi in Rome",
        "output": "taxi",
    }
    Path(LESSON).write_text(json.dumps({name: lesson[name] for name in lesson if name != "id"}))
    return CHANGES[request.param]


@pytest.fixture
def judge(store: Path, change: tuple[str, ...], tmp_path: Path) -> Judge:
    return Judge(store, partial(by_command, change), tmp_path)


def killed(
    change: tuple[str, ...], start: Path, place: Path, *, each: int, seen: dict[object, int]
) -> Iterator[Path]:
    """Yield what a command leaves that is killed at its n-th system call, each outcome once.

    Args:
        change: the command.
        start: the store before.
        place: where to run it.
        each: only the 0th, the `each`th and so on.
        seen: gets how often each outcome came.
    """
    with killing.killer() as killer:
        for at in itertools.count(step=each):
            copy(start, place)
            if not killer.kill("--store", str(place), *change, at=at):
                return
            outcome = (*tree(place).items(), at_rest(place))
            seen[outcome] = seen.get(outcome, 0) + 1
            if seen[outcome] == 1:
                yield place


traced = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="ptrace is Linux's"
)


@traced
def test_after_a_kill_at_any_system_call_any_command_leaves_nothing(
    store: Path, judge: Judge, change: tuple[str, ...], tmp_path: Path, campaign: bool, count: Count
) -> None:
    if "EDGE_ICL_PASSPHRASE" in os.environ and change[0] not in {"forget", "add"} and not campaign:
        pytest.skip("the same steps as of a plain store: in a campaign")
    seen: dict[object, int] = {}
    made, tried = 0, 0
    place, trial = tmp_path / "killed", tmp_path / "trial"
    names = itertools.cycle(AFTERWARDS)
    each = 1 if campaign else 83 if change[0] == "labels" else 167
    for left in killed(change, store, place, each=each, seen=seen):
        some = AFTERWARDS if campaign else [next(names) for _ in range(3)]
        for name in some:
            AFTERWARDS[name](copy(left, trial))
            made += judge.judge(trial, name)
            tried += 1

    assert len(seen) > 3
    assert 0 < made < tried or change[0] == "verify"
    count("kills at a system call", sum(seen.values()))
    count("states that these kills left, all different", len(seen))
    count("commands after a kill at a system call", tried)


def test_after_a_crash_at_any_operation_any_command_leaves_nothing(
    store: Path, judge: Judge, change: tuple[str, ...], tmp_path: Path, campaign: bool, count: Count
) -> None:
    if change[0] != "forget" or change[1] == "--all":
        pytest.skip("the library's operations are those of forgetting; see test_crash for all others")
    place, trial = tmp_path / "crashed", tmp_path / "trial"
    names = itertools.cycle(AFTERWARDS)
    ids, made, tried, stopped = [bytes.fromhex(id) for id in change[1:-2]], 0, 0, 0
    judged: set[object] = set()
    for n in itertools.count():
        files = Faulty(n)
        crash(copy(store, place), ids, files)
        if not files.fired:
            break
        stopped += 1
        outcome = (*tree(place).items(), at_rest(place))
        if outcome in judged:
            continue
        judged.add(outcome)
        for name in AFTERWARDS if campaign else [next(names) for _ in range(3)]:
            AFTERWARDS[name](copy(place, trial))
            made += judge.judge(trial, name)
            tried += 1

    assert stopped > 20
    assert 0 < made < tried
    count("operations stopped at by a crash", stopped)
    count("commands after a crash at an operation", tried)


def crash(path: Path, ids: list[bytes], files: Faulty) -> None:
    """Forget, and stop where the file system stops."""
    from edge_icl.store.writer import writing

    try:
        store = Store.open(path, unlock=unlocking(os.environ.get("EDGE_ICL_PASSPHRASE")), files=files)
        with writing(store) as writer:
            writer.commit(removed=ids)
    except Crash:
        assert files.fired


class Pulled(Faulty):
    """A file system whose process ends right after the commit."""

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        if target.name == "manifest":
            self.stop = len(self.done)


def test_a_command_says_that_it_has_wiped_what_a_killed_one_left(store: Path) -> None:
    files = Pulled()
    crash(store, [bytes.fromhex(GONE)], files)

    ran = run("list")

    assert ran.code == 0
    assert ran.err == "edge-icl: a change had been cut off: what it left, 2 files, is wiped now\n"
    assert run("list").err == ""


def test_verify_tells_what_a_killed_forget_left_and_wipes_it(store: Path) -> None:
    crash(store, [bytes.fromhex(GONE)], Pulled())

    first, second = run("verify"), run("verify")

    assert first.code == 3
    assert first.out.count(": stray: the manifest does not name it; it is wiped now\n") == 2
    assert (second.code, second.err) == (0, "")


@pytest.mark.parametrize(
    "args", [("ask", "Taxi downtown"), ("search", "Taxi"), ("add", "Train to Rome", "travel")]
)
def test_commands_that_need_models_wipe_it_too(
    home: Path, passphrase: str | None, args: tuple[str, ...]
) -> None:
    path = home / "stores" / "default"
    crash(path, [bytes.fromhex(GONE)], Pulled())
    left = {name for name, data in tree(path).items() if b"Train to Berlin" in data}
    assert left or passphrase

    fine(run(*args))

    assert not [name for name, data in tree(path).items() if b"Train to Berlin" in data]
    assert at_rest(path)
    fine(run("verify"))


def test_an_open_store_is_tidied_up_by_any_call(store: Path) -> None:
    for work in (len, lambda memory: memory.root, lambda memory: list(memory.examples())):
        trial = copy(store, store.with_name("trial"))
        with Memory.open(trial, passphrase=os.environ.get("EDGE_ICL_PASSPHRASE")) as memory:
            crash(trial, [bytes.fromhex(GONE)], Pulled())
            assert not at_rest(trial)

            work(memory)

            assert at_rest(trial)
            assert memory.unfinished() is None
            assert memory.verify(deep=True).ok


def told(*args: str) -> dict[str, object]:
    return json.loads(run("--json", *args).out)


def test_where_the_lock_is_held_it_is_said_and_done_later(store: Path) -> None:
    crash(store, [bytes.fromhex(GONE)], Pulled())
    before = tree(store)
    with locked(store, timeout=0):
        assert run("list").code == 0
        status = told("status")
        assert len(status["unfinished"]["files"]) == 2
        assert f"process {os.getpid()}" in status["unfinished"]["reason"]
        assert any("not wiped yet" in problem for problem in status["problems"])
        doctor = [check for check in told("doctor")["checks"] if check["name"] == "stores"]
        assert [check["level"] for check in doctor] == ["problem"]
        assert str(store) in doctor[0]["detail"]
        assert without_lock(tree(store)) == without_lock(before)

    status = told("status")

    assert status["unfinished"] is None
    assert not any("not wiped yet" in problem for problem in status["problems"])
    assert at_rest(store)


def without_lock(found: Tree) -> Tree:
    return {name: data for name, data in found.items() if name != "lock"}


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && shift 0 && exec "$@"'


def read_only(path: Path, *args: str) -> Ran:
    """Run a command in a process that sees a store on a read-only file system."""
    program = Path(sys.executable).with_name("edge-icl")
    run = ["unshare", "--mount", "--map-root-user", "sh", "-c", READ_ONLY, str(path), str(program), *args]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    return Ran(done.returncode, done.stdout, done.stderr)


def can_mount(path: Path) -> bool:
    try:
        return read_only(path, "--version").code == 0
    except OSError:
        return False


def test_on_a_read_only_file_system_it_is_said(store: Path) -> None:
    crash(store, [bytes.fromhex(GONE)], Pulled())
    if not can_mount(store):
        pytest.skip("mounting is not allowed here")
    before = tree(store)

    listed = read_only(store, "list")
    status = json.loads(read_only(store, "--json", "status").out)
    verified = read_only(store, "verify")
    doctor = read_only(store, "--json", "doctor")

    assert listed.code == 0
    assert "Train to Berlin" not in listed.out
    assert "Read-only file system" in status["unfinished"]["reason"]
    assert any("Read-only file system" in problem for problem in status["problems"])
    assert verified.code == 3
    assert verified.out.count("it cannot be wiped: ") == 2
    assert "Read-only file system" in verified.out
    checks = [check for check in json.loads(doctor.out)["checks"] if check["name"] == "stores"]
    assert [check["level"] for check in checks] == ["problem"]
    assert tree(store) == before
    fine(run("list"))
    assert read_only(store, "verify").code == 0


def test_doctor_looks_into_every_store_and_asks_nobody_for_a_passphrase(
    store: Path, passphrase: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(store, [bytes.fromhex(GONE)], Pulled())
    monkeypatch.delenv("EDGE_ICL_PASSPHRASE", raising=False)

    checks = [check for check in told("doctor", "--store", "another")["checks"] if check["name"] == "stores"]

    if passphrase is None:
        assert [check["level"] for check in checks] == ["ok", "ok"]
        assert at_rest(store)
    else:
        assert [check["level"] for check in checks] == ["note"]
        assert f"--store {store}" in checks[0]["remedy"]


def test_what_may_be_all_that_is_left_of_the_examples_is_not_wiped(store: Path) -> None:
    """An old manifest, from a backup, say: it names pages that are gone, and not those that are there."""
    old = (store / "manifest").read_bytes()
    fine(run("forget", GONE, "--yes", "--no-similar"))
    (store / "manifest").unlink()
    (store / "manifest").write_bytes(old)
    before = without_lock(tree(store))

    for args in (["list"], ["show", KEPT], ["status"], ["forget", KEPT, "--yes"]):
        assert run(*args).code in (0, 1)
        assert without_lock(tree(store)) == before
    assert "is missing" in told("status")["unfinished"]["reason"]


def test_no_time_of_a_file_tells_what_was_changed(store: Path) -> None:
    """Nor when, nor which page was read since."""
    fine(run("forget", GONE, "--yes"))
    fine(run("add", "Printer paper", "office"))
    fine(run("list"))
    fine(run("verify", "--deep"))

    assert times(store) == {REST}


def test_the_first_command_makes_the_times_of_a_copy_alike(store: Path) -> None:
    """A copy, or a store that a version made which left times alone: else the next change would stand out."""
    for number, path in enumerate((store, *store.rglob("*"))):
        os.utime(path, (10**9 + number, 10**9 + number))

    fine(run("list"))

    assert times(store) == {REST}


def test_a_passphrase_that_was_changed_shows_in_no_time(store: Path, passphrase: str | None) -> None:
    if passphrase is None:
        pytest.skip("it has none")
    with Memory.open(store, passphrase=passphrase) as memory:
        memory.change_passphrase("another one")

    assert times(store) == {REST}
