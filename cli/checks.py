"""Checks of a machine: what edge-icl needs of it, and what to do where something is wrong."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge_icl.cli import editor, machine, tables
from edge_icl.errors import ModelComputationError, ModelError
from edge_icl.llm import build
from edge_icl.models import catalogue, checked, default, exposed, location, placed, requantized
from edge_icl.runtime.cores import usable_cores
from edge_icl.runtime.home import home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.runtime.progress import Progress

LEAST_FREE = 1_000_000_000
"""Bytes: room for a small model, or for a store of a million examples to be written again."""

COMPILERS = ("c++", "g++", "clang++")
FEATURES = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C", "bmi2": "BMI2", "avx512f": "AVX512"}
"""What makes llama.cpp faster: its name in Linux, and its name in llama.cpp."""

REBUILD = "compile it for this processor: pip install --force-reinstall --no-binary :all: --no-deps {}"
WITHOUT_KERNELS = (
    "compile it for any processor of its kind: CMAKE_ARGS=-DGGML_NATIVE=OFF pip install --force-reinstall "
    "--no-cache-dir --no-binary llama-cpp-python --no-deps llama-cpp-python=={}"
)
OTHERS = 0o077
"""The bits of a mode that let other users in."""


class Level(StrEnum):
    """How a check came out: a note slows things down or may matter later, a problem stops something."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        level: how it came out.
        detail: what was found.
        remedy: what to do; empty where all is well.
    """

    name: str
    level: Level
    detail: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def everything(progress: Progress) -> Iterator[Check]:
    """Yield every check; reads every byte of the models, and loads llama.cpp and onnxruntime."""
    yield compiler()
    yield from llama()
    yield onnxruntime()
    yield from models(progress)
    yield from device(progress)
    yield from at_a_glance()


def at_a_glance() -> Iterator[Check]:
    """Yield the checks that cost nothing: folders and free disk."""
    yield from folders()
    yield disk()


def compiler() -> Check:
    """Look for a compiler, which llama.cpp needs."""
    found = next(filter(None, map(shutil.which, (os.environ.get("CXX", ""), *COMPILERS))), None)
    if found:
        return Check("compiler", Level.OK, found)
    if build.variants():
        return Check(
            "compiler", Level.OK, "none, and none is needed: llama.cpp has variants for all processors"
        )
    remedy = "before you install llama.cpp again: apt install g++ (Debian), or xcode-select --install (macOS)"
    return Check("compiler", Level.NOTE, "none, so llama.cpp cannot be compiled here", remedy)


def llama() -> Iterator[Check]:
    """Load llama.cpp, and compare what it was compiled for with what the processor has."""
    from edge_icl.llm import native

    version = build.llama_version()
    try:
        library = native.llama()
    except ModelError as error:
        yield Check("llama.cpp", Level.PROBLEM, error.message, error.hint)
        return
    variant = native.variant()
    chosen = f"; of its {len(build.variants())} variants, {variant} fits this processor best" if variant else ""
    yield Check("llama.cpp", Level.OK, f"{version}, for {', '.join(build.backends())}{chosen}")
    used = machine.features(library.llama_print_system_info().decode())
    idle = sorted({name for flag, name in FEATURES.items() if flag in machine.flags()} - used)
    if idle:
        detail = f"llama.cpp does not use {', '.join(idle)}, which the processor has: answers take longer"
        yield Check("processor", Level.NOTE, detail, REBUILD.format(f"{build.PACKAGE}=={version}"))
    else:
        yield Check("processor", Level.OK, f"llama.cpp uses {', '.join(sorted(used)) or 'no extensions'}")


def onnxruntime() -> Check:
    """Load what runs the encoder."""
    from edge_icl.encode.network import silent_onnxruntime

    try:
        runtime = silent_onnxruntime()
    except ImportError as error:
        return Check("onnxruntime", Level.PROBLEM, f"it cannot be loaded: {error}", "install edge-icl again")
    return Check("onnxruntime", Level.OK, runtime.__version__)


def models(progress: Progress) -> Iterator[Check]:
    """Read every byte of the models that are here, and look for the two that are used unless told otherwise."""
    names = {path.name for path in folders_in(placed.models_folder())} | {catalogue.DEFAULT_ENCODER}
    try:
        names |= {default.chosen().name}
    except ModelError as error:
        yield Check("model", Level.PROBLEM, error.message, error.hint)
    for name in sorted(name for name in names if not location.is_path(name)):
        try:
            model = location.verify(name, progress=progress)
        except ModelError as error:
            yield Check("model", Level.PROBLEM, error.message, error.hint)
        else:
            if told := exposed.others(placed.exposable(location.folder(name))):
                yield Check("model", Level.NOTE, told, "see that you trust them, or have a copy of your own")
            yield Check("model", Level.OK, f"{name} is as it was installed")
            if (better := requantized.missing(model)) is not None:
                detail = (
                    f"{name} has its weights as they were delivered: with {better.quantization} it is faster"
                )
                remedy = f"requantize them (few answers change): edge-icl models fetch {name} --faster"
                yield Check("model", Level.NOTE, detail, remedy)


def device(progress: Progress) -> Iterator[Check]:
    """Check that this machine computes the default LLM correctly; what has passed is not checked again."""
    try:
        fit = checked.settle(location.find_llm(), again=True, progress=progress)
    except ModelComputationError as error:
        yield Check("device", Level.PROBLEM, error.message, WITHOUT_KERNELS.format(build.llama_version()))
    except ModelError:
        return  # the model or llama.cpp is not usable: another check tells so
    else:
        told = machine.device(fit, threads=usable_cores(), layers=machine.gpu_layers(fit))
        level = Level.NOTE if fit.seen else Level.OK
        yield Check(
            "device", level, told, "answers are right this way, and may take longer" if fit.seen else ""
        )


def folders() -> Iterator[Check]:
    """Look whether stores can be written, and whether other users can read them."""
    ours = home()
    stores = ours / "stores"
    first = _existing(ours)
    if not os.access(first, os.W_OK | os.X_OK):
        command = f"sudo chown -R $USER {shlex.quote(str(first))}"
        remedy = f"make it yours: {command}; or name another folder in $EDGE_ICL_HOME"
        yield Check("folder", Level.PROBLEM, f"{first} cannot be written", remedy)
    else:
        yield Check("folder", Level.OK, f"{ours} can be written")
    for path in (stores, *folders_in(stores)):
        if os.name == "posix" and path.exists() and path.stat().st_mode & OTHERS:
            yield Check(
                "folder",
                Level.PROBLEM,
                f"other users may look into {path}",
                f"chmod 700 {shlex.quote(str(path))}",
            )
    if (left := editor.left_behind()) is not None:
        detail = f"an edit that was killed has left its example in {left}"
        yield Check("folder", Level.PROBLEM, detail, "edit any example, which wipes it first: edge-icl edit ID")


def disk() -> Check:
    """Look how much room is left where the data are."""
    detail = f"{tables.size(free())} free"
    if free() >= LEAST_FREE:
        return Check("disk", Level.OK, detail)
    remedy = "make room; `edge-icl models list` shows what could go"
    return Check("disk", Level.PROBLEM, f"only {detail} for {home()}", remedy)


def free() -> int:
    """Return how many bytes are free where the data are."""
    return shutil.disk_usage(_existing(home())).free


def _existing(path: Path) -> Path:
    """Return a folder, or the first above it that exists."""
    return next(one for one in (path, *path.parents) if one.exists())


def folders_in(path: Path) -> list[Path]:
    """Return the folders in a folder, except hidden ones, which are work in progress."""
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return []
