"""Parts of files that many processes read, each its own; and which files are meant by a path.

Files are Parquet, CSV or JSON lines, the latter two in UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.format import listed
from edge_icl.cli.formats.jsonl import JSONL
from edge_icl.cli.formats.parquet import PARQUET
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from edge_icl.cli.formats.format import Format

SLICED = (PARQUET, CSV, JSONL)
"""The formats that are cut."""

PIECE = 1 << 20
"""Bytes of a file that are read at once for its digest."""

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line of a text, with its line break."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of a file, one after another.

    Attributes:
        path: the file.
        kind: the name of its format.
        begin: where the rows begin: a byte, or a row.
        end: where they end.
        rows: how many they are.
        head: of a table, where the bytes of its header begin and end.
    """

    path: str
    kind: str
    begin: int
    end: int
    rows: int
    head: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """A file that is cut.

    Attributes:
        path: where it is.
        rows: how many it has.
        digest: of its bytes.
        slices: its rows, in their order.
        schema: what the rows are in Arrow.
    """

    path: str
    rows: int
    digest: str
    slices: tuple[Slice, ...]
    schema: pa.Schema


def files(path: Path, kind: Format | None) -> list[tuple[Path, Format]]:
    """Return the files that are meant by a path: that file, or those of a folder, in the order of their names.

    Args:
        path: a file or a folder.
        kind: their format; None for what their names say.

    Raises:
        InputError: there is none, or the name of one tells of no format that is cut.
    """
    there = [path]
    if path.is_dir():
        there = sorted(one for one in path.iterdir() if one.is_file() and one.name[:1] not in {".", "_"})
    elif not path.exists():
        raise InputError(f"there is no file or folder {path}", "check the path")
    found = [(one, kind or _by_ending(one)) for one in there]
    if not found:
        raise InputError(f"the folder {path} has no files", "give one with Parquet, CSV or JSON lines")
    return found


def digest(path: Path) -> str:
    """Return the digest of a file's bytes.

    Raises:
        OSError: the operating system refuses.
    """
    made = blake2b(digest_size=16)
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            made.update(piece)
    return made.hexdigest()


def refuse(path: Path, schema: pa.Schema, field: str, taken: Sequence[str]) -> None:
    """Refuse rows that have no questions, or columns of names that are to be added.

    Raises:
        InputError: they are so.
    """
    from edge_icl.cli.formats import pairs

    if field not in schema.names:
        raise InputError(
            f"{path} has no field {field} (it has {listed(schema.names)})",
            f"name the one with the question: {pairs.likely(schema.names, questions=True)}",
        )
    clash = [name for name in schema.names if name in taken]
    if clash:
        raise InputError(
            f"{path} has columns of names that are to be added ({listed(clash)})", "give them other names"
        )


def _by_ending(path: Path) -> Format:
    """Return the format that a file's name tells of.

    Raises:
        InputError: it tells of none that is cut.
    """
    found = next((one for one in SLICED if path.suffix.removeprefix(".").lower() in one.endings), None)
    if found is None:
        ends = listed(f".{end}" for one in SLICED for end in one.endings)
        raise InputError(
            f"{path} ends in none of {ends}", "say what it is with --format, or give a folder without it"
        )
    return found
