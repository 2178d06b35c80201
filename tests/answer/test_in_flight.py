"""An answer in the making ends when any process changes the store: what is forgotten is in none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from campaigns import later
from command import run
from expenses import EXAMPLES, SEED
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import commit, make, reopen, row

from edge_icl import ExamplesChangedError, Memory, Options
from edge_icl.llm.window import Window

STORY = "Tell me all that you know about every one of these expenses"
JUDGED = Options(ask_model="always")
WRITTEN = Options(labels="off", select="erase", max_tokens=60)
Forget = Callable[[Path, str], None]


def by_another_object(store: Path, id: str) -> None:
    with Memory.open(store, create=False) as other:
        other.forget(id)


def by_another_process(store: Path, id: str) -> None:
    program = Path(sys.executable).with_name("edge-icl")
    command = [program, "--store", store, "forget", id, "--yes", "--no-similar"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED, shots=4) as memory:
        memory.add_many(EXAMPLES)
        yield memory


@pytest.fixture(params=[by_another_object, by_another_process])
def forget(request: pytest.FixtureRequest) -> Forget:
    return request.param


def at_evaluation(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None], *, number: int) -> None:
    """Do something in the middle of a question: after so many evaluations of the model, once."""
    decode, calls = Window.decode, []

    def counted(window: Window, *arguments: object) -> None:
        decode(window, *arguments)
        calls.append(None)
        if len(calls) == number:
            work()

    monkeypatch.setattr(Window, "decode", counted)


def test_a_stream_ends_with_the_next_piece_when_others_forget(memory: Memory, forget: Forget) -> None:
    stream = memory.stream(STORY, WRITTEN)
    begun = next(stream)

    forget(memory.path, stream.examples[0].id)

    with pytest.raises(ExamplesChangedError, match="ask again"):
        next(stream)
    assert stream.answer.text == begun
    assert not stream.answer.complete
    assert list(stream) == []


@pytest.mark.parametrize("number", [1, later(2), 4])
def test_a_label_is_not_given_that_rests_on_what_others_forgot_meanwhile(
    memory: Memory, forget: Forget, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    stream = memory.stream("Taxi downtown", JUDGED)
    at_evaluation(monkeypatch, lambda: forget(memory.path, stream.examples[0].id), number=number)

    with pytest.raises(ExamplesChangedError, match="ask again"):
        next(stream)

    assert (stream.answer.text, stream.answer.labels) == ("", {})


@pytest.mark.parametrize("options", [JUDGED, WRITTEN], ids=["a label", "a text"])
def test_a_question_is_answered_from_what_is_left(
    memory: Memory, forget: Forget, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = memory.stream("Taxi downtown", options).examples[0]
    at_evaluation(monkeypatch, lambda: forget(memory.path, gone.id), number=2)

    answer = memory.ask("Taxi downtown", options)

    assert answer.complete or options is WRITTEN
    assert gone.id not in {held.id for held in (*answer.examples, *answer.nearest)}
    assert answer.labels == memory.ask("Taxi downtown", options).labels


@pytest.mark.parametrize("many", [False, True], ids=["one", "a file"])
def test_a_command_begins_anew_when_others_forget_meanwhile(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    gone = memory.stream("Taxi downtown", JUDGED).examples[0]
    at_evaluation(monkeypatch, lambda: by_another_object(memory.path, gone.id), number=2)
    (tmp_path / "questions.txt").write_text("Taxi downtown\nBus pass\n")
    what = ["--file", str(tmp_path / "questions.txt")] if many else ["Taxi downtown"]

    ran = run("--store", str(memory.path), "--json", "ask", "--ask-model", "always", *what)

    assert (ran.code, ran.err) == (0, "")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert len(told) == 1 + many
    assert gone.id not in ran.out
    assert [one["answer"] for one in told][:1] == [memory.ask("Taxi downtown", JUDGED).text]


def test_a_taught_answer_is_not_given_that_others_forgot_meanwhile(memory: Memory, forget: Forget) -> None:
    taught = EXAMPLES[0]
    stream = memory.stream(taught.input)

    forget(memory.path, stream.examples[0].id)

    with pytest.raises(ExamplesChangedError, match="ask again"):
        next(stream)
    assert stream.answer.text == ""


def test_the_state_of_what_others_forgot_is_gone_from_the_model(memory: Memory) -> None:
    stream = memory.stream(STORY, WRITTEN)
    next(stream)
    prefixes = memory._opened.cache._asker._made._lasting
    assert prefixes._states

    by_another_object(memory.path, stream.examples[0].id)
    with pytest.raises(ExamplesChangedError):
        next(stream)

    assert not prefixes._states
    assert prefixes.model.window.length() == 0


def test_an_answer_ends_also_while_no_piece_of_it_can_be_given(memory: Memory) -> None:
    """White space at the beginning of an answer is no piece, nor is what may be the beginning of its end."""
    checked: list[int] = []
    stream, store = memory.stream(STORY, WRITTEN), memory._opened.store
    is_current = store.is_current
    store.is_current = lambda snapshot: (checked.append(1), is_current(snapshot))[1]

    pieces = list(stream)

    assert len(checked) >= len(pieces)
    stream = memory.stream(STORY, WRITTEN)
    tokens = iter([True, True, False])
    store.is_current = lambda _: next(tokens)
    with pytest.raises(ExamplesChangedError):
        list(stream)
    assert next(tokens, None) is None


def test_an_answer_goes_on_where_nothing_has_changed(memory: Memory) -> None:
    stream = memory.stream(STORY, WRITTEN)
    begun = next(stream)
    with Memory.open(memory.path) as other:
        other.add(EXAMPLES[0].input, EXAMPLES[0].output)
        with pytest.raises(Exception, match="no example"):
            other.forget("0" * 32)

    text = begun + "".join(stream)

    assert text == memory.ask(STORY, WRITTEN).text


@settings(max_examples=max(settings.default.max_examples // 3, 1))
@given(numbers=st.lists(st.integers(0, 3), max_size=6))
@pytest.mark.usefixtures("kind")
def test_a_state_is_current_exactly_as_long_as_its_root(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    """However fast changes and their reversals follow one another."""
    path = tmp_path_factory.mktemp("current") / "store"
    writer = make(path, [row(9)])
    reader = reopen(path)
    snapshot, held = reader.snapshot(), set()
    for number in numbers:
        change = {"removed": [row(number).id]} if number in held else {"added": [row(number)]}
        commit(writer, **change)
        held ^= {number}
        for _ in range(2):
            assert reader.is_current(snapshot) == (not held)
