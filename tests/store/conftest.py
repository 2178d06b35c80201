"""Stores of these tests lie in memory, where there is room: they are made and wiped by the ten thousand."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SHARED = Path("/dev/shm")
ROOM = 1 << 30
"""Bytes that must be free there; what tests of stores need at a time is a twentieth."""


@cache
def memory() -> Path | None:
    """Return a folder whose files are in memory, None where there is none or it is small, as in a container."""
    usable = os.path.ismount(SHARED) and os.access(SHARED, os.W_OK)
    return SHARED if usable and shutil.disk_usage(SHARED).free > ROOM else None


@pytest.fixture(scope="module")
def folder_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what the tests of a file share: in memory, where there is room."""
    with tempfile.TemporaryDirectory(
        prefix="edge-icl-tests-", dir=memory() or tmp_path_factory.mktemp("shared")
    ) as folder:
        yield Path(folder)


@pytest.fixture
def on_disk() -> None:
    """Have a store on a disk."""


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, unless the test is to have a disk."""
    if memory() is None or "on_disk" in request.fixturenames:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="edge-icl-tests-", dir=memory()) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def scratch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have also the folders in memory that tests make by themselves."""
    if memory() is not None and "on_disk" not in request.fixturenames:
        monkeypatch.setattr(tempfile, "tempdir", str(memory()))
