"""What this machine's llama.cpp can use, told by its files: importing it would take a third of a second."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

PACKAGE = "llama-cpp-python"
GPUS = frozenset({"cann", "cuda", "hip", "metal", "musa", "opencl", "sycl", "vulkan"})
_CPUINFO = Path("/proc/cpuinfo")
_FEATURE = re.compile(r"(\w+) = (\d+)")
_PARTS = frozenset({"ACCELERATE", "LLAMAFILE", "OPENMP", "REPACK"})
"""What llama.cpp tells in the same breath and is nothing of the processor's."""
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_LIBRARY = re.compile(r"(?:lib)?ggml-([a-z]+)[^/]*\.(?:so|dylib|dll)(?:\.[0-9.]+)?")


def llama_version() -> str | None:
    """Return the version of the installed llama-cpp-python, None without one."""
    folder = _folder()
    if folder is None:
        return None
    # Not by importlib.metadata, which brings the parsers of mail, CSV and zip files.
    found = _VERSION.search((folder / "__init__.py").read_text(encoding="utf-8"))
    return None if found is None else found[1]


def backends() -> tuple[str, ...]:
    """Return what llama.cpp was built for, such as "cpu" or "cuda", sorted."""
    folder = _folder()
    if folder is None:
        return ()
    matches = [_LIBRARY.fullmatch(path.name) for path in (folder / "lib").glob("*")]
    return tuple(sorted({match[1] for match in matches if match} - {"base"}))


def _folder() -> Path | None:
    """Return where llama-cpp-python is installed, without importing it; None if it is not."""
    found = importlib.util.find_spec("llama_cpp")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0])


def features(told: str) -> set[str]:
    """Return what llama.cpp was compiled to use of the processor, from its own account of itself."""
    processor = told.partition("CPU : ")[2].partition(" : ")[0]  # a GPU's account of itself comes after it
    return {name for name, value in _FEATURE.findall(processor) if value != "0"} - _PARTS


def flags() -> set[str]:
    """Return what the processor has, as Linux tells it; nothing elsewhere."""
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


def gpu_layers(backends: tuple[str, ...]) -> int | str:
    """Return how many layers of a model go to a GPU where nobody says otherwise."""
    return "all" if GPUS.intersection(backends) else 0
