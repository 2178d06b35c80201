"""Stores named by an option, the environment or nothing; listed, removed, renamed; and unknown ones."""

import itertools
import json
import platform
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import killing
import pytest
from command import IDS, at_terminal, content, refused, run, unchanged

from edge_icl import Memory

pytest_plugins = ["cli_fixtures"]

traced = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="ptrace is Linux's"
)

INTERRUPTED = """
import os, sys
from edge_icl.encode.encoder import Encoder
from edge_icl.cli.main import main

number, encode = int(sys.argv.pop(1)), Encoder.encode

def cut_off(*args, **options):
    os.kill(os.getpid(), number)
    return encode(*args, **options)

Encoder.encode = cut_off
sys.exit(main())
"""
"""Sends itself a signal when it begins to embed."""


@pytest.fixture
def folder(bare_home: Path) -> Path:
    """The folder of the stores: the taught one, called default, and a copy of it, called work."""
    stores = bare_home / "stores"
    shutil.copytree(stores / "default", stores / "work")
    return stores


def pasted(line: str) -> tuple[str, ...]:
    """Return the words of a command that was shown, without the program's name."""
    program, *words = shlex.split(line)
    assert program == "edge-icl"
    return tuple(words)


def test_list_names_every_store_and_which_is_used_where_none_is_named(folder: Path) -> None:
    (folder / "work" / "manifest").write_bytes(b"{")
    (folder / "notes").mkdir()

    ran = run("stores", "list")
    shown = at_terminal("stores", "list")
    found = {one["name"]: one for one in map(json.loads, run("stores", "list", "--json").out.splitlines())}

    assert ran.out.splitlines()[0].split("\t")[:2] == ["default", "5"]
    assert [line.split()[0] for line in shown.out.splitlines()] == ["store", "default", "notes", "work"]
    assert "damaged" in shown.out
    assert "work: manifest is damaged; restore the store from a backup" in shown.err
    assert [found[name]["state"] for name in ("default", "notes", "work")] == [
        "ready",
        "not a store",
        "damaged",
    ]
    assert [name for name, one in found.items() if one["default"]] == ["default"]
    assert found["default"].keys() == {
        *("name", "path", "examples", "bytes", "encrypted", "encoder", "state", "detail", "default")
    }


def test_without_a_store_list_says_how_to_make_one() -> None:
    ran = run("stores", "list")

    assert (ran.code, ran.out) == (0, "")
    assert "edge-icl add INPUT OUTPUT" in ran.err


def test_a_store_is_removed_when_that_is_confirmed(folder: Path) -> None:
    with unchanged(folder):
        refused(run("stores", "remove", "work"), f"removing the store {folder}/work must be confirmed", "--yes")
        asked = at_terminal("stores", "remove", "work", typed="\n")
        assert (asked.code, asked.out) == (1, "")
        assert f"remove the store {folder}/work and wipe all of it: 5 examples? [y/N]:" in asked.err
        assert "it was not confirmed; nothing was removed" in asked.err

    assert at_terminal("stores", "remove", "work", typed="yes\n").code == 0
    ran = run("stores", "remove", "default", "--yes", "--json")

    assert json.loads(ran.out) == {"removed": "default", "path": f"{folder}/default", "examples": 5}
    assert [*folder.iterdir()] == []


def test_a_store_outside_of_the_home_is_removed_by_its_path(folder: Path, tmp_path: Path) -> None:
    place = (folder / "work").rename(tmp_path / "elsewhere")

    assert run("stores", "remove", str(place), "--yes").out == f"removed the store {place}: 5 examples\n"

    assert not place.exists()
    assert (folder / "default").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="this user of Windows may make no links")
def test_no_link_is_followed_to_a_store(folder: Path, tmp_path: Path) -> None:
    place = (folder / "work").rename(tmp_path / "elsewhere")
    (folder / "work").symlink_to(place)
    with unchanged(place):
        refused(run("stores", "remove", "work", "--yes"), f"{folder}/work is a symbolic link", str(place))


