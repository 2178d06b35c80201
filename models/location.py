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
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from edge_icl.errors import ModelError, ModelFileError, ModelMissingError
from edge_icl.models import catalogue, default, gguf, placed, record, remedies
from edge_icl.models.installed import Installed, InstalledEncoder, InstalledLlm
from edge_icl.runtime.home import expanded
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


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
    return placed.models_folder() / name


def installed() -> tuple[Installed, ...]:
    """Return every model on this machine, sorted by name.

    Raises:
        ModelFileError: a model's record is damaged.
    """
    return tuple(placed.described(folder(name)) for name in names())


def names() -> list[str]:
    """Return the names of all models on this machine, sorted."""
    try:
        found = sorted(entry.name for entry in placed.models_folder().iterdir() if _NAME.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in found if (folder(name) / record.NAME).is_file()]


def find_llm(name_or_path: str | None = None) -> InstalledLlm:
    """Return an installed LLM, the default one unless it is named, or that at a path.

    Which is the default: see `default.chosen`.

    A GGUF file given by its path has no record, so its digest is computed each time: about a second for each
    gigabyte. Import it, or give the path of the folder of an imported model, to pay that once.

    Args:
        name_or_path: a name; or, with a separator in it or ending in .gguf, the path of a GGUF file or of a
            folder as `fetch` and `import` make it.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    if not name_or_path:
        return _default(find_llm)
    file = _file(name_or_path)
    if file is None:
        return _llm(name_or_path)
    parts = gguf.check(file)
    try:
        digest = record.joined([record.hash_file(part).sha256 for part in parts])
        return InstalledLlm(file.stem, file.absolute(), digest, recorded=False)
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
    return _file(name_or_path) or _llm(name_or_path).path


def find_encoder(name_or_path: str | None = None) -> InstalledEncoder:
    """Return an installed encoder, the default one unless it is named, or that in a folder.

    Args:
        name_or_path: a name; or, with a separator in it, the path of a folder as `fetch` and `import` make it.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    name = name_or_path or catalogue.DEFAULT_ENCODER
    model = _find(name)
    if not isinstance(model, InstalledEncoder):
        raise ModelFileError(
            f"{name} is an LLM, not an encoder", "`edge-icl models list` shows the kind of each"
        )
    return model


def find_used(name_or_path: str, digest: str) -> InstalledEncoder | None:
    """Return the encoder that stores name by a digest, in the way in which they use it.

    Args:
        name_or_path: where it is looked for first; then among all that are installed, as it may have another
            name here.
        digest: names it.

    Returns:
        None where another encoder is at the name or the path, and this one is not here.

    Raises:
        ModelMissingError: nothing is at the name or the path, and this one is not here.
        ModelFileError: what is there is not usable.
    """
    try:
        found, missing = find_encoder(name_or_path).used_as(digest), None
    except ModelMissingError as error:
        found, missing = None, error
    found = found or next(filter(None, map(partial(_used, digest), names())), None)
    if found is None and missing is not None:
        raise missing
    return found


def path(name: str) -> Path:
    """Return where a model is: an LLM's GGUF file, an encoder's folder.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is here and not usable.
    """
    model = _find(name)
    return model.path if isinstance(model, InstalledLlm) else model.folder


def verify(name_or_path: str, *, progress: Progress = silent) -> Installed:
    """Read every byte of a model and hold it against its record.

    Args:
        name_or_path: a name, or the path of a folder as `fetch` and `import` make it.
        progress: called for each file that is read, stage "check".

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: a file is missing, cannot be read, or is not what was installed.
    """
    model = _find(name_or_path)
    placed.compare(_place(name_or_path), again=True, progress=progress)
    if isinstance(model, InstalledLlm):
        gguf.check(model.path)
    return model


def assure(model: Installed, *, progress: Progress = silent) -> None:
    """Make sure that an installed model is what its record says before it is used.

    What has not been written to since it was last read is not read again, so this costs almost nothing. A GGUF
    file that is given by its path has no record; it goes by the digest that it has.

    Raises:
        ModelFileError: a file is missing, cannot be read, or is not what was installed; or all users may write
            to it.
    """
    placed.assure(model, progress=progress)


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


def _find(name_or_path: str) -> Installed:
    """Return an installed model whose files are there and of the right sizes."""
    place = _place(name_or_path)
    if (place / record.NAME).is_file():
        return placed.whole(place)
    if not is_path(name_or_path):
        raise remedies.missing(name_or_path, names())
    raise remedies.missing_at(place)


def _place(name_or_path: str) -> Path:
    """Return the folder of a model."""
    return expanded(name_or_path) if is_path(name_or_path) else folder(name_or_path)


def _used(digest: str, name: str) -> InstalledEncoder | None:
    """Return an installed encoder where stores name it by this digest."""
    try:
        model = _find(name)
    except ModelError:
        return None  # another one, which is damaged
    return model.used_as(digest) if isinstance(model, InstalledEncoder) else None


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
    """Tell whether this names a file or a folder and not a model."""
    return name_or_path.endswith(".gguf") or "/" in name_or_path or os.sep in name_or_path


def _file(name_or_path: str) -> Path | None:
    """Return the GGUF file that a path names, None where it is a name or a folder."""
    if not is_path(name_or_path):
        return None
    file = expanded(name_or_path)
    if file.is_dir():
        return None
    if not file.is_file():
        raise ModelMissingError(
            f"there is no file {file}", "give the path of a GGUF file, or the name of a model"
        )
    return file


def _llm(name_or_path: str) -> InstalledLlm:
    """Return an LLM that has a record."""
    model = _find(name_or_path)
    if not isinstance(model, InstalledLlm):
        raise ModelFileError(
            f"{name_or_path} is an encoder, not an LLM", "`edge-icl models list` shows the kind of each"
        )
    return model
