"""Grammars and JSON schemas of a user who means harm: one sentence, or texts that keep to them; never a hang.

What is allowed is held against llama.cpp's own sampler, where it can be let near a grammar.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import random
import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
import tiny
from alarm import no_hang
from campaigns import later
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge_icl.errors import InputError
from edge_icl.llm.grammar import Constraint, Grammar
from edge_icl.llm.native import llama
from edge_icl.llm.vocabulary import Vocabulary

CHAIN = "\n".join(f"a{i} ::= a{i + 1} | a{i + 1}" for i in range(60)) + '\na60 ::= "x"'
DEEP = "\n".join(f"a{i} ::= a{i + 1}" for i in range(15_000)) + '\na15000 ::= "x"'
WIDE = "\n".join(f'a{i} ::= a{i + 1} "x" | a{i + 1} "y"' for i in range(60)) + '\na60 ::= "x"'
HOSTILE = {
    "a chain that names each rule twice": f"root ::= a0\n{CHAIN}",
    "a chain of fifteen thousand rules": f"root ::= a0\n{DEEP}",
    "a million million ways to begin": f"root ::= a0\n{WIDE}",
    "ways that double with each character": 'root ::= "a" root "b" | "a" root "c" | "a"',
    "the same in a string of blanks": 'root ::= " " root "b" | " " root "c" | " "',
    "a thousand things that may be missing": f"root ::= {' '.join(['[a-z]?'] * 1000)}",
    "a long text that is repeated": f'root ::= ("{"a" * 1000}" | "b")* "c"',
    "many repetitions": f"root ::= {' '.join(['[a-z]{1,1000}'] * 300)}",
    "very many repetitions": f"root ::= {' '.join(['(a a a){300}'] * 5000)}\na ::= [a-z] [a-z]?",
    "repetitions in repetitions": 'root ::= ((("a"?) "b"?){1,30} "c"?){1,30}',
    "deep parentheses": f"root ::= {'(' * 1000}'a'{')*' * 1000}".replace("'", '"'),
    "a hundred thousand words": f"root ::= {' | '.join(['[a-z]'] * 30_000)}",
    "a hidden left recursion": 'root ::= b root | "x"\nb ::= c?\nc ::= d*\nd ::= "d"',
    "nothing": "root ::= ",
    "only itself": "root ::= root",
    "two that name each other": 'root ::= a\na ::= root | "x"',
    "an empty set": "root ::= [] [^] []",
    "an empty set that is repeated": "root ::= []*",
    "a set that ends before it begins": "root ::= [z-a] [\\U0010FFFF-\\x00]",
    "characters that are none": "root ::= [\\U00110000-\\UFFFFFFFF] | [\\uD800-\\uDFFF]",
}


LONG = {"many repetitions", "a hundred thousand words", "a million properties"}
"""Grammars and schemas that take seconds, and do as others do."""


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vocabulary]:
    """A vocabulary of bytes, and of some long tokens."""
    path = tmp_path_factory.mktemp("vocabulary") / "tiny.gguf"
    words = ["a" * 64, " " * 128, "ab", "aé", "aaaa", "b c", '{"', "xyz"]
    tokens = [*tiny.TOKENS, *(word.replace(" ", "\u2581") for word in words)]
    more = {
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [-float(i) for i in range(len(tokens))],
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * (len(tokens) - 259)],
    }
    path.write_bytes(tiny.llama(more=more))
    with Vocabulary.load(path) as loaded:
        yield loaded


def written(grammar: Grammar, vocabulary: Vocabulary, seed: int, most: int = 20) -> str | None:
    """Let a model that knows nothing write under a grammar: a text, None where it cannot go on."""
    constraint, chance, text = Constraint(grammar, vocabulary), np.random.default_rng(seed), b""
    for _ in range(most):
        logits = chance.normal(size=vocabulary.size).astype(np.float32)
        token = constraint.choose(logits)
        if token is None:
            return None
        if vocabulary.ends(token):
            break
        constraint.accept(token)
        text += vocabulary.piece(token)
    return text.decode(errors="replace")


def refused_or_followed(make: Callable[[], Grammar], vocabulary: Vocabulary, seed: int) -> bool:
    """Have a model write under a grammar; return whether that went well, rather than that it was refused."""
    refused = None
    with no_hang():
        try:
            written(make(), vocabulary, seed, most=8)
        except InputError as error:
            refused = error
    assert refused is None or (refused.message and refused.hint and "\n" not in str(refused))
    return refused is None


@pytest.mark.parametrize("name", [later(name) if name in LONG else name for name in HOSTILE])
def test_a_hostile_grammar_is_one_sentence_or_is_followed(
    vocabulary: Vocabulary, name: str, campaign: bool
) -> None:
    for seed in range(3 if campaign else 1):
        refused_or_followed(lambda: Grammar.from_text(HOSTILE[name]), vocabulary, seed)


ATOMS = ['"a"', '"ab"', "[a-c]", "[^a]", ".", '""', '"é"', '" "', "[]", "[ab-]", '"\\n"', '"\\U0001F600"']
TIMES = ["", "", "", "*", "+", "?", "{2}", "{0,3}", "{1,}", "{0}", "{40}"]


def some_grammar(choose: random.Random, *, rules: int, deepest: int) -> str:
    """Return a grammar at random; most are hostile in one way or another."""
    names = ["root", *(f"r{i}" for i in range(1, rules))]

    def item(depth: int) -> str:
        kind = choose.random()
        if depth < deepest and kind < 0.25:
            return f"({sequence(depth + 1)})" + choose.choice(TIMES)
        text = choose.choice(names) if kind < 0.5 else choose.choice(ATOMS)
        return text if text == '""' else text + choose.choice(TIMES)

    def sequence(depth: int) -> str:
        alternatives = choose.randint(1, 3)
        return " | ".join(
            " ".join(item(depth) for _ in range(choose.randint(0 if depth else 1, 3)))
            for _ in range(alternatives)
        )

    return "\n".join(f"{name} ::= {sequence(0)}" for name in names)


def test_thousands_of_grammars_are_one_sentence_or_followed_and_none_hangs(
    vocabulary: Vocabulary, campaign: bool, count: Callable[[str, int], None]
) -> None:
    tried, followed = 20_000 if campaign else 100, 0
    for seed in range(tried):
        choose = random.Random(seed)
        text = some_grammar(choose, rules=choose.randint(1, 6), deepest=choose.randint(0, 4))
        followed += refused_or_followed(partial(Grammar.from_text, text), vocabulary, seed)
    assert 0 < followed < tried
    count("hostile grammars", tried)


def theirs(vocabulary: Vocabulary, text: str, so_far: list[int]) -> list[int]:
    """Return the tokens that llama.cpp's own sampler allows after others."""
    library = llama()
    sampler = library.llama_sampler_init_grammar(vocabulary._vocab, text.encode(), b"root")
    assert sampler, text
    for token in so_far:
        library.llama_sampler_accept(sampler, token)
    rows = np.zeros(vocabulary.size, np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)]))
    rows["id"] = np.arange(vocabulary.size)
    data = library.llama_token_data_array(
        data=rows.ctypes.data_as(library.llama_token_data_p), size=len(rows), selected=-1, sorted=False
    )
    library.llama_sampler_apply(sampler, ctypes.byref(data))
    library.llama_sampler_free(sampler)
    return np.flatnonzero(np.isfinite(rows["logit"])).tolist()


