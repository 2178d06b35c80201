"""Is this file a whole GGUF? A reader of its header, and nothing of its weights.

    >>> check(Path("model.gguf"))        # returns: llama.cpp may be given this file
    >>> parts(Path("large-00001-of-00002.gguf"))
    (PosixPath('large-00001-of-00002.gguf'), PosixPath('large-00002-of-00002.gguf'))

A large model may come in several files. llama.cpp is given the first and finds the others by their names, which
must be as `gguf-split` writes them; each is a GGUF, and says which part of how many it is.

llama.cpp takes a truncated file until it touches the missing pages, and its own complaint goes to stderr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_icl.errors import ModelFileError
from edge_icl.models import sane
from edge_icl.models.header import opened

if TYPE_CHECKING:
    from pathlib import Path

    from edge_icl.models.header import Header


def check(path: Path) -> tuple[Path, ...]:
    """Make sure that a model is a GGUF of a version that llama.cpp reads, and is all there, in every part.

    Returns:
        Its files, as `parts` does.

    Raises:
        ModelFileError: a file of it cannot be read, is not a GGUF, is of another version, is truncated or
            inconsistent, or has values that no model has; or a part is missing, or the path is not the first
            part's.
    """
    with opened(path) as header:
        header.check()
        sane.check(header)
        files = _parts(path, header)
    for number, part in enumerate(files[1:], start=1):
        with opened(part) as header:
            header.check()
            if (header.part, header.parts) != (number, len(files)):
                header.fail(f"is not part {number + 1} of {len(files)} of the model that its name says")
    return files


def parts(path: Path) -> tuple[Path, ...]:
    """Return every file of a model, in order: the file itself, or all parts that begin with it.

    Raises:
        ModelFileError: the file cannot be read or has no sound header; or a part is missing, or the path is not
            the first part's.
    """
    with opened(path) as header:
        header.read()
        return _parts(path, header)


def context_length(path: Path) -> int:
    """Return how many tokens the model of a file was trained on at once, 0 where the file does not say.

    Most files say so before their vocabulary, and no more of them is read.

    Raises:
        ModelFileError: the file cannot be read or has no sound header.
    """
    with opened(path) as header:
        for key in header.pairs():
            if key == header.name_of_context:
                break
        return header.number(header.name_of_context, default=0)


def _parts(path: Path, header: Header) -> tuple[Path, ...]:
    """Return every file of the model that begins with this one."""
    count = header.parts
    if count <= 1:
        return (path,)
    end = f"-00001-of-{count:05d}.gguf"
    if header.part != 0:
        raise ModelFileError(
            f"{path} is part {header.part + 1} of {count} of a model",
            f"give the path of its first part, which ends in {end}",
        )
    if not path.name.endswith(end):
        raise ModelFileError(
            f"{path} is the first of {count} parts of a model, and its name hides where the others are",
            f"give all parts the names that they had: this one's ends in {end}",
        )
    stem = path.name.removesuffix(end)
    files = [path]
    for number in range(2, count + 1):
        files.append(path.with_name(f"{stem}-{number:05d}-of-{count:05d}.gguf"))
        if not files[-1].is_file():
            raise ModelFileError(
                f"{files[-1]} is missing: the model comes in {count} files", "put them all into one folder"
            )
    return tuple(files)
