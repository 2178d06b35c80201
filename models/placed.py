"""A model in its folder, wherever that is: beside others in the home, or beside a program that ships it.

A folder outside the home is only read: a program may be signed, or stand where its user may not write. What is
noted of its model is kept in the home.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from edge_icl.errors import ModelFileError
from edge_icl.models import catalogue, exposed, record, remedies, seen
from edge_icl.models.installed import Installed, InstalledEncoder, InstalledLlm
from edge_icl.runtime.home import home

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.runtime.progress import Progress

_NOTES = ".checks"


def models_folder() -> Path:
    """Return the folder that holds one folder a model; it may not exist yet."""
    return home() / "models"


def described(place: Path) -> Installed:
    """Return what the record of the model in a folder says.

    Raises:
        FileNotFoundError: there is no record.
        ModelFileError: it is damaged.
    """
    name, known = place.name, record.read(place)
    if known.encoder is None:
        first = min(known.files)  # parts are numbered in their names
        return InstalledLlm(name, place / first, known.llm_digest())
    entry = catalogue.find(name)
    languages = known.languages or (entry.languages if entry else ())
    return InstalledEncoder(name, place, known, known.encoder.reading_long_texts(), languages)


def whole(place: Path) -> Installed:
    """Return the model in a folder, whose files are there and of the right sizes.

    Raises:
        FileNotFoundError: there is no record.
        ModelFileError: it is not whole.
    """
    for file, expected in record.read(place).files.items():
        try:
            status = (place / file).stat()
        except OSError as error:
            raise ModelFileError(f"{place / file} cannot be read: {error.strerror}", _again(place)) from error
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(f"{place / file} is not a regular file", _again(place))
        if status.st_size != expected.size:
            raise ModelFileError(
                f"{place / file} has {status.st_size} bytes instead of {expected.size}", _again(place)
            )
    return described(place)


def compare(place: Path, *, again: bool, progress: Progress) -> None:
    """Hold the files of the model in a folder against its record; see `seen.differing`.

    Raises:
        ModelFileError: one cannot be read, or is not what was installed.
    """
    try:
        files = record.read(place).files
        wrong = seen.differing(place, files, notes(place, seen.NAME), again=again, progress=progress)
    except OSError as error:
        where = error.filename or place
        raise ModelFileError(f"{where} cannot be read: {error.strerror or error}", _again(place)) from error
    if wrong is not None:
        raise ModelFileError(f"{place / wrong} is not what was installed", _again(place))


def assure(model: Installed, *, progress: Progress) -> None:
    """Make sure that a model is what its record says before it is used; see `location.assure`."""
    used = [model.path] if isinstance(model, InstalledLlm) else [one.graph for one in model.networks]
    exposed.refuse_open_to_all(used)
    if not isinstance(model, InstalledLlm) or model.recorded:
        place = used[0].parent
        exposed.refuse_open_to_all(exposable(place))
        compare(place, again=False, progress=progress)


def exposable(place: Path) -> list[Path]:
    """Return what decides over the model in a folder: the folders that it is in, and its files."""
    files = (place / file for file in (record.NAME, *record.read(place).files))
    return [*([place.parent] if _is_ours(place) else []), place, *files]


def notes(place: Path, name: str) -> list[Path]:
    """Return where something is noted of the model in a folder, the first of which is written to.

    Args:
        place: the folder.
        name: of the file beside the model.
    """
    digest = hashlib.blake2b(os.fsencode(place), digest_size=16).hexdigest()
    apart = models_folder() / _NOTES / f"{digest}-{name}"
    if not _is_ours(place):
        return [apart]
    beside = place / name
    return [beside] if os.access(place, os.W_OK) else [apart, beside]


def notes_of_file(digest: str) -> Path:
    """Return where something is noted of a GGUF file that stands by itself, by its digest."""
    return models_folder() / _NOTES / f"{digest}.json"


def _is_ours(place: Path) -> bool:
    """Tell whether a folder is one of those that `fetch` and `import` make."""
    return place.parent == models_folder()


def _again(place: Path) -> str:
    """Return the hint for a model that is damaged."""
    if _is_ours(place):
        return remedies.again(place.name)
    return "put the folder there again as it was shipped"
