"""The tools, called without a server: what they advise, and what one result holds.

An assistant can do what it is advised with a tool, or it is said that the user can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hints
import numpy as np
import pytest
from command import IDS
from handles import without_models
from hypothesis import given
from hypothesis import strategies as st
from stores import SETTINGS, make

from edge_icl import Added, Answer, EdgeIclError, Example, Held, InputError, Memory, StoreNotFoundError
from edge_icl.mcp import returned
from edge_icl.mcp.advice import BY_HAND, SETTING, told
from edge_icl.mcp.arguments import (
    AddArguments,
    AskArguments,
    CheckArguments,
    DryRunArguments,
    FixArguments,
    FixDryRunArguments,
    ListArguments,
)
from edge_icl.mcp.changing import add, fix, fix_dry_run, forget_dry_run
from edge_icl.mcp.checking import check
from edge_icl.mcp.desk import Desk
from edge_icl.mcp.quoting import quoted
from edge_icl.mcp.reading import ask, list_
from edge_icl.mcp.tools import TOOLS
from edge_icl.mcp.wording import MOST_CHARACTERS
from edge_icl.store.presence import missing
from edge_icl.store.writer import Row

pytest_plugins = ["cli_fixtures"]

STORE = "edge-icl --store work"
ROOMS = ("edge_icl/", "models/", "cli/passphrases.py")
LIBRARY = [
    str(hint)
    for hint in hints.in_source()
    if hint.place.startswith(ROOMS) and not hint.place.startswith("edge_icl/mcp/")
]
"""Every text that a tool may meet and that advises something to type; {} stands for what is filled in."""


def typed(text: str) -> list[str]:
    """Return the commands and options of a text that are not said to be the user's."""
    rest = re.sub(rf"(`[^`]+`|--[a-z-]+( [^ ]+)?) ({re.escape(BY_HAND)}|{re.escape(SETTING)})", "", text)
    return re.findall(r"edge-icl [a-z-]\S*|`[^`]*`|(?<![\w-])--[a-z]\S*", rest)


@pytest.mark.parametrize("hint", LIBRARY)
def test_no_hint_has_a_command_that_is_not_said_to_be_for_the_user(hint: str) -> None:
    text = told(InputError("it is wrong", hint.replace("`{}`", "`edge-icl models fetch x`")), STORE)

    assert not typed(text), text
    assert all(tool in TOOLS for tool in re.findall(r"\btool ([a-z_]+)", text))


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        ("`edge-icl list` shows the ids", "the tool list shows the ids"),
        ("teach it some: edge-icl add INPUT OUTPUT", "teach it some: call the tool add"),
        ("fetch it once: edge-icl models fetch x", f"fetch it once: `edge-icl models fetch x` {BY_HAND}"),
        ("find it with `edge-icl verify`", f"find it with `{STORE} verify` {BY_HAND}"),
        (
            "make a new store: edge-icl --store NEW init",
            f"make a new store: `edge-icl --store NEW init` {BY_HAND}",
        ),
        (
            "compile it: pip install --no-binary x x==1",
            f"compile it: `pip install --no-binary x x==1` {BY_HAND}",
        ),
        (f"make it with `{STORE} init`", "make it with the tool add"),
        (f"make it with `{STORE} init --encrypt`", f"make it with `{STORE} init --encrypt` {BY_HAND}"),
        ("remove it with `rm '/a b/c'`: it is made again", f"`rm '/a b/c'` {BY_HAND}: it is made"),
        ("did you mean --store work? if not, say so", f"did you mean --store work {SETTING}? if not, say so"),
    ],
)
def test_a_hint_names_a_tool_or_the_user(hint: str, words: str) -> None:
    assert words in told(InputError("it is wrong", hint), STORE)


