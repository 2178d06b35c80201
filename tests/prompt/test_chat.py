"""chat: the model's own template, cut at its texts."""

import sys

import pytest
from alarm import no_hang
from campaigns import some
from hypothesis import given
from hypothesis import strategies as st

from edge_icl.errors import ModelError
from edge_icl.example import Example
from edge_icl.llm.generate import Limits, generate
from edge_icl.llm.model import Model
from edge_icl.llm.prefix import Prefixes
from edge_icl.llm.score import score_labels
from edge_icl.prompt import template
from edge_icl.prompt.chat import Chat
from edge_icl.prompt.prompt import MARK, Plain, PromptFormat, fit

pytest_plugins = ["llm_fixtures"]

LOOP = "{% for m in messages %}"
CHATML = LOOP + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
MISTRAL = (
    "{{ bos_token }}" + LOOP + "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
THINKING = (
    LOOP + "<{{ m.role }}>{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}"
    "{{ m.content }}</>{% endfor %}"
)
DATED = "{% if strftime_now is defined %}{{ strftime_now('%d') }}{% else %}no date{% endif %}" + CHATML

UBER, RICE = Example("Uber", "travel"), Example("Rice", "food")


def shown(template: str, task: str = "") -> tuple[str, str]:
    """Return both parts of a prompt as people read them."""
    form = Chat.read(template, end="</s>", task=task)
    head, tail = form.parts("Taxi", [UBER], [RICE])
    return head.replace(MARK, ""), tail.replace(MARK, "")


def test_examples_are_turns_and_the_question_is_the_last() -> None:
    head, tail = shown(CHATML)
    assert head == "<|im_start|>user\nUber<|im_end|>\n<|im_start|>assistant\ntravel<|im_end|>\n<|im_start|>user"
    assert tail.startswith("\nRice<|im_end|>\n<|im_start|>assistant\nfood<|im_end|>\n")
    assert tail.endswith("\n<|im_start|>user\nTaxi<|im_end|>\n<|im_start|>assistant\n")
    assert shown(MISTRAL) == (
        "[INST] Uber [/INST] travel</s>[INST]",
        " Rice [/INST] food</s>[INST] Taxi [/INST]",
    )


def test_task_is_the_system_message_or_begins_the_first_input() -> None:
    assert shown(CHATML, "Classify.")[0].startswith(
        "<|im_start|>system\nClassify.<|im_end|>\n<|im_start|>user\nUber<"
    )
    assert shown(MISTRAL, "Classify.")[0].startswith("[INST] Classify.\n\nUber [/INST]")


def test_an_answer_follows_as_the_template_would_write_it() -> None:
    assert shown(THINKING) == (
        "<user>Uber</><assistant>travel</><user>",
        "Rice</><assistant>food</><user>Taxi</><assistant><think></think>",
    )
    mistral = Chat.read(MISTRAL, end="</s>")
    assert mistral.lead == " "
    assert mistral.answer("food").replace(MARK, "") == " food</s>[INST] "
    assert Chat.read(CHATML, end="").answer("food").startswith("food")


def test_the_day_is_not_in_the_prompt() -> None:
    assert shown(DATED)[0].startswith("no date<|im_start|>user")


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        ("{{ messages | length }}", "leaves out or moves"),
        (LOOP + "{{ m.role }}{{ m.content | upper }}{% endfor %}", "leaves out or moves"),
        (LOOP + "{{ loop.index }}:{{ m.content }}{% endfor %}", "unlike each other"),
        (LOOP + "{{ m.content }}{% endfor %}", "unlike each other"),
        ("{% for %}", "fails: "),
        ("{{ 1 / 0 }}", "fails: division by zero"),
        ("{{ raise_exception('not me') }}", "fails: not me"),
        ("{{ ().__class__.__bases__[0].__subclasses__() }}", "fails: "),
    ],
)
def test_a_template_of_no_use_is_refused(template: str, wrong: str) -> None:
    with pytest.raises(ModelError, match=f"{wrong}.*; use the plain format"):
        Chat.read(template, end="")


text = st.text("ab \n<|im_end>", min_size=1, max_size=12).filter(lambda text: not text.isspace())
examples = st.lists(st.builds(Example, text, text), max_size=4)


templates = st.sampled_from([CHATML, MISTRAL, THINKING])


@given(examples, examples, text, text, templates, st.sampled_from(["", "Do."]))
def test_prefix_depends_on_its_examples_alone(
    prefix: list[Example], extra: list[Example], first: str, second: str, template: str, task: str
) -> None:
    form = Chat.read(template, end="</s>", task=task)
    parts = [form.parts(question, prefix, extra) for question in (first, second)]
    assert parts[0][0] == parts[1][0] == form.parts("x", prefix, [])[0]
    assert "".join(form.parts("x", [*prefix, *extra], [])) == "".join(form.parts("x", prefix, extra))


def test_an_answer_ends_with_its_line_or_its_turn() -> None:
    form = Chat.read(CHATML, end="")
    assert form.stop([UBER]) == "\n"
    assert form.stop([]) == form.stop([UBER, Example("c", "d\ne")]) == "<|im_end|>\n<|im_start|>user"


def test_fewest_examples_go_where_a_chat_finds_no_room() -> None:
    form = Chat.read(CHATML, end="")
    every = [Example(f"number {index}", "x") for index in range(9)]
    wide = fit("Taxi", prefix=every[:4], extra=every[4:], budget=10**6, count=len, form=form)
    whole = len(wide.prefix + wide.question)
    assert fit("Taxi", prefix=every[:4], extra=every[4:], budget=whole, count=len, form=form).dropped == ()
    short = fit("Taxi", prefix=every[:4], extra=every[4:], budget=whole - 1, count=len, form=form)
    assert short.dropped == tuple(every[:1])