@pytest.mark.parametrize("command", [("remove", "nope", "--yes"), ("rename", "nope", "other")])
def test_a_store_that_is_not_there_is_told_and_nothing_is_changed(
    folder: Path, command: tuple[str, ...]
) -> None:
    with unchanged(folder):
        refused(run("stores", *command), f"there is no store at {folder}/nope; `edge-icl stores list`")
        misspelt = [word.replace("nope", "wrok") for word in command]
        refused(run("stores", *misspelt), f"there is no store at {folder}/wrok; did you mean work?")


def test_a_renamed_store_answers_to_its_new_name(folder: Path) -> None:
    before = content(folder / "work")

    assert (
        run("stores", "rename", "work", "office").out == f"renamed the store work to office: {folder}/office\n"
    )
    assert content(folder / "office") == before
    assert run("--store", "office", "show", IDS["Printer paper"]).code == 0
    done = json.loads(run("stores", "rename", "office", "work", "--json").out)

    assert done == {"renamed": "office", "name": "work", "path": f"{folder}/work"}
    with unchanged(folder):
        refused(run("stores", "rename", "work", "default"), f"there is a store at {folder}/default already")
        refused(run("stores", "rename", "work", "./"), "there is something at")
        refused(run("stores", "rename", "work", str(folder / "work" / "inside")), "is in the store itself")


def test_the_variable_says_which_store_and_the_option_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--store", "work", "forget", "--all", "--yes")

    monkeypatch.setenv("EDGE_ICL_STORE", "work")
    assert json.loads(run("status", "--json").out)["path"] == f"{folder}/work"
    assert "work, named by $EDGE_ICL_STORE" in run("status").out
    assert json.loads(run("--store", "default", "status", "--json").out)["path"] == f"{folder}/default"
    found = [json.loads(line) for line in run("stores", "list", "--json").out.splitlines()]
    assert [one["name"] for one in found if one["default"]] == ["work"]
    monkeypatch.setenv("EDGE_ICL_STORE", "")
    assert json.loads(run("status", "--json").out)["path"] == f"{folder}/default"


def test_a_store_that_the_variable_names_by_a_path_is_listed_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = (folder / "work").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("EDGE_ICL_STORE", str(place))

    found = [json.loads(line) for line in run("stores", "list", "--json").out.splitlines()]

    assert [(one["name"], one["default"]) for one in found] == [("default", False), (str(place), True)]


@pytest.mark.parametrize("store", [None, "work", "default"])
@pytest.mark.parametrize("variable", ["", "work", "default"])
def test_a_command_that_is_shown_means_the_same_store_wherever_it_is_pasted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, store: str | None, variable: str
) -> None:
    monkeypatch.setenv("EDGE_ICL_STORE", variable)
    option = () if store is None else ("--store", store)
    meant = store or variable or "default"
    ran = run(*option, "forget", IDS["Uber to airport"], "--yes")
    (line,) = (one.rpartition(": ")[2] for one in ran.err.splitlines() if "to forget it too" in one)

    if variable == meant:
        monkeypatch.delenv("EDGE_ICL_STORE")  # pasted in another terminal
    assert run(*pasted(line), "--yes").code == 0

    with Memory.open(meant, create=False) as memory:
        assert len(memory) == 3


def test_who_removes_what_the_variable_names_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ICL_STORE", "work")

    assert (
        "EDGE_ICL_STORE still says work: it is called office now"
        in run("stores", "rename", "work", "office").err
    )
    assert run("stores", "remove", "office", "--yes").err == ""
    run("stores", "rename", "default", "work")
    told = run("stores", "remove", "work", "--yes").err
    assert "EDGE_ICL_STORE still says work: there is no such store any more" in told


