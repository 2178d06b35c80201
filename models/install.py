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
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from edge_icl.encode.settings import LIKENESS, Network
from edge_icl.errors import ModelError
from edge_icl.models import convert, gguf, location, record
from edge_icl.models.installed import GRAPH, TOKENIZER, InstalledEncoder, InstalledLlm, network_files
from edge_icl.models.regular import read_regular
from edge_icl.runtime.folders import make_private_folder
from edge_icl.runtime.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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
    name: str, work: Path, *, files: Path, known: record.Record, likeness: float | None = None
) -> InstalledEncoder:
    """Convert the encoder in the folder `files` and install the result.

    Args:
        name: what to call it here.
        work: the folder of `staging`.
        files: holds the network and its tokenizer.
        known: its record, with its settings, but without its files and its likeness.
        likeness: see `install_networks`.

    Raises:
        ModelFileError: it is not an encoder that can be converted, or it does not give vectors.
        OSError: the operating system refused.
    """
    settings = known.encoder
    if settings is None:
        raise ValueError("the record of an encoder has its settings")
    place = _fresh(work / "network")
    network = Network(place / GRAPH, place / TOKENIZER, settings)
    with open_private(network.graph, "wb") as file:
        file.write(convert.convert(files, pooling=settings.pooling))
    with open_private(network.tokenizer, "wb") as file:
        file.write(read_regular(files / TOKENIZER, most=LARGEST_TOKENIZER))
    return install_networks(name, work, networks=[network], known=known, likeness=likeness)


def install_networks(
    name: str,
    work: Path,
    *,
    networks: Sequence[Network],
    known: record.Record,
    likeness: float | None = None,
) -> InstalledEncoder:
    """Install an encoder of networks that are converted already; files outside `work` stay as they are.

    Args:
        name: what to call it here.
        work: the folder of `staging`.
        networks: one, or several side by side.
        known: its record, but for the files and the likeness.
        likeness: from which similarity on two inputs say nearly the same; None to measure it.

    Raises:
        ModelFileError: it does not give vectors.
        OSError: the operating system refused.
    """
    build = _fresh(work / "model")
    names = network_files(len(networks))
    digests = {}
    for network, files in zip(networks, names, strict=True):
        for source, file in zip((network.graph, network.tokenizer), files, strict=True):
            if source.is_relative_to(work):
                _link(source, build / file)
            else:
                _copy(source, build / file)
            digests[file] = record.hash_file(build / file)
    placed = [
        Network(build / graph, build / tokenizer, network.settings)
        for network, (graph, tokenizer) in zip(networks, names, strict=True)
    ]
    found = _try_encoder(placed, measured=likeness is None)
    _publish(name, work, replace(known, files=digests, likeness=likeness or found))
    return location.find_encoder(name)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no such names."""
    try:
        os.link(source, target)
    except OSError:
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, for this user alone."""
    shutil.copyfile(source, target)
    target.chmod(0o600)


def _try_encoder(networks: Sequence[Network], *, measured: bool) -> float:
    """Make sure that an encoder gives vectors, and return its threshold of near copies, measured if wanted.

    Raises:
        ModelFileError: it does not; says what is wrong.
    """
    from edge_icl.encode.encoder import Encoder
    from edge_icl.models.near_copies import threshold

    encoder = Encoder(networks)
    try:
        encoder.check()
        return threshold(encoder, otherwise=LIKENESS) if measured else LIKENESS
    finally:
        encoder.close()


def refuse_taken(name: str) -> None:
    """Make sure that no model has this name.

    Raises:
        ModelError: one has it, or this cannot be a model's name.
    """
    if (location.folder(name) / record.NAME).exists():
        raise ModelError(
            f"there is a model {name} already",
            f"take another name, or remove that one: edge-icl models remove {name}",
        )


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
