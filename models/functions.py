"""What a program may do with the models on this machine: the functions that `edge_icl.models` gives.

    >>> for fetched in fetch(progress=bar):
    ...     print(fetched.model.name, fetched.model.path, fetched.model.bytes)

The same as `edge-icl models`, for a program that fetches models while a user watches.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_icl.errors import ModelMissingError
from edge_icl.models import catalogue, default, location, record, remedies
from edge_icl.models.choices import AS_IT_SAYS, Choices
from edge_icl.models.default import By, Chosen
from edge_icl.models.installed import InstalledLlm
from edge_icl.runtime.folders import bytes_in
from edge_icl.runtime.home import expanded
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from edge_icl.models.entry import Entry, Kind
    from edge_icl.models.fetching import Failure
    from edge_icl.models.installed import Installed


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that is here, or that can be fetched.

    Attributes:
        name: what it is called.
        kind: llm or encoder.
        installed: whether it is on this machine.
        default: whether it is taken where none is named.
        path: its folder, which a program may ship, where it is here; see `Memory.open`.
        bytes: its size on the disk; None where it is not here.
        download: bytes that a fetch brings; None for one that cannot be fetched.
        licence: as the catalogue names it, or "unknown".
        summary: in a sentence; empty for one that is not in the catalogue.
    """

    name: str
    kind: Kind
    installed: bool
    default: bool
    path: Path | None
    bytes: int | None
    download: int | None
    licence: str
    summary: str


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """What `fetch` did.

    Attributes:
        model: what is on this machine now.
        source: who delivered it; None where it was here already.
        failures: the sources that were asked before and did not deliver, in order.
        requantized: to what its weights were requantized, None where they were not.
        kept: why they were kept as they came, where they should have been requantized.
    """

    model: ModelInfo
    source: str | None
    failures: tuple[Failure, ...]
    requantized: str | None
    kept: str | None


def fetch(*names: str, faster: bool = False, progress: Progress = silent) -> list[FetchedModel]:
    """Install models of the catalogue; without a name the two defaults. This is what opens a connection.

    What is here and whole is left alone, without a connection. A fetch that was cut off goes on where it was.

    Args:
        names: as `list_models` has them.
        faster: where one is here with the weights as they were delivered, requantize these as a fetch would.
        progress: told about each file, in bytes, stage "fetch NAME" and others; what it raises ends the fetch.

    Returns:
        What was done, one for each name.

    Raises:
        FetchError: the catalogue does not know a name, or no source delivered.
        ModelFileError: what a source delivered cannot be used.
        ModelError: another process is busy with it, or the operating system refused a write (a full disk).
    """
    from edge_icl.models.fetching import fetch as fetch_one

    done = []
    for name in dict.fromkeys(names or (catalogue.DEFAULT_LLM, catalogue.DEFAULT_ENCODER)):
        one = fetch_one(name, faster=faster, progress=progress)
        done.append(FetchedModel(info(name), one.source, one.failures, one.requantized, one.kept))
    return done


def list_models() -> list[ModelInfo]:
    """Return the models of the catalogue, which `fetch` takes, in its order, then all others on this machine.

    Raises:
        ModelFileError: the record of one is damaged.
    """
    others = [model for model in location.installed() if catalogue.find(model.name) is None]
    return [*map(_of_catalogue, catalogue.CATALOGUE), *map(_other, others)]


def info(name: str) -> ModelInfo:
    """Return what is known of a model that is on this machine, or in the catalogue.

    Raises:
        ModelMissingError: it is neither.
        ModelFileError: the record of a model is damaged.
    """
    found = next((one for one in list_models() if one.name == name), None)
    if found is None:
        raise remedies.missing(name, location.names())
    return found


def import_model(
    name: str, path: str | os.PathLike[str], choices: Choices = AS_IT_SAYS, *, progress: Progress = silent
) -> ModelInfo:
    """Copy a model that is on this machine under a name; see `importing.import_model`.

    Args:
        name: what to call it.
        path: a GGUF file, or an encoder's folder in the sentence-transformers layout.
        choices: of an encoder, what is to be otherwise than its folder says.
        progress: told while files are tried, copied and checked; what it raises ends that.

    Raises:
        ModelError: the name cannot be one or is taken, or the operating system refused a write.
        ModelMissingError: nothing is at the path.
        InputError: the choices are not valid.
        ModelFileError: it is no model that can be used here.
    """
    from edge_icl.models import importing

    importing.import_model(name, expanded(path), choices, progress=progress)
    return info(name)


def join(name: str, parts: Sequence[str], *, progress: Progress = silent) -> ModelInfo:
    """Install an encoder whose vectors are those of several installed ones side by side; see `joining.join`.

    Raises:
        InputError: these cannot be joined.
        ModelError: the name cannot be one or is taken, or one of the encoders is not here or not usable.
    """
    from edge_icl.models import joining

    joining.join(name, parts, progress=progress)
    return info(name)


def verify(name_or_path: str | os.PathLike[str], *, progress: Progress = silent) -> None:
    """Read every byte of a model and hold it against its record.

    Args:
        name_or_path: a name, or the path of a model's folder.
        progress: told about each file, in bytes.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: a file is missing, cannot be read, or is not what was installed.
    """
    text = name_or_path if isinstance(name_or_path, str) else str(Path(name_or_path).absolute())
    location.verify(text, progress=progress)


def remove(name: str) -> None:
    """Remove a model, also a damaged one; where it was set as the default, the built-in one is again.

    Raises:
        ModelMissingError: it is not here.
        ModelError: the operating system refused.
    """
    before = default.chosen()
    location.remove(name)
    if before == Chosen(name, By.SETTING):
        default.set_default(None)


def path(name: str) -> Path:
    """Return the folder of an installed model: `Memory.open` takes it, and a program may ship a copy of it.

    Raises:
        ModelMissingError: it is not here.
        ModelFileError: it is not usable.
    """
    location.path(name)
    return location.folder(name)


def default_llm() -> str:
    """Return the name of the LLM that answers where none is named; see `default.chosen`.

    Raises:
        ModelFileError: the settings are damaged, or cannot be read.
    """
    return default.chosen().name


def set_default_llm(name: str | None) -> None:
    """Set which LLM answers where none is named; None for the built-in one.

    Raises:
        ModelMissingError: it is not on this machine, or a path: import it.
        ModelFileError: it is not an LLM.
        ModelError: the operating system refused; nothing was changed.
    """
    if name is not None:
        if location.is_path(name):
            raise ModelMissingError("the default is a model with a name, not a path", "import it first")
        location.find_llm(name)
    default.set_default(name)


def _of_catalogue(entry: Entry) -> ModelInfo:
    """Return what is known of a model of the catalogue."""
    place = location.folder(entry.name)
    here = (place / record.NAME).is_file()
    return ModelInfo(
        name=entry.name,
        kind=entry.kind,
        installed=here,
        default=entry.name in (default.chosen().name, catalogue.DEFAULT_ENCODER),
        path=place if here else None,
        bytes=bytes_in(place) if here else None,
        download=entry.size,
        licence=entry.licence,
        summary=entry.summary,
    )


def _other(model: Installed) -> ModelInfo:
    """Return what is known of a model that is not in the catalogue."""
    place = location.folder(model.name)
    return ModelInfo(
        name=model.name,
        kind="llm" if isinstance(model, InstalledLlm) else "encoder",
        installed=True,
        default=model.name == default.chosen().name,
        path=place,
        bytes=bytes_in(place),
        download=None,
        licence=record.read(place).licence,
        summary="",
    )
