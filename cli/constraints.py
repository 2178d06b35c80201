"""Files that say what a written answer must keep to: a grammar, or a JSON schema."""

from __future__ import annotations

import json
from typing import Any

from edge_icl.cli import given
from edge_icl.errors import InputError


def grammar(file: str) -> str:
    """Return a grammar as a file has it.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return given.whole(file, most=given.MOST_OF_A_FORM).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text", "save it as UTF-8") from error


def json_schema(file: str) -> dict[str, Any]:
    """Return the JSON schema that a file holds.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    try:
        schema = json.loads(grammar(file))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON: {error}", "give a JSON schema") from error
    if not isinstance(schema, dict):
        raise InputError(f"{file} is not a JSON schema, which is an object", 'write {"type": ...}')
    return schema