def is_text(pieces: list[bytes]) -> bool:
    """Tell whether pieces are the beginning of a text: llama.cpp takes some bytes for UTF-8 that are none."""
    data = b"".join(pieces)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    half_surrogate = re.search(rb"\xed[\xa0-\xbf]\Z", data)  # Python waits for its third byte to refuse it
    return b"\0" not in data and half_surrogate is None


@example(1781)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_what_is_allowed_is_what_llama_cpp_allows(vocabulary: Vocabulary, seed: int) -> None:
    choose = random.Random(seed)
    text = (
        some_grammar(choose, rules=choose.randint(1, 3), deepest=2).replace("{40}", "{4}").replace("{0}", "?")
    )
    try:
        grammar = Grammar.from_text(text)
    except InputError:
        return
    constraint, so_far = Constraint(grammar, vocabulary), []
    for _ in range(6):
        try:
            ours = [token for token in range(vocabulary.size) if constraint.allows(token)]
        except InputError:  # too many ways to read one text: llama.cpp follows them all, however long it takes
            return
        special = [token for token in range(3) if token != vocabulary.end]  # text for llama.cpp
        wanted = [
            token
            for token in theirs(vocabulary, text, so_far)
            if token not in special and is_text([vocabulary.piece(one) for one in (*so_far, token)])
        ]
        assert ours == wanted, (text, so_far)
        more = [token for token in ours if not vocabulary.ends(token)]
        if not more:
            break
        so_far.append(choose.choice(more))
        constraint.accept(so_far[-1])


