"""Which keywords of a JSON schema a grammar keeps to.

    >>> refuse({"type": "integer", "minimum": 3})
    Traceback (most recent call last):
    ValueError: minimum cannot be kept in {"type": "integer", "minimum": 3}

llama-cpp-python's converter decides by the first keyword that it finds and passes over the others, so what it
does not look at where it stands is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge_icl.llm.patterns import MOST_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

REMARKS = {
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
    *("$schema", "$id", "$comment", "$defs", "definitions", "discriminator"),
}
"""Keywords that ask nothing of a document."""

FORMATS = {"date", "time", "date-time", "uuid", "uuid1", "uuid2", "uuid3", "uuid4", "uuid5"}
"""Those that the converter has a rule for."""

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}
"""The types of JSON Schema, apart from integer, which is a number; and what Python reads them as."""


def refuse(schema: Any) -> None:
    """Raise for what a grammar cannot hold, in a schema and in all schemas inside it.

    Raises:
        ValueError, TypeError, AttributeError: it is not a schema, or has what a grammar cannot hold; says what.
    """
    for part in _parts(schema):
        _refuse_what_is_passed_over(part)
        _refuse_counts(part)
        _refuse_values(part)


def asks(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without its remarks."""
    return {key: value for key, value in schema.items() if key not in REMARKS}


def values(schema: dict[str, Any]) -> list[Any] | None:
    """Return the values that a schema lists; None where it lists none."""
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Give a schema and all schemas inside it."""
    if not isinstance(schema, dict):
        raise TypeError(f"{json.dumps(schema)} is not a schema")
    yield schema
    for key, inner in schema.items():
        if key in {"properties", "$defs", "definitions"}:
            below = list(inner.values())
        elif key in {"anyOf", "oneOf", "allOf", "prefixItems"} or (key == "items" and isinstance(inner, list)):
            below = list(inner)
        else:
            below = [inner] if key == "items" or (key, type(inner)) == ("additionalProperties", dict) else []
        for part in below:
            yield from _parts(part)


def _refuse_what_is_passed_over(schema: dict[str, Any]) -> None:
    """Raise for a keyword that the converter does not look at where it stands."""
    passed_over = sorted(schema.keys() - REMARKS - _read(schema))
    if passed_over:
        raise ValueError(f"{', '.join(passed_over)} cannot be kept in {json.dumps(schema)[:80]}")
    unknown = sorted(set(schema.get("required", ())) - schema.get("properties", {}).keys())
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is required and not a property")
    if "oneOf" in schema and "anyOf" in schema:
        raise ValueError(f"oneOf and anyOf together cannot be kept in {json.dumps(schema)[:80]}")


def _refuse_counts(schema: dict[str, Any]) -> None:
    """Raise for more repetitions than are written out, and for those that no document has."""
    if max(int(schema.get(key, 0)) for key in ("minItems", "maxItems", "minLength", "maxLength")) > MOST_TIMES:
        raise ValueError(f"more than {MOST_TIMES:,} repetitions cannot be kept")
    for least, most in (("minItems", "maxItems"), ("minLength", "maxLength")):
        if schema.get(least, 0) > schema.get(most, schema.get(least, 0)):
            raise ValueError(f"{least} is above {most}")


def _refuse_values(schema: dict[str, Any]) -> None:
    """Raise for values that the type does not allow, for none at all, and for a format without a rule."""
    for key in ("enum", "anyOf", "oneOf", "allOf"):
        if schema.get(key) == []:
            raise ValueError(f"{key} has nothing in it")
    for value in values(schema) or () if isinstance(schema.get("type"), str) else ():
        if not is_of(value, schema["type"]):
            raise ValueError(f"{json.dumps(value)[:80]} is not of the type {schema['type']}")
    form = schema.get("format")
    if form is not None and (form not in FORMATS or schema.get("type", "string") != "string"):
        raise ValueError(f"the format {json.dumps(form)} cannot be kept")


def is_of(value: Any, kind: str) -> bool:
    """Return whether a value is of a type, as JSON Schema has them: 1.0 is an integer, true is no number."""
    if kind == "integer":
        return is_of(value, "number") and float(value).is_integer()
    return isinstance(value, KINDS.get(kind, ())) and (kind == "boolean" or not isinstance(value, bool))


def _read(schema: dict[str, Any]) -> set[str]:
    """Return the keywords that the converter looks at: it decides by the first that it finds, in this order."""
    kind = schema.get("type")
    lengths = {"minLength", "maxLength"}
    branches: list[tuple[bool, set[str]]] = [
        ("$ref" in schema, {"$ref"}),
        ("oneOf" in schema or "anyOf" in schema, {"oneOf", "anyOf"}),
        (isinstance(kind, list), {"type"}),
        ("const" in schema, {"type", "const"}),
        ("enum" in schema, {"type", "enum"}),
        (
            kind in (None, "object") and bool({"properties", "additionalProperties"} & schema.keys()),
            {"type", "properties", "required", "additionalProperties"},
        ),
        (kind in (None, "object") and "allOf" in schema, {"type", "allOf"}),
        ("prefixItems" in schema, {"type", "prefixItems"}),
        (isinstance(schema.get("items"), list), {"type", "items"}),
        ("items" in schema, {"type", "items", "minItems", "maxItems"}),
        ("pattern" in schema, {"type", "pattern"}),
        (kind == "string" and bool(lengths & schema.keys()), {"type", *lengths}),
    ]
    return next((keys for found, keys in branches if found), {"type", "format"})
