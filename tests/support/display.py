"""An X server for tests of windows: `pytest_plugins = ["display"]`, and take the fixture `display`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


@pytest.fixture(scope="session")
def x_server() -> Iterator[str]:
    """An X server that has no screen to be seen on. One for all tests: Tk ends a process whose server ends."""
    if MISSING:
        pytest.skip(f"not on this machine: {' and '.join(MISSING)}")
    pytest.importorskip("tkinter", reason="this Python has no Tk")
    read, write = os.pipe()
    options = ["-displayfd", str(write), "-screen", "0", "1000x720x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(["Xvfb", *options], pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("no X server can be started here")
        yield f":{number}"
        server.terminate()


@pytest.fixture
def display(x_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The display of an X server, which programs of this test find."""
    monkeypatch.setenv("DISPLAY", x_server)
    return x_server
