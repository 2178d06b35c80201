"""The way into llama.cpp: imported on first use, silent, what it complains of kept for error messages.

Importing `llama_cpp` costs a third of a second, which `list` and `forget` must not pay; so nothing in this
package imports it at the top. llama.cpp logs through one callback a process, which by default writes to
stderr, where a library should write nothing.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelError, ModelForkedError
from edge_icl.llm import backends
from edge_icl.runtime import fork, interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR in ggml.h; llama-cpp-python's own table of levels is an older one
_SPIN = "GOMP_SPINCOUNT"

SPAWN = "start processes with multiprocessing.set_start_method('spawn'), or load models after the fork"
"""What helps where a process has been forked from one that had loaded a model."""

_complaints: dict[int, bytes] = {}
"""Level -> the first message of that level that llama.cpp has logged since the last look."""


class _Llama:
    """llama.cpp in this process: its state is one a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._module: Any = None
        self._callback: Any = None  # llama.cpp keeps only a pointer to it
        self.forked = False  # from a process that had it loaded
        fork.renewed(self)

    def module(self) -> Any:
        """Return the module; see `llama`."""
        if self._module is None:
            with self._lock:
                if self._module is None:
                    interruptible.run(self._load)
        if self.forked and self._module.llama_supports_gpu_offload():
            raise ModelForkedError("the GPU was taken by the process that this one was forked from", SPAWN)
        return self._module

    def _load(self) -> None:
        """Import it and set it up."""
        # Where it ends the process it would start a debugger to tell where; read from C, at that moment.
        os.environ.setdefault("GGML_NO_BACKTRACE", "1")
        try:
            with _patient_threads():
                library = importlib.import_module("llama_cpp")
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(
                f"llama.cpp cannot be loaded: {error}", "install llama-cpp-python again"
            ) from error
        # It logs on whatever thread it works. Ctrl-C may come in a function in Python, and be lost there;
        # this one is C from end to end. llama.cpp gives it a third argument, which C lets it ignore.
        listen = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p)(_complaints.setdefault)
        self._callback = listen
        library.llama_log_set(ctypes.cast(listen, library.llama_log_callback), None)
        with _patient_threads():
            backends.load()
        library.llama_backend_init()
        self._module = library

    def renew(self) -> None:
        """Begin again in a forked process; what is loaded stays loaded."""
        self._lock = threading.Lock()
        self.forked = self._module is not None


_llama = _Llama()


def llama() -> Any:
    """Return the `llama_cpp` module, initialised and silenced.

    Raises:
        ModelError: llama-cpp-python, or a library that it needs, cannot be loaded, or not on this processor.
        ModelForkedError: it drives a GPU, and this process was forked from one that had loaded it.
    """
    return _llama.module()


def variant() -> str:
    """Return which of llama.cpp's variants computes here, "" in a build that has one. Raises: as `llama`."""
    llama()
    return backends.variant()


def evaluate(work: Callable[[], int], *, long: bool, stop: Callable[[], object]) -> int:
    """Return work(), which calls llama.cpp's threads together.

    Args:
        work: evaluates some tokens.
        long: whether it may take so long that the user may want to interrupt it.
        stop: ends the evaluation; called when this thread is interrupted.

    In a forked process the thread that had evaluated in the parent must not do so again: OpenMP would have it
    wait for the threads that helped it there. A new one gets new ones.
    """
    if _llama.forked or (long and threading.current_thread() is threading.main_thread()):
        return interruptible.run(work, stop=stop)
    return work()


@contextmanager
def _patient_threads() -> Iterator[None]:
    """Let OpenMP, if it is loaded inside, wait for other threads asleep rather than spinning.

    By default GNU OpenMP spins for milliseconds at each of llama.cpp's hundreds of barriers a token. On two
    cores that also run two other programs a token took 915 ms so, and 27 ms with this count; on an idle machine
    both took 11 ms. OpenMP reads the variable once, when it is loaded; a user's own setting wins.
    """
    mine = _SPIN not in os.environ
    os.environ.setdefault(_SPIN, "300")
    try:
        yield
    finally:
        if mine:
            del os.environ[_SPIN]


def complaint() -> str:
    """Return the first error that llama.cpp logged since the last call; later ones are its effects."""
    first = _complaints.get(_ERROR_LEVEL, b"it does not say why")
    _complaints.clear()
    return first.decode(errors="replace").strip()


@cache
def length_of_text() -> Any:
    """Return C's `strlen`, as a function pointer: `bool f(void *)` is how llama.cpp calls it.

    Asked for with every token; to find it takes a tenth of a millisecond.
    """
    library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    return library.strlen
