"""The rows of slices, as Arrow tables of some rows each; what runs in a worker."""

from __future__ import annotations

import json
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_icl.cli.formats import jsonl, lines, values
from edge_icl.cli.formats.csv import CSV
from edge_icl.cli.formats.format import Columns
from edge_icl.cli.formats.parquet import PARQUET, module
from edge_icl.cli.formats.slices import LINE
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from edge_icl.cli.formats.format import Row
    from edge_icl.cli.formats.slices import Slice


class Block(NamedTuple):
    """Some rows.

    Attributes:
        table: the rows, in the schema of the whole.
        problems: number of a row in the table -> why it cannot be read.
    """

    table: pa.Table
    problems: dict[int, str]


def blocks(some: Slice, schema: pa.Schema, field: str, rows: int) -> Iterator[Block]:
    """Yield the rows of a slice.

    Args:
        some: the slice.
        schema: of all rows.
        field: the one with the questions.
        rows: how many a block has at most.

    Raises:
        InputError: the file is not what it was when it was cut.
        OSError: it cannot be read.
    """
    found = (
        _of_parquet(some, schema, rows) if some.kind == PARQUET.name else _of_text(some, schema, field, rows)
    )
    done = 0
    for block in found:
        done += block.table.num_rows
        yield block
    if done != some.rows:
        raise changed(some.path)


def changed(path: str) -> InputError:
    """Return what is told of a file that is not what it was."""
    return InputError(f"{path} was changed while it was asked", "start over, with another name for --out")


def _of_parquet(some: Slice, schema: pa.Schema, rows: int) -> Iterator[Block]:
    """Yield rows of a Parquet file; of what stands before them in their row group nothing is kept."""
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    try:
        with parquet.ParquetFile(some.path) as file:
            sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            begins = [sum(sizes[:i]) for i in range(len(sizes))]
            groups = [i for i, at in enumerate(begins) if at < some.end and at + sizes[i] > some.begin]
            at = begins[groups[0]] if groups else some.end
            for batch in file.iter_batches(batch_size=rows, row_groups=groups):
                begin, end = max(some.begin - at, 0), min(some.end - at, batch.num_rows)
                at += batch.num_rows
                if begin < end:
                    yield Block(arrow.Table.from_batches([batch.slice(begin, end - begin)]).cast(schema), {})
                if at >= some.end:
                    return
    except arrow.ArrowException as error:
        raise changed(some.path) from error


def _of_text(some: Slice, schema: pa.Schema, field: str, rows: int) -> Iterator[Block]:
    """Yield rows of CSV or JSON lines."""
    arrow = module("pyarrow")
    with Path(some.path).open("rb") as stream:
        head = _lines(_bytes(stream, *some.head))
        body = _lines(_bytes(stream, some.begin, some.end))
    if some.kind == CSV.name:
        assert CSV.read is not None
        found = CSV.read(chain(head, body), some.path, Columns((field,), header=True))
        next(found, None)
    else:
        found = lines.rows(body, jsonl.row_object)
    while held := [*islice(found, rows)]:
        problems = {i: row.problem for i, row in enumerate(held) if row.problem}
        make = _cells if some.kind == CSV.name else _values
        columns = make(held, schema, field, problems)
        yield Block(arrow.table(columns, schema=schema), problems)


def _bytes(stream: Any, begin: int, end: int) -> bytes:
    """Return a part of a file."""
    stream.seek(begin)
    data: bytes = stream.read(end - begin)
    return data


def _lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a text, each with its line break."""
    return (found[0] for found in LINE.finditer(data.decode("utf-8", "surrogateescape")))


def _cells(held: list[Row], schema: pa.Schema, _field: str, _problems: dict[int, str]) -> dict[str, list[Any]]:
    """Return the columns of rows of a table: text, also of the rows that are bad."""
    width = len(schema.names)
    cut = [[*row.cells[:width], *[""] * (width - len(row.cells))] for row in held]
    return {name: [_unicode(cells[place]) for cells in cut] for place, name in enumerate(schema.names)}


def _values(held: list[Row], schema: pa.Schema, field: str, problems: dict[int, str]) -> dict[str, list[Any]]:
    """Return the columns of rows that are objects; notes where a question is none."""
    arrow = module("pyarrow")
    convert = {arrow.string(): _text, arrow.float64(): lambda one: None if one is None else float(one)}
    made = {
        name: [*map(convert.get(kind, lambda one: one), (row.fields.get(name) for row in held))]
        for name, kind in zip(schema.names, schema.types, strict=True)
    }
    for i, row in enumerate(held):
        if i not in problems:
            try:
                question = str(values.text(row[field], "question"))
            except InputError as error:
                problems[i] = error.message
            else:
                made[field][i] = _unicode(question)
                if made[field][i] != question:
                    problems[i] = "it holds a lone surrogate, half a character"
    return made


def _text(value: Any) -> str | None:
    """Return a value as text: one that is none as JSON."""
    if value is None:
        return None
    return _unicode(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _unicode(text: str) -> str:
    """Return a text without lone surrogates, which stand for bytes that are no text."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
