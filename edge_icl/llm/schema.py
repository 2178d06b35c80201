r"""JSON schemas as grammars, by llama-cpp-python's converter, held to JSON and to what it understands.

    >>> print(grammar_of({"enum": ["food", "travel"]}))
    root ::= "\"food\"" | "\"travel\""
    space ::= " "?

The converter passes over keywords that a grammar cannot hold (`minimum`) or that it does not know, and an
answer that breaks the schema would come without a word. So a schema with such a keyword is refused
(`keywords`). Where the converter's rules are wider than the schema, they are put right here.

Import it late: it loads llama_cpp.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from llama_cpp.llama_grammar import PRIMITIVE_RULES, BuiltinRule, SchemaConverter

from edge_icl.errors import InputError
from edge_icl.llm.alternatives import refuse_overlap, spelled_out
from edge_icl.llm.gbnf import ROOT
from edge_icl.llm.keywords import asks, refuse
from edge_icl.llm.patterns import code, rule_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNWRITTEN = r'"\\\x00-\x1F\x7F'
_STRICT_CHARACTER = (
    rf'[^{_UNWRITTEN}] | "\\" (["\\/bfnrt] | "u" '
    r"([0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))"
)
"""Without line breaks, and without halves of surrogate pairs, which are not text."""

_ADDITIONAL = 'string ":" space '
"""How the converter's rule of an additional property begins."""

_ANYTHING = {"title": "anything"}


def grammar_of(schema: Mapping[str, Any]) -> str:
    """Return the GBNF grammar of the JSON documents that a schema allows.

    Raises:
        InputError: it is not a schema, or has what a grammar cannot hold; says what.
    """
    try:
        own = spelled_out(json.loads(json.dumps(schema, allow_nan=False)))  # the converter writes into it
        refuse(own)
        return _converted(own)
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


def _converted(schema: dict[str, Any]) -> str:
    """Return the grammar of a schema that may be written into."""
    converter = _Converter()
    if converter.visit(converter.resolve_refs(schema, ""), "") != ROOT:
        raise ValueError("a property whose name is empty cannot be kept")  # the converter calls it root
    return str(converter.format_grammar())


class _Converter(SchemaConverter):
    """The converter, held to JSON and to the schema where the original is not."""

    def __init__(self) -> None:
        super().__init__(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        self._declared: list[list[str]] = []  # the properties of the objects that are being written

    def visit(self, schema: dict[str, Any], name: str) -> str:
        """Add the rule of a schema, and return its name.

        The original takes an inner schema that asks nothing for an object's, or not at all, and joins what
        `allOf` holds by looking at its properties only.
        """
        asked = asks(schema)
        if not asked and name:
            return self._add_primitive("value", PRIMITIVE_RULES["value"])
        if asked.get("items") == {}:
            asked["items"] = _ANYTHING
        if "oneOf" in asked:
            refuse_overlap(asked["oneOf"], self._refs)
        if "allOf" in asked and "properties" not in asked:
            parts = [self._refs[part["$ref"]] if "$ref" in part else part for part in asked["allOf"]]
            if len(parts) == 1 and len(asked) == 1:
                return str(self.visit(asked["allOf"][0], name))
            _refuse_to_join(parts)
        return str(super().visit(asked, name))

    def _format_literal(self, literal: str) -> str:
        """Return a JSON text as a literal of the grammar; the original leaves backslashes as they are."""
        escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
        text = json.dumps(json.loads(literal), ensure_ascii=False)
        return f'"{"".join(escapes.get(character, character) for character in text)}"'

    def _add_primitive(self, name: str, rule: BuiltinRule) -> str:
        """Add a rule that many schemas share; the original's strings may hold line breaks."""
        return str(super()._add_primitive(name, BuiltinRule(_STRICT_CHARACTER) if name == "char" else rule))

    def _build_object_rule(
        self, properties: list[tuple[str, Any]], required: set[str], name: str, additional_properties: Any
    ) -> str:
        """Return the rule of an object."""
        self._declared.append([key for key, _ in properties])
        rule = super()._build_object_rule(properties, required, name, additional_properties)
        self._declared.pop()
        return str(rule)

    def _add_rule(self, name: str, rule: str) -> str:
        """Add a rule; the original's additional properties may be declared ones once more."""
        if rule.startswith(_ADDITIONAL) and self._declared[-1]:
            rule = _other_key(self._declared[-1]) + rule.removeprefix("string")
        return str(super()._add_rule(name, rule))

    def _visit_pattern(self, pattern: str, name: str) -> str:
        """Add a rule for a pattern; the original does not know what JSON escapes."""
        return self._add_rule(name, f'"\\"" ({rule_of(pattern)}) "\\"" space')


def _refuse_to_join(parts: list[dict[str, Any]]) -> None:
    """Raise unless the parts of `allOf` are objects, each with properties of its own; all are required."""
    seen: set[str] = set()
    for part in parts:
        own = part.get("properties", {}).keys()
        if (
            not own
            or asks(part).keys() - {"type", "properties", "required"}
            or part.get("type", "object") != "object"
        ):
            raise ValueError("allOf of anything but objects with properties cannot be kept")
        if own & seen:
            raise ValueError(f"{', '.join(sorted(own & seen))} in two parts of allOf cannot be kept")
        seen |= own


def _other_key(names: list[str]) -> str:
    """Return the rule of a JSON string, written without escapes, that is none of some names."""
    writable = [name for name in names if not re.search(f"[{_UNWRITTEN}]", name)]
    return rf'"\"" {_other_than(writable)} "\"" space'


def _other_than(endings: list[str]) -> str:
    """Return the rule of the texts that are none of some endings."""
    after: dict[str, list[str]] = {}
    for ending in filter(None, endings):
        after.setdefault(ending[0], []).append(ending[1:])
    firsts = "".join(code(ord(first)) for first in after)
    ways = [f"[^{_UNWRITTEN}{firsts}] [^{_UNWRITTEN}]*"]
    ways += [f'"{code(ord(first))}" {_other_than(rest)}' for first, rest in after.items()]
    if "" not in endings:
        ways.append('""')
    return f"({' | '.join(ways)})"
