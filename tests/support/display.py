"""An X server for tests of windows: `pytest_plugins = ["display"]`, and take the fixture `display`.

A window of Tk belongs into a process of its own, which ends before its server does: Tk ends the one it is in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An X server that has no screen to be seen on."""
    if MISSING:
        pytest.skip(f"not on this machine: {' and '.join(MISSING)}")
    pytest.importorskip("tkinter", reason="this Python has no Tk")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x720x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("no X server can be started here")
        monkeypatch.setenv("DISPLAY", f":{number}")
        yield f":{number}"
        server.terminate()
