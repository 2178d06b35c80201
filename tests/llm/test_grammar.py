"""llm.grammar: a written answer keeps to its grammar, whatever the model would like to write."""

import json
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_icl.errors import InputError, ModelError
from edge_icl.example import Example
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.grammar import Constraint, Grammar
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.schema import grammar_of
from edge_icl.prompt.prompt import PLAIN, fit
from edge_icl.runtime.cancel import Cancel

pytest_plugins = ["llm_fixtures"]

SCHEMA = {
    "type": "object",
    "properties": {
        "mood": {"enum": ["good", "bad"]},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 2},
        "stars": {"type": "integer"},
    },
    "required": ["mood", "words", "stars"],
}

SHOWN = [Example("a joy", "good"), Example("a bore", "bad"), Example("a gem", "good"), Example("a mess", "bad")]

STOP, LEAD = PLAIN.close, PLAIN.lead

WORDS = re.compile(r"[a-z]+(, [a-z]+)*\.?")
WORDS_GRAMMAR = Grammar.from_text('root ::= word (", " word)* "."?\nword ::= [a-z]+')


def answer(
    prefixes: Prefixes, prefix: list[int], question: list[int], grammar: Grammar, most: int = 200
) -> tuple[str, bool]:
    """Return a whole answer, and whether it is complete."""
    found = generate(prefixes, prefix, question, Limits(stop=STOP, lead=LEAD, grammar=grammar, max_tokens=most))
    pieces = []
    while True:
        try:
            pieces.append(next(found))
        except StopIteration as end:
            return "".join(pieces), end.value


