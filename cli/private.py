"""Files that a command writes: new ones, which no other user can read, and never inside the store."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from edge_icl.cli import interrupts
from edge_icl.cli.encodings import UTF8, errors_of
from edge_icl.cli.given import STDIN
from edge_icl.errors import InputError
from edge_icl.store.files import DIRECTORY_MODE, FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def refuse(path: Path, *, store: Path) -> None:
    """Raise where a file may not be written.

    Raises:
        InputError: it is called as stdin is, something is there already, or the path is inside the store:
            `verify` would find a stray file, and what a receipt tells must not lie beside the store that it
            tells of.
    """
    if str(path) == STDIN:
        raise InputError(f"{path} is not the name of a file here", "name one")
    if path.resolve().is_relative_to(store.resolve()):
        raise InputError(f"{path} is inside the store", "keep it elsewhere, or not at all")
    if path.exists() or path.is_symlink():
        raise InputError(f"there is a file {path} already", "choose another name")


@contextmanager
def writing(path: Path, *, store: Path, encoding: str = UTF8) -> Iterator[TextIO]:
    """Make a file that only its user can read; if the block fails, it is gone again.

    Args:
        path: where it is to be.
        store: the path of the store.
        encoding: the codec of its text.

    Raises:
        InputError: it may not be there, or cannot be.
    """
    refuse(path, store=store)
    with interrupts.held():  # or a signal might leave the file without the block that removes it
        try:
            number = os.open(path, _FLAGS, FILE_MODE)
            path.chmod(FILE_MODE)  # a umask may have taken from it
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}", "choose another path") from error
        try:
            with interrupts.heard(), _text(number, encoding) as file:
                yield file
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


@contextmanager
def completing(path: Path, *, store: Path, encoding: str = UTF8) -> Iterator[TextIO]:
    """Make a file that appears under its name when the block has written all of it, and not before.

    Until then it stands beside it under a name of its own, which only a power cut or `kill -9` leaves.

    Args:
        path: where it is to be.
        store: the path of the store.
        encoding: the codec of its text.

    Raises:
        InputError: it may not be there, or cannot be.
    """
    refuse(path, store=store)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with interrupts.held():
        with writing(draft, store=store, encoding=encoding) as file, interrupts.heard():
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            refuse(path, store=store)  # another program may have made it meanwhile
            draft.rename(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise


@contextmanager
def completing_folder(path: Path, *, store: Path) -> Iterator[Path]:
    """Make a folder that appears under its name when the block has filled it, and not before.

    Until then it stands beside it under a name of its own, which only a power cut or `kill -9` leaves.

    Args:
        path: where it is to be.
        store: the path of the store.

    Yields:
        The folder that is to be filled.

    Raises:
        InputError: it may not be there, or cannot be.
    """
    refuse(path, store=store)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with interrupts.held():
        try:
            draft.mkdir(DIRECTORY_MODE)
            draft.chmod(DIRECTORY_MODE)  # a umask may have taken from it
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}", "choose another path") from error
        try:
            with interrupts.heard():
                yield draft
                for written in (*draft.iterdir(), draft):
                    _to_disk(written)
            refuse(path, store=store)  # another program may have made it meanwhile
            draft.rename(path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


def _to_disk(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _text(number: int, encoding: str) -> TextIO:
    """Return an open file as text; lone surrogates become the bytes that they are for `given.text`."""
    return os.fdopen(number, "w", encoding=encoding, errors=errors_of(encoding), newline="\n")
