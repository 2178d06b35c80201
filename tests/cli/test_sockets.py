"""No command but `models fetch` opens a socket, nor does the library, nor what they load or start."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from campaigns import later
from repository import REPOSITORY
from watch import KILLED, SCRIPTS, can_forbid, commands, edge_icl, material, watched

pytest_plugins = ["cli_fixtures"]

PRIVACY = (REPOSITORY / "docs" / "privacy.md").read_text(encoding="utf-8")
LIBRARY = """
import sys, time
from pathlib import Path
import edge_icl

with edge_icl.Memory.open("new") as memory:
    memory.add("Uber to the airport", "travel")
    memory.add("Sandwich", "food")
    memory.ask("Taxi downtown")
    time.sleep(float(sys.argv[1]))
    memory.forget(memory.search("Uber")[0].id, similar=0.9)
    assert memory.verify(deep=True).ok
"""
LONG = 9
"""Seconds; a library that reports home does so some six seconds after it was loaded."""

NATIVE = "import ctypes; ctypes.CDLL(None).socket(2, 1, 0)"
CHILD = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-S', '-c', {NATIVE!r}]).returncode)"
LOCAL = "import socket; socket.socketpair()"


needs_seccomp = pytest.mark.skipif(not can_forbid(), reason="this kernel permits no seccomp filter")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model to import."""
    path = tmp_path / "work"
    path.mkdir()
    material(path)
    return path


def test_every_command_has_a_script() -> None:
    assert set(commands()) == SCRIPTS.keys()


@pytest.mark.parametrize("name", [later(name) if name == "demo" else name for name in commands()])
@pytest.mark.usefixtures("home")
def test_no_command_opens_a_socket(name: str, folder: Path) -> None:
    for args, stdin in SCRIPTS[name]:
        ran = watched(*edge_icl(*args), folder=folder, stdin=stdin, forbid=can_forbid())

        assert (ran.code, ran.sockets, ran.left) == (0, [], []), ran.err


@pytest.mark.usefixtures("models_home")
def test_a_program_that_stays_open_opens_no_socket_and_leaves_nothing_at_home(folder: Path) -> None:
    ran = watched(sys.executable, "-c", LIBRARY, LONG, folder=folder, forbid=can_forbid())

    assert (ran.code, ran.sockets, ran.left) == (0, [], []), ran.err


def test_fetching_is_seen_to_open_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    ran = watched(*edge_icl("models", "fetch"), folder=folder)

    assert ran.code == 1
    assert any(event.startswith("socket.connect ") for event in ran.sockets)


@needs_seccomp
def test_a_socket_below_python_is_seen(folder: Path) -> None:
    assert watched(sys.executable, "-c", NATIVE, folder=folder, forbid=True).code == KILLED
    assert watched(sys.executable, "-c", CHILD, folder=folder, forbid=True).code == KILLED % 256
    assert watched(sys.executable, "-c", LOCAL, folder=folder, forbid=True).code == 0


@pytest.mark.usefixtures("home")
def test_everything_works_where_there_is_no_network(folder: Path, campaign: bool) -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    try:
        subprocess.run([*alone, sys.executable, "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine makes no network namespaces: unshare is missing or not permitted")
    for name in ("add", "ask", "search", "forget", "verify"):
        for args, stdin in SCRIPTS[name] if campaign else SCRIPTS[name][:1]:
            assert watched(*alone, *edge_icl(*args), folder=folder, stdin=stdin).code == 0


def test_the_documented_table_names_every_command() -> None:
    shown = dict(re.findall(r"^\| `([a-z ]+)` \| (\d+) \|$", PRIVACY, re.MULTILINE))

    assert set(shown) == set(commands())
    assert {name for name, count in shown.items() if count != "0"} == {"models fetch"}
