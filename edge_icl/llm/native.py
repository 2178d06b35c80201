"""The way into llama.cpp: imported on first use, silent, what it complains of kept for error messages.

Importing `llama_cpp` costs a third of a second, which `list` and `forget` must not pay; so nothing in this
package imports it at the top. llama.cpp logs through one callback a process, which by default writes to
stderr; a library has no business there.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import threading
from collections import deque
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR in ggml.h; llama-cpp-python's own table of levels is an older one
_SPIN = "GOMP_SPINCOUNT"

_lock = threading.Lock()
_library: Any = None
_callback: Any = None  # llama.cpp keeps only a pointer to it: it must live as long as the process
_complaints: deque[str] = deque(maxlen=16)


def llama() -> Any:
    """Return the `llama_cpp` module, initialised and silenced.

    Raises:
        ModelError: llama-cpp-python, or a library that it needs, cannot be loaded.
    """
    global _library, _callback  # noqa: PLW0603 - llama.cpp's own state is one a process
    with _lock:
        if _library is None:
            try:
                with _patient_threads():
                    library = importlib.import_module("llama_cpp")
            except (ImportError, OSError, RuntimeError) as error:
                raise ModelError(
                    f"llama.cpp cannot be loaded: {error}", "install llama-cpp-python again"
                ) from error
            _callback = library.llama_log_callback(_listen)
            library.llama_log_set(_callback, None)
            library.llama_backend_init()
            _library = library
        return _library


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
    first = _complaints[0] if _complaints else "it does not say why"
    _complaints.clear()
    return first


def _listen(level: int, text: bytes, _data: object) -> None:
    """Take one log event from llama.cpp, on whatever thread it comes."""
    if level == _ERROR_LEVEL:
        _complaints.append(text.decode(errors="replace").strip())


@cache
def length_of_text() -> Any:
    """Return C's `strlen`, as a function pointer: `bool f(void *)` is how llama.cpp calls it.

    Asked for with every token; to find it takes a tenth of a millisecond.
    """
    library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    return library.strlen
