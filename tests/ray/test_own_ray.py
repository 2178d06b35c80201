"""A Ray that the command starts for itself: none else reaches it, Ctrl-C ends it in order, nothing is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import PROGRAM

pytest_plugins = ["cli_fixtures"]
pytestmark = [
    pytest.mark.campaign,  # it starts Ray twice, a minute
    pytest.mark.usefixtures("all_cores"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROWS = 400
LISTENING = "0A"
"""The state of a socket in /proc/net/tcp."""


@pytest.fixture(scope="module")
def passphrase() -> str:
    """That of the store: workers need it, too."""
    return "correct horse"


@pytest.fixture
def words(home: Path, tmp_path: Path) -> list[str]:
    """A command that takes a while."""
    rows = "".join(f'{{"input": "Taxi number {i}"}}\n' for i in range(ROWS))
    (tmp_path / "rows.jsonl").write_text(rows)
    out = tmp_path / "answers"
    asked = ("--file", str(tmp_path / "rows.jsonl"), "--out", str(out), "--ask-model", "never")
    return ["ask", *asked, "--engine", "ray", "--workers", "2", "--rows-per-part", "1"]


@pytest.fixture
def started(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command, in a process group of its own, as a shell starts it."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process
        process.kill()


def family(pid: int) -> list[int]:
    """Return the processes below one."""
    import psutil

    return [one.pid for one in psutil.Process(pid).children(recursive=True)]


def listening(pids: list[int]) -> set[str]:
    """Return the addresses at which processes listen, as the kernel writes them."""
    inodes = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes |= set(re.findall(r"socket:\[(\d+)\]", str(file.readlink())))
            except OSError:
                continue
    text = "".join(Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6"))
    lines = [line.split() for line in text.splitlines() if ":" in line]
    return {line[1].partition(":")[0] for line in lines if line[3] == LISTENING and line[9] in inodes}


@pytest.mark.skipif(sys.platform != "linux", reason="sockets and processes are looked at in /proc")
def test_a_ray_of_its_own_is_for_this_machine_ends_with_ctrl_c_and_its_run_goes_on(
    started: subprocess.Popen[str], words: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "answers"
    while not len([*out.glob("part-*")]) > 3:
        assert started.poll() is None, started.communicate()
        time.sleep(0.02)
    below = family(started.pid)
    ours = [path for path in Path(tempfile.gettempdir()).glob("edge-icl-*") if (path / "ray").exists()]
    modes = {path.stat().st_mode & 0o777 for path in ours}
    addresses = listening([started.pid, *below])
    os.killpg(started.pid, signal.SIGINT)
    shown, told = started.communicate(timeout=120)

    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert addresses
    assert modes == {0o700}
    assert (started.returncode, shown) == (130, "")
    kept = rf"edge-icl: \d+ parts of 400 are whole in {out}; go on: edge-icl .* --resume\n"
    assert re.fullmatch(rf"{kept}edge-icl: error: interrupted\n", told), told
    assert not [pid for pid in below if Path(f"/proc/{pid}/exe").exists()], "a process is left"
    assert not [*out.glob(".*")], "a half part is left"

    command = [sys.executable, "-c", PROGRAM, *words, "--resume"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote 400 rows to {out}, in 400 parts\n", "")
