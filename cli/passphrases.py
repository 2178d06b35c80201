"""Where a command gets a passphrase: a file descriptor, the environment, or a person at a terminal.

Never its own words: those stay in the shell's history and are shown to everybody who lists processes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge_icl.errors import InputError, PassphraseError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.cli.output import Output

VARIABLE = "EDGE_ICL_PASSPHRASE"


def read(number: int) -> bytes:
    """Return the next line of a file descriptor, without its end.

    Byte by byte, since what follows is for whoever reads next: a second passphrase, or examples.

    Raises:
        InputError: the operating system refuses.
    """
    line = bytearray()
    try:
        while (byte := os.read(number, 1)) not in (b"", b"\n"):
            line += byte
    except OSError as error:
        raise InputError(
            f"the file descriptor {number} cannot be read: {error.strerror}", "open one with N< in the shell"
        ) from error
    return bytes(line.removesuffix(b"\r"))


def find(output: Output, store: Path) -> str:
    """Return the passphrase of a store, from the environment or whoever is there to ask.

    Raises:
        PassphraseError: nobody is.
    """
    if (given := os.environ.get(VARIABLE)) is not None:
        return given
    if not output.can_ask:
        raise PassphraseError(
            f"the store {store} is encrypted and nobody is there to type its passphrase",
            f"set {VARIABLE}, or give --passphrase-fd",
        )
    return output.secret(f"passphrase of {store}")


def choose(output: Output, given: bytes | None, *, variable: str = VARIABLE) -> str | bytes:
    """Return a new passphrase, typed twice if it is typed.

    Args:
        output: where to ask.
        given: what came by a file descriptor; None for another source.
        variable: the environment variable that may have it.

    Raises:
        InputError: what was typed differs.
        PassphraseError: nobody is there to type.
    """
    if given is not None:
        return given
    if (found := os.environ.get(variable)) is not None:
        return found
    if not output.can_ask:
        raise PassphraseError(
            "nobody is there to type a new passphrase", f"set {variable}, or give it by a file descriptor"
        )
    typed = output.secret("new passphrase")
    if typed and output.secret("the same again") != typed:
        raise InputError("the two passphrases differ", "nothing was changed; try again")
    return typed
