"""What is said of a change is true, whichever call of the operating system fails, and whenever.

Each command that changes a store is run with its n-th call refused, for every n, from there on or once: calls
on files and on what it prints. Then what it said is compared with what the store holds.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import stores
from campaigns import later
from command import IDS, Ran, run
from small_encoders import SECOND, imported_encoders, small_encoders
from stores import PASSPHRASE

from edge_icl import Memory
from edge_icl.cli.main import main
from edge_icl.errors import ExampleNotFoundError, PassphraseError
from edge_icl.store.manifest import page_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["imported_encoders", "small_encoders"]

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="which calls there are is known of POSIX")

PAPER, UBER = IDS["Printer paper"], IDS["Uber to the airport"]
CALLS = (
    "open",
    "write",
    "fsync",
    "unlink",
    "rmdir",
    "mkdir",
    "utime",
    "stat",
    "lstat",
    "fstat",
    "listdir",
)
PLACING = ("replace", "rename", "link")
CALLS += (*PLACING, "ftruncate", "fchmod", "chmod", "posix_fadvise", "scandir")
FULL, TOO_MANY, BROKEN = errno.ENOSPC, errno.EMFILE, errno.EIO
COMMITTED = re.compile("the change is made|examples are forgotten, but|the passphrase is changed, but")


class Refusing:
    """Lets the n-th call of the operating system fail, and those after it if it is to last.

    Attributes:
        stages: how many calls there were until something was first put in its place, as a change is made, from
            then until the next was, and so on.
    """

    def __init__(self, stage: int, at: int, error: int, *, lasting: bool) -> None:
        self.stage, self.at, self.error, self.lasting = stage, at, error, lasting
        self.stages = [0]

    def check(self, name: str) -> None:
        if name in PLACING:
            self.stages.append(0)
        now = (len(self.stages) - 1, self.stages[-1])
        self.stages[-1] += 1
        if now == (self.stage, self.at) or (self.lasting and now > (self.stage, self.at)):
            raise OSError(self.error, os.strerror(self.error))

    def wrapped(self, name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def checked(*args: Any, **more: Any) -> Any:
            self.check(name)
            return call(*args, **more)

        return checked


class Stream(io.StringIO):
    """What a program prints to, whose writing may be refused; what was refused is kept aside."""

    def __init__(self, refusing: Refusing, name: str) -> None:
        super().__init__()
        self.refusing, self.name = refusing, name

    def write(self, text: str) -> int:
        if self.name == "out":
            self.refusing.check("write")
        return super().write(text)


def attempt(args: tuple[str, ...], refusing: Refusing) -> Ran:
    """Run a command, every call of which goes past `refusing`; stderr is spared, or nothing could be told."""
    out, err = Stream(refusing, "out"), Stream(refusing, "err")
    with ExitStack() as stack:
        for name in CALLS:
            stack.enter_context(mock.patch.object(os, name, refusing.wrapped(name)))
        stack.enter_context(mock.patch.multiple(sys, stdout=out, stderr=err, stdin=io.StringIO()))
        code = main(args)
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Change:
    """A command that changes a store, and what tells whether it did.

    Attributes:
        words: of the command line.
        made: tells whether the change is in the store.
    """

    words: tuple[str, ...]
    made: Callable[[Path], bool]


@pytest.fixture(scope="module", params=[None, PASSPHRASE.decode()], ids=["plain", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str | None:
    return request.param


def opened(store: Path) -> Memory:
    encrypted = (store / "key").exists()
    return Memory.open(store, create=False, passphrase=PASSPHRASE if encrypted else None)


def outputs(store: Path) -> dict[str, str]:
    with opened(store) as memory:
        return {one.input: one.output for one in memory.examples()}


def setting(store: Path) -> str:
    with opened(store) as memory:
        return memory.labels_setting


def filled(store: Path) -> bool:
    """Tell whether a store is there with its examples; an empty one is one that was not made."""
    return store.exists() and bool(outputs(store))


def opens_with_another(store: Path) -> bool:
    try:
        with Memory.open(store, create=False, passphrase=b"another"):
            return True
    except PassphraseError:
        return False


CHANGES = {
    "forget": Change(("forget", PAPER, "--yes"), lambda path: "Printer paper" not in outputs(path)),
    "forget what has a near copy": Change(
        ("forget", UBER, "--yes"), lambda path: "Uber to the airport" not in outputs(path)
    ),
    "forget with a receipt": Change(
        ("forget", PAPER, "--yes", "--receipt", "{folder}/receipt"),
        lambda path: "Printer paper" not in outputs(path),
    ),
    "forget with a signed receipt": Change(
        ("forget", PAPER, "--yes", "--receipt", "{folder}/receipt", "--sign"),
        lambda path: "Printer paper" not in outputs(path),
    ),
    "fix": Change(("fix", PAPER, "shop"), lambda path: outputs(path)["Printer paper"] == "shop"),
    "add": Change(("add", "--file", "{folder}/more.jsonl"), lambda path: "Tram" in outputs(path)),
    "reencode": Change(
        ("reencode", "--encoder", SECOND, "--into", "{folder}/new"),
        lambda path: filled(path.parents[2] / "new"),
    ),
    "merge": Change(("merge", "{folder}/other", "--into", "default"), lambda path: "Tram" in outputs(path)),
    "merge into a new store": Change(
        ("merge", "default", "{folder}/other", "--into", "{folder}/new"),
        lambda path: filled(path.parents[2] / "new"),
    ),
    "labels --rename": Change(
        ("labels", "--rename", "office", "shop"), lambda path: outputs(path)["Printer paper"] == "shop"
    ),
    "labels --set": Change(("labels", "--set", "no"), lambda path: setting(path) == "no"),
}


@pytest.fixture
def more(bare_home: Path, tmp_path: Path, small_encoders: Path) -> Path:
    """A file of one example more, with its vector, and a store of another device that has it."""
    exported = json.loads(run("--json", "export", "--vectors").out.splitlines()[0])
    (tmp_path / "more.jsonl").write_text(json.dumps({**exported, "input": "Tram", "output": "travel"}) + "\n")
    other = ("--store", str(tmp_path / "other"))
    assert run(*other, "init", "--like", "default").code == 0
    assert run(*other, "add", "--file", str(tmp_path / "more.jsonl")).code == 0
    return tmp_path


def judge(change: Change, ran: Ran, store: Path) -> None:
    """Compare what a command said with what the store holds."""
    made = change.made(store)
    if ran.code == 0:
        assert made
        return
    assert ran.code == 1
    last = ran.err.splitlines()[-1]
    if last.startswith("{"):
        assert json.loads(last)["committed"] is made, ran
        last = json.loads(last)["error"]
    assert bool(COMMITTED.search(last)) is made, ran
    assert not (made and "nothing was" in last), ran


NEAR = 3
"""Calls after a file was put in place, and before the next one or the end: each of them is refused."""

FAULTS = pytest.mark.parametrize(("error", "lasting"), [(FULL, True), later(TOO_MANY, True), (BROKEN, False)])


@dataclass(frozen=True)
class Sweep:
    """Runs a change with each of its calls refused in turn.

    Attributes:
        store: the store that it changes.
        folder: where its files are.
        each: every how manieth call; and all where a change may just have been made, and the last ones.
        count: sums up for a campaign.
    """

    store: Path
    folder: Path
    each: int
    count: Callable[[str, int], None]

    def chosen(self, stages: list[int]) -> list[tuple[int, int]]:
        """Choose the calls to refuse, each by its stage and its number in there."""
        calls = [(stage, at) for stage, length in enumerate(stages) for at in range(length)]
        near = {(stage, at) for stage, at in calls if (stage and at < NEAR) or stages[stage] - at <= NEAR}
        return sorted(near | {*calls[:: self.each]})

    def run(self, change: Change, error: int, *, lasting: bool) -> None:
        words = tuple(word.format(folder=self.folder) for word in change.words)
        kept, committed, tried = self.folder / "kept", 0, 0
        shutil.copytree(self.store, kept)
        nothing = Refusing(sys.maxsize, 0, error, lasting=lasting)
        attempt(words, nothing)
        assert change.made(self.store)

        for stage, at in self.chosen(nothing.stages):
            for json_words in ((), ("--json",)) if self.each == 1 or at % 2 else ((),):
                shutil.rmtree(self.store)
                shutil.copytree(kept, self.store)
                (self.folder / "receipt").unlink(missing_ok=True)
                shutil.rmtree(self.folder / "new", ignore_errors=True)
                ran = attempt((*json_words, *words), Refusing(stage, at, error, lasting=lasting))
                judge(change, ran, self.store)
                committed += ran.code == 1 and change.made(self.store)
                tried += 1

        assert committed
        self.count("calls refused, and what was said compared", tried)


@pytest.fixture
def sweep(bare_home: Path, more: Path, campaign: bool, count: Callable[[str, int], None]) -> Sweep:
    return Sweep(bare_home / "stores" / "default", more, 1 if campaign else 61, count)


@pytest.mark.parametrize("name", CHANGES)
@FAULTS
def test_what_is_said_of_a_change_is_true_whatever_fails(
    name: str, error: int, lasting: bool, sweep: Sweep, passphrase: str | None, campaign: bool
) -> None:
    if passphrase and lasting and not campaign:
        pytest.skip("in a campaign")
    sweep.run(CHANGES[name], error, lasting=lasting)


@FAULTS
def test_what_is_said_of_a_passphrase_is_true_whatever_fails(
    error: int, lasting: bool, sweep: Sweep, passphrase: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if passphrase is None:
        pytest.skip("a plain store has none")
    monkeypatch.setenv("EDGE_ICL_NEW_PASSPHRASE", "another")

    sweep.run(Change(("passphrase",), opens_with_another), error, lasting=lasting)


def test_a_damaged_page_elsewhere_keeps_nobody_from_forgetting(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGE_ICL_PASSPHRASE", raising=False)
    store = stores.make(own_home / "stores" / "default", stores.rows(range(600)))
    gone = stores.row(4)
    page, _ = store.snapshot().row(gone.id)
    other = next(
        leaf for leaf in store.snapshot().manifest.pages if store.snapshot().page_cache.page(leaf) is not page
    )
    (store.path / page_file(other.digest)).write_bytes(b"damaged")

    ran = run("--json", "forget", gone.id.hex(), "--yes", "--receipt", str(tmp_path / "receipt"))

    assert ran.code == 0
    assert "cannot be looked for" in ran.err
    assert json.loads(ran.out)["similar_error"].startswith(page_file(other.digest))
    assert json.loads((tmp_path / "receipt").read_text())["ids"] == [gone.id.hex()]
    with pytest.raises(ExampleNotFoundError):
        stores.reopen(store.path).snapshot().row(gone.id)
