"""Forged stores, with every digest right: one sentence or a right answer, soon, whatever is asked of them."""

from __future__ import annotations

import json
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import independent
import numpy as np
import pytest
import tiny
from faults import Count, lay_out
from hostile import SETTINGS, Forged, forge
from stores import Unflushed

from edge_icl import EdgeIclError, Example, Memory, Options, Vector
from edge_icl.answer.engines import Engines
from edge_icl.answer.lengths import Lengths
from edge_icl.encode.tokens import Reading
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.llm.model import Model
from edge_icl.store import files, reading

SECONDS = 10
"""Of processor time; more is a hang."""

MEMORY = 3 << 30
"""More than the test process has anyway, for all forged stores together."""

NEW = Example.create("something new", "output 1")


class Encoder:
    """In place of the encoder: any vector will do here."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension

    def encode(self, texts: list[str], **_: object) -> np.ndarray:
        return np.ones((len(texts), self._dimension), np.int8)

    def readings(self, texts: list[str], **_: object) -> list[Reading]:
        return [Reading(known=True, cut=False)] * len(texts)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny.llama())
    with Model.load(path, identity="tiny", options=EngineOptions(context=512)) as loaded:
        yield loaded


@pytest.fixture(autouse=True)
def quick(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model, no encoder, and no waiting: for the disk, or for a writer who might explain the damage."""
    monkeypatch.setattr(reading, "ATTEMPTS", 1)
    monkeypatch.setattr(files.Files, "flush", Unflushed.flush)
    monkeypatch.setattr(files.Files, "flush_directory", Unflushed.flush_directory)
    monkeypatch.setattr(Engines, "encoder", lambda self: Encoder(self._settings.dimension))
    monkeypatch.setattr(Engines, "model", lambda _: ("tiny", model))
    monkeypatch.setattr(Lengths, "check", lambda *_: None)


@pytest.fixture
def limits() -> Iterator[None]:
    """End what takes too long, and let no allocation succeed that is out of all proportion."""

    def stop(*_: object) -> None:
        pytest.fail("a hang")

    before, heard = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGVTALRM, stop)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, heard)


def listed(memory: Memory) -> list[tuple[str, Example]]:
    return [(one.id, one.example) for one in memory.examples()]


def first(memory: Memory) -> str:
    return next(iter(memory.ids()), "0" * 32)


def asked(memory: Memory) -> object:
    return memory.ask("what is it?", Options(labels="on", select="erase")).labels


def written(memory: Memory) -> object:
    return memory.ask("what is it?", Options(labels="off", select="hybrid", max_tokens=2)).text


READS: dict[str, Callable[[Memory], Any]] = {
    "root": lambda memory: memory.root,
    "len": len,
    "settings": lambda memory: str(memory.settings),
    "ids": Memory.ids,
    "list": listed,
    "export": lambda memory: [(held.as_json(), vector.text()) for held, vector in memory.export()],
    "get": lambda memory: memory.get(first(memory)).as_json(),
    "short": lambda memory: memory.short(first(memory)),
    "match": lambda memory: memory.find(match="input"),
    "tag": lambda memory: memory.find(tag="a", source="file"),
    "like": lambda memory: memory.find(like="input", min_similarity=-1.0),
    "search": lambda memory: memory.search("input"),
    "ask": asked,
    "write": written,
    "unfinished": Memory.unfinished,
    "verify": lambda memory: memory.verify(),
    "deep": lambda memory: memory.verify(deep=True),
}

CHANGES: dict[str, Callable[[Memory], Any]] = {
    "add": lambda memory: memory.add(NEW.input, NEW.output),
    "add with a vector": lambda memory: memory.add_many(
        [NEW], vectors=[Vector(memory.settings.encoder_digest, b"\x01" * memory.settings.dimension)]
    ),
    "forget": lambda memory: memory.forget(first(memory)),
    "forget all": lambda memory: memory.forget(*memory.ids()),
    "replace": lambda memory: memory.replace(first(memory), output="another"),
    "rename a label": lambda memory: memory.rename_label(memory.get(first(memory)).output, "another"),
    "replace the input": lambda memory: memory.replace(first(memory), input="another", tags=["t"]),
}


