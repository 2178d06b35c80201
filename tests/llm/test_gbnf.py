"""llm.gbnf: what llama.cpp would choke on is refused in one sentence, and all else it takes."""

import pytest

from edge_icl.errors import InputError
from edge_icl.llm.gbnf import DEEPEST, LONGEST, check
from edge_icl.llm.grammar import Grammar
from edge_icl.llm.model import Model
from edge_icl.llm.native import llama

pytest_plugins = ["llm_fixtures"]

GOOD = [
    'root ::= "a"',
    'root::="a"#remark\nb::="x"',
    'root ::= "a" |\n "b"',
    'root ::=\n  "a"\r\n\r\n# remark\n',
    'root ::= ("a"\n| "b"\n)+',
    'root ::= "a" | | "b"',
    "root ::= ",
    'root ::= "a" |',
    'root ::= "\\"\\\\\\n\\t\\r\\x41\\u00e9\\U0001F600" [\\]\\-a-z] [^\\n] . []',
    'root ::= x? y*\nx ::= [0-9]{2} [0-9]{1,3} [0-9]{ 2 , } [0-9]{0}\ny ::= "y"',
    'root ::= "line\nbreak" [\n]',
    'root ::= ("a"{1,30} "b"{1,30}){1,10}',
    'root ::= "abcdefghij"{1,100}',
    f"root ::= {'(' * DEEPEST}'a'{')' * DEEPEST}".replace("'", '"'),
]

BAD = {
    'root ::= "a': "line 1 of the grammar is wrong: there is an unexpected '\"'",
    "root ::= [a-z": r"there is an unexpected '\['",
    'root ::= "a\\q"': "there is an unexpected",
    'root ::= x_y\nx_y ::= "a"': "there is an unexpected '_'",
    "root ::= <[5]>": "there is an unexpected '<'",
    "hello world": r"there is 'hello' where a rule \(name ::= ...\) should be",
    'root ::= "a"\n| "b"': r"line 2 .* there is '\|' where a rule",
    'root ::= "a" b ::= "c"': "there is 'b ::=' where the end of the line should be",
    'root ::= \nb ::= "c"': "line 2 .* there is 'b ::='",
    '::= "a"': "there is an unexpected ':'",
    "": r"the grammar has no rule named root; add one",
    'rot ::= "a"': "the grammar has no rule named root",
    'root ::= "a"\n\n\nb ::= ("x" # (\n foo)': "line 5 .* there is no rule named foo",
    'root ::= "a"\nroot ::= "b"': "line 2 .* there is a second rule named root",
    "root ::= (": r"the grammar ends before a \( is closed",
    'root ::= "a" )': r"there is a \) without a \(",
    "root ::= *": r"there is nothing before '\*' to repeat",
    'root ::= ""*': "there is nothing before",
    'root ::= "a"**': "there is nothing before",
    'root ::= "a"{5,2}': "5,2. counts down",
    'root ::= "a"{2000}': "2000. repeats too much: 2,000 of 1,000 copies",
    'root ::= "a"{99999999999999999999}': "repeats too much",
    'root ::= (("a"{1,100}){1,100}){1,100}': "repeats too much",
    'root ::= "a"{,3}': "there is an unexpected '{'",
    f"root ::= {'(' * (DEEPEST + 1)}": f"more than {DEEPEST} parentheses",
    "#" * (LONGEST + 1): "the grammar has 262,145 characters, more than 262,144",
}


@pytest.mark.parametrize("grammar", GOOD)
def test_a_good_grammar_is_taken_and_llama_cpp_takes_it_too(
    model: Model, grammar: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Grammar.from_text(grammar)
    library = llama()
    sampler = library.llama_sampler_init_grammar(model.vocabulary._vocab, grammar.encode(), b"root")
    assert sampler
    library.llama_sampler_free(sampler)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("grammar", BAD)
def test_a_bad_grammar_is_refused_with_its_line(grammar: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=BAD[grammar]):
        check(grammar)
    assert capfd.readouterr() == ("", "")


def test_the_names_of_the_rules_are_given() -> None:
    assert check('root ::= ab1-c\nab1-c ::= "x"') == {"root", "ab1-c"}


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_grammar_is_text(character: str) -> None:
    with pytest.raises(InputError, match="which is not text"):
        Grammar.from_text(f'root ::= "{character}"')
