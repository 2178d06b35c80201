"""Lines that are typed at a terminal: editing, completion, and what a paste brings.

Python's readline has the keys that people know; a Python without it has those of the terminal itself.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PASTED = 0.02
"""Seconds within which the next line of a paste is there."""


@contextmanager
def completing(texts: Sequence[str]) -> Iterator[None]:
    """Let the Tab key complete texts in the block, and a paste of several lines come as one."""
    try:
        import readline
    except ImportError:  # Windows has none
        yield
        return
    before = readline.get_completer(), readline.get_completer_delims()
    readline.set_completer(
        lambda typed, i: next(iter([one for one in texts if one.startswith(typed)][i:]), None)
    )
    readline.set_completer_delims("\n")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    if not libedit:
        readline.parse_and_bind("set enable-bracketed-paste on")
    try:
        yield
    finally:
        readline.set_completer(before[0])
        readline.set_completer_delims(before[1])


def line(prompt: str) -> str:
    """Return what is typed on a line; of lines that are pasted together, all.

    Raises:
        EOFError: nothing more can be typed.
        UnicodeDecodeError: it is not text in the terminal's encoding.
    """
    _drop_what_was_typed()
    text = input(prompt)
    with suppress(EOFError):
        while _more():
            text = f"{text}\n{input()}"
    return text


def _drop_what_was_typed() -> None:
    """Drop what was typed before now."""
    with suppress(ImportError, OSError, ValueError):  # Windows, and a stdin that is no file
        import termios

        with suppress(termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _more() -> bool:
    """Tell whether another line has come at once."""
    with suppress(OSError, ValueError):
        import select

        return bool(select.select([sys.stdin], [], [], PASTED)[0])
    return False
