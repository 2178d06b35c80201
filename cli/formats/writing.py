"""Examples written in any format, into a file or line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_icl.cli.formats.format import Format, Record, Written


def lines(kind: Format, records: Iterable[Record], names: Sequence[str]) -> Iterator[Written]:
    """Yield what is written, a line each: texts, or objects for JSON.

    Args:
        kind: the format.
        records: what is known of each example.
        names: the fields that are written.

    Raises:
        InputError: the format cannot hold a text.
    """
    assert kind.line is not None
    if kind.header is not None:
        yield kind.header(names)
    for record in records:
        yield kind.line(record, names)


def write(file: TextIO, kind: Format, records: Iterable[Record], names: Sequence[str]) -> int:
    """Write examples into a file; return how many.

    Raises:
        InputError: the format cannot hold a text.
        NotInstalledError: the format needs a package that is not installed.
    """
    if kind.save is not None:
        return kind.save(file.buffer, records, names)
    count = 0
    for count, line in enumerate(lines(kind, records, names), start=1):
        text = line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)
        if kind.array:
            file.write("[\n" if count == 1 else ",\n")
        file.write(text if kind.array else f"{text}\n")
    if kind.array:
        file.write("\n]\n" if count else "[]\n")
    return count if kind.header is None else count - 1