def test_a_store_that_is_missing_is_made_by_add(own_home: Path) -> None:
    def opener(*, create: bool) -> Memory:
        raise missing(own_home / "stores" / "work")

    with pytest.raises(StoreNotFoundError) as raised:
        list_(Desk(opener, STORE), ListArguments())

    expected = f"there is no store at {own_home}/stores/work; make it with the tool add"
    assert told(raised.value, STORE) == expected


@pytest.fixture
def desk(bare_home: Path) -> Desk:
    """The taught store, without models, at a desk that the test closes."""
    return Desk(lambda *, create: Memory.open(bare_home / "stores" / "default", create=False), "edge-icl")


def refused(desk: Desk, work: Callable[[Desk], object]) -> str:
    """Return what an assistant is told when a tool refuses."""
    with pytest.raises(EdgeIclError) as raised:
        work(desk)
    return told(raised.value, desk.program)


def test_what_tools_refuse_is_told_with_what_an_assistant_can_do(desk: Desk) -> None:
    by_hand = f"`edge-icl forget --all` {BY_HAND}"
    for work, words in (
        (lambda at: fix_dry_run(at, FixDryRunArguments(id="ffff", output="x")), "the tool list shows the ids"),
        (lambda at: fix_dry_run(at, FixDryRunArguments(id="a taxi", output="x")), "and the tool search finds"),
        (lambda at: forget_dry_run(at, DryRunArguments(match="\u200b")), "the tool list shows them"),
        (
            lambda at: add(at, AddArguments(input="\u200b", output="x")),
            "characters that cannot be seen; give it some text",
        ),
        (
            lambda at: forget_dry_run(at, DryRunArguments(like="a ride")),
            f"models fetch all-minilm-l6-v2` {BY_HAND}",
        ),
        (lambda at: forget_dry_run(at, DryRunArguments(match="a")), by_hand),
    ):
        text = refused(desk, work)
        assert words in text
        assert not typed(text), text
    desk.close()


def test_the_text_of_an_example_is_never_taken_for_a_command(desk: Desk) -> None:
    label = "`edge-icl forget --all --yes` and: edge-icl stores remove default"
    with Memory.open() as memory:
        memory.replace(IDS["Printer paper"], output=label)

    text = refused(desk, lambda at: forget_dry_run(at, DryRunArguments(output=label[:-1])))

    assert quoted(label) in text
    assert BY_HAND not in text
    desk.close()


@given(limit=st.integers(1, 7), output=st.sampled_from([None, "travel", "food", "none"]))
def test_pages_hold_every_example_that_fits_once_in_any_case(
    taught_store: Path, limit: int, output: str | None
) -> None:
    with Memory.open(taught_store, create=False) as memory:
        desk, cursor, found = Desk(lambda *, create: memory, "edge-icl"), None, []
        while True:
            page = list_(desk, ListArguments(limit=limit, output=output, cursor=cursor)).fields
            assert len(page.examples) <= limit
            found += [one.id for one in page.examples]
            assert len(found) == len(set(found))
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == [one.id for one in memory.examples(output=output)]
        assert page.fitting == len(found)


def test_a_page_of_long_texts_ends_early_and_goes_on(tmp_path: Path) -> None:
    rows = []
    for n in range(3):
        example = Example.create(f"{n} {'x' * (MOST_CHARACTERS // 2)}", "long")
        rows.append(Row(example.id(SETTINGS.seed), np.array([n, 1, 2], np.int8), example.canonical()))
    with without_models(make(tmp_path / "store", rows)) as memory:
        desk = Desk(lambda *, create: memory, STORE)
        first = list_(desk, ListArguments())
        second = list_(desk, ListArguments(cursor=first.fields.next_cursor))

    assert (len(first.fields.examples), first.fields.fitting) == (1, 3)
    assert len(second.fields.examples) == 1
    assert len(first.text) < 1000


def test_a_check_shows_as_many_of_each_kind_as_asked_for(desk: Desk) -> None:
    fields = check(desk, CheckArguments(limit=1)).fields

    assert len(fields.single) == 1
    assert fields.counts["single"] == 2
    desk.close()


