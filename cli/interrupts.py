"""Ctrl-C, `kill` and a closed terminal: a command ends in order, from wherever it is, within a second or so.

They become KeyboardInterrupt, so that the code at work cleans up after itself. Python would raise it between
any two of its steps. Some places are bad for that: an import or a wipe, half of which would be left; the end of
a with block; where a lock changes hands; code whose exceptions Python drops. So a signal is noted, and raised
where it can get through, at once or a few milliseconds later. If the process has not ended after a second, or
at another Ctrl-C, it is ended outright, unless files of a store are being written or wiped just then.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}
"""Name of a signal -> what is told of it."""

_AGAIN = 0.5  # seconds between two presses of Ctrl-C; what comes sooner is one that was passed on twice
_PATIENCE = 1.0  # seconds until the process is ended outright; see also `patient`
_TICK = 0.005
_STORE = "edge_icl.store."
_IMPORTS = "<frozen importlib"


class _Watch:
    """What has come, and what is to be done about it."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.name = ""  # of the first signal
        self.raised = False
        self.due = False
        self.held = 1
        self.telling = self.told = False  # by the program itself
        self.deaf_to: signal.Signals | None = None
        self.ending: Callable[[], None] | None = None
        self.at = 0.0
        self.patience = _PATIENCE
        self.before: dict[signal.Signals, object] = {}
        self.unraisable = sys.unraisablehook

    def come(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if number == self.deaf_to:
            return
        now = time.monotonic()
        if not self.name:
            self.name, self.at, self.due = signal.Signals(number).name, now, True
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
        elif number == signal.SIGINT and now - self.at > _AGAIN:
            self.end_outright()
        self.look(frame)

    def tick(self, _number: int, frame: FrameType | None) -> None:
        """Look again; after a while, end the process."""
        if time.monotonic() - self.at > self.patience and not self.deaf_to and not self.telling:
            self.end_outright()
        self.look(frame)

    def look(self, frame: FrameType | None) -> None:
        """Raise what is due, if it gets through from here."""
        if frame is not None and _passable(frame):
            self.check()

    def check(self) -> None:
        """Raise what is due."""
        if not self.due or self.held:
            return
        self.due, self.raised = False, True
        if self.ending is not None:
            self.ending()
            self.say_and_exit()
        raise KeyboardInterrupt

    def drop(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Note that Python drops an exception: if it is ours, it is raised again."""
        if self.name and issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.due = True
        else:
            self.unraisable(unraisable)

    def end_outright(self) -> None:
        """End the process, unless a thread of it is at work on the files of a store."""
        threads = sys._current_frames()  # noqa: SLF001 - documented, in spite of its name
        if not any(map(_at_a_store, threads.values())):
            self.say_and_exit()

    def say_and_exit(self) -> None:
        """Say by what the process was ended, and end it."""
        line = (
            f'{{"error": "{WORDS[self.name]}", "type": "KeyboardInterrupt"}}'
            if self.json
            else (f"edge-icl: error: {WORDS[self.name]}")
        )
        if not self.told:
            with suppress(OSError):
                os.write(2, f"{line}\n".encode())
        os._exit(code())


_watch = _Watch(json=False)


def begin(*, json: bool) -> None:
    """Take signals from now on; `heard` says where they may be raised. Those that are ignored stay so.

    Args:
        json: whether errors are told in JSON.
    """
    global _watch  # noqa: PLW0603 - a process has one set of signals
    _watch = watch = _Watch(json=json)
    with suppress(ValueError):  # this is not the main thread, which alone can take signals
        for name in WORDS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                watch.before[number] = signal.signal(number, watch.come)
        if hasattr(signal, "SIGALRM"):
            watch.before[signal.SIGALRM] = signal.signal(signal.SIGALRM, watch.tick)
        sys.unraisablehook = watch.drop


def end(*, for_good: bool) -> None:
    """Take no more signals.

    Args:
        for_good: the process ends next, which no signal may disturb; otherwise all is as it was before `begin`.
    """
    watch = _watch
    watch.held += 1
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    for number, before in watch.before.items():
        signal.signal(number, signal.SIG_IGN if for_good else before)  # type: ignore[arg-type]
    sys.unraisablehook = watch.unraisable


@contextmanager
def heard(*, but: signal.Signals | None = None) -> Iterator[None]:
    """Let signals be raised in the block.

    Args:
        but: one that is not even noted, since another program gets it too and decides.
    """
    _watch.deaf_to = but
    _watch.held -= 1
    try:
        yield
    finally:
        _watch.held += 1
        _watch.deaf_to = None


@contextmanager
def held() -> Iterator[None]:
    """Finish the block first, whatever comes; a part of it may be `heard` again."""
    _watch.held += 1
    try:
        yield
    finally:
        _watch.held -= 1


@contextmanager
def telling() -> Iterator[None]:
    """Tell in the block by what the program was ended; after it nothing more is said of that."""
    _watch.telling = True
    try:
        yield
    finally:
        _watch.telling, _watch.told = False, True


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Let the process take longer to end, in the block and after it if that is interrupted."""
    _watch.patience = seconds
    yield
    _watch.patience = _PATIENCE


def check() -> None:
    """Raise what has come and could not be raised yet.

    Raises:
        KeyboardInterrupt: a signal has.
    """
    _watch.check()


def end_by(ending: Callable[[], None]) -> None:
    """From now on, answer a signal by calling `ending` and ending the process: nothing is raised."""
    _watch.ending = ending


def taken() -> str:
    """Return what is told of the signal that was raised; "" where none was."""
    return WORDS[_watch.name] if _watch.raised else ""


def code() -> int:
    """Return the exit code of a program that was ended by the signal that came, as shells report it."""
    return 128 + (signal.Signals[_watch.name] if _watch.name else signal.SIGINT)


def _passable(frame: FrameType) -> bool:
    """Return whether an exception raised in this frame gets to where the command began, and cuts nothing."""
    if frame.f_globals.get("__name__") == __name__ or frame.f_code.co_name == "__enter__":
        return False
    return not any(
        one.f_code.co_name == "__exit__"  # a with block is cleaning up
        or one.f_code.co_filename.startswith(_IMPORTS)
        or (one.f_code.co_name == "wipe" and one.f_globals.get("__name__") == f"{_STORE}files")
        for one in _stack(frame)
    )


def _at_a_store(frame: FrameType) -> bool:
    """Return whether a thread is at work on the files of a store; waiting for its lock does not count."""
    names = [one.f_globals.get("__name__", "") for one in _stack(frame)]
    ours = [name for name in names if name.startswith("edge_icl.")]
    return ours[:1] != [f"{_STORE}lock"] and any(name.startswith(_STORE) for name in ours)


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, the one that called it, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back
