"""Where the models are on this machine, and which ones.

    >>> find_llm().path
    PosixPath('/home/me/.local/share/edge-icl/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf')

A model is a folder `models/<name>/` with its files and a `model.json` (see `record`). Folders come into being
by one rename, so a folder with a record is a whole model; names that begin with a dot are work in progress.
This module reads a few hundred bytes and imports nothing heavy, so that every command can afford it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_icl.errors import ModelError, ModelFileError, ModelMissingError
from edge_icl.models import catalogue, default, exposed, gguf, record, remedies, seen
from edge_icl.models.installed import Installed, InstalledEncoder, InstalledLlm
from edge_icl.runtime.home import home
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def models_folder() -> Path:
    """Return the folder that holds one folder a model; it may not exist yet."""
    return home() / "models"


def folder(name: str) -> Path:
    """Return the folder that a model of this name has or would have.

    Raises:
        ModelError: this cannot be a model's name.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"{name!r} cannot be the name of a model",
            "begin with a letter or a digit, then also use . _ and -",
        )
    return models_folder() / name


def installed() -> tuple[Installed, ...]:
    """Return every model on this machine, sorted by name.

    Raises:
        ModelFileError: a model's record is damaged.
    """
    return tuple(_installed(name) for name in names())


def names() -> list[str]:
    """Return the names of all models on this machine, sorted."""
    try:
        found = sorted(entry.name for entry in models_folder().iterdir() if _NAME.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in found if (folder(name) / record.NAME).is_file()]


def find_llm(name_or_path: str | None = None) -> InstalledLlm:
    """Return an installed LLM, the default one unless it is named, or the GGUF file at a path.

    Which is the default: see `default.chosen`.

    A file given by its path has no record, so its digest is computed each time: about a second for each
    gigabyte. Import it to pay that once.

    Args:
        name_or_path: a name; or, with a separator in it or ending in .gguf, a path.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    if not name_or_path:
        return _default(find_llm)
    file = _given(name_or_path)
    if file is None:
        return _named(name_or_path)
    parts = gguf.check(file)
    try:
        digest = record.joined([record.hash_file(part).sha256 for part in parts])
        return InstalledLlm(file.stem, file.absolute(), digest)
    except OSError as error:
        raise ModelFileError(f"{file} cannot be read: {error.strerror or error}") from error


def find_file(name_or_path: str | None = None) -> Path:
    """Return the GGUF file of an LLM as `find_llm` does, without its digest: nothing of it is read.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    if not name_or_path:
        return _default(find_file)
    return _given(name_or_path) or _named(name_or_path).path


def find_encoder(name: str | None = None) -> InstalledEncoder:
    """Return an installed encoder, the default one unless it is named.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    name = name or catalogue.DEFAULT_ENCODER
    model = _find(name)
    if not isinstance(model, InstalledEncoder):
        raise ModelFileError(
            f"{name} is an LLM, not an encoder", "`edge-icl models list` shows the kind of each"
        )
    return model


def path(name: str) -> Path:
    """Return where a model is: an LLM's GGUF file, an encoder's folder.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    model = _find(name)
    return model.path if isinstance(model, InstalledLlm) else model.folder


def verify(name: str, *, progress: Progress = silent) -> Installed:
    """Read every byte of a model and hold it against its record.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: a file is missing, cannot be read, or is not what was installed.
    """
    model = _find(name)
    _compare(name, again=True, progress=progress)
    if isinstance(model, InstalledLlm):
        gguf.check(model.path)
    return model


def assure(model: Installed, *, progress: Progress = silent) -> None:
    """Make sure that an installed model is what its record says before it is used.

    What has not been written to since it was last read is not read again, so this costs almost nothing. An
    LLM that is given by its path has no record; it goes by the digest that it has.

    Raises:
        ModelFileError: a file is missing, cannot be read, or is not what was installed; or all users may write
            to it.
    """
    used = [model.path] if isinstance(model, InstalledLlm) else [one.graph for one in model.networks]
    exposed.refuse_open_to_all(used)
    place = used[0].parent
    if place == models_folder() / model.name and (place / record.NAME).is_file():
        exposed.refuse_open_to_all(exposable(model.name))
        _compare(model.name, again=False, progress=progress)