@pytest.mark.parametrize("line", ["list", "status", "verify", "show 12", "forget --all --yes", "labels"])
def test_a_misspelt_store_is_never_made_and_the_one_that_was_meant_is_named(folder: Path, line: str) -> None:
    with unchanged(folder):
        refused(
            run("--store", "wrok", *line.split()),
            f"there is no store at {folder}/wrok; did you mean --store work?",
            "if not, make it with `edge-icl --store wrok init`",
        )
        refused(run("--store", "nope", *line.split()), "make it with `edge-icl --store nope init`")
        refused(run("--store", "./nope", *line.split()), f"`edge-icl --store {Path.cwd()}/nope init`")


def test_the_help_names_the_variable() -> None:
    assert "EDGE_ICL_STORE" in run("--help").out


@pytest.fixture
def taught(models_home: Path) -> Path:
    """The folder of the stores, in a home with models and a store called work."""
    run("--store", "work", "add", "Uber to the airport", "travel")
    return models_home / "stores"


def test_add_says_when_it_makes_a_store_and_which_one_may_have_been_meant(taught: Path) -> None:
    first = run("--store", "work", "add", "Sandwich at noon", "food")
    made = run("--store", "wrok", "add", "Sandwich at noon", "food")
    other = run("--store", "invoices", "add", "Sandwich at noon", "food", "--json")
    again = run("--store", "invoices", "add", "Sandwich at noon", "food", "--json")

    assert first.err == ""
    assert made.err.splitlines() == [
        f"edge-icl: made the store wrok in {taught}",
        "edge-icl: there is work, too: if that was meant, take this one back: edge-icl stores remove wrok",
    ]
    assert json.loads(other.out)["made"] == f"{taught}/invoices"
    assert "made" not in json.loads(again.out)
    assert run(*pasted(made.err.splitlines()[1].rpartition(": ")[2]), "--yes").code == 0
    assert sorted(path.name for path in taught.iterdir()) == ["invoices", "work"]


@pytest.mark.parametrize("words", [("add", "-"), ("import", "-")])
def test_where_nothing_is_added_no_store_is_made(taught: Path, words: tuple[str, ...]) -> None:
    run("--store", "new", *words, stdin="")
    run("--store", "new", *words, stdin='{"input": "a"}\n')

    assert [path.name for path in taught.iterdir()] == ["work"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGKILL", None)])
def test_a_first_add_that_is_cut_off_leaves_no_store(taught: Path, tmp_path: Path, number: int) -> None:
    lesson = tmp_path / "many.jsonl"
    lesson.write_text(
        "".join(json.dumps({"input": f"trip {n}", "output": "travel"}) + "\n" for n in range(3000))
    )
    command = [
        sys.executable,
        "-c",
        INTERRUPTED,
        str(int(number)),
        "--store",
        "new",
        "add",
        "--file",
        str(lesson),
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode != 0
    assert "change is made" not in done.stderr
    assert [path.name for path in taught.iterdir()] == ["work"]
    refused(run("--store", "new", "list"), "there is no store at")


@traced
def test_a_first_add_that_is_killed_anywhere_leaves_the_whole_store_or_none(
    taught: Path, tmp_path: Path, campaign: bool
) -> None:
    exported = json.loads(run("--store", "work", "export", "--vectors").out)
    lesson = tmp_path / "one.jsonl"
    lesson.write_text(json.dumps({name: exported[name] for name in exported if name != "id"}))
    outcomes = set()
    with killing.killer() as killer:
        for at in itertools.count(step=1 if campaign else 211):
            done = not killer.kill("--store", "new", "add", "--file", str(lesson), at=at)
            there = (taught / "new").exists()
            outcomes.add(there)
            if there:
                with Memory.open("new", create=False) as memory:
                    assert len(memory) == 1
            for path in taught.iterdir():
                if path.name != "work":
                    shutil.rmtree(path)
            if done:
                break
    assert outcomes == {False, True}