class Attempts:
    """Opens forged stores and asks things of them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "forged"
        self.tried = 0
        self.answered = 0

    def attempt(self, what: Callable[[Memory], Any]) -> Any:
        """Return what comes out: an answer, or an error of ours that is a sentence."""
        self.tried += 1
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            with Memory.open(self.path, create=False) as memory:
                found = what(memory)
            self.answered += 1
        except EdgeIclError as error:
            text = str(error)
            assert "\n" not in text
            assert len(text) < 1000, text
            text.encode()
            return error
        return found

    def all_of(self, forged: Forged) -> None:
        """Ask everything of a store, and change it in every way, each time from the start."""
        lay_out(forged.tree, self.path)
        found = {name: self.attempt(what) for name, what in READS.items()}
        shutil.rmtree(self.path)
        check_reading(forged, found)
        for change in CHANGES.values():
            lay_out(forged.tree, self.path)
            before = self.attempt(Memory.ids)
            done = self.attempt(change)
            after = self.attempt(Memory.ids)
            if not isinstance(done, EdgeIclError):
                check_change(before, done, after)
                assert not isinstance(self.attempt(len), EdgeIclError)
            shutil.rmtree(self.path)


def check_reading(forged: Forged, found: dict[str, Any]) -> None:
    """Check that what was listed is what the pages say, and that what verifies is an honest store."""
    if isinstance(found["list"], list) and forged.rows is not None:
        assert found["list"] == [(key.hex(), told(text)) for key, text in forged.rows]
    deep = found["deep"]
    if not isinstance(deep, EdgeIclError):
        assert all("\n" not in str(finding) for finding in deep.differences)
        if deep.ok:
            kept = {name: data for name, data in forged.tree.items() if not name.endswith("/")}
            assert independent.write(*independent.read(kept)) == kept


def check_change(before: list[str], done: Any, after: Any) -> None:
    """Check that a change that is said to be made is what it says, and can be read."""
    gone = {*getattr(done, "ids", ())} if hasattr(done, "root_after") and hasattr(done, "ids") else set()
    if hasattr(done, "old"):
        assert after == sorted({*before} - {done.old} | {done.new})
    elif hasattr(done, "duplicates") and hasattr(done, "root_after"):
        assert {*before} - gone <= {*after}
        assert not gone & {*after}
        assert len(after) == len(before) - done.duplicates
    elif gone:
        assert after == sorted({*before} - gone)
    else:
        assert after == sorted({*before, *done.ids})


def told(text: bytes) -> Example:
    """Return what an example's text says, alone."""
    fields = json.loads(text)
    found = object.__new__(Example)
    for name, value in (
        ("input", fields["input"]),
        ("output", fields["output"]),
        ("tags", tuple(fields.get("tags") or ())),
        ("source", fields.get("source")),
    ):
        object.__setattr__(found, name, value)
    return found


@pytest.mark.usefixtures("limits")
def test_of_a_forged_store_comes_a_sentence_or_a_right_answer(
    tmp_path: Path, campaign: bool, count: Count
) -> None:
    attempts = Attempts(tmp_path)
    stores = 5000 if campaign else 40

    for number in range(stores):
        forged = forge(number)
        try:
            attempts.all_of(forged)
        except BaseException as error:
            error.add_note(f"forged store {number}: {forged.done}")
            raise

    assert attempts.answered > stores  # most files of most of them are whole
    count("forged stores", stores)
    count("calls on forged stores", attempts.tried)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("size", [0, 1 << 40], ids=["empty", "a terabyte"])
@pytest.mark.parametrize("part", ["store.json", "manifest", "pages", "clustering", "lock"])
def test_a_file_without_content_or_with_a_terabyte_of_it_is_refused(
    tmp_path: Path, part: str, size: int
) -> None:
    attempts = Attempts(tmp_path)
    for what in (*READS.values(), *CHANGES.values()):
        lay_out(honest(), attempts.path)
        file = attempts.path / part
        if file.is_dir():
            file = next(file.iterdir(), file / "state")
        with file.open("ab") as opened:
            opened.truncate(size)
        attempts.attempt(what)
        shutil.rmtree(attempts.path)

    assert (attempts.answered > 0) == (part not in ("store.json", "manifest"))


def honest() -> dict[str, bytes]:
    """Return an honest store of two examples."""
    found = independent.write(
        SETTINGS, [independent.Example(text, "output 1", None, (), (1, 2, 3)) for text in ("input", "other")]
    )
    return {**found, "pages/": b"", "clustering/": b"", "cache/": b""}
