"""Where a command gets a passphrase: a file descriptor, the environment, or a person at a terminal.

Never the words of the command: they stay in the shell's history, and every user who lists processes sees them.
What the environment has is taken out of it at once, so that no program that edge-icl starts inherits it, such
as an editor.
"""

from __future__ import annotations

import os
import platform
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_icl.errors import InputError, NotInstalledError, PassphraseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.cli.output import Output

VARIABLE = "EDGE_ICL_PASSPHRASE"
NEW_VARIABLE = "EDGE_ICL_NEW_PASSPHRASE"

LOOKED_AT = 72
"""Characters of a passphrase whose strength is estimated: what zxcvbn takes, and far more than is enough."""

ENOUGH = 10**8
"""Guesses from which on a passphrase is not called weak: at a tenth of a second each, four months."""

_taken: dict[str, str] = {}
"""What `take` took out of the environment."""


def take() -> None:
    """Take the passphrases out of the environment of this process, which must be edge-icl's own."""
    for name in (VARIABLE, NEW_VARIABLE):
        if (value := os.environ.get(name)) is not None:
            _taken[name] = value
            _overwrite(name, len(os.fsencode(value)))
            del os.environ[name]


def _overwrite(name: str, length: int) -> None:
    """Overwrite the value of a variable where Linux shows it, in /proc/PID/environ."""
    if sys.platform == "linux":
        import ctypes

        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_void_p
        if (where := getenv(name.encode())) is not None:
            ctypes.memset(where, 0, length)


def variable(name: str = VARIABLE) -> str | None:
    """Return a passphrase that the environment gave; None where it gave none."""
    return _taken.get(name, os.environ.get(name))


def in_worker() -> str:
    """Return the passphrase in a process that another one has given a part of its work.

    Raises:
        PassphraseError: its environment has none.
    """
    value = variable()
    if not value:
        raise PassphraseError(
            f"a worker on the machine {platform.node()} has no {VARIABLE}",
            "set it where Ray is started on each machine",
        )
    return value


@contextmanager
def inherited(value: str) -> Iterator[None]:
    """Let programs that are started in the block have a passphrase in their environment."""
    os.environ[VARIABLE] = value
    try:
        yield
    finally:
        _overwrite(VARIABLE, len(os.fsencode(value)))
        del os.environ[VARIABLE]


def read(number: int) -> bytes:
    """Return the next line of a file descriptor, without its end.

    Byte by byte, since what follows is read later: a second passphrase, or examples.

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
    """Return the passphrase of a store, from the environment or from the user.

    Raises:
        PassphraseError: there is no terminal to ask on.
    """
    if (given := variable()) is not None:
        return given
    if not output.can_ask:
        raise PassphraseError(
            f"the store {store} is encrypted, and there is no terminal to type its passphrase on",
            f"set {VARIABLE}, or give --passphrase-fd",
        )
    return output.secret(f"passphrase of {store}")


def choose(output: Output, given: bytes | None, *, name: str = VARIABLE) -> str | bytes:
    """Return a new passphrase, typed twice if it is typed.

    Args:
        output: where to ask.
        given: what came by a file descriptor; None for another source.
        name: of the environment variable that may have it.

    Raises:
        InputError: what was typed differs.
        PassphraseError: there is no terminal to type on.
    """
    chosen = variable(name) if given is None else given
    if chosen is None:
        chosen = _typed(output, name)
    if told := weakness(chosen):
        output.note(told)
    return chosen


def _typed(output: Output, name: str) -> str:
    """Return a new passphrase that is typed twice."""
    if not output.can_ask:
        raise PassphraseError(
            "there is no terminal to type a new passphrase on", f"set {name}, or give it by a file descriptor"
        )
    typed = output.secret("new passphrase")
    if typed and output.secret("the same again") != typed:
        raise InputError("the two passphrases differ", "nothing was changed; try again")
    return typed


def weakness(passphrase: str | bytes) -> str:
    """Return in a sentence that a passphrase is guessed easily; "" where it is not, or is empty.

    How many guesses find it is estimated as in Wheeler, "zxcvbn: Low-Budget Password Strength Estimation"
    (USENIX Security 2016).

    Raises:
        NotInstalledError: the package zxcvbn is not installed.
    """
    try:
        from zxcvbn import zxcvbn
    except ImportError as error:
        raise NotInstalledError(
            "a new passphrase needs the package zxcvbn, which tells weak ones, and it is not installed",
            "install it with `pip install 'edge-icl[encrypt]'`",
        ) from error
    text = passphrase.decode(errors="replace") if isinstance(passphrase, bytes) else passphrase
    if not text:
        return ""
    guesses = int(zxcvbn(text[:LOOKED_AT])["guesses"])
    if guesses >= ENOUGH:
        return ""
    return (
        f"the passphrase is weak: about {guesses:,} guesses find it; five words that have nothing to do with "
        "each other are strong"
    )
