"""llm.schema: a schema becomes the grammar of its documents, or is refused."""

import json
import random
import string
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_icl.errors import InputError
from edge_icl.llm.follow import Budget, begin
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
    {"allOf": [{"$ref": "#/$defs/kind"}], "$defs": {"kind": {"enum": ["x", "y"]}}},
    {"allOf": [{"type": "array", "items": {"type": "integer"}, "maxItems": 2}], "title": "A list"},
    {"properties": {"a": {"type": "integer"}, "ab": {"type": "null"}}, "additionalProperties": {"const": "c"}},
    {
        "properties": {"é": {"type": "null"}, 'a"': {"type": "null"}},
        "additionalProperties": {"type": "boolean"},
    },
    {"properties": {"a": {"type": "boolean"}}, "additionalProperties": True, "required": ["a"]},
    {"properties": {"a": {"title": "anything"}, "b": {}}, "required": ["a"]},
    {"type": "array", "items": {}},
    {"type": "integer", "enum": [1, 2.0]},
    {"type": "string", "pattern": r'^(a"|\\b)$'},
    {"type": "string", "pattern": "^[ -~]{1,3}$"},
    {"type": "string", "pattern": r"^v1\.*\d{2}\s?\w$"},
    {"type": "string", "pattern": r"^[^\W\d]\S\n?$"},
    {"type": "string", "pattern": "^(?:ab)?[a\\]-]+?$"},
    {"type": ["string", "null"], "enum": ["a", None]},
    {"type": ["string", "integer"], "const": 7, "title": "Seven"},
    {"type": ["string", "null"], "maxLength": 2},
    {
        "properties": {
            "a": {"type": ["array", "object"], "items": {"type": "null"}, "properties": {"b": True}}
        },
        "required": ["a"],
    },
    {"type": "array", "prefixItems": [{"type": "integer"}, True], "minItems": 2, "maxItems": 2, "items": False},
    {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": "^a$"}, {"enum": [None, 2.5]}]},
    {
        "oneOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}],
        "discriminator": {"propertyName": "kind"},
        "$defs": {
            "cat": {
                "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
                "required": ["kind"],
            },
            "dog": {"properties": {"kind": {"enum": ["dog", "hound"]}}, "required": ["kind"], "type": "object"},
        },
    },
    {
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "null"}}, "required": ["b"]},
        ]
    },
]

BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "strin"}, "Unrecognized schema"),
    ({"type": "integer", "minimum": 3}, "minimum cannot be kept"),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "uniqueItems cannot be kept"),
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
    ({"properties": {"": {"type": "null"}}}, "a property whose name is empty"),
    ({"type": "string", "pattern": "^a|b$"}, "Pattern must start"),
    ({"type": "string", "pattern": r"^a\$"}, "Pattern must start"),
    ({"type": "string", "pattern": "^(a$"}, "is not a regular expression"),
    ({"type": "string", "pattern": r"^(a)\1$"}, "groupref in a pattern cannot be kept"),
    ({"type": "string", "pattern": "(?i)^a$"}, "flags in a pattern"),
    ({"type": "string", "pattern": "^\ud800$"}, "half a surrogate pair"),
    ({"type": "string", "format": "email"}, 'the format "email" cannot be kept'),
    ({"type": "integer", "format": "date"}, 'the format "date" cannot be kept'),
    ({"type": "integer", "enum": [1, "a"]}, '"a" is not of the type integer'),
    ({"type": "number", "const": True}, "true is not of the type number"),
    ({"enum": []}, "enum has nothing in it"),
    ({"anyOf": []}, "anyOf has nothing in it"),
    ({"anyOf": [{"type": "null"}], "oneOf": [{"type": "string"}]}, "oneOf and anyOf together"),
    ({"allOf": [{"type": "string"}, {"enum": ["a"]}]}, "allOf of anything but objects"),
    (
        {"allOf": [{"properties": {"a": {}}}, {"anyOf": [{"properties": {"b": {}}}]}]},
        "allOf of anything but objects",
    ),
    (
        {"allOf": [{"properties": {"a": {}}, "additionalProperties": False}, {"properties": {"b": {}}}]},
        "allOf of",
    ),
    ({"allOf": [{"properties": {"a": {}}}, {"properties": {"a": {"const": 1}}}]}, "a in two parts of allOf"),
    ({"type": "array", "items": [{"type": "null"}], "minItems": 2}, "minItems cannot be kept"),
    ({"type": "string", "maxLength": 10**4}, "more than 1,000 repetitions"),
    ({"type": "string", "pattern": "^a{9999999999}$"}, "more than 1,000 repetitions"),
    ({"type": "array", "items": {"type": "null"}, "maxItems": 10**9}, "more than 1,000 repetitions"),
    ({"type": ["string", "null"], "enum": ["a", 1]}, "1 is of none of the types string, null"),
    ({"type": ["string", "null"], "minItems": 2}, "minItems cannot be kept"),
    ({"type": []}, "anyOf has nothing in it"),
    ({"properties": {"a": False}}, "false, which allows nothing"),
    ({"prefixItems": [{}], "minItems": 2}, "minItems cannot be kept"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "may allow the same document; write anyOf"),
    ({"oneOf": [{"type": "string"}, {"properties": {"a": {}}}]}, "may allow the same document"),
    (
        {"oneOf": [{"enum": ["a", "b"]}, {"type": ["null", "string"], "enum": ["b", None]}]},
        "may allow the same",
    ),
    (
        {
            "oneOf": [
                {"properties": {"a": {"type": "string"}}},
                {"type": "object", "required": ["b"], "properties": {"b": {}}},
            ]
        },
        "may allow the same",
    ),
    (
        {
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}},
            "oneOf": [{"$ref": "#/$defs/a"}, {"type": "null"}],
        },
        "may allow the same",
    ),
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


LETTERS = string.printable + "é\u2028\U0001f600"


def some_document(schema: dict[str, Any], choose: random.Random) -> str | None:
    """Write one character after another that the grammar allows; None where that does not come to an end."""
    state, text = begin(Grammar.from_schema(schema).root, Budget()), ""
    for _ in range(80):
        onward = [(letter, reached) for letter in LETTERS if not (reached := state.after(letter)).dead]
        if state.whole and (not onward or choose.random() < 0.5):
            return text
        if not onward:
            return None
        closing = [one for one in onward if one[0] in '"}]']
        letter, state = choose.choice(closing if closing and choose.random() < 0.4 else onward)
        text += letter
    return None


@settings(max_examples=300)
@given(st.sampled_from(GOOD), st.integers(0, 2**32))
def test_what_is_written_keeps_to_the_schema(schema: dict[str, Any], seed: int) -> None:
    text = some_document(schema, random.Random(seed))
    if text is not None:
        jsonschema.validate(json.loads(text), schema)
        json.dumps(json.loads(text), ensure_ascii=False).encode()  # no half of a surrogate pair


def test_alternatives_of_alternatives_are_looked_at_once_each() -> None:
    ways = 10
    inner: dict[str, Any] = {f"{n}": {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * ways} for n in range(ways)}
    schema = {"$defs": {**inner, f"{ways}": {"type": "null"}}, "oneOf": [{"$ref": "#/$defs/0"}, {"const": 1}]}
    assert Grammar.from_schema(schema)
