"""JSON lines: a JSON object a line, which is an example or a conversation.

    {"input": "Uber to the airport", "output": "travel", "tags": ["2026"], "source": "old.csv"}
    {"messages": [{"role": "user", "content": "Taxi"}, {"role": "assistant", "content": "travel"}]}

Whether it is one or the other each object says by itself, so that one file may hold both.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge_icl.cli.formats import lines, messages
from edge_icl.cli.formats.format import Columns, Fields, Format, Row, Taught
from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _read(text: Iterator[str], _name: str, _columns: Columns) -> Iterator[Row]:
    """Yield the rows of a file."""
    return lines.rows(text, _object)


def _object(line: str) -> dict[str, Any]:
    """Return the fields of a JSON object."""
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"it is not JSON ({error.msg.lower()} at column {error.colno})") from None
    except RecursionError:
        raise InputError("its JSON is nested too deeply") from None
    except ValueError:
        raise InputError("it holds a number with too many digits") from None
    if not isinstance(fields, dict):
        raise InputError("it is not a JSON object")
    return fields


def _taught(row: Row, fields: Fields) -> Taught:
    """Return what an object says of an example."""
    tags, source = row.fields.get(fields.tags), row.fields.get(fields.source)
    if messages.FIELD in row.fields and fields.input not in row.fields:
        input, output, turns = messages.pair(row[messages.FIELD])
        return Taught(input, output, tags, source, turns)
    return Taught(row[fields.input], row[fields.output], tags, source)


def _line(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return an example as an object."""
    return {name: record[name] for name in names if name in record}


JSONL = Format("jsonl", "one JSON object a line", ("jsonl",), read=_read, taught=_taught, line=_line)
