"""From the weights that a source delivers to those that a model of the catalogue is used with.

    >>> write(entry.requantized, delivered, folder)
    PosixPath('.../SmolLM2-135M-Instruct.Q8_0.gguf')

The file that comes out is known by its digest, as the delivered one is: llama.cpp's quantizer writes the same
bytes on every machine (`llm.requantize` says why). So what a machine writes wrongly is never used, and the
reference of the self-test holds for it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from edge_icl.errors import ModelError
from edge_icl.models import catalogue, install, record
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.models.entry import Requantized
    from edge_icl.models.installed import Installed


def write(wanted: Requantized, delivered: Path, folder: Path, *, progress: Progress = silent) -> Path:
    """Write what is wanted into a folder of our own, and return its file.

    Args:
        wanted: as the catalogue has it.
        delivered: what it is made of; it stays as it is.
        folder: private, on the disk of the models.
        progress: called while it is written and checked.

    Raises:
        ModelError: it cannot be written here; says why, in a clause. Nothing is left of it.
    """
    target = folder / wanted.name
    try:
        _write(wanted, delivered, target, progress)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise ModelError(f"{target} cannot be written: {error.strerror or error}") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def missing(model: Installed) -> Requantized | None:
    """Return what an installed model could be requantized to: it has the weights as they were delivered."""
    entry = catalogue.find(model.name)
    if entry is None or entry.requantized is None or model.digest != entry.files[0].sha256:
        return None
    return entry.requantized


def _write(wanted: Requantized, delivered: Path, target: Path, progress: Progress) -> None:
    """Write what is wanted, and make sure that it came out right."""
    from edge_icl.llm.requantize import requantize

    target.unlink(missing_ok=True)  # of a fetch that was killed
    free = shutil.disk_usage(target.parent).free
    if free < wanted.size:
        raise ModelError(f"it takes {_mb(wanted.size)} more on the disk, where {_mb(free)} are free")
    install.open_private(target, "wb").close()
    requantize(delivered, target, wanted.quantization, size=wanted.size, progress=progress)
    if record.hash_file(target, progress=progress).sha256 != wanted.sha256:
        raise ModelError("llama.cpp's quantizer wrote other bytes here than it should")


def _mb(size: int) -> str:
    """Return a number of bytes as a user reads it."""
    return f"{size / 1e6:.0f} MB"