def test_answer_is_the_document_that_the_schema_asks_for_and_the_same_every_time(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    grammar = Grammar.from_schema(SCHEMA)
    text, complete = answer(prefixes, prefix, question, grammar)
    found = json.loads(text)
    assert complete
    assert found["mood"] in {"good", "bad"}
    assert all(isinstance(word, str) and len(word) <= 12 for word in found["words"])
    assert len(found["words"]) <= 2
    assert isinstance(found["stars"], int)
    prefixes.clear()
    assert answer(prefixes, prefix, question, grammar) == (text, True)


def test_answer_is_the_likeliest_of_what_is_allowed(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    for text, wanted in {
        'root ::= "negative" | "positive"': "positive",
        "root ::= [a-z]+": "positive",
        "root ::= [^p] [a-z]+": "negative",
    }.items():
        assert answer(prefixes, prefix, question, Grammar.from_text(text)) == (wanted, True)


def test_answer_ends_where_the_grammar_does_though_the_model_would_go_on(
    prefixes: Prefixes, model: Model
) -> None:
    counting = model.tokenize("Input: count\nOutput: 1 2 3 4 5 6 7 8\n\nInput: count\nOutput:")
    assert answer(prefixes, [], counting, Grammar.from_text('root ::= "1 2 3"')) == ("1 2 3", True)
    assert answer(prefixes, [], counting, Grammar.from_text("root ::= ")) == ("", True)


def test_line_breaks_end_an_answer_only_where_the_grammar_may(prefixes: Prefixes, model: Model) -> None:
    shown = '{\n  "a": 1\n}\n\nInput:'
    prompt = model.tokenize(f"Input: x\nOutput: {shown} y\nOutput: {shown} z\nOutput:")
    lines = Grammar.from_text(r'root ::= "{\n" "  \"a\": " [0-9]+ "\n}" "\n"*')
    assert answer(prefixes, [], prompt, lines) == ('{\n  "a": 1\n}', True)
    inside = Grammar.from_text(r'root ::= "a" "\n\nInput: b" "\n"?')
    assert answer(prefixes, [], prompt, inside)[0].startswith("a\n\nInput: b")


def test_answer_that_is_cut_is_not_complete(prefixes: Prefixes, prefix: list[int], question: list[int]) -> None:
    grammar = Grammar.from_schema(SCHEMA)
    whole, _ = answer(prefixes, prefix, question, grammar)
    text, complete = answer(prefixes, prefix, question, grammar, most=6)
    assert (whole.startswith(text), complete) == (True, False)
    assert answer(prefixes, prefix, question, Grammar.from_text('root ::= "positive"'), most=1)[1]


def test_chat_with_a_grammar_ends_with_its_turn(prefixes: Prefixes, model: Model) -> None:
    form = model.chat()
    prompt = fit("dull", prefix=SHOWN, budget=1000, count=model.count, form=form)
    prefix, question = model.tokenize(prompt.prefix, start=True), model.tokenize(prompt.question)
    words = Grammar.from_text("root ::= [a-z]+")
    found = generate(prefixes, prefix, question, Limits(stop=form.close, lead=form.lead, grammar=words))
    assert "".join(found) in {"good", "bad"}


def test_blanks_that_fill_the_answer_are_cut_and_told(prefixes: Prefixes, question: list[int]) -> None:
    text, complete = answer(prefixes, [], question, Grammar.from_text(r'root ::= "\n"{60} "x"'), most=9)
    assert (text.strip(), complete) == ("", False)


def test_answers_with_grammars_in_turns_are_the_answers_alone(
    prefixes: Prefixes, prefix: list[int], question: list[int]
) -> None:
    grammars = [Grammar.from_schema(SCHEMA), WORDS_GRAMMAR, None]
    wanted = []
    for grammar in grammars:
        wanted.append(list(generate(prefixes, prefix, question, Limits(stop=STOP, lead=LEAD, grammar=grammar))))
        prefixes.clear()
    turns = [
        generate(prefixes, prefix, question, Limits(stop=STOP, lead=LEAD, grammar=each)) for each in grammars
    ]
    found: list[list[str]] = [[], [], []]
    while any(pieces := [next(turn, "") for turn in turns]):
        for own, piece in zip(found, pieces, strict=True):
            own.extend([piece] if piece else [])
    assert found == wanted
    assert prefixes.model.window._parked == {}


def test_cancelled_answer_is_not_complete(prefixes: Prefixes, prefix: list[int], question: list[int]) -> None:
    for close in (True, False):
        cancel = Cancel()
        found = generate(
            prefixes, prefix, question, Limits(stop=STOP, grammar=Grammar.from_schema(SCHEMA)), cancel=cancel
        )
        next(found)
        if close:
            found.close()
        else:
            cancel.set()
            with pytest.raises(StopIteration) as end:
                next(found)
            assert end.value.value is False
    assert prefixes.model.window._owner is None


@pytest.mark.parametrize(
    "text",
    [
        'root ::= root "a" | "b"',
        'root ::= space root "a" | "b"\nspace ::= maybe\nmaybe ::= " "?',
        'root ::= ("a"?)*',
        'root ::= (x | "b")+\nx ::= y y\ny ::= z*\nz ::= "z"',
        'root ::= "a"\nunused ::= unused',
    ],
)
def test_a_rule_that_may_begin_with_itself_is_refused_before_the_model_runs(text: str) -> None:
    with pytest.raises(InputError, match="may begin with itself"):
        Grammar.from_text(text)


def test_characters_that_the_model_lacks_are_an_error(
    model: Model, prefixes: Prefixes, question: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Constraint, "choose", lambda *_: None)
    with pytest.raises(ModelError, match="no token for what the grammar asks"):
        answer(prefixes, [], question, WORDS_GRAMMAR)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1))
def test_whatever_the_logits_the_text_is_one_that_the_grammar_accepts(model: Model, seed: int) -> None:
    vocabulary, random = model.vocabulary, np.random.default_rng(seed)
    text = b""
    constraint = Constraint(WORDS_GRAMMAR, vocabulary)
    for step in range(24):
        logits = random.normal(size=vocabulary.size).astype(np.float32)
        logits[0:17] += 9  # the special tokens, whose names would be text for llama.cpp
        if step > 12:
            logits[vocabulary.end] += 99
        token = constraint.choose(logits)
        if vocabulary.ends(token):
            break
        constraint.accept(token)
        text += vocabulary.piece(token)
        assert constraint.may_end == bool(WORDS.fullmatch(text.decode()))
    assert WORDS.fullmatch(text.decode()) or step == 23


def test_special_tokens_are_no_text(model: Model) -> None:
    end = model.vocabulary.end
    constraint = Constraint(Grammar.from_text('root ::= "<|" [a-z_]+ "|>" .*'), model.vocabulary)
    logits = np.full(model.vocabulary.size, -1.0, np.float32)
    logits[[0, 1, 2]] = 5
    token = constraint.choose(logits)
    assert token not in {0, 1, 2, end}
    assert not constraint.allows(1)


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "maxLength": float("inf")}, {"enum": [float("nan")]}, {"const": float("-inf")}],
)
def test_a_number_that_json_has_not_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(InputError, match="cannot be made a grammar"):
        grammar_of(schema)
