"""One try of a model in a process of its own, which may end or hang without harm to this one.

    >>> guarded(Trial(path=path, options=EngineOptions(threads=2)), progress)

llama.cpp ends its process where it meets what it does not expect: a file, a GPU without memory, a processor
without an instruction. So what is loaded for the first time on this machine is loaded by a child first.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from edge_icl import errors
from edge_icl.errors import EdgeIclError, ModelComputationError
from edge_icl.llm import build
from edge_icl.llm.engine_options import EngineOptions
from edge_icl.runtime import child as child_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_icl.runtime.progress import Progress

SLICE = 0.25
"""Seconds between two looks at the child. They are counted, rather than read from a clock: while this process
is stopped, as by Ctrl-Z, the child may be too."""

PATIENCE, PATIENCE_PER_GB = 60, 30
"""Seconds without a sign of life after which a child hangs, and how many more a large model is given: one call
of 256 tokens takes a model of 40 GB two minutes on a slow processor."""

_MARK = b"\x1e"
"""Before each message of the child: its output is also that of llama.cpp and of Python."""


class NoChildError(Exception):
    """No child can be started here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to try.

    Attributes:
        path: the model's file.
        options: how it is to be run.
        reference: figures of the self-test for these weights, None where none are known.
    """

    path: str
    options: EngineOptions
    reference: Sequence[float] | None = None

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `asdict` made, as JSON."""
        fields = json.loads(text)
        return cls(**fields | {"options": EngineOptions(*fields["options"])})


def here(trial: Trial, progress: Progress) -> bool:
    """Load a model and test it in this process.

    Args:
        trial: what to try.
        progress: called between the steps, stage "check"; what it raises ends the trial.

    Returns:
        Whether this llama.cpp was built with kernels for AMX.

    Raises:
        ModelComputationError: it computes wrongly.
        ModelError: it cannot be loaded.
    """
    from edge_icl.llm.model import Model
    from edge_icl.llm.selftest import selftest

    model = Model.load(
        Path(trial.path),
        identity="",
        options=trial.options,
        progress=lambda *_: progress("check", 0, 0),
    )
    with model:
        selftest(model, reference=trial.reference, progress=progress)
        return "AMX_INT8 = 1" in model.system


def guarded(trial: Trial, progress: Progress, *, command: Sequence[str] | None = None) -> bool:
    """Do what `here` does, in a child.

    Args:
        trial: what to try.
        progress: called at least every `SLICE` seconds; what it raises ends the child, too.
        command: starts the child, which calls `main`; None for this Python.

    Returns, and raises further: as `here`.

    Raises:
        ModelComputationError: also where the child ended or hung.
        NoChildError: none can be started; whether `here` is safe is then unknown.
    """
    try:
        child = subprocess.Popen(
            command or _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
        )
    except OSError as error:
        raise NoChildError(str(error)) from error
    with child:
        try:
            return _Parent(child, trial).follow(progress)
        finally:
            child.kill()


class _Parent:
    """The parent's end of the pipes."""

    def __init__(self, child: subprocess.Popen[bytes], trial: Trial) -> None:
        self._child = child
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._noise: deque[str] = deque(maxlen=40)
        self._began = False
        self._patience = PATIENCE + PATIENCE_PER_GB * _size(trial.path) / 1e9
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(OSError):  # a child that is gone already
            child.stdin.write(
                f"{json.dumps(child_process.search_path())}\n{json.dumps(asdict(trial))}\n".encode()
            )
            child.stdin.flush()
        threading.Thread(target=_listen, args=(child.stdout, self._lines), daemon=True).start()

    def follow(self, progress: Progress) -> bool:
        """Pass on what the child tells, until it has a result."""
        at, quiet = ("check", 0, 0), 0
        while quiet * SLICE < self._patience:
            progress(*at)
            try:
                line = self._lines.get(timeout=SLICE)
            except queue.Empty:
                quiet += 1
                continue
            if not line:
                self._ended()
            quiet = 0
            noise, _, message = line.partition(_MARK)
            self._noise.append(noise.decode(errors="replace").strip())
            told = json.loads(message or "{}")
            self._began |= bool(told)
            if "error" in told:
                raise getattr(errors, told["error"])(told["message"], told["hint"])
            if "amx" in told:
                return bool(told["amx"])
            at = tuple(told.get("at", at))
        raise ModelComputationError(f"llama.cpp gave no sign of life for {self._patience:.0f} seconds")

    def _ended(self) -> None:
        """Tell why a child ended without a result."""
        code = self._child.wait()
        noise = [line for line in self._noise if line]
        asserted = [line for line in noise if "GGML_ASSERT" in line or "error" in line.lower()]
        reason = f": {(asserted or noise)[-1]}" if noise else ""
        if not self._began and code >= 0:
            raise NoChildError(f"exit code {code}{reason}")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise ModelComputationError(f"llama.cpp ended its process ({how}{reason})")


def main() -> None:
    """Be the child: read a trial from the standard input, and tell the parent how it goes."""
    trial = Trial.from_json(sys.stdin.buffer.readline())
    threading.Thread(target=child_process.end_with_the_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this process
    child_process.limit(data=_memory())  # a file that asks for more is refused, rather than the machine stopped

    def tell(**fields: Any) -> None:
        sys.stdout.buffer.write(_MARK + json.dumps(fields).encode() + b"\n")
        sys.stdout.buffer.flush()

    tell(at=("check", 0, 0))
    try:
        amx = here(trial, lambda *at: tell(at=at))
    except EdgeIclError as error:
        tell(error=type(error).__name__, message=error.message, hint=error.hint)
    else:
        tell(amx=amx)


def _command() -> list[str]:
    """Return what starts this Python again.

    Raises:
        NoChildError: this is a frozen program, or one that has Python inside: starting it again would open
            another window of it.
    """
    found = child_process.command(__name__)
    if found is None:
        raise NoChildError("this program is not Python")
    return found


def _environment() -> dict[str, str]:
    """Return the child's: no secrets, and no debugger that llama.cpp would start to tell where it ended."""
    return child_process.environment() | {"GGML_NO_BACKTRACE": "1"}


def _listen(output: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Put what a child writes into a queue, and an empty line at its end."""
    with suppress(ValueError):  # closed, since the parent waits no more
        for line in output:
            lines.put(line)
    lines.put(b"")


def _memory() -> int | None:
    """Return how much a child may take besides the weights, which are mapped: all the memory that there is.

    None where that is not known, or where a GPU's driver takes what it likes.
    """
    if build.gpus() or not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _size(path: str) -> int:
    """Return the size of a file, 0 where there is none."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
