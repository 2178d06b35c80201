"""Whether outputs are labels follows from how they repeat, and any number of labels of any length is judged."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import later
from command import run
from expenses import EXAMPLES, SEED
from hypothesis import given
from hypothesis import strategies as st
from repository import REPOSITORY

from edge_icl import Example, InputError, Memory, Options, Vector
from edge_icl.answer.labels import decide

pytest_plugins = ["cli_fixtures"]

STRAY = "not sure, please look at the receipt again and ask the colleague who handed it in about all of it"
REPLIES = [
    f"Thank you for writing to us. Your question number {n} is answered on the page of our shop." for n in "12"
]
POEMS = [
    f"The line {n} of a poem goes on, and says what no other line of it has said before." for n in range(40)
]

LABEL_STORES = {
    "each three times": ["travel", "meals", "office"] * 3,
    "three hundred, each twice": [f"CHA-{n:03} red" for n in range(300)] * 2,
    "long replies, each three times": REPLIES * 3,
    "one long stray": ["travel", "meals", "office"] * 20 + [STRAY],
    "names in a program": ["card_arrival", "card_linking", "exchange_rate", "lost_card"] * 5,
    "names, each once": [f"card_{n}" for n in range(30)],
}
TEXT_STORES = {
    "each once": POEMS,
    "a thanks now and then": POEMS + ["You're welcome!"] * 12,
    "short, each once": [f"Guten Tag {n}" for n in range(30)],
}


@pytest.mark.parametrize("outputs", LABEL_STORES.values(), ids=LABEL_STORES)
def test_outputs_that_repeat_are_labels(outputs: list[str]) -> None:
    found = decide(Counter(outputs))

    assert (found.labels, found.assumed) == (True, False)


@pytest.mark.parametrize("outputs", TEXT_STORES.values(), ids=TEXT_STORES)
def test_outputs_that_seldom_repeat_are_free_text(outputs: list[str]) -> None:
    found = decide(Counter(outputs))

    assert (found.labels, found.assumed) == (False, False)


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (["travel"], True),
        (["travel", "meals", "office", "training", "software"], True),
        (POEMS[:4], False),
        (["Guten Tag.", "Auf Wiedersehen!"], False),
    ],
)
def test_with_few_examples_it_is_assumed_and_said(outputs: list[str], labels: bool) -> None:
    found = decide(Counter(outputs))

    assert (found.labels, found.assumed) == (labels, True)
    assert f"{len(outputs)} example" in found.why


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 9)), st.sampled_from(("yes", "no")))
def test_the_setting_decides_whatever_the_outputs_are(found: dict[str, int], setting: str) -> None:
    said = decide(found, setting)

    assert (said.labels, said.assumed) == (setting == "yes", False)


@given(st.lists(st.sampled_from(["a", "b", STRAY, *POEMS[:3]]), min_size=1), st.randoms())
def test_no_order_matters(outputs: list[str], chance: object) -> None:
    shuffled = outputs.copy()
    chance.shuffle(shuffled)

    assert decide(Counter(outputs)) == decide(Counter(shuffled))


@pytest.mark.parametrize("how", ["never", later("always")])
def test_three_hundred_labels_are_judged_and_none_is_invented(models_home: Path, how: str) -> None:
    rng = np.random.default_rng(1)
    with Memory.create("many", seed=SEED) as memory:
        encoder, size = memory.settings.encoder_digest, memory.settings.dimension
        examples = [Example.create(f"item {n} {twice}", f"shelf {n}") for n in range(300) for twice in "ab"]
        some = rng.integers(-60, 60, (len(examples), size)).astype(np.int8)
        memory.add_many(examples, vectors=[Vector(encoder, one.tobytes()) for one in some])

        answer = memory.ask("where is the lamp?", Options(ask_model=how))

    assert answer.kind == "judged"
    assert answer.text in {one.output for one in examples}
    assert len(answer.labels) == 300
    assert sum(answer.labels.values()) == pytest.approx(1)
    assert len(answer.parts) <= 8


def test_one_stray_output_leaves_an_answer_as_sure_as_it_was(models_home: Path) -> None:
    rows = [
        json.loads(line)
        for line in (REPOSITORY / "cli" / "commands" / "expenses.jsonl").read_text().splitlines()
    ]
    with Memory.create("work", seed=SEED) as memory:
        memory.add_many(Example.create(row["input"], row["output"]) for row in rows)
        before = memory.ask("Cab to the trade fair", Options(ask_model="never"))
        memory.add("Something that I could not place", STRAY)
        after = memory.ask("Cab to the trade fair", Options(ask_model="never"))

    assert after.text == before.text == "travel"
    assert after.probability == pytest.approx(before.probability, abs=0.05)


def test_labels_longer_than_the_room_for_an_answer_are_judged(models_home: Path) -> None:
    replies = [
        f"{start} " + "and so on, and so on, as long as it takes to say it " * 2 for start in ("Yes", "No")
    ]
    with Memory.create("long", seed=SEED) as memory:
        memory.add_many(
            Example.create(f"{word} {n}", replies[n % 2]) for n in range(4) for word in ("ask", "tell")
        )

        answer = memory.ask("ask again", Options(ask_model="always", max_tokens=8))

    assert answer.asked_model
    assert answer.text in replies


def test_the_model_is_asked_always_never_or_where_it_matters(models_home: Path) -> None:
    with Memory.create("work", seed=SEED) as memory:
        memory.add_many(EXAMPLES)
        never = memory.ask("Taxi downtown", Options(ask_model="never"))
        always = memory.ask("Taxi downtown", Options(ask_model="always"))
        sure = Options(ask_model="auto")
        memory.add_many([Example.create(f"Taxi to street {n}", "travel") for n in range(40)])
        memory.add_many([Example.create(f"Pizza number {n}", "meals") for n in range(40)])
        auto = memory.ask("Taxi to street 41", sure)

    assert (never.asked_model, never.model, never.select) == (False, None, None)
    assert never.examples == never.nearest != ()
    assert all("model" not in parts for parts in never.parts.values())
    assert (always.asked_model, always.model) == (True, "smollm2-135m-instruct")
    assert all("model" in parts for parts in always.parts.values())
    assert (auto.text, auto.asked_model) == ("travel", False)


@pytest.mark.parametrize(
    ("options", "what"), [({"ask_model": "never"}, "only the model can write"), ({"abstain": 0.1}, "how sure")]
)
def test_what_only_a_label_could_be_is_refused_where_the_outputs_are_texts(
    models_home: Path, options: dict[str, Any], what: str
) -> None:
    with Memory.create("work", seed=SEED, labels="no") as memory:
        memory.add_many(EXAMPLES[:3])
        with pytest.raises(InputError, match=what):
            memory.ask("Something else", **options)


@pytest.mark.usefixtures("home")
def test_an_empty_store_has_no_answer_and_says_what_to_do() -> None:
    ran = run("--store", "empty", "init")
    ran = run("--store", "empty", "ask", "Taxi downtown")

    assert (ran.code, ran.out) == (1, "")
    assert (
        "the store holds no examples to answer from; teach it some: edge-icl --store empty add INPUT OUTPUT"
        in ran.err
    )


@pytest.mark.usefixtures("home")
def test_what_is_assumed_is_told_with_a_command_that_corrects_it() -> None:
    run("--store", "young", "add", "Uber to the airport", "travel")
    told = json.loads(run("--store", "young", "--json", "ask", "Taxi downtown").out)["labelling"]

    assert (told["labels"], told["assumed"]) == (True, True)
    assert "outputs       assumed to be labels (1 example so far" in run("--store", "young", "status").out
