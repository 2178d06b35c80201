"""llm.schema: a schema becomes the grammar of its documents, or is refused."""

import json
from typing import Any

import pytest

from edge_icl.errors import InputError
from edge_icl.llm.grammar import Grammar

GOOD: list[dict[str, Any]] = [
    {},
    {"type": "object"},
    {"enum": ["food", 'a "quoted" \\ one', "é😀", 3, None, [1, "x"]]},
    {"const": {"a": 1}},
    {"properties": {'na"me': {"type": "string"}, "n": {"type": "integer"}}, "required": ["n"]},
    {"type": "object", "properties": {"minimum": {"type": "number"}}, "additionalProperties": False},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "title": "A table", "description": "..."},
    {"type": "array", "items": {"type": "null"}, "minItems": 1, "maxItems": 3},
    {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
    {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    {"type": ["string", "null"]},
    {"type": "string", "minLength": 2, "maxLength": 300},
    {"type": "string", "pattern": "^[A-Z]{2}[^0]x.*$"},
    {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
    {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]},
]

BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "strin"}, "Unrecognized schema"),
    ({"type": "integer", "minimum": 3}, "minimum cannot be kept"),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "uniqueItems cannot be kept"),
    ({"type": ["string", "null"], "enum": ["a", None]}, "enum cannot be kept"),
    ({"type": "string", "pattern": "^a$", "maxLength": 3}, "maxLength cannot be kept"),
    ({"type": "object", "required": ["a"]}, "required cannot be kept"),
    ({"properties": {"a": {"not": {}}}}, "not cannot be kept"),
    ({"properties": {}, "required": ["a"]}, "a is required and not a property"),
    ({"properties": 5}, "'int' object"),
    ({"properties": {"a": 5}}, "5 is not a schema"),
    ({"items": {"type": "null"}, "minItems": 4, "maxItems": 2}, "minItems is above maxItems"),
    ({"$ref": "https://example.org/schema"}, "Fetching remote schemas is not allowed"),
    ({"$ref": "#/$defs/none"}, "Error resolving ref"),
    ({"type": "string", "pattern": "a+"}, "Pattern must start"),
    ({"type": "string", "pattern": "^\\d+$"}, "line 1 of the grammar is wrong"),
    ({"type": "string", "maxLength": 10**4}, "more than 1,000 repetitions"),
    ({"type": "string", "pattern": "^a{9999999999}$"}, "more than 1,000 repetitions"),
    ({"type": "array", "items": {"type": "null"}, "maxItems": 10**9}, "more than 1,000 repetitions"),
    pytest.param({"enum": [object()]}, "not JSON serializable", id="an object"),
]


@pytest.mark.parametrize("schema", GOOD, ids=json.dumps)
def test_a_schema_becomes_a_grammar_and_stays_as_it_was(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    grammar = Grammar.from_schema(schema)
    assert grammar == Grammar.from_schema(schema)
    assert json.dumps(schema) == before


@pytest.mark.parametrize(("schema", "reason"), BAD, ids=str)
def test_what_a_grammar_cannot_hold_is_refused(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=f"^the JSON schema cannot be made a grammar: .*{reason}") as caught:
        Grammar.from_schema(schema)
    assert "\n" not in str(caught.value)


def test_texts_stand_in_the_grammar_as_json_writes_them() -> None:
    text = Grammar.from_schema({"enum": ['a"b\\c', "é"]}).text
    assert r'root ::= "\"a\\\"b\\\\c\"" | "\"é\""' in text
