"""How a model is used on this machine: as asked, where llama.cpp computes it rightly, or in a way that helps.

    >>> fit = settle(find_llm(), EngineOptions(threads=2))
    >>> fit.extra_buffers, fit.gpu_layers
    (True, None)

Settings are tried in a fixed order, each in a child process, until one passes: as asked; without llama.cpp's
extra buffers, and so without its kernels for AMX; without the GPU; without both. What came out is kept beside
the model, in `check.json`, under a digest of the machine, the build of llama.cpp, the weights and the settings:
if one of them changes, it is done again. It takes seconds, once; from then on one small read. Of a model that
is given by its path, or whose folder cannot be written, the result is in `models/.checks/` of the home; where
that is read-only too, the process has it.

A failure is kept to be told, and is tried again all the same: it may have been of the moment, such as too
little memory. The file holds nothing that cannot be found out again, so a damaged one counts as none, and of
two processes that write at once the last one wins.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from edge_icl.errors import ModelComputationError, ModelError, ModelFileError
from edge_icl.llm import build
from edge_icl.llm.engine_options import DEFAULTS, EngineOptions
from edge_icl.models import catalogue, location, placed
from edge_icl.models.regular import read_regular
from edge_icl.runtime.cores import usable_cores
from edge_icl.runtime.folders import make_private_folder
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge_icl.llm.trial import Trial
    from edge_icl.models.installed import InstalledLlm

EDITION = 1
"""Goes up when the self-test changes: what passed another edition is tried again."""

NAME = "check.json"
_ANOTHER = (
    "take another file: the GGUF of a generative model that llama.cpp knows; if it is split, the first part, "
    "beside all others"
)
_LARGEST = 1 << 20
_MOST = 32
"""Results that one file keeps: more than the machines and settings that one user has at a time."""

_settled: dict[str, Fit] = {}
_in_use: dict[str, Fit] = {}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is used on this machine.

    Attributes:
        passed: whether it is right so; otherwise nothing was.
        gpu_layers: how many layers the GPU holds; None is all, where llama.cpp was built for one.
        extra_buffers: whether llama.cpp may repack weights for its fastest kernels.
        amx: whether this llama.cpp was built with kernels for AMX, which extra buffers bring in.
        seen: what was seen of each setting that was tried before, in the order of trying.
        guarded: whether it was tried in a process of its own.
    """

    passed: bool
    gpu_layers: int | None
    extra_buffers: bool
    amx: bool
    seen: tuple[str, ...]
    guarded: bool

    def applied(self, options: EngineOptions) -> EngineOptions:
        """Return what was asked for, in the way that passed."""
        return options._replace(gpu_layers=self.gpu_layers, extra_buffers=self.extra_buffers)


def settle(
    model: InstalledLlm,
    options: EngineOptions = DEFAULTS,
    *,
    again: bool = False,
    progress: Progress = silent,
) -> Fit:
    """Return how a model is to be loaded, from a kept result or by trying.

    Args:
        model: where it is.
        options: how it is to be run.
        again: try again where a kept result is not as asked.
        progress: called while something is tried, stage "check"; what it raises ends that.

    Raises:
        ModelComputationError: it computes wrongly in every setting.
        ModelFileError: llama.cpp refuses the file, or it is not what was installed.
        ModelError: llama.cpp cannot be loaded, or the context does not fit in memory.
    """
    location.assure(model, progress=progress)
    fit = known(model, options)
    if fit is None or not fit.passed or (again and fit.seen):
        fit = examine(model.path, options, reference=catalogue.reference(model.digest), progress=progress)
        keep(model, fit, options)
    if not fit.passed:
        raise ModelComputationError(
            f"llama.cpp computes {model.name} wrongly on this machine: {fit.seen[0]}",
            "`edge-icl doctor` looks again and says what helps; another model may be computed rightly",
        )
    _in_use[model.name] = fit
    return fit


def readable(name_or_path: str | None = None) -> Path:
    """Return the GGUF file of an LLM that this process may read with llama.cpp, found as `find_llm` does.

    A file that is not in the catalogue may be made to end or to hang the process that reads it, so it must have
    passed on this machine before.

    Raises:
        ModelError: as `find_llm` and `settle` do.
    """
    model = location.find_llm(name_or_path)
    if catalogue.reference(model.digest) is None:
        settle(model)
    else:
        location.assure(model)
    return model.path


