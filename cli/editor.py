"""A text in the user's own editor: in a file of mode 0600 in a folder of mode 0700, wiped whatever happens.

The folder is in memory where the system has a place for that, else in the home of the stores. It is wiped with
everything in it, since editors leave backups and swap files beside what they edit; so is the file that the
editor was given, even if the editor saved by renaming another file into its place. A process that was killed
outright cannot wipe anything: then the next edit does, and `edge-icl doctor` tells of it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from edge_icl.cli import interrupts
from edge_icl.cli.printing import is_terminal
from edge_icl.errors import EdgeIclError, InputError
from edge_icl.runtime.home import home
from edge_icl.store import scratch
from edge_icl.store.files import DIRECTORY_MODE, FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "editing"
_FILE = "example.txt"

USUAL = ("notepad",) if os.name == "nt" else ("sensible-editor", "nano", "vim", "vi")
"""Editors that are tried where none is named; Debian's sensible-editor starts the one that was chosen there."""


def edit(text: str) -> str:
    """Return what the user makes of a text.

    Raises:
        InputError: no editor is named or found, it cannot be started or fails, or what it leaves is not UTF-8.
        EdgeIclError: another example is being edited, or the operating system refused.
    """
    command = _command()
    with _alone(), _private(text) as file:
        _run(command, file)
        try:
            return scratch.read(file).decode()
        except OSError:
            raise InputError("the editor removed its file", "nothing was changed") from None
        except UnicodeDecodeError as error:
            raise InputError("what the editor saved is not UTF-8", "nothing was changed") from error


def in_memory() -> bool:
    """Tell whether what is edited lies in memory, and not on a disk."""
    return len(_places()) > 1


def left_behind() -> Path | None:
    """Return the folder that an edit which was killed has left, or None where there is none."""
    left = next((place for place in _places() if place.exists()), None)
    if left is None:
        return None
    try:
        with _alone():
            return left
    except EdgeIclError:
        return None  # it is in use


def _places() -> list[Path]:
    """Return where the folder may be."""
    return scratch.folders(home(), FOLDER)


def _command() -> list[str]:
    """Return the words that start the user's editor."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        if words := shlex.split(named):
            return words
    except ValueError:
        raise InputError(
            f"VISUAL or EDITOR, which is {named!r}, has a quote that is not closed",
            "name an editor, such as `export EDITOR=nano`",
        ) from None
    if not is_terminal(sys.stdin):
        raise InputError("no editor is named", "set VISUAL or EDITOR, such as `export EDITOR=nano`")
    for usual in USUAL:
        if found := shutil.which(usual):
            return [found]
    raise InputError(
        f"no editor is named, and none of {', '.join(USUAL)} is on this machine",
        "set VISUAL or EDITOR to one that is, such as `export EDITOR=emacs`",
    )


def _run(command: list[str], file: Path) -> None:
    """Run the editor until it closes."""
    try:
        code = subprocess.run([*command, file], check=False).returncode
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
    folder.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{FOLDER}.lock", timeout=0, mode=FILE_MODE):
            yield
    except Timeout:
        raise EdgeIclError("another example is being edited", "close that editor first") from None


@contextmanager
def _private(text: str) -> Iterator[Path]:
    """Make the file, and wipe it with its folder; a closed terminal or a `kill` also ends the block first."""
    data, file = text.encode(), None
    best, *others = _places()
    with interrupts.held():
        try:
            for place in (best, *others):  # what an edit that was killed has left
                scratch.wipe(place)
            file = scratch.make(best, _FILE, data)
            with interrupts.heard(but=signal.SIGINT):  # Ctrl-C is the editor's, which gets it too
                yield best / _FILE
        finally:
            scratch.wipe(best, file, size=len(data))
