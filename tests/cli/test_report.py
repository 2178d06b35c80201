"""`edge-icl report`: a page to look at the store in a browser."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from command import at_terminal, refused, run, unchanged
from shown import stored
from small_encoders import imported_encoders, small_encoders
from stores import QUICK

from edge_icl import Example, Memory

__all__ = ["imported_encoders", "small_encoders"]

EXAMPLES = [
    Example.create("Uber to the airport", "travel", source="old.csv"),
    Example.create("Train to Berlin", "travel"),
    Example.create("Sandwich at noon", "food", tags=["2026"]),
    Example.create("Printer paper", "office"),
]
NOTE = "edge-icl: memory.html is a copy outside the store: forget does not know of it\n"


@pytest.fixture
def store(small_encoders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default store."""
    monkeypatch.chdir(tmp_path)
    with stored(small_encoders / "stores" / "default", EXAMPLES) as memory:
        return memory.path


def test_it_writes_a_page_that_only_its_user_can_read_and_says_what_it_is(store: Path) -> None:
    with unchanged(store):
        ran = run("report", "--out", "memory.html")

    size = Path("memory.html").stat().st_size
    assert ran.code == 0
    assert ran.out == f"wrote 4 examples to memory.html, {size / 1000:.1f} kB: open it in a browser\n"
    assert ran.err == NOTE
    assert stat.S_IMODE(Path("memory.html").stat().st_mode) == 0o600
    page = Path("memory.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "This page is a copy outside the store." in page
    assert "<code>edge-icl --store default forget</code>" in page  # whatever $EDGE_ICL_STORE says later
    for example in EXAMPLES:
        assert example.input in page


def test_json_says_what_was_written(store: Path) -> None:
    ran = run("report", "--out", "memory.html", "--json")

    with Memory.open(store) as memory:
        assert json.loads(ran.out) == {
            "file": "memory.html",
            "bytes": Path("memory.html").stat().st_size,
            "examples": 4,
            "mapped": 4,
            "suspects": 0,
            "contradictions": 0,
            "duplicates": 0,
            "root": memory.root,
            "encrypted": False,
        }
    assert ran.err == NOTE


def test_the_same_store_gives_the_same_page(store: Path) -> None:
    assert run("report", "--out", "one.html").code == run("report", "--out", "other.html").code == 0

    assert Path("one.html").read_bytes() == Path("other.html").read_bytes()


def test_it_takes_no_file_that_is_there_and_none_in_the_store(store: Path) -> None:
    Path("memory.html").write_text("mine")

    refused(run("report", "--out", "memory.html"), "there is a file memory.html already", "choose another name")
    refused(run("report", "--out", str(store / "memory.html")), "is inside the store")
    refused(run("report"), "missing option '--out'", code=2)

    assert Path("memory.html").read_text() == "mine"


def test_an_empty_store_has_no_page(store: Path) -> None:
    with Memory.create("empty", encoder="first"):
        pass

    refused(
        run("--store", "empty", "report", "--out", "memory.html"),
        "the store holds no examples to show",
    )
    assert not Path("memory.html").exists()


def test_an_encrypted_store_needs_its_passphrase_and_the_page_is_said_to_be_plain(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "correct horse battery")
    with Memory.create("safe", encoder="first", passphrase="correct horse battery", stretch=QUICK) as memory:
        memory.add_many(EXAMPLES)

    ran = at_terminal("--store", "safe", "report", "--out", "memory.html")

    assert ran.code == 0
    assert "not encrypted as the store is" in ran.err
    assert "The store is encrypted; this page is not." in Path("memory.html").read_text(encoding="utf-8")
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "wrong")
    refused(run("--store", "safe", "report", "--out", "other.html"), "passphrase")
    assert not Path("other.html").exists()
