"""Files that are none: pipes, devices, sockets and folders in every option that names a file to read."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaigns import some
from command import PROGRAM, process, refused, run

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

READERS = (
    "--store new add --format jsonl --file F",
    "add --format csv --file F",
    "add --format tsv --file F",
    "--store new import --format jsonl F",
    "ask --format txt --file F",
    "ask --grammar F taxi",
    "ask --json-schema F taxi",
    "verify --receipt F",
)
GIGABYTE = 1 << 30


def start(command: str, file: str, **others: object) -> subprocess.Popen[bytes]:
    words = [file if word == "F" else word for word in command.split()]
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stderr=subprocess.PIPE, **others)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/random", "/dev/null"])
def test_a_device_is_refused_before_it_is_read(command: str, device: str) -> None:
    words = [device if word == "F" else word for word in command.split()]

    refused(run(*words), f"{device} cannot be read: it is a device")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", READERS)
def test_a_folder_and_a_socket_are_refused(command: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path in (tmp_path, tmp_path / "socket"):
            words = [str(path) if word == "F" else word for word in command.split()]
            refused(run(*words), "cannot be read")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", some(READERS, *READERS[:2]))
def test_a_pipe_into_which_nobody_writes_is_waited_for_until_ctrl_c(command: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with start(command, str(tmp_path / "pipe")) as running:
        time.sleep(1.5)  # until it waits
        running.send_signal(signal.SIGINT)

        assert (running.wait(30), running.stderr and running.stderr.read()) == (
            130,
            b"edge-icl: error: interrupted\n",
        )


@pytest.mark.usefixtures("home")
def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with start(
        "--store new add --format jsonl --file F", str(tmp_path / "pipe"), stdout=subprocess.DEVNULL
    ) as running:
        (tmp_path / "pipe").write_text('{"input": "Ferry to Rhodes", "output": "travel"}\n')

        assert running.wait(60) == 0
    assert "Ferry to Rhodes" in run("--store", "new", "list").out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", [*READERS[:4], "add --file -", "search -", "ask -"])
def test_a_text_without_an_end_fills_no_memory(command: str, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (2 * GIGABYTE, 2 * GIGABYTE))

    with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as endless:
        with start(command, "/dev/stdin", stdin=endless.stdout, preexec_fn=limit) as running:
            code, told = running.wait(60), running.stderr and running.stderr.read().decode()
        endless.kill()

    assert code == 1, told
    assert told is not None
    assert ("has a line of more than" in told) or ("holds too long a text" in told), told
    assert told.count("\n") == 1


def test_what_doctor_advises_can_be_typed(bare_home: Path) -> None:
    store = bare_home / "stores" / "x; touch ran"
    store.mkdir(mode=0o755)

    told = process("doctor").out

    assert f"chmod 700 '{store}'" in told