def first_try(path: Path, *, progress: Progress = silent) -> Fit:
    """Return what `settle` would, for a file that is not installed yet and that the catalogue does not know.

    Raises:
        ModelFileError: llama.cpp refuses it, or does not compute it rightly; in its own words.
        ModelError: llama.cpp cannot be loaded, or the context does not fit in memory.
    """
    try:
        fit = examine(path, progress=progress)
    except ModelFileError as error:
        raise ModelFileError(error.message, _ANOTHER) from error
    if not fit.passed:
        raise ModelFileError(f"llama.cpp cannot run {path} on this machine: {fit.seen[0]}", _ANOTHER)
    return fit


def in_use(name: str) -> Fit | None:
    """Return how this process uses the model of a name, or that at a path; None before it is loaded."""
    path = PurePath(name)
    return next(filter(None, map(_in_use.get, (name, path.name, path.stem))), None)


def known(model: InstalledLlm, options: EngineOptions = DEFAULTS) -> Fit | None:
    """Return the kept result, None where there is none; reads a small file, and loads nothing."""
    name = _name(model, options)
    kept = (_parse(_read(place).get(name)) for place in _places(model))
    return _settled.get(name) or next(filter(None, kept), None)


def keep(model: InstalledLlm, fit: Fit, options: EngineOptions = DEFAULTS) -> None:
    """Keep a result, on the disk if that can be written, and for this process."""
    from edge_icl.models import install

    name = _name(model, options)
    _settled[name] = fit
    place = _places(model)[0]
    others = [(other, value) for other, value in _read(place).items() if other != name]
    results = dict([*others[1 - _MOST :], (name, asdict(fit))])
    draft = place.with_name(f".{NAME}.{os.getpid()}-{threading.get_ident()}")
    try:
        make_private_folder(place.parent)
        with install.open_private(draft, "w") as file:
            json.dump({"results": results}, file, indent=1)
        draft.replace(place)
    except OSError:  # read-only, or full: the process has it, and the next one checks again
        with suppress(OSError):
            draft.unlink()


def examine(
    path: Path,
    options: EngineOptions = DEFAULTS,
    *,
    reference: Sequence[float] | None = None,
    progress: Progress = silent,
) -> Fit:
    """Try settings until one passes; keep nothing. Arguments and errors are those of `settle`."""
    from edge_icl.llm.trial import Trial

    seen: list[str] = []
    guarded = True
    for tried in _ways(options):
        try:
            amx, guarded = _try(Trial(path=str(path), options=tried, reference=reference), progress)
        except ModelComputationError as error:
            seen.append(error.message)
        except ModelError as error:
            if tried.gpu_layers == 0 or not build.gpus():
                raise
            seen.append(error.message)  # a GPU without enough memory, for instance
        else:
            return Fit(True, tried.gpu_layers, tried.extra_buffers, amx, tuple(seen), guarded)
    return Fit(False, options.gpu_layers, True, False, tuple(seen), guarded)


def _ways(options: EngineOptions) -> Iterator[EngineOptions]:
    """Yield what to try, in order: as asked and without extra buffers, then both without the GPU."""
    asked = options.gpu_layers
    for layers in [asked, 0] if build.gpus() and asked != 0 else [asked]:
        for extra in (True, False):
            yield options._replace(gpu_layers=layers, extra_buffers=extra)


def _try(one: Trial, progress: Progress) -> tuple[bool, bool]:
    """Try a setting, in a child if one can be started; return what `here` does, and whether in a child."""
    from edge_icl.llm import trial

    try:
        return trial.guarded(one, progress), True
    except trial.NoChildError:
        return trial.here(one, progress), False


def _name(model: InstalledLlm, options: EngineOptions) -> str:
    """Return what names a result: equal names mean that nothing has changed that it depends on."""
    threads = usable_cores() if options.threads is None else options.threads
    parts = [EDITION, build.machine(), model.digest, options.gpu_layers, threads]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _places(model: InstalledLlm) -> list[Path]:
    """Return the files of a model's results: the first is written to."""
    return placed.notes(model.path.parent, NAME) if model.recorded else [placed.notes_of_file(model.digest)]


def _read(place: Path) -> dict[str, Any]:
    """Return all results of a file, none if it is missing or damaged."""
    try:
        found = json.loads(read_regular(place, most=_LARGEST))["results"]
        return dict(found)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _parse(fields: Any) -> Fit | None:
    """Return a result if it is whole."""
    kinds = {"passed": bool, "extra_buffers": bool, "amx": bool, "guarded": bool, "seen": list}
    try:
        sound = all(type(fields[name]) is kind for name, kind in kinds.items())
        layers = fields["gpu_layers"]
        sound &= layers is None or (type(layers) is int and layers >= 0)
        sound &= all(type(one) is str for one in fields["seen"])
        return Fit(**(fields | {"seen": tuple(fields["seen"])})) if sound else None
    except (KeyError, TypeError):
        return None