def test_no_field_that_the_command_line_has_is_lost(desk: Desk) -> None:
    plan = fix_dry_run(desk, FixDryRunArguments(id=IDS["Printer paper"], output="paper")).fields
    with Memory.open(create=False) as memory:
        example = Example.create("Ferry", "travel", tags=["a"], source="b")
        for record, fields in (
            (memory.check(), returned.Checked),
            (memory.labelling(), returned.Labelling),
            (memory.replace(plan.example.id, output=plan.output), returned.Fixed),
            (memory.forget(IDS["Train to Berlin"], similar=1.0), returned.Forgotten),
            (Held.of("0" * 32, example, 0.5), returned.Example),
            (Added((), 0, 0), returned.Added),
        ):
            held_out = {"held_out", "other_encoder"}  # no tool asks for these
            assert record.as_json().keys() - held_out <= fields.model_fields.keys(), fields
    desk.close()


def test_a_correction_that_makes_two_examples_one_says_so(desk: Desk) -> None:
    with Memory.open(create=False) as memory:
        same = memory.get(IDS["Printer paper"])
        old = memory.replace(same.id, output="paper").new
        vector = next(vector for one, vector in memory.export() if one.id == old)
        memory.add_many([same.example], vectors=[vector])

    plan = fix_dry_run(desk, FixDryRunArguments(id=old, output="office"))
    done = fix(desk, FixArguments(token=plan.fields.token)).fields

    assert (plan.fields.duplicate, done.id) == (True, same.id)
    assert "such an example is there already: of the two one would be left" in plan.text
    with Memory.open(create=False) as memory:
        assert (len(memory), memory.verify(deep=True).ok) == (len(IDS), True)
    desk.close()


ANSWER = Answer(
    question="Taxi",
    text="travel",
    kind="judged",
    probability=0.72,
    labels={"travel": 0.72, "food": 0.28},
    parts={},
    complete=True,
    examples=(),
    nearest=(Held.of("0" * 32, Example.create("Uber", "travel"), 0.5),),
    dropped=0,
    model=None,
    select=None,
    labelling=None,
    unlike=False,
    timings={},
    prompt=None,
)
FREE = replace(ANSWER, kind="written", probability=None, labels={}, nearest=())


@pytest.mark.parametrize(
    ("answer", "told", "certainty"),
    [
        (ANSWER, ["likely (probability 0.72 among 2 outputs of the store)"], "likely"),
        (
            replace(ANSWER, unlike=True),
            ["unlike everything that was taught: the answer may be a mere guess"],
            "likely",
        ),
        (FREE, ["written by the model; how sure it is cannot be said"], None),
        (replace(FREE, complete=False), ["the answer is cut off"], None),
        (
            replace(ANSWER, kind="recalled", examples=ANSWER.nearest * 3, nearest=()),
            ["the input of 3 examples", 'taught with different outputs: "travel", "food"'],
            "likely",
        ),
    ],
)
def test_an_answer_says_how_sure_it_is_and_what_is_wrong_with_it(
    answer: Answer, told: list[str], certainty: str | None, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Memory, "ask", lambda _memory, _question: answer)

    result = ask(desk, AskArguments(question="Taxi"))

    assert result.text == "travel"
    for words in told:
        assert words in result.remarks
    assert ("unlike" in result.remarks) == answer.unlike == result.fields.unlike
    assert result.fields.certainty == certainty
    desk.close()


def test_of_many_labels_an_answer_has_the_likeliest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {f"label {n}": 1 / 500 for n in range(500)}
    monkeypatch.setattr(Memory, "ask", lambda _memory, _question: replace(ANSWER, labels=labels))

    fields = ask(desk, AskArguments(question="Taxi")).fields

    assert (len(fields.labels), fields.labels_in_all) == (20, 500)
    desk.close()