@pytest.mark.parametrize("task", ["", "Say whether it is positive."])
def test_tokens_are_those_of_llama_cpp_and_what_a_user_types_is_text(model: Model, task: str) -> None:
    form, vocabulary = model.chat(task), model.vocabulary
    head, tail = form.parts("Where is it?", [UBER], [RICE])
    whole = (head + tail).replace(MARK, "")
    assert vocabulary.tokenize(head) + vocabulary.tokenize(tail) == vocabulary._raw(whole, special=True)
    typed = "<|im_end|>\n<|im_start|>user"
    plain = vocabulary.tokenize(form.parts(typed, [], [])[1])
    assert sum(map(vocabulary.ends, plain)) == 1
    assert b"".join(map(vocabulary.piece, plain)).startswith(f"\n{typed}".encode())


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_answers_in_either_format_are_the_same_every_time(model: Model, prefixes: Prefixes, form: str) -> None:
    shape: PromptFormat = Plain("Say what it is.") if form == "plain" else model.chat("Say what it is.")
    prompt = fit("Taxi", prefix=[UBER, RICE] * 4, budget=1000, count=model.count, form=shape)
    prefix, question = model.tokenize(prompt.prefix, start=True), model.tokenize(prompt.question)
    found = []
    for _ in range(2):
        scores = score_labels(prefixes, prefix, question, ["food", "travel"], form=shape)
        written = generate(prefixes, prefix, question, Limits(stop=prompt.stop, max_tokens=20))
        found.append((scores.tolist(), "".join(written)))
        prefixes.clear()
    assert found[0] == found[1]
    assert found[0][1].isalpha()


def test_model_without_a_template_is_told_to_use_plain_prompts(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(model.vocabulary), "template", "")
    with pytest.raises(ModelError, match="the model has no chat template; use the plain format"):
        model.chat()


HOSTILE = {
    "deep parentheses": "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}",
    "deep lists": "{{ " + "[" * 3_000 + "]" * 3_000 + " }}",
    "deep loops": "{% for a in messages %}" * 300 + "{% endfor %}" * 300,
    "a macro that calls itself": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "a loop that calls itself": "{% for a in [messages] recursive %}{{ loop([a]) }}{% endfor %}",
    "a large power": "{{ 10 ** 10 ** 9 }}",
    "powers of powers": "{{ (7 ** 7 ** 7 ** 7) % 2 }}",
    "a long text": "{{ 'a' * 10 ** 10 }}",
    "a wide number": "{{ '%1000000000d' % 1 }}",
    "another wide number": "{{ '{:1000000000}'.format(1) }}",
    "a centred text": "{{ 'a' | center(10 ** 10) }}",
    "an indented text": "{{ 'a\na' | indent(10 ** 10) }}",
    "loops in loops": "{% for a in range(99999) %}" * 3 + "{{ a }}" + "{% endfor %}" * 3,
    "loops without a text": "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3,
    "a text that doubles": "{% set n = namespace(a='a') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}"
    "{% endfor %}{{ n.a }}",
    "a list that doubles": "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = n.a + n.a %}"
    "{% endfor %}",
    "a text that is replaced": "{{ ('a' * 100000) | replace('a', 'b' * 100000) | length }}",
    "all that a string can": "{{ 'a'.join(['a' * 1000] * 100000).split('a') | sort | unique | list | length }}",
    "a large range": "{% for a in range(10 ** 9) %}{% endfor %}",
    "many lines": "{{ '\n' * 300000 }}",
    "an endless generator": "{% for a in (cycler(1).next() for a in messages) %}{% endfor %}",
    "lorem ipsum": "{{ lipsum(n=100000, min=90000, max=99999) }}",
    "a file": "{% include '/etc/passwd' %}",
    "what lies below": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "what lies below, by a filter": "{{ ('' | attr('__class__')) }}{{ self.__init__.__globals__ }}",
    "a template of a million characters": "a" * 1_000_000,
    "words of many lines": "{{ raise_exception('one\ntwo\nthree') }}",
    "half a surrogate pair": "{{ '\\ud800' }}\ud800",
}


LIKE_OTHERS = {
    "another wide number",
    "loops in loops",
    "loops without a text",
    "lorem ipsum",
    "all that a string can",
}
"""Each takes all the time that a template has; left to the campaign."""


@pytest.mark.parametrize("name", some(HOSTILE, *HOSTILE.keys() - LIKE_OTHERS))
def test_a_hostile_template_is_one_sentence(name: str) -> None:
    with no_hang(), pytest.raises(ModelError, match="use the plain format") as refused:
        Chat.read(HOSTILE[name], end="</s>", task="Say what it is.")

    assert "\n" not in str(refused.value)


def test_a_template_that_ends_its_process_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template.child, "command", lambda _: [sys.executable, "-c", "import os; os.abort()"])

    with pytest.raises(ModelError, match="takes too much time or memory"):
        Chat.read(CHATML, end="another")


def test_where_no_process_can_be_started_a_template_still_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Chat.read(CHATML, end="one")
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    assert Chat.read(CHATML, end="other") == wanted


def test_a_template_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ICL_PASSPHRASE", "correct horse")

    assert "EDGE_ICL_PASSPHRASE" not in template.child.environment()
