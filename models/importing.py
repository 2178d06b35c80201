"""Models that the user already has: `edge-icl models import NAME FILE`.

    >>> import_model("mine", Path("~/models/some-7b.Q4_K_M.gguf").expanduser())

The file is copied, not linked: a model must not change when its original does.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from edge_icl.errors import InputError, ModelFileError, ModelMissingError
from edge_icl.models import catalogue, checked, gguf, install, record
from edge_icl.models.choices import AS_IT_SAYS, Choices
from edge_icl.models.definition import define, record_of
from edge_icl.models.installed import TOKENIZER, Installed, InstalledEncoder
from edge_icl.models.regular import open_regular
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from edge_icl.models.entry import Entry, Kind

_CHUNK = 1 << 20
_LICENCE = "unknown"


def import_model(
    name: str, path: Path, choices: Choices = AS_IT_SAYS, *, progress: Progress = silent
) -> Installed:
    """Install a GGUF file, or convert and install an encoder's folder.

    A name of the catalogue stands for a certain model, so under such a name only its own files are taken: an
    LLM's as it is delivered, or requantized as `fetch` does it. Either is kept as it is.

    Args:
        name: what to call it here.
        path: a GGUF file; or a folder in the sentence-transformers layout, with model.safetensors,
            config.json and tokenizer.json.
        choices: of an encoder, what is to be otherwise than its folder says.
        progress: called while files are tried, copied and checked.

    Raises:
        ModelError: the name cannot be one or is taken, or the operating system refused a write.
        ModelMissingError: nothing is at the path.
        InputError: the choices are not valid, or the model is not an encoder of the user's own.
        ModelFileError: it is neither, is damaged, is not what the catalogue has, or llama.cpp cannot run it, or
            not rightly on this machine.
    """
    install.refuse_taken(name)
    if not path.exists():
        raise ModelMissingError(
            f"there is nothing at {path}", "give the path of a GGUF file or an encoder's folder"
        )
    if choices != AS_IT_SAYS and (not path.is_dir() or catalogue.find(name)):
        raise InputError(
            f"{name} takes no choices: only an encoder that is not in the catalogue does",
            "leave --pooling, --instruction, --no-centre and --language out",
        )
    with install.staging("import", name) as work:
        try:
            if path.is_dir():
                return _import_encoder(name, path, work, choices, progress)
            return _import_llm(name, path, work, progress)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _import_llm(name: str, path: Path, work: Path, progress: Progress) -> Installed:
    """Copy a GGUF file that llama.cpp can run, with all its parts, and install the copy."""
    entry = _entry(name, "llm")
    parts = gguf.check(path)
    fit = checked.first_try(path, progress=progress)
    names = [part.name.removesuffix(".gguf").lstrip(".").replace("\\", "_") or name for part in parts]
    copies = [work / f"{one}.gguf" for one in names]
    for part, copy in zip(parts, copies, strict=True):
        _copy(part, copy, progress)
    if entry:
        _check(copies[0], entry.digests, name, progress)
    licence = entry.licence if entry else _LICENCE
    made = install.install_llm(name, work, file=copies[0], licence=licence, source="import", progress=progress)
    checked.keep(made, fit)
    return made


def _import_encoder(
    name: str, path: Path, work: Path, choices: Choices, progress: Progress
) -> InstalledEncoder:
    """Convert an encoder where it lies and install the result."""
    entry = _entry(name, "encoder")
    if not (path / TOKENIZER).is_file():
        raise ModelFileError(f"{path} holds no {TOKENIZER}", "only encoders with one can be imported")
    for file in entry.files if entry else ():
        _check(path / file.name, {file.sha256} - {None}, name, progress)
    if entry:
        known = record_of(entry, path, "import", progress=progress)
    else:
        settings = define(path, choices, progress=progress)
        known = record.Record("encoder", _LICENCE, "import", {}, settings, languages=choices.languages)
    return install.install_encoder(
        name, work, files=path, known=known, likeness=entry.likeness if entry else None
    )


def _entry(name: str, kind: Kind) -> Entry | None:
    """Return the catalogue's entry of this name."""
    entry = catalogue.find(name)
    if entry and entry.kind != kind:
        raise ModelFileError(f"in the catalogue, {name} is not an {kind}", "take another name")
    return entry


def _check(path: Path, expected: Collection[str | None], name: str, progress: Progress) -> None:
    """Hold a file against the digests that the catalogue has, if any."""
    if expected and record.hash_file(path, progress=progress).sha256 not in expected:
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
