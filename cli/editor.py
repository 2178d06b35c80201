"""A text in the user's own editor: in a file of mode 0600 in a folder of mode 0700, wiped whatever happens.

    $EDGE_ICL_HOME/editing/example.txt

The folder is wiped with everything in it, since editors leave backups and swap files beside what they edit. A
process that was killed outright cannot wipe it; then the next edit does, and `edge-icl doctor` tells of it.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from edge_icl.cli import interrupts
from edge_icl.errors import EdgeIclError, InputError
from edge_icl.models.home import home
from edge_icl.store import files as fs
from edge_icl.store.wiping import wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "editing"
_FILE = "example.txt"


def edit(text: str) -> str:
    """Return what the user makes of a text.

    Raises:
        InputError: no editor is named, it cannot be started or fails, or what it leaves is not UTF-8.
        EdgeIclError: another example is being edited, or the operating system refused.
    """
    command = _command()
    with _alone(), _private(text) as file:
        _run(command, file)
        try:
            return file.read_bytes().decode()
        except FileNotFoundError:
            raise InputError("the editor removed its file", "nothing was changed") from None
        except UnicodeDecodeError as error:
            raise InputError("what the editor saved is not UTF-8", "nothing was changed") from error


def left_behind() -> Path | None:
    """Return the folder that an edit which was killed has left, or None where there is none."""
    folder = home() / FOLDER
    if not folder.exists():
        return None
    try:
        with _alone():
            return folder
    except EdgeIclError:
        return None  # it is in use


def _command() -> list[str]:
    """Return the words that start the user's editor."""
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    if not words:
        raise InputError("no editor is named", "set VISUAL or EDITOR, such as `export EDITOR=nano`")
    return words


def _run(command: list[str], file: Path) -> None:
    """Let the editor run to its end."""
    try:
        code = subprocess.run([*command, file], check=False).returncode  # noqa: S603 - what the user chose
    except OSError as error:
        raise InputError(
            f"the editor {command[0]} cannot be started: {error.strerror}", "set VISUAL or EDITOR to another"
        ) from error
    if code == -signal.SIGINT:
        raise KeyboardInterrupt
    if code:
        raise InputError(f"the editor {command[0]} failed with exit code {code}", "nothing was changed")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of the folder."""
    folder = home()
    folder.mkdir(mode=fs.DIRECTORY_MODE, parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{FOLDER}.lock", timeout=0, mode=fs.FILE_MODE):
            yield
    except Timeout:
        raise EdgeIclError("another example is being edited", "close that editor first") from None


@contextmanager
def _private(text: str) -> Iterator[Path]:
    """Make the file, and wipe it with its folder; a closed terminal or a `kill` also ends the block first."""
    files, folder = fs.Files(), home() / FOLDER
    with interrupts.held():
        try:
            wipe(files, [folder], ours=lambda _: True)
            files.make_directory(folder)
            fs.create(files, [(folder / _FILE, text.encode())])
            with interrupts.heard(but=signal.SIGINT):  # Ctrl-C is the editor's, which gets it too
                yield folder / _FILE
        finally:
            wipe(files, [folder], ours=lambda _: True)
