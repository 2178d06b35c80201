"""A model's weights written in another quantization by llama.cpp's own quantizer, in a process of its own.

    >>> requantize(delivered, Path("model.Q8_0.gguf"), "Q8_0", size=144_811_072)

llama.cpp's fast kernels are not for every quantization; on x86 there is none for Q4_1. Its quantizer ends its
process where it meets what it does not expect, and cannot be interrupted, so a child runs it.

From Q4_1 to Q8_0 the bytes are the same on every machine, whatever the number of threads. A weight in Q4_1 is
q * d + m, where q has 4 bits and d has 11: the product is exact, so it does not matter whether a processor
rounds before it adds. What follows has divisions, products and roundings, each of them fixed by IEEE 754, and
no sum. It was tried as well: ggml-quants.c compiled without optimization, for plain x86-64, with fused
multiply-add and for this processor's own instructions gave the same bytes, and only `-ffast-math` others. In
Q4_0, Q5_0 and Q4_K fused multiply-add was enough to give others.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_icl.errors import ModelError
from edge_icl.llm.native import complaint, llama
from edge_icl.runtime import child as child_process
from edge_icl.runtime import interruptible
from edge_icl.runtime.cores import usable_cores
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

QUANTIZATIONS = {"Q8_0": 7}
"""Name -> `llama_ftype` in llama.h."""

SLICE = 0.25
"""Seconds between two looks at the child."""

PATIENCE = 60
"""Seconds without a byte written after which it hangs. They are counted, as in `trial`."""


def requantize(
    source: Path,
    target: Path,
    quantization: str,
    *,
    size: int,
    progress: Progress = silent,
    command: Sequence[str] | None = None,
) -> None:
    """Write the model of a file into another file.

    Args:
        source: a GGUF file whose digest is known; it stays as it is.
        target: a file in a folder of our own. After an error it may be there and incomplete.
        quantization: a name in `QUANTIZATIONS`.
        size: bytes that the target will have, for the progress.
        progress: called at least every `SLICE` seconds, stage "write"; what it raises ends the child, too.
        command: starts the child, which calls `main`; None for this Python.

    Raises:
        ModelError: llama.cpp cannot be loaded, or did not write it; says why, in a clause.
    """
    task = (os.fspath(source), os.fspath(target), QUANTIZATIONS[quantization])
    command = command or child_process.command(__name__)
    if command is None:
        failed = interruptible.run(lambda: _write(*task))  # its seconds cannot be cut short
        _refuse(failed)
        return
    lines = f"{json.dumps(child_process.search_path())}\n{json.dumps(task)}\n"
    environment = child_process.environment() | {"GGML_NO_BACKTRACE": "1"}
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        raise ModelError(f"no process can be started: {error.strerror or error}") from error
    with child:
        try:
            _follow(child, lines.encode(), target, size, progress)
        finally:
            child.kill()


def _follow(child: subprocess.Popen[bytes], lines: bytes, target: Path, size: int, progress: Progress) -> None:
    """Tell how far a child is, until it has ended."""
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(OSError):  # a child that is gone already
        child.stdin.write(lines)
        child.stdin.flush()  # and left open: its end tells the child that this process is gone
    stage, quiet, before = f"write {target.name}", 0, 0
    progress(stage, 0, size)
    while quiet * SLICE < PATIENCE:
        try:
            child.wait(SLICE)
        except subprocess.TimeoutExpired:
            done = _size(target)
            quiet, before = 0 if done != before else quiet + 1, done
            progress(stage, min(done, size), size)
            continue
        _refuse(_told(child.returncode, child.stdout.read()))
        progress(stage, size, size)
        return
    raise ModelError(f"llama.cpp's quantizer wrote nothing for {PATIENCE} seconds")


def _told(code: int, output: bytes) -> str:
    """Return why a child that has ended did not succeed, "" where it did."""
    if code < 0:
        return f"llama.cpp's quantizer ended its process ({signal.Signals(-code).name})"
    try:
        return str(json.loads(output.splitlines()[-1])["failed"])
    except (ValueError, IndexError, KeyError, TypeError):
        return f"llama.cpp's quantizer ended its process (exit code {code})"


def _refuse(failed: str) -> None:
    """Raise if something failed."""
    if failed:
        raise ModelError(failed)


def main() -> None:
    """Be the child: read a task from the standard input, do it, and tell the parent how it went."""
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=child_process.end_with_the_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this process
    child_process.limit()
    try:
        failed = _write(*task)
    except ModelError as error:
        failed = error.message
    sys.stdout.write(json.dumps({"failed": failed}) + "\n")


def _write(source: str, target: str, kind: int) -> str:
    """Run the quantizer; return what it complains of, "" where it succeeds."""
    library = llama()
    how = library.llama_model_quantize_default_params()
    how.ftype, how.nthread, how.allow_requantize = kind, usable_cores(), True
    complaint()  # of what came before
    failed = library.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(how))
    return f"llama.cpp's quantizer failed: {complaint()}" if failed else ""


def _size(path: Path) -> int:
    """Return the size of a file, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
