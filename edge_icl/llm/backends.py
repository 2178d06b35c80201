"""llama.cpp's code for processors and GPUs, where a build has it in files apart: found, loaded, told.

    >>> backends.load()
    >>> backends.variant()
    'haswell'

A build for one machine has this code linked in, and nothing is to be done. A wheel for many machines has the
code for the CPU in several variants, one for each generation of processors, of which llama.cpp loads the best
that the processor can run. Left to itself it looks for them in the folder of the program, which is Python's,
and in the working directory: not where they are, and where others may have put a library. So it is told where.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from pathlib import Path

from edge_icl.errors import ModelError
from edge_icl.llm import build

_CPU = 0  # GGML_BACKEND_DEVICE_TYPE_CPU in ggml-backend.h
_BY_ADDRESS = 0x4 | 0x2  # of GetModuleHandleEx: a module by an address in it, which is not to be counted


def load() -> None:
    """Load the backends from llama.cpp's own folder, unless they are linked in or were loaded before.

    Raises:
        ModelError: there is none for this processor.
    """
    ggml, folder = _ggml(), build.libraries_folder()
    if not ggml.ggml_backend_reg_count():
        ggml.ggml_backend_load_all_from_path(os.fsencode(str(folder)))
    if not _cpu(ggml):
        raise ModelError(
            f"llama.cpp has no code for this processor in {folder}",
            "compile it here: pip install --force-reinstall --no-binary llama-cpp-python --no-deps "
            f"{build.PACKAGE}=={build.llama_version()}",
        )


def variant() -> str:
    """Return which variant for the CPU is loaded, "" where that code is linked in."""
    ggml = _ggml()
    registered = ggml.ggml_backend_dev_backend_reg
    registered.argtypes, registered.restype = [ctypes.c_void_p], ctypes.c_void_p
    return build.variant_of(_holder(registered(_cpu(ggml))))


def _ggml() -> ctypes.CDLL:
    """Return what has ggml's functions.

    On Windows each DLL has its own. Elsewhere they are found through libllama, and must be: the libggml that
    llama-cpp-python loads may be a second copy, which has a list of backends of its own.
    """
    windows = sys.platform == "win32"
    module = importlib.import_module("llama_cpp._ggml" if windows else "llama_cpp.llama_cpp")
    found: ctypes.CDLL = module.libggml if windows else module._lib  # noqa: SLF001 - there is no public way to it
    return found


def _cpu(ggml: ctypes.CDLL) -> int | None:
    """Return the CPU as ggml has it, a pointer; None without one."""
    device = ggml.ggml_backend_dev_by_type
    device.restype = ctypes.c_void_p
    found: int | None = device(_CPU)
    return found


class _Place(ctypes.Structure):
    """`Dl_info` of dlfcn.h."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _holder(address: int) -> Path:
    """Return the shared library that an address lies in."""
    if sys.platform == "win32":
        module, name = ctypes.c_void_p(), ctypes.create_unicode_buffer(1 << 15)
        kernel = ctypes.windll.kernel32
        kernel.GetModuleHandleExW(_BY_ADDRESS, ctypes.c_void_p(address), ctypes.byref(module))
        kernel.GetModuleFileNameW(module, name, len(name))
        return Path(name.value)
    place = _Place()
    ctypes.CDLL(None).dladdr(ctypes.c_void_p(address), ctypes.byref(place))
    return Path(os.fsdecode(place.file))
