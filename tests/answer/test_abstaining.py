"""An answer that is not sure enough is not given, and a question unlike all that was taught is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import at_terminal, run
from expenses import SEED
from stores import tree

from edge_icl import Example, Memory, Options, Vector

pytest_plugins = ["cli_fixtures"]

SURE = Options(ask_model="never", abstain=0.05)
OPEN = ("--ask-model", "never", "--abstain", "0.05")
KINDS = ("travel", "meals", "office")
PLACES = [
    "Lyon",
    "Berlin",
    "Osaka",
    "Oslo",
    "Quito",
    "Turin",
    "Ghent",
    "Porto",
    "Riga",
    "Split",
    "Basel",
    "Cork",
]
PLACES += ["Derby", "Ulm", "Wells", "York", "Brno", "Graz"]
TAUGHT = [
    Example.create(text.format(place), kind)
    for place in PLACES
    for text, kind in (
        ("Train to {}", "travel"),
        ("Hotel in {}", "travel"),
        ("Lunch in {}", "meals"),
        ("Dinner with the team from {}", "meals"),
        ("Printer paper for {}", "office"),
        ("A desk for the office in {}", "office"),
    )
]


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED) as memory:
        memory.add_many(TAUGHT)
        yield memory


def test_what_is_sure_is_given_and_what_is_not_stays_open(memory: Memory) -> None:
    sure, not_sure = memory.ask("Train to Malmo", SURE), memory.ask("Money for the vending machine", SURE)
    any_case = memory.ask("Money for the vending machine", Options(ask_model="never"))

    assert (sure.text, sure.complete) == ("travel", True)
    assert (not_sure.text, not_sure.complete) == (None, True)
    assert any_case.text == next(iter(not_sure.labels)) in KINDS
    assert not_sure.labels == any_case.labels
    assert not_sure.as_json()["answer"] is None


def test_a_stream_that_stays_open_has_no_piece(memory: Memory) -> None:
    reply = memory.stream("Money for the vending machine", SURE)

    assert list(reply) == []
    assert (reply.answer.text, reply.answer.complete) == (None, True)


def test_who_allows_more_wrong_answers_is_given_more(memory: Memory) -> None:
    memory.add_many(Example.create(f"Invoice from {place}", KINDS[n % 3]) for n, place in enumerate(PLACES))
    questions = [
        f"{word} {place}" for word in ("Train to", "Lunch in", "Invoice from the") for place in PLACES[:8]
    ]
    given = [
        sum(memory.ask(one, Options(ask_model="never", abstain=rate)).text is not None for one in questions)
        for rate in (0.02, 0.1, 0.3, 0.9)
    ]

    assert given == sorted(given)
    assert given[0] < given[-1]


def test_few_examples_cannot_promise_a_low_rate(models_home: Path) -> None:
    with Memory.create("young", seed=SEED) as memory:
        memory.add_many(TAUGHT[:8])

        assert memory.ask("Train to Malmo", SURE).text is None
        assert memory.ask(TAUGHT[0].input, SURE).text == TAUGHT[0].output  # taught, so it is known


def test_what_is_unlike_everything_taught_is_said_in_labels_and_texts(memory: Memory) -> None:
    rate = Options(ask_model="never", abstain=0.9)

    assert memory.ask("qzx vkw jjj 8817", Options(ask_model="never")).unlike
    assert memory.ask("qzx vkw jjj 8817", rate).text is None
    assert memory.ask("qzx vkw jjj 8817", Options(labels="off", max_tokens=1)).unlike
    assert memory.ask("qzx vkw jjj 8817", Options(prior=False)).unlike
    assert not memory.ask("Train to Malmo", Options(ask_model="never")).unlike
    assert not memory.ask("Train to Malmo", Options(labels="off", max_tokens=1)).unlike


def test_after_a_forget_what_is_open_and_unlike_is_that_of_a_store_that_never_held_it(
    memory: Memory, tmp_path: Path
) -> None:
    gone = [held.id for held in memory.find(match="York")]
    memory.ask("Train to Malmo", SURE)
    memory.forget(*gone)
    with Memory.create(tmp_path / "never", seed=SEED) as never:
        encoder = memory.settings.encoder_digest
        pairs = [(held.example, vector) for held, vector in memory.export()]
        never.add_many([one for one, _ in pairs], vectors=[Vector(encoder, one.components) for _, one in pairs])

        for rate in (0.01, 0.05, 0.2):
            for question in ("Train to Malmo", "Money for the vending machine", "qzx vkw jjj 8817"):
                for how in ("auto", "never"):
                    options = Options(ask_model=how, abstain=rate)
                    one, other = memory.ask(question, options), never.ask(question, options)

                    assert one.text == other.text
                    assert (one.labels, one.parts, one.unlike) == (other.labels, other.parts, other.unlike)
                    assert (one.asked_model, one.labelling) == (other.asked_model, other.labelling)
        assert tree(memory.path) == tree(never.path)


def test_the_command_leaves_the_answer_empty_and_names_the_likeliest(memory: Memory, tmp_path: Path) -> None:
    words = (
        "--store",
        "work",
        "ask",
        "Money for the vending machine",
        "--ask-model",
        "never",
        "--abstain",
        "0.05",
    )
    (tmp_path / "q.txt").write_text("Train to Malmo\nMoney for the vending machine\n")
    piped, shown, as_json = run(*words), at_terminal(*words), json.loads(run("--json", *words).out)

    assert (piped.code, piped.out) == (0, "\n")
    assert piped.err.startswith("edge-icl: no answer is sure enough; the likeliest: ")
    assert all(kind in piped.err for kind in KINDS)
    assert shown.out.splitlines()[0] == ""
    assert (as_json["answer"], as_json["kind"]) == (None, "judged")
    assert run("--store", "work", "ask", "--file", str(tmp_path / "q.txt"), *OPEN).out == "travel\n\n"


@pytest.mark.parametrize("rate", ["0", "1", "-1", "x"])
@pytest.mark.usefixtures("bare_home")
def test_a_rate_that_is_none_is_wrong_usage(rate: str) -> None:
    ran = run("ask", "Taxi downtown", "--abstain", rate)

    assert (ran.code, ran.out) == (2, "")


def test_an_unlike_question_is_told(memory: Memory) -> None:
    told = run("--store", "work", "ask", "qzx vkw jjj 8817", "--ask-model", "never").err

    assert told == "edge-icl: the question is unlike everything that was taught\n"
