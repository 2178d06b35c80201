"""From files that have been checked to an installed model, in one rename.

    with staging("fetch", name) as folder:      # models/.fetch-<name>/, private
        install_llm(name, folder, gguf=..., source="...")

Everything happens in a hidden folder beside the models, on the same file system. What is renamed to the
model's name is complete and on the disk, so a crash, a full disk or Ctrl-C leaves either no model or a whole
one.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from edge_icl.errors import ModelError
from edge_icl.models import convert, gguf, location, record
from edge_icl.models.installed import GRAPH, TOKENIZER, Installed, InstalledLlm
from edge_icl.models.regular import read_regular
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_icl.encode.settings import EncoderSettings


LARGEST_TOKENIZER = 1 << 26
"""Bytes: those of encoders for a hundred languages have some 17 million."""


@contextmanager
def staging(purpose: str, name: str) -> Iterator[Path]:
    """Hold the hidden folder in which a model is put together; it is still there afterwards.

    Args:
        purpose: "fetch" or "import".
        name: the model's.

    Raises:
        ModelError: another process holds it, or the operating system refused a write.
    """
    final = location.folder(name)
    work = final.with_name(f".{purpose}-{name}")
    try:
        make_private_folder(work)
        with FileLock(f"{work}.lock", timeout=0, mode=0o600):
            yield work
    except Timeout:
        raise ModelError(f"another process is busy with {name}", "wait for it to finish") from None
    except OSError as error:
        where = error.filename or work
        raise ModelError(
            f"{where} cannot be written: {error.strerror or error}", "nothing was installed"
        ) from error


def install_llm(
    name: str, work: Path, *, file: Path, licence: str, source: str, progress: Progress = silent
) -> InstalledLlm:
    """Install a GGUF that is already inside `work`.

    Args:
        name: what to call it here.
        work: the folder of `staging`.
        file: it, or the first of its parts; they lie beside it.
        licence: as the catalogue names it, or "unknown".
        source: who delivered it.
        progress: called while files are checked.

    Raises:
        ModelFileError: it is not a GGUF, is truncated, or misses a part.
        OSError: the operating system refused.
    """
    parts = gguf.check(file)
    build = _fresh(work / "model")
    digests = {}
    for part in parts:
        place = build / part.name
        part.replace(place)
        digests[part.name] = record.hash_file(place, progress=progress)
    _publish(name, work, record.Record("llm", licence, source, digests))
    return location.find_llm(name)


def install_encoder(
    name: str, work: Path, *, files: Path, settings: EncoderSettings, licence: str, source: str
) -> Installed:
    """Convert the encoder in the folder `files` and install the result.

    Raises:
        ModelFileError: it is not an encoder that can be converted, or it does not give vectors.
        OSError: the operating system refused.
    """
    graph = convert.convert(files)
    build = _fresh(work / "model")
    with open_private(build / GRAPH, "wb") as file:
        file.write(graph)
    with open_private(build / TOKENIZER, "wb") as file:
        file.write(read_regular(files / TOKENIZER, most=LARGEST_TOKENIZER))
    _try_encoder(build, settings)
    digests = {part: record.hash_file(build / part) for part in (GRAPH, TOKENIZER)}
    _publish(name, work, record.Record("encoder", licence, source, digests, settings))
    return location.find_encoder(name)


def _try_encoder(build: Path, settings: EncoderSettings) -> None:
    """Make sure that an encoder gives vectors.

    Raises:
        ModelFileError: it does not; says what is wrong.
    """
    from edge_icl.encode.encoder import Encoder
    from edge_icl.encode.settings import Network

    files = (build / GRAPH, build / TOKENIZER)
    encoder = Encoder([Network(*files, settings)], threads=1)
    try:
        encoder.check()
    finally:
        encoder.close()


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user can enter, and those above it that are missing, in the same way.

    Raises:
        OSError: the operating system refused.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)  # mkdir's own mode argument is subject to the umask


def open_private(path: Path, mode: str) -> IO[Any]:
    """Open a file for writing that only this user can read, whatever the umask."""
    file = path.open(mode)
    path.chmod(0o600)  # while it is empty
    return file


def _fresh(folder: Path) -> Path:
    """Return an empty folder in place of what an interrupted run left there."""
    shutil.rmtree(folder, ignore_errors=True)
    make_private_folder(folder)
    return folder


def _publish(name: str, work: Path, known: record.Record) -> None:
    """Write the record, bring everything to the disk, and give the folder its name."""
    build, final, old = work / "model", location.folder(name), work / "old"
    with open_private(build / record.NAME, "w") as file:
        file.write(known.to_json())
    for path in build.iterdir():
        _flush(path)
    _flush(build)
    if final.exists():  # damaged, or being replaced: a folder cannot be renamed over another
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
    build.rename(final)
    _flush(final.parent)
    shutil.rmtree(work, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the operating system write a file or a folder to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders, and journals renames by itself
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