def exposable(name: str) -> list[Path]:
    """Return what decides over a model that is installed: the folders that it is in, and its files."""
    place = folder(name)
    return [models_folder(), place, *(place / file for file in (record.NAME, *record.read(place).files))]


def _compare(name: str, *, again: bool, progress: Progress) -> None:
    """Hold a model's files against its record; see `seen.differing`."""
    place = folder(name)
    try:
        wrong = seen.differing(place, record.read(place).files, again=again, progress=progress)
    except OSError as error:
        where = error.filename or place
        raise ModelFileError(
            f"{where} cannot be read: {error.strerror or error}", remedies.again(name)
        ) from error
    if wrong is not None:
        raise ModelFileError(f"{place / wrong} is not what was installed", remedies.again(name))


def remove(name: str) -> None:
    """Remove a model, also a damaged one.

    Raises:
        ModelMissingError: it is not here.
        ModelError: the operating system refused.
    """
    place = folder(name)
    if not place.exists():
        raise remedies.absent(name, names())
    # Renamed first: a removal that is cut short must not leave half a model under its name.
    doomed = place.with_name(f".remove-{name}")
    try:
        shutil.rmtree(doomed, ignore_errors=True)
        place.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise ModelError(f"{place} cannot be removed: {error.strerror or error}") from error


def _find(name: str) -> Installed:
    """Return an installed model whose files are there and of the right sizes."""
    place = folder(name)
    if not (place / record.NAME).is_file():
        raise remedies.missing(name, names())
    for file, expected in record.read(place).files.items():
        try:
            status = (place / file).stat()
        except OSError as error:
            raise ModelFileError(
                f"{place / file} cannot be read: {error.strerror}", remedies.again(name)
            ) from error
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(f"{place / file} is not a regular file", remedies.again(name))
        if size != expected.size:
            raise ModelFileError(
                f"{place / file} has {size} bytes instead of {expected.size}", remedies.again(name)
            )
    return _installed(name)


def _installed(name: str) -> Installed:
    """Return what a model's record says."""
    place = folder(name)
    known = record.read(place)
    if known.encoder is None:
        return InstalledLlm(
            name, place / min(known.files), known.llm_digest()
        )  # parts are numbered in their names
    entry = catalogue.find(name)
    languages = known.languages or (entry.languages if entry else ())
    return InstalledEncoder(name, place, known, known.encoder.reading_long_texts(), languages)


def _default(find: Callable[[str], T]) -> T:
    """Return what is found of the default LLM.

    Raises:
        ModelMissingError: it is not here; says what made it the default.
    """
    chosen = default.chosen()
    try:
        return find(chosen.name)
    except ModelMissingError as error:
        raise remedies.missing_default(chosen, error) from error


def is_path(name_or_path: str) -> bool:
    """Tell whether this names a file and not a model."""
    return name_or_path.endswith(".gguf") or "/" in name_or_path or os.sep in name_or_path


def _given(name: str) -> Path | None:
    """Return the file that a path names, None where it is a name."""
    if not is_path(name):
        return None
    file = Path(name).expanduser()
    if not file.is_file():
        raise ModelMissingError(
            f"there is no file {file}", "give the path of a GGUF file, or the name of a model"
        )
    return file


def _named(name: str) -> InstalledLlm:
    """Return an installed LLM."""
    model = _find(name)
    if not isinstance(model, InstalledLlm):
        raise ModelFileError(
            f"{name} is an encoder, not an LLM", "`edge-icl models list` shows the kind of each"
        )
    return model
