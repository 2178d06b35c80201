r"""JSON schemas as grammars, by llama-cpp-python's converter, held to JSON and to what it understands.

    >>> print(grammar_of({"enum": ["food", "travel"]}))
    root ::= "\"food\"" | "\"travel\""
    space ::= " "?

The converter passes over keywords that a grammar cannot hold (`minimum`) or that it does not know, and an
answer that breaks the schema would come without a word. So a schema with such a keyword is refused. It also
lets line breaks into strings and mixes up quotes and backslashes, which is put right here.

Import it late: it loads llama_cpp.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from llama_cpp.llama_grammar import BuiltinRule, SchemaConverter

from edge_icl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REMARKS = {
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
    *("$schema", "$id", "$comment", "$defs", "definitions"),
}
"""Keywords that ask nothing of a document."""

MOST_TIMES = 1000
"""The converter writes out each repetition, however many."""

_STRICT_CHARACTER = r'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})'
_STRICT_DOT = r'[^"\\\x00-\x1F\x7F]'


def grammar_of(schema: Mapping[str, Any]) -> str:
    """Return the GBNF grammar of the JSON documents that a schema allows.

    Raises:
        InputError: it is not a schema, or has what a grammar cannot hold; says what.
    """
    try:
        own = json.loads(json.dumps(schema, allow_nan=False))  # the converter writes into it
        for part in _parts(own):
            _refuse_what_is_passed_over(part)
        converter = _Converter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        converter.visit(converter.resolve_refs(own, ""), "")
        return str(converter.format_grammar())
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(
            f"the JSON schema cannot be made a grammar: {error or type(error).__name__}",
            "write it with types, properties, items, enum and $ref",
        ) from error


class _Converter(SchemaConverter):
    """The converter, with strings that are JSON strings."""

    def _format_literal(self, literal: str) -> str:
        """Return a JSON text as a literal of the grammar; the original leaves backslashes as they are."""
        escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
        text = json.dumps(json.loads(literal), ensure_ascii=False)
        return f'"{"".join(escapes.get(character, character) for character in text)}"'

    def _add_primitive(self, name: str, rule: BuiltinRule) -> str:
        """Add a rule that many schemas share; the original's strings may hold line breaks."""
        return str(super()._add_primitive(name, BuiltinRule(_STRICT_CHARACTER) if name == "char" else rule))

    def _add_rule(self, name: str, rule: str) -> str:
        """Add a rule; the original's dot matches the quote that ends a string."""
        return str(super()._add_rule(name, _STRICT_DOT if name == "dot" else rule))

    def _visit_pattern(self, pattern: str, name: str) -> str:
        """Add a rule for a pattern; sets of what is not allowed leave out what would end the string too."""
        safe = re.sub(r"(?<!\\)\[\^", r'[^"\\\\\\x00-\\x1F', pattern)
        return str(super()._visit_pattern(safe, name))


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
    passed_over = sorted(schema.keys() - _REMARKS - _read(schema))
    if passed_over:
        raise ValueError(f"{', '.join(passed_over)} cannot be kept in {json.dumps(schema)[:80]}")
    numbers = re.findall(r"\{[^}]*?([0-9]{4,})", schema.get("pattern", ""))
    for key in ("minItems", "maxItems", "minLength", "maxLength"):
        numbers.append(schema.get(key, 0))
    if max(map(int, numbers)) > MOST_TIMES:
        raise ValueError(f"more than {MOST_TIMES:,} repetitions cannot be kept")
    for least, most in (("minItems", "maxItems"), ("minLength", "maxLength")):
        if schema.get(least, 0) > schema.get(most, schema.get(least, 0)):
            raise ValueError(f"{least} is above {most}")
    unknown = sorted(set(schema.get("required", ())) - schema.get("properties", {}).keys())
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is required and not a property")


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
        ("items" in schema, {"type", "items", "minItems", "maxItems"}),
        ("pattern" in schema, {"type", "pattern"}),
        (kind == "string" and bool(lengths & schema.keys()), {"type", *lengths}),
    ]
    return next((keys for found, keys in branches if found), {"type", "format"})
