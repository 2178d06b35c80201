"""A file of rows cut into slices.

Of Parquet the slices are of rows. Of a text they are of bytes: the file is read once, from its beginning to its
end, to see where its rows begin, by the same readers that read the slices then.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from edge_icl.cli import encodings, given
from edge_icl.cli.formats import headers, jsonl, lines
from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.format import Columns
from edge_icl.cli.formats.parquet import PARQUET, module, refuse_twice
from edge_icl.cli.formats.slices import LINE, Cut, Slice, digest
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from edge_icl.cli.formats.format import Format

KINDS: dict[frozenset[type], str] = {
    frozenset({str}): "string",
    frozenset({bool}): "bool",
    frozenset({int}): "int64",
    frozenset({float}): "double",
    frozenset({int, float}): "double",
}
"""What a field of JSON lines holds in all rows -> its type in Arrow; of any other field there is JSON text."""

INT64 = 1 << 63


def cut(path: Path, kind: Format, field: str, *, each: int, first: int) -> Cut:
    """Cut a file.

    Args:
        path: where it is.
        kind: its format.
        field: the one with the questions.
        each: how many rows a slice has, the first and the last apart.
        first: how many the first slice has.

    Raises:
        InputError: the file cannot be read, or has no such field.
    """
    try:
        if kind.name == PARQUET.name:
            return _cut_parquet(path, each=each, first=first)
        with given.opened(path) as stream:
            begun = encodings.checked(str(path), stream.read(encodings.SEEN), None)
            if begun.name != encodings.UTF8:
                raise InputError(f"{path} is in {begun.name}", "give it in UTF-8, or as Parquet")
            stream.seek(len(begun.mark))
            seen = _Seen(stream, len(begun.mark))
            cutting = _Cutting(str(path), kind.name, each, first)
            names = (
                _cut_table(seen, cutting, field) if kind.name == CSV.name else _cut_lines(seen, cutting, field)
            )
            return cutting.done(seen, names)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check the path") from error


class _Seen:
    """The lines of a text, and where in the file they begin; those that were passed are forgotten."""

    def __init__(self, stream: BinaryIO, begin: int) -> None:
        self.digest = blake2b(digest_size=16)
        self.at = begin
        self._stream = stream
        self._begins: dict[int, int] = {}
        self._number = 0
        self._passed = 1

    def lines(self) -> Iterator[str]:
        """Yield the lines, each with its line break."""
        while line := self._stream.readline(given.MOST_OF_A_LINE):
            self.digest.update(line)
            text = line.decode("utf-8", "surrogateescape")
            pieces = LINE.findall(text) if "\r" in text[:-2] else [text]
            for piece in pieces:
                self._number += 1
                self._begins[self._number] = self.at
                self.at += len(line) if len(pieces) == 1 else len(piece.encode("utf-8", "surrogateescape"))
                yield piece

    def begin(self, number: int) -> int:
        """Return where a line begins; not of an earlier one than was asked for before."""
        for passed in range(self._passed, number):
            self._begins.pop(passed, None)
        self._passed = number
        return self._begins[number]


class _Cutting:
    """The slices of a text so far."""

    def __init__(self, path: str, kind: str, each: int, first: int) -> None:
        self.path, self.kind = path, kind
        self.rows = 0
        self.head = (0, 0)
        self._each, self._next = each, first
        self._cuts: list[tuple[int, int]] = []  # where a slice begins, and how many rows there are before it

    def row(self, begin: int) -> None:
        """Note where the next row begins."""
        if not self.rows or self.rows == self._next:
            self._next += self._each if self.rows else 0
            self._cuts.append((begin, self.rows))
        self.rows += 1

    def done(self, seen: _Seen, schema: pa.Schema) -> Cut:
        """Return the file, cut."""
        cuts = [*self._cuts, (seen.at, self.rows)]
        slices = tuple(
            Slice(self.path, self.kind, begin, end, after - before, self.head)
            for (begin, before), (end, after) in pairwise(cuts)
        )
        return Cut(self.path, self.rows, seen.digest.hexdigest(), slices, schema)


def _cut_table(seen: _Seen, cutting: _Cutting, field: str) -> pa.Schema:
    """Cut a table; return what its columns are: text."""
    arrow, found = module("pyarrow"), seen.lines()
    assert CSV.read is not None
    rows = CSV.read(found, cutting.path, Columns((field,), header=True))
    header = next(rows, None)
    if header is None:
        return arrow.schema([(field, arrow.string())])
    if header.problem:
        raise InputError(f"the header of {cutting.path} is no row of a table: {header.problem}", "correct it")
    begin = seen.begin(1)
    for row in rows:
        at = seen.begin(row.line)
        if not cutting.rows:
            cutting.head = (begin, at)
        cutting.row(at)
    names = list(header.cells)
    names[headers.places(names, [field])[field]] = field
    return _schema(cutting.path, dict.fromkeys(names, "string"), names)


def _cut_lines(seen: _Seen, cutting: _Cutting, field: str) -> pa.Schema:
    """Cut JSON lines; return what their fields are."""
    kinds: dict[str, set[type]] = {}
    for row in lines.rows(seen.lines(), jsonl.row_object):
        cutting.row(seen.begin(row.line))
        for name, value in row.fields.items():
            if value is not None:
                kinds.setdefault(name, set()).add(_kind(value))
            else:
                kinds.setdefault(name, set())
    types = {name: KINDS.get(frozenset(some), "string") for name, some in kinds.items()}
    return _schema(cutting.path, {**types, **({field: "string"} if field in types else {})}, [*types])


def _kind(value: object) -> type:
    """Return of which type a value is; a whole number that Arrow cannot hold is like nothing else."""
    if isinstance(value, float):
        return float  # of a class of ours that knows how it is written
    return type(None) if isinstance(value, int) and not -INT64 <= value < INT64 else type(value)


def _schema(path: str, types: dict[str, str], names: Sequence[str]) -> pa.Schema:
    """Return fields as Arrow has them.

    Raises:
        InputError: two have one name.
    """
    refuse_twice(names, path)
    arrow = module("pyarrow")
    return arrow.schema(
        [
            (name, getattr(arrow, {"double": "float64", "bool": "bool_"}.get(kind, kind))())
            for name, kind in types.items()
        ]
    )


def _cut_parquet(path: Path, *, each: int, first: int) -> Cut:
    """Cut a Parquet file."""
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    try:
        opened = parquet.ParquetFile(path)
        rows, schema = opened.metadata.num_rows, opened.schema_arrow.remove_metadata()
        opened.close()
    except arrow.ArrowException as error:
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{path} cannot be read as Parquet ({told})", "check that the file is whole"
        ) from error
    begins = [0, *range(min(first, rows), rows, each), rows] if rows else []
    slices = tuple(Slice(str(path), PARQUET.name, begin, end, end - begin) for begin, end in pairwise(begins))
    return Cut(str(path), rows, digest(path), slices, schema)