KINDS = ["string", "integer", "number", "boolean", "null", "object", "array", ["string", "null"], 7, None]
PATTERNS = ["^a+$", "^(a|b)*$", "^(a*)*$", "^(a?){9}$", "^[a-z]{1,999}$", "(", "^\\d+$", "a", "^.*$", "^((a))$"]


def some_schema(choose: random.Random, depth: int = 0) -> object:
    """Return a JSON schema at random, of which few are harmless."""
    if choose.random() < 0.05:
        return choose.choice([True, None, 3, [], "x", float("nan"), {"$ref": "#"}, {"$ref": "#/$defs/a"}])
    inner = {} if depth > 3 else {"items": some_schema(choose, depth + 1), "a": some_schema(choose, depth + 1)}
    parts: dict[str, object] = {
        "type": choose.choice(KINDS),
        "pattern": choose.choice(PATTERNS),
        "minLength": choose.choice([0, 3, 1000, 10**9, -1, "x", 1e300]),
        "maxLength": choose.choice([0, 5, 1000, 10**12, None]),
        "minItems": choose.choice([0, 2, 1000]),
        "maxItems": choose.choice([0, 2, 1000, 10**9]),
        "enum": choose.choice([[], ["a", "b"], [{"x": [1, None]}], list(range(3000)), "abc"]),
        "const": choose.choice(["\u2028", 1e400, {"a": "\\"}]),
        "required": choose.choice([[], ["a"], ["b"], "a"]),
        "additionalProperties": choose.choice([True, False, inner.get("a", {})]),
        "$ref": choose.choice(["#", "#/$defs/a", "#/nowhere", "http://example.com/x", 3]),
    }
    if inner:
        parts |= {
            "items": inner["items"],
            "prefixItems": [inner["items"], inner["a"]],
            "properties": {"a": inner["a"], "\u202e\n": inner["items"]},
            "anyOf": [inner["a"], inner["items"]],
            "allOf": [inner["a"]],
            "$defs": {"a": inner["a"]},
        }
    names = choose.sample(sorted(parts), k=choose.randint(1, 3))
    return {name: parts[name] for name in names}


def test_thousands_of_schemas_are_one_sentence_or_followed_and_none_hangs(
    vocabulary: Vocabulary, campaign: bool, count: Callable[[str, int], None]
) -> None:
    tried, followed = 10_000 if campaign else 100, 0
    for seed in range(tried):
        schema = some_schema(random.Random(seed))
        followed += refused_or_followed(partial(Grammar.from_schema, schema), vocabulary, seed)
    assert 0 < followed < tried
    count("hostile JSON schemas", tried)


SCHEMAS = {
    "deep": json.loads('{"items":' * 400 + "{}" + "}" * 400),
    "itself": {"$ref": "#"},
    "itself below": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "two that name each other": {
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "$ref": "#/$defs/a",
    },
    "a million properties": {"properties": {f"p{i}": {"type": "string"} for i in range(20_000)}},
    "every order of properties": {
        "properties": {f"p{i}": {"type": "integer"} for i in range(400)},
        "required": [],
    },
    "many doubled": {"anyOf": [{"anyOf": [{"type": "string", "maxLength": 999}] * 30}] * 30},
    "arrays in arrays": {
        "type": "array",
        "maxItems": 999,
        "items": {"type": "array", "maxItems": 999, "items": {"type": "array", "maxItems": 999}},
    },
    "a pattern of patterns": {"type": "string", "pattern": f"^{'(' * 300}a{')' * 300}$"},
    "a pattern that doubles": {"type": "string", "pattern": "^(((a|a)+)+)+$"},
    "a pattern without an end": {"type": "string", "pattern": "^" + "(a|" * 200},
    "a nested count": {"type": "string", "pattern": "^((((a{99}){99}){99}){99}){99}$"},
}


@pytest.mark.parametrize("name", [later(name) if name in LONG else name for name in SCHEMAS])
def test_a_hostile_schema_is_one_sentence_or_is_followed(vocabulary: Vocabulary, name: str) -> None:
    refused_or_followed(lambda: Grammar.from_schema(SCHEMAS[name]), vocabulary, 1)
