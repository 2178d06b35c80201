"""conversation: a model's own template, cut at what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_chat import CHATML, LOOP, MISTRAL, THINKING

from edge_icl.errors import ModelError
from edge_icl.prompt.conversation import Conversation, Turn
from edge_icl.prompt.prompt import MARK

text = st.text("ab \n<|im_end>/s[]INST", min_size=1, max_size=12).filter(lambda text: not text.isspace())


def spoken(template: str, *turns: Turn) -> str:
    """Return a conversation as people read it."""
    said = Conversation.read(template, end="</s>", turns=turns)
    return (said.prefix + said.question).replace(MARK, "") + said.lead


def test_it_ends_where_the_answer_begins() -> None:
    said = [Turn("user", "Uber"), Turn("assistant", "travel"), Turn("user", "Rice")]

    assert spoken(CHATML, *said) == (
        "<|im_start|>user\nUber<|im_end|>\n<|im_start|>assistant\ntravel<|im_end|>\n"
        "<|im_start|>user\nRice<|im_end|>\n<|im_start|>assistant\n"
    )
    assert spoken(MISTRAL, *said) == "[INST] Uber [/INST] travel</s>[INST] Rice [/INST] "
    assert spoken(THINKING, said[0]) == "<user>Uber</><assistant><think></think>"
    whole = Conversation.read(CHATML, end="", turns=said)
    assert whole.question == f"\nRice{MARK}<|im_end|>\n<|im_start|>assistant{MARK}\n"
    assert whole.close == "<|im_end|>"


def test_a_system_message_stands_first_or_begins_the_first_turn() -> None:
    said = [Turn("system", "Be short."), Turn("user", "Uber")]

    assert spoken(CHATML, *said).startswith("<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nUber")
    assert spoken(MISTRAL, *said) == "[INST] Be short.\n\nUber [/INST] "


def test_a_template_that_leaves_out_what_is_said_is_refused() -> None:
    for template in ("{{ messages | length }}", LOOP + "{{ m.content | upper }}{% endfor %}"):
        with pytest.raises(ModelError, match="leaves out or moves what is said"):
            spoken(template, Turn("user", "Uber"))


@given(
    st.lists(text, min_size=1, max_size=5).filter(lambda some: len(some) % 2),
    st.sampled_from([CHATML, MISTRAL]),
)
def test_no_text_is_markup_and_every_text_is_there(texts: list[str], template: str) -> None:
    turns = [Turn("assistant" if i % 2 else "user", one) for i, one in enumerate(texts)]

    said = Conversation.read(template, end="</s>", turns=turns)

    whole = said.prefix + said.question
    pieces = whole.split(MARK)
    plain = "".join(pieces[::2])
    for one in texts:
        assert one in plain
        plain = plain[plain.index(one) + len(one) :]
    bare = Conversation.read(template, end="</s>", turns=[Turn(one.role, "x") for one in turns])
    assert pieces[1::2] == (bare.prefix + bare.question).split(MARK)[1::2]
