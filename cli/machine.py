"""What this machine's llama.cpp uses, in words; `llm.build` tells which llama.cpp it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_icl.cli import tables
from edge_icl.llm import build

if TYPE_CHECKING:
    from edge_icl.models.checked import Fit

UNCHECKED = "not checked yet: the first ask does"
_CPUINFO = Path("/proc/cpuinfo")
_FEATURE = re.compile(r"(\w+) = (\d+)")
_PARTS = frozenset({"ACCELERATE", "LLAMAFILE", "OPENMP", "REPACK"})
"""What llama.cpp lists among them, though it is not a part of the processor."""


def features(told: str) -> set[str]:
    """Return what llama.cpp was compiled to use of the processor, from what it says of itself."""
    processor = told.partition("CPU : ")[2].partition(" : ")[0]  # what it says of a GPU comes after it
    return {name for name, value in _FEATURE.findall(processor) if value != "0"} - _PARTS


def flags() -> set[str]:
    """Return what the processor has, as Linux tells it; nothing elsewhere."""
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


def gpu_layers(fit: Fit | None) -> int | str:
    """Return how many layers of a model go to a GPU unless the user says how many."""
    layers = None if fit is None else fit.gpu_layers
    return ("all" if layers is None else layers) if build.gpus() else 0


def as_json(fit: Fit | None) -> dict[str, Any]:
    """Return how the check of a model came out, for JSON."""
    state = "unchecked" if fit is None else "passed" if fit.passed else "failed"
    extra, seen = (None, ()) if fit is None else (fit.extra_buffers, fit.seen)
    return {"state": state, "extra_buffers": extra, "seen": list(seen)}


def device(fit: Fit | None, *, threads: int, layers: int | str) -> str:
    """Return what a model is computed on, whether correctly, and what is not used because it was wrong.

    Args:
        fit: how the check came out, None where there was none.
        threads: processor threads.
        layers: those that go to a GPU, or "all".
    """
    held = "the whole model" if layers == "all" else tables.counted(int(layers), "layer")
    gpu = f"GPU ({', '.join(build.gpus())}), which holds {held}"
    where = gpu if build.gpus() and layers else f"processor, {tables.counted(threads, 'thread')}"
    return f"{where}; {UNCHECKED if fit is None else verdict(fit)}"


def verdict(fit: Fit) -> str:
    """Return how the check of a model came out."""
    if not fit.passed:
        return f"computes wrongly: {fit.seen[0]}"
    if not fit.seen:
        return "checked"
    return f"checked without {left_out(fit)}, with which it computes wrongly: {fit.seen[0]}"


def left_out(fit: Fit) -> str:
    """Return what is not used, since the check failed with it."""
    kernels = "llama.cpp's kernels for AMX" if fit.amx else "llama.cpp's extra buffers"
    gpu = "the GPU" if fit.gpu_layers == 0 and len(fit.seen) > 1 else ""  # the third that is tried
    return " and ".join(filter(None, ("" if fit.extra_buffers else kernels, gpu)))
