"""Parquet, in which data sets are published: columns of values, compressed. Needs pyarrow (extra `parquet`).

Where the library `datasets` wrote a column of numbers that stand for labels, the file has the labels as well;
then these are read.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import jsonl
from edge_icl.cli.formats.format import Columns, Format, Row
from edge_icl.errors import InputError, NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from edge_icl.cli.formats.format import Record

BATCH = 1024
"""Rows that are in memory at once."""


def module(name: str) -> Any:
    """Return a module of pyarrow.

    Raises:
        NotInstalledError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise NotInstalledError(
            "Parquet needs pyarrow, which is not installed",
            "install it with `pip install 'edge-icl[parquet]'`",
        ) from None


def _load(file: BinaryIO, name: str, _columns: Columns) -> Iterator[Row]:
    """Yield the rows of a file; the line of each is its number.

    Raises:
        InputError: it is no Parquet.
        NotInstalledError: pyarrow is not installed.
    """
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    number = 0
    try:
        opened = parquet.ParquetFile(file)
        refuse_twice(opened.schema_arrow.names, name)
        labels = _labels(opened.schema_arrow.metadata or {})
        for batch in opened.iter_batches(batch_size=BATCH):
            for fields in batch.to_pylist():
                number += 1
                yield _row(number, fields, labels)
    except (arrow.ArrowException, OSError) as error:
        raise unreadable(name, error) from error


def unreadable(name: str | Path, error: Exception) -> InputError:
    """Return what is told of a file that pyarrow cannot read.

    Args:
        name: of the file.
        error: what pyarrow says.
    """
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{name} cannot be read as Parquet ({told})", "check that the file is whole")


def _labels(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Return the labels that the numbers of a column stand for, by its name; see above."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {
            column: feature["names"]
            for column, feature in features.items()
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }
    except (KeyError, TypeError, AttributeError, ValueError):  # there is none, or it is of another kind
        return {}


def refuse_twice(names: Sequence[str], file: str) -> None:
    """Raise for two columns of one name, which Arrow allows and of whose values only the last would be seen.

    Raises:
        InputError: there are some.
    """
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{file} has two columns {twice[0]}", "give them different names")


def _row(number: int, fields: dict[str, Any], labels: dict[str, list[str]]) -> Row:
    """Return a row, with labels for the numbers that stand for some; -1 stands for none."""
    for column, names in labels.items():
        value = fields.get(column)
        if isinstance(value, int):
            if value >= len(names):
                return Row(number, problem=f"{column} is {value:,}, and there are {len(names):,} labels")
            fields[column] = names[value] if value >= 0 else None
    return Row(number, fields)


def _save(file: BinaryIO, records: Iterable[Record], names: Sequence[str]) -> int:
    """Write examples, in batches; return how many.

    Raises:
        NotInstalledError: pyarrow is not installed.
    """
    arrow, parquet = module("pyarrow"), module("pyarrow.parquet")
    kinds = {name: arrow.list_(arrow.string()) if name == "tags" else arrow.string() for name in names}
    schema, count = arrow.schema([arrow.field(name, kind) for name, kind in kinds.items()]), 0
    with parquet.ParquetWriter(file, schema) as writer:
        held: list[Record] = []
        for record in records:
            held.append({name: record.get(name) for name in names})
            count += 1
            if len(held) == BATCH:
                writer.write_batch(arrow.RecordBatch.from_pylist(held, schema=schema))
                held.clear()
        writer.write_batch(arrow.RecordBatch.from_pylist(held, schema=schema))
    return count


PARQUET = Format(
    "parquet",
    "a Parquet file, with pyarrow",
    ("parquet",),
    load=_load,
    save=_save,
    taught=jsonl.taught,
    line=jsonl.line,
)
