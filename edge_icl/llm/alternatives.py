"""Alternatives in a JSON schema: a list of types as `anyOf`, and `oneOf` where no document keeps to two.

    >>> spelled_out({"type": ["string", "null"], "maxLength": 3})
    {'anyOf': [{'type': 'string', 'maxLength': 3}, {'type': 'null'}]}

llama-cpp-python's converter reads nothing beside a list of types, and takes `oneOf` for `anyOf`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge_icl.llm.keywords import KINDS, asks, is_of, values

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_TYPE = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
}
"""Keywords that say something of documents of one type and nothing of others."""


def spelled_out(schema: Any) -> Any:
    """Return a JSON schema that allows no more, in keywords that the converter reads where they stand.

    A list of types becomes alternatives, `true` a schema that asks nothing, and an array with a schema for
    each item has as many items as these.

    Raises:
        ValueError: a value is of none of the types, or a schema is `false`, which allows nothing.
    """
    if schema is True:
        return {}
    if schema is False:
        raise ValueError("false, which allows nothing, cannot be kept")
    if not isinstance(schema, dict):
        return schema
    return _by_type(_of_one_length({key: _inner(key, value) for key, value in schema.items()}))


def refuse_overlap(alternatives: list[dict[str, Any]], refs: Mapping[str, dict[str, Any]]) -> None:
    """Raise where a document that is written for one of `oneOf` may keep to another one, too.

    Args:
        alternatives: schemas, spelled out.
        refs: what each `$ref` names.

    Raises:
        ValueError: two of them may overlap; says which.
    """
    overlap = _Overlap(refs)
    for index, one in enumerate(alternatives):
        for other in alternatives[index + 1 :]:
            if overlap.may_pass(one, other) or overlap.may_pass(other, one):
                raise ValueError(
                    f"{_short(one)} and {_short(other)} in oneOf may allow the same document; write anyOf"
                )


def _inner(key: str, value: Any) -> Any:
    """Return a keyword's value with the schemas in it spelled out."""
    if key in {"properties", "$defs", "definitions"} and isinstance(value, dict):
        return {name: spelled_out(part) for name, part in value.items()}
    if key in {"anyOf", "oneOf", "allOf", "prefixItems", "items"} and isinstance(value, list):
        return [spelled_out(part) for part in value]
    if (key == "items" and value is not False) or (key == "additionalProperties" and isinstance(value, dict)):
        return spelled_out(value)
    return value


def _of_one_length(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop what an array with a schema for each item keeps to in any case: it is written with these items."""
    items = schema.get("prefixItems")
    if not isinstance(items, list):
        return schema
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(items))
    kept_anyway = {"items", "minItems", "maxItems"} if least <= len(items) <= most else set()
    return {key: value for key, value in schema.items() if key not in kept_anyway}


def _by_type(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with a list of types as one with an alternative for each."""
    kinds = schema.get("type")
    if not isinstance(kinds, list) or {"$ref", "anyOf", "oneOf", "allOf"} & schema.keys():
        return schema
    rest = {key: value for key, value in schema.items() if key != "type"}
    if (listed := values(rest)) is not None:
        for value in listed:
            if not any(is_of(value, kind) for kind in kinds):
                raise ValueError(f"{json.dumps(value)[:80]} is of none of the types {', '.join(kinds)}")
        return rest
    own = {kind: {key: rest[key] for key in rest if key in _OF_TYPE.get(kind, ())} for kind in kinds}
    taken = {key for keys in own.values() for key in keys}
    return {
        **{key: value for key, value in rest.items() if key not in taken},
        "anyOf": [{"type": kind, **keys} for kind, keys in own.items()],
    }


class _Overlap:
    """What two schemas may both allow; each pair is looked at once, however often others name it."""

    def __init__(self, refs: Mapping[str, dict[str, Any]]) -> None:
        self._refs = refs
        self._known: dict[tuple[int, int], bool] = {}

    def may_pass(self, written: dict[str, Any], other: dict[str, Any]) -> bool:
        """Return whether a document that is written for one schema may keep to another one."""
        pair = (id(written), id(other))
        if pair not in self._known:
            self._known[pair] = True  # for schemas that hold themselves
            self._known[pair] = self._looked_at(written, other)
        return self._known[pair]

    def _looked_at(self, written: dict[str, Any], other: dict[str, Any]) -> bool:
        """Return the same by the alternatives, values, types and properties of both."""
        if (parts := self._parts(written)) is not None:
            return any(self.may_pass(part, other) for part in parts)
        if (parts := self._parts(other)) is not None:
            return any(self.may_pass(written, part) for part in parts)
        if (listed := values(written)) is not None:
            return any(_may_hold(other, value) for value in listed)
        if (listed := values(other)) is not None:
            return any(_may_hold(written, value) for value in listed)
        kinds = _written_kinds(written)
        related = any(_related(one, two) for one in kinds for two in _kinds(other))
        return related and (kinds != {"object"} or self._object_may_pass(written, other))

    def _object_may_pass(self, written: dict[str, Any], other: dict[str, Any]) -> bool:
        """Return the same of objects, which have the properties required of them, and declared ones only."""
        own, others = written.get("properties", {}), other.get("properties", {})
        required, wanted = set(written.get("required", ())), set(other.get("required", ()))
        closed = "properties" in written and written.get("additionalProperties", False) is False
        if closed and wanted - own.keys():
            return False
        if other.get("additionalProperties") is False and required - others.keys():
            return False
        decisive = (required | wanted) & own.keys() & others.keys()
        return all(self.may_pass(own[name], others[name]) for name in decisive)

    def _parts(self, schema: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Return the schemas that one stands for; None where it stands for itself."""
        if "$ref" in schema:
            return [self._refs[schema["$ref"]]]
        parts: list[dict[str, Any]] | None = schema.get("anyOf") or schema.get("oneOf")
        return parts


def _may_hold(schema: dict[str, Any], value: Any) -> bool:
    """Return whether a value may keep to a schema: certain of one that lists values, and by the type else."""
    if (listed := values(schema)) is not None:
        return value in listed
    return any(is_of(value, kind) for kind in _kinds(schema))


def _written_kinds(schema: dict[str, Any]) -> set[str]:
    """Return the types of what is written for a schema: keywords of one type have only that one written."""
    telling = {kind for kind, keys in _OF_TYPE.items() if keys & schema.keys()}
    return _kinds(schema) & telling or _kinds(schema)


def _kinds(schema: dict[str, Any]) -> set[str]:
    """Return the types that a schema allows."""
    return {schema["type"]} if "type" in schema else {*KINDS}


def _related(one: str, two: str) -> bool:
    """Return whether a document can be of both types: an integer is a number."""
    return one == two or {one, two} == {"integer", "number"}


def _short(schema: dict[str, Any]) -> str:
    """Return a schema for a message."""
    return json.dumps(asks(schema))[:60]
