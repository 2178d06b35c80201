"""Models that the user already has: `edge-icl models import NAME FILE`.

    >>> import_model("mine", Path("~/models/some-7b.Q4_K_M.gguf").expanduser())

The file is copied, not linked: a model must not change when its original does.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from edge_icl.errors import ModelError, ModelFileError, ModelMissingError
from edge_icl.models import bert, catalogue, checked, gguf, install, location, record
from edge_icl.models.installed import TOKENIZER, Installed
from edge_icl.models.regular import open_regular
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20
_LICENCE = "unknown"


def import_model(name: str, path: Path, *, progress: Progress = silent) -> Installed:
    """Install a GGUF file, or convert and install an encoder's folder.

    A name of the catalogue stands for a certain model, so under such a name only its own files are taken.

    Args:
        name: what to call it here.
        path: a GGUF file; or a folder in the sentence-transformers layout, with model.safetensors,
            config.json and tokenizer.json.
        progress: called while files are tried, copied and checked.

    Raises:
        ModelError: the name cannot be one or is taken, or the operating system refused a write.
        ModelMissingError: nothing is at the path.
        ModelFileError: it is neither, is damaged, is not what the catalogue has, or llama.cpp cannot run it, or
            not rightly on this machine.
    """
    if (location.folder(name) / record.NAME).exists():
        raise ModelError(
            f"there is a model {name} already", f"take another name, or edge-icl models remove {name}"
        )
    if not path.exists():
        raise ModelMissingError(
            f"there is nothing at {path}", "give the path of a GGUF file or an encoder's folder"
        )
    with install.staging("import", name) as work:
        try:
            importer = _import_encoder if path.is_dir() else _import_llm
            return importer(name, path, work, progress)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _import_llm(name: str, path: Path, work: Path, progress: Progress) -> Installed:
    """Copy a GGUF file that llama.cpp can run, with all its parts, and install the copy."""
    entry = _entry(name, "llm")
    parts = gguf.check(path)
    fit = checked.first_try(path, progress=progress)
    copies = [work / f"{part.name.removesuffix('.gguf').lstrip('.') or name}.gguf" for part in parts]
    for part, copy in zip(parts, copies, strict=True):
        _copy(part, copy, progress)
    if entry:
        _check(copies[0], entry.files[0], name, progress)
    licence = entry.licence if entry else _LICENCE
    made = install.install_llm(name, work, file=copies[0], licence=licence, source="import", progress=progress)
    checked.keep(made, fit)
    return made


def _import_encoder(name: str, path: Path, work: Path, progress: Progress) -> Installed:
    """Convert an encoder where it lies and install the result."""
    entry = _entry(name, "encoder")
    if not (path / TOKENIZER).is_file():
        raise ModelFileError(f"{path} holds no {TOKENIZER}", "only encoders with one can be imported")
    for file in entry.files if entry else ():
        _check(path / file.name, file, name, progress)
    settings = entry.encoder if entry and entry.encoder else bert.settings(path)
    licence = entry.licence if entry else _LICENCE
    return install.install_encoder(name, work, files=path, settings=settings, licence=licence, source="import")


def _entry(name: str, kind: catalogue.Kind) -> catalogue.Entry | None:
    """Return the catalogue's entry of this name."""
    entry = catalogue.find(name)
    if entry and entry.kind != kind:
        raise ModelFileError(f"in the catalogue, {name} is not an {kind}", "take another name")
    return entry


def _check(path: Path, expected: catalogue.SourceFile, name: str, progress: Progress) -> None:
    """Hold a file against the catalogue."""
    if expected.sha256 and record.hash_file(path, progress=progress).sha256 != expected.sha256:
        raise ModelFileError(
            f"{path.name} is not the file that the catalogue has for {name}", "take another name"
        )


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy a file, telling how far it is."""
    with open_regular(source) as file, install.open_private(target, "wb") as copy:
        total = os.fstat(file.fileno()).st_size
        progress("copy", 0, total)
        while chunk := file.read(_CHUNK):
            copy.write(chunk)
            progress("copy", copy.tell(), total)
