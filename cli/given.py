"""Files that a command line names, opened with care: a path may lead to anything.

A pipe is read like a file, so that `--file <(command)` works; where nobody writes into it the command waits,
and Ctrl-C ends it. A device is refused, but for a terminal: reading one may change something, and `/dev/zero`
has no end. Nor is more of one line, or of what must be read whole, taken into memory than anybody can mean.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_OF_A_LINE = 1 << 25
"""Characters: 33 million, hundreds of times what the longest context of a model holds."""

MOST_OF_A_FORM = 1 << 24
"""Bytes of a grammar or a JSON schema."""

MOST_OF_A_RECEIPT = 1 << 28
"""Bytes: room for millions of ids."""


def opened(file: str | Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        InputError: it is a device.
        OSError: the operating system refuses; a folder, and a socket, it does.
    """
    _refuse_device(file, Path(file).stat().st_mode)
    stream = Path(file).open("rb")  # noqa: SIM115 - the caller closes it
    try:
        if not stream.isatty():
            _refuse_device(file, os.fstat(stream.fileno()).st_mode, terminal=False)
    except BaseException:
        stream.close()
        raise
    return stream


def whole(file: str | Path, *, most: int) -> bytes:
    """Return what a file holds.

    Args:
        file: its path.
        most: bytes; more are refused.

    Raises:
        InputError: it cannot be read, or holds more.
    """
    try:
        with opened(file) as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", "check its path") from error
    if len(data) > most:
        raise InputError(f"{file} holds more than {most:,} bytes", "give the file that you mean")
    return data


def lines(text: TextIO, name: str) -> Iterator[str]:
    """Yield the lines of a text.

    Raises:
        InputError: one has no end.
    """
    while line := text.readline(MOST_OF_A_LINE):
        if len(line) == MOST_OF_A_LINE and not line.endswith("\n"):
            raise InputError(
                f"{name} has a line of more than {MOST_OF_A_LINE:,} characters", "give a file of examples"
            )
        yield line


def _refuse_device(file: str | Path, mode: int, *, terminal: bool = True) -> None:
    """Raise for a device; for one of characters only if it is known to be no terminal.

    Raises:
        InputError: it is one.
    """
    if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not terminal):
        raise InputError(f"{file} cannot be read: it is a device", "give a file, or a pipe")
