"""Chat completions in OpenAI's shape, by the types of the package openai itself."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest
from command import EXAMPLES
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from repository import REPOSITORY

import edge_icl.openai
import edge_icl.prompt.conversation
from edge_icl import EdgeIclError, InputError, Memory, Options, StoreClosedError
from edge_icl.openai import Completions, complete
from edge_icl.openai.request import turns_of
from edge_icl.prompt.conversation import Turn

pytest_plugins = ["cli_fixtures"]

KNOWN = EXAMPLES[0]
WRITTEN = Options(labels="off", select="none", recall=False, max_tokens=8)


def user(text: object) -> dict[str, object]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, object]:
    return {"role": "assistant", "content": text}


KINDS = [
    (KNOWN.input, Options(), "recalled"),
    ("Taxi downtown", Options(), "judged"),
    ("Taxi downtown", Options(ask_model="never"), "judged"),
    ("Taxi downtown", WRITTEN, "written"),
]


def test_an_answer_is_a_chat_completion_and_holds_no_example(home: Path) -> None:
    with Memory.open() as memory:
        for text, options, kind in KINDS:
            answer = memory.ask(text, options)
            said = complete([user(text)], store=memory, options=options)

            parsed = ChatCompletion.model_validate(said)
            assert parsed.choices[0].message.content == answer.text
            assert parsed.choices[0].finish_reason == ("stop" if answer.complete else "length")
            assert parsed.model == (answer.model or "edge-icl")
            assert (parsed.usage.prompt_tokens > 0) == answer.asked_model
            assert (parsed.usage.completion_tokens > 0) == (kind == "written")
            assert said["edge_icl"] == {
                "kind": kind,
                "probability": answer.probability,
                "unlike": answer.unlike,
                "examples": [one.id for one in answer.examples],
            }
            told = json.dumps({**said, "choices": []})
            assert not [one for one in EXAMPLES if one.input in told]


def test_a_stream_gives_the_same_answer_in_pieces(home: Path) -> None:
    asked: dict[str, Any] = {"options": WRITTEN, "max_tokens": 6}
    said = complete([user("Tell a story")], **asked)

    chunks = [*complete([user("Tell a story")], stream=True, stream_options={"include_usage": True}, **asked)]

    parsed = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks]
    choices = [one.choices[0] for one in parsed[:-1]]
    assert "".join(one.delta.content or "" for one in choices) == said["choices"][0]["message"]["content"]
    assert choices[0].delta.role == "assistant"
    assert [one.finish_reason for one in choices] == [None] * (len(choices) - 1) + ["length"]
    assert chunks[-2]["edge_icl"] == said["edge_icl"]
    assert (parsed[-1].choices, chunks[-1]["usage"]) == ([], said["usage"])
    assert len({one.id for one in parsed}) == 1


def test_a_stream_that_is_left_closes_its_store(home: Path) -> None:
    with complete([user("Tell a story")], stream=True, options=WRITTEN) as chunks:
        next(chunks)

    with pytest.raises(StoreClosedError):
        next(chunks)


def test_an_answer_that_is_not_sure_enough_is_a_refusal(home: Path) -> None:
    asked: dict[str, Any] = {"options": Options(abstain=0.001, ask_model="never")}
    whole = ChatCompletion.model_validate(complete([user("Zebra")], **asked)).choices[0]
    pieces = [
        ChatCompletionChunk.model_validate(one) for one in complete([user("Zebra")], stream=True, **asked)
    ]

    assert (whole.message.content, whole.finish_reason) == (None, "stop")
    assert whole.message.refusal.startswith("no answer is sure enough; the likeliest are ")
    assert [one.choices[0].delta.refusal for one in pieces] == [None, whole.message.refusal, None]


YES_OR_NO = {"type": "json_schema", "json_schema": {"name": "yes_or_no", "schema": {"enum": ["yes", "no"]}}}


@pytest.mark.parametrize("store", ["default", None])
def test_an_answer_keeps_to_a_json_schema(home: Path, store: str | None) -> None:
    said = complete([user("Is a taxi a car?")], store=store, response_format=YES_OR_NO)

    assert json.loads(said["choices"][0]["message"]["content"]) in ("yes", "no")


def test_a_json_object_is_an_object(home: Path) -> None:
    said = complete([user("Taxi")], store=None, response_format={"type": "json_object"}, max_tokens=3)

    assert said["choices"][0]["message"]["content"].startswith("{")


def test_what_openai_has_and_means_no_difference_is_taken(home: Path) -> None:
    said = complete(
        [user([{"type": "text", "text": "Taxi "}, {"type": "text", "text": "downtown"}])],
        temperature=0,
        top_p=1.0,
        n=1,
        seed=7,
        presence_penalty=0.0,
        frequency_penalty=None,
        logprobs=False,
        max_completion_tokens=5,
        max_tokens=5,
        response_format={"type": "text"},
        options=Options(ask_model="never"),
    )

    assert said["choices"][0]["message"]["content"] == "travel"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"temperature": 0.7}, "temperature cannot be 0.7: an answer is the likeliest one"),
    ({"top_p": 0.5}, "top_p cannot be 0.5"),
    ({"n": 2}, "n cannot be 2: a question has one answer"),
    ({"logprobs": True}, "logprobs cannot be True"),
    ({"max_tokens": 0}, "an answer cannot have 0 tokens"),
    ({"max_tokens": True}, "an answer cannot have True tokens"),
    ({"max_tokens": [3]}, "an answer cannot have .3. tokens"),
    ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens and max_completion_tokens differ"),
    ({"response_format": {"type": "xml"}}, "response_format cannot be {'type': 'xml'}"),
    ({"response_format": {"type": "json_schema", "json_schema": 3}}, "response_format cannot be"),
    ({"stream_options": {"include_obfuscation": True}}, "stream_options cannot be"),
    ({"turns": "some"}, "turns cannot be 'some'"),
    ({"store": "nowhere"}, "there is no store at .*nowhere"),
    ({"store": None, "options": Options(labels="on")}, "without a store there are no examples"),
    ({"store": None, "model": "nowhere"}, "there is no model nowhere on this machine"),
]


def test_what_cannot_be_had_is_refused_by_name(home: Path) -> None:
    for parameters, told in REFUSED:
        with pytest.raises(EdgeIclError, match=told):
            complete([user("Taxi downtown")], **parameters)


UNHEEDED: list[tuple[Any, str]] = [
    ("Taxi", "its messages are not a list of objects"),
    (3, "its messages are not a list of objects"),
    ([], "the last message is not a user's"),
    ([user("a"), assistant("b")], "the last message is not a user's"),
    ([user("")], "the question is empty"),
    ([{"role": "narrator", "content": "a"}], "a message is of narrator"),
    ([user([{"type": "image_url", "image_url": {"url": "x"}}])], r"something else than text \(image_url\)"),
    ([{"role": "tool", "content": "a"}, user("b")], "a message calls a tool"),
    ([user("a"), assistant("b"), user("c")], '3 messages are a conversation.* turns="last"'),
]


def test_messages_that_a_store_cannot_heed_are_refused(bare_home: Path) -> None:
    for messages, told in UNHEEDED:
        with pytest.raises(InputError, match=told):
            complete(messages)


def test_a_name_that_is_not_taken_is_a_type_error(bare_home: Path) -> None:
    for wrong in ({"stop": "\n"}, {"tools": []}, {"tempreature": 0}):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{next(iter(wrong))}'"):
            complete([user("Taxi")], **wrong)


def test_a_store_is_not_openais_switch_of_that_name_and_an_open_one_has_its_model(bare_home: Path) -> None:
    with pytest.raises(TypeError, match="store is the name of a store here"):
        complete([user("Taxi")], store=True)
    with Memory.open() as memory, pytest.raises(TypeError, match=r"name that in Memory\.open"):
        complete([user("Taxi")], store=memory, model="other")


def test_a_system_message_is_the_task_of_its_question(home: Path) -> None:
    told = {"role": "system", "content": "Classify the expense"}
    with Memory.open() as memory, Completions(memory) as completions:
        options = Options(ask_model="always")
        said = completions.create([told, user("Taxi downtown")], options=options)
        kind = {"role": "developer", "content": [{"type": "text", "text": "Classify the expense"}]}
        again = completions.create([kind, user("Taxi downtown")], options=options)
        expected = memory.ask("Taxi downtown", options, task="Classify the expense")

        assert said["edge_icl"] == again["edge_icl"]
        assert said["edge_icl"]["probability"] == expected.probability
        assert expected.prompt.startswith("Classify the expense\n\n")


def test_a_conversation_is_asked_as_it_is_taught(home: Path) -> None:
    spoken = [user("Tell me about owls"), assistant("Owls prowl."), user(KNOWN.input)]
    with Memory.open() as memory:
        memory.add(f"User: Tell me about owls\nAssistant: Owls prowl.\nUser: {KNOWN.input}", "birds")

        answers = [complete(spoken, store=memory, turns=turns) for turns in ("last", "all")]

    assert [one["choices"][0]["message"]["content"] for one in answers] == [KNOWN.output, "birds"]


def test_a_model_alone_goes_on_with_the_conversation(home: Path) -> None:
    spoken = [
        user("My name is Bob."),
        assistant("Hello Bob!"),
        user("What is my name?"),
    ]
    with Completions(None) as completions:
        said = completions.create(spoken, max_tokens=4)
        again = completions.create(spoken, max_tokens=4, stream=True)
        pieces = "".join(one["choices"][0]["delta"].get("content", "") for one in again)
        other = completions.create(spoken[-1:], max_tokens=1)

    parsed = ChatCompletion.model_validate(said)
    assert pieces == parsed.choices[0].message.content
    assert "Bob" in pieces
    assert "Bob" not in other["choices"][0]["message"]["content"]
    assert parsed.usage.prompt_tokens > other["usage"]["prompt_tokens"]
    assert said["edge_icl"] == {"kind": "written", "probability": None, "unlike": False, "examples": []}
    with pytest.raises(StoreClosedError, match="is closed; open it again"):
        completions.create(spoken)


def test_messages_of_one_side_are_one_turn() -> None:
    parts = [
        {"role": "developer", "content": "Be short."},
        user("Uber"),
        user([{"type": "text", "text": "home"}]),
    ]

    assert turns_of(parts) == [Turn("system", "Be short."), Turn("user", "Uber\n\nhome")]


def test_a_conversation_that_is_too_long_is_refused(home: Path) -> None:
    with Completions(None) as completions, pytest.raises(InputError, match="the model has room for 4095"):
        completions.create([user("word " * 5000)])
    with pytest.raises(InputError, match="a system message stands after others"):
        complete([user("a"), {"role": "system", "content": "b"}, user("c")], store=None)


def test_the_program_in_the_docs_runs_as_it_stands(
    models_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "integrations.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (program,) = [one for one in blocks if "openai.complete(" in one]

    exec(compile(program, "integrations.md", "exec"), {})

    assert capsys.readouterr().out == "travel\njudged 2\ntravel"
    assert doctest.testmod(edge_icl.openai).failed == 0
    assert doctest.testmod(edge_icl.prompt.conversation).failed == 0
