"""Which llama.cpp, processor and GPU are at work here, told by their files.

    >>> llama_version(), backends(), gpus()
    ('0.3.36', ('cpu', 'cuda'), ('cuda',))

Loading the library would take a third of a second, and a broken one may end the process.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

PACKAGE = "llama-cpp-python"
GPUS = frozenset({"cann", "cuda", "hip", "metal", "musa", "opencl", "sycl", "vulkan"})
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_LIBRARY = re.compile(r"(?:lib)?ggml-([a-z]+)[^/]*\.(?:so|dylib|dll)(?:\.[0-9.]+)?")
_VARIANT = re.compile(r"(?:lib)?ggml-cpu-([\w.]+?)\.(?:so|dylib|dll)(?:\.[0-9.]+)?")

_CPUINFO = Path("/proc/cpuinfo")
_TELLING = re.compile(
    r"vendor|family|model|stepping|flags|features|implementer|architecture|variant|part|revision|isa"
)
"""Lines that say what a processor can do, on x86, ARM and RISC-V; clock speeds and numbers of cores change."""

_NVIDIA = Path("/proc/driver/nvidia")
_DEVICES = Path("/sys/bus/pci/devices")
_DISPLAY = "0x03"
"""How the PCI class of a GPU begins."""

_CHOOSING = ("CUDA_", "GGML_", "HIP_", "LLAMA_CPP_")
_NO_CHOICE = "GGML_NO_BACKTRACE"
"""How environment variables begin that choose devices, kernels, or another library; and one that does not."""


def llama_version() -> str | None:
    """Return the version of the installed llama-cpp-python, None without one, or where a program hides it."""
    folder = _folder()
    if folder is None:
        return None
    # Not by importlib.metadata, which brings the parsers of mail, CSV and zip files.
    found = _VERSION.search(_read(folder / "__init__.py"))
    return None if found is None else found[1]


def backends() -> tuple[str, ...]:
    """Return what llama.cpp was built for, such as "cpu" or "cuda", sorted."""
    matches = [_LIBRARY.fullmatch(path.name) for path in _libraries()]
    return tuple(sorted({match[1] for match in matches if match} - {"base"}))


def gpus() -> tuple[str, ...]:
    """Return the backends for a GPU that llama.cpp was built for, sorted."""
    return tuple(name for name in backends() if name in GPUS)


def variants() -> tuple[str, ...]:
    """Return the processors that it has code of its own for, such as "haswell"; none in a build for one."""
    names = (variant_of(path) for path in _libraries())
    return tuple(sorted({name for name in names if name}))


def variant_of(library: Path) -> str:
    """Return which variant a shared library is by its name, "" if it is none."""
    match = _VARIANT.fullmatch(library.name)
    return match[1] if match else ""


def libraries_folder() -> Path | None:
    """Return the folder of llama.cpp's shared libraries, None where it is not installed."""
    folder = _folder()
    return None if folder is None else Path(os.environ.get("LLAMA_CPP_LIB_PATH") or folder / "lib")


def machine() -> list[str]:
    """Return what llama.cpp's figures depend on besides the model: the library, the processor, the GPU.

    Another list means that they may differ: another build (told by sizes and times of the shared libraries),
    another processor, another driver. Which variant is loaded follows from the libraries and the processor. A
    frozen program in one file unpacks the libraries each time it starts, so there the time is the program's.
    """
    files = [(path.name, path.lstat()) for path in _libraries()]
    frozen = Path(sys.executable).stat().st_mtime_ns if getattr(sys, "frozen", False) else None
    library = [f"{name} {found.st_size} {frozen or found.st_mtime_ns}" for name, found in files]
    chosen = [
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith(_CHOOSING) and name != _NO_CHOICE
    ]
    devices = _gpu() if gpus() else []
    return [str(llama_version()), *library, *sorted(chosen), *_processor(), *devices]


def _processor() -> list[str]:
    """Return what the first processor can do; on other systems than Linux only its kind."""
    with suppress(OSError), _CPUINFO.open(encoding="utf-8", errors="replace") as file:
        found = []
        for line in file:
            if not line.strip():
                break  # the others are like it, and a large machine has hundreds
            name, _, value = line.partition(":")
            if _TELLING.search(name.strip().lower()):
                found.append(f"{name.strip()}: {value.strip()}")
        if found:
            return found
    kind = os.environ.get("PROCESSOR_IDENTIFIER", "") if sys.platform == "win32" else str(os.uname()[2:])
    return [sys.platform, kind]


def _gpu() -> list[str]:
    """Return the GPUs that Linux sees, and NVIDIA's driver."""
    try:
        devices = sorted(_DEVICES.iterdir())
    except OSError:
        devices = []
    shown = [device for device in devices if _read(device / "class").startswith(_DISPLAY)]
    kinds = [f"{_read(device / 'vendor')} {_read(device / 'device')}" for device in shown]
    return [*kinds, _read(_NVIDIA / "version")]


def _read(path: Path) -> str:
    """Return the text of a small file, "" where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _libraries() -> list[Path]:
    """Return the files of llama.cpp's shared libraries, sorted."""
    place = libraries_folder()
    if place is None:
        return []
    with suppress(OSError):
        return sorted(place.iterdir())
    return []


def _folder() -> Path | None:
    """Return where llama-cpp-python is installed, without importing it; None if it is not."""
    found = importlib.util.find_spec("llama_cpp")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0])
