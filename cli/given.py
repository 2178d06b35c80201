"""Files that a command line names, opened with care: a path may lead to anything.

A pipe is read like a file, so that `--file <(command)` works; where no program writes into it the command
waits, and Ctrl-C ends it. A device is refused, except a terminal: reading one may change something, and
`/dev/zero` has no end. A line, and a file that must be read whole, have a limit that no user can mean to
exceed.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


STDIN = "-"
"""What a command line names instead of a file."""

MARK = "\ufeff"
"""The byte order mark as a character. Where files were put together it may stand before any line."""

NOT_TEXT = "it is not UTF-8"
"""What is told of a row with bytes that are no text, unless another encoding was named."""

MOST_OF_A_LINE = 1 << 25
"""Characters: 33 million, hundreds of times what the longest context of a model holds."""

MOST_OF_A_PIECE = 1 << 16
"""Characters of a line that are read at once where it may be of any length."""

MOST_OF_A_FORM = 1 << 24
"""Bytes of a grammar or a JSON schema."""

MOST_OF_A_RECEIPT = 1 << 28
"""Bytes: room for millions of ids."""


def opened(file: str | Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        InputError: it is a device.
        OSError: the operating system refuses, as it does for a folder and for a socket.
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


@contextmanager
def text(file: str, *, newline: str | None, encoding: str | None = None) -> Iterator[TextIO]:
    """Open a file or stdin as text, without its byte order mark.

    Bytes that are no text come as lone surrogates; in UTF-16 and UTF-32 they are an error.

    Args:
        file: its path, or - for stdin.
        newline: how line breaks are read; see `open`.
        encoding: its codec; None for what its beginning shows, and else UTF-8.

    Raises:
        InputError: it cannot be read, is not in the encoding at all, or is in another one beyond doubt.
    """
    from edge_icl.cli import encodings
    from edge_icl.cli.utf8 import Watched

    try:
        with ExitStack() as stack:
            binary = stack.enter_context(opened(file)) if file != STDIN else _stdin()
            if not isinstance(binary, io.BufferedReader):
                binary = io.BufferedReader(cast("io.RawIOBase", binary))
                stack.callback(binary.detach)
            found = encodings.checked(file, binary.peek(encodings.SEEN)[: encodings.SEEN], encoding)
            binary.read(len(found.mark))
            name = encoding if encoding and not found.mark else found.name
            source = cast("BinaryIO", Watched(binary, file, name)) if encoding else binary
            text = io.TextIOWrapper(source, name, encodings.errors_of(name), newline)
            stack.callback(text.detach)  # stdin stays open for what is read next
            yield text
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{'stdin' if file == STDIN else file} is not {error.encoding} throughout: {error.reason}",
            "it may be cut off; if it is in another encoding, name that with --encoding",
        ) from error
    except UnicodeError as error:  # of UTF-16 without a mark, and of codecs that are not for files
        raise InputError(
            f"{'stdin' if file == STDIN else file} cannot be read as {encoding}: {error}",
            "leave --encoding out, or name another one",
        ) from error


@contextmanager
def binary(file: str) -> Iterator[BinaryIO]:
    """Open a file or stdin whose content is no text; what cannot be read twice is in memory.

    Args:
        file: its path, or - for stdin.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with ExitStack() as stack:
            stream = stack.enter_context(opened(file)) if file != STDIN else _stdin()
            yield stream if stream.seekable() else io.BytesIO(stream.read())
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from error


def is_file(text: str) -> bool:
    """Tell whether a text is also the name of a file, so that the file may be meant."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def is_unicode(texts: Iterable[str]) -> bool:
    """Tell whether none of the texts holds a byte that was not UTF-8."""
    return not any("\udc80" <= c <= "\udcff" for text in texts if not text.isascii() for c in text)


def _stdin() -> BinaryIO:
    """Return the bytes of stdin, which is None for a process that was started without one."""
    if sys.stdin is None:
        raise InputError("stdin is closed", "pipe something in")
    return sys.stdin.buffer


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


def pieces(text: TextIO) -> Iterator[str]:
    """Yield the lines of a text, long ones in pieces."""
    while piece := text.readline(MOST_OF_A_PIECE):
        yield piece


def _refuse_device(file: str | Path, mode: int, *, terminal: bool = True) -> None:
    """Raise for a device; for a character device only where it is known that it is not a terminal.

    Raises:
        InputError: it is one.
    """
    if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not terminal):
        raise InputError(f"{file} cannot be read: it is a device", "give a file, or a pipe")
