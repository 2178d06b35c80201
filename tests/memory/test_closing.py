"""Closing a store ends what other threads do there, and leaves nothing running."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from expenses import EXAMPLES, PAIRS, SEED
from stores import tree

from edge_icl import (
    AskCancelledError,
    Cancel,
    EdgeIclError,
    Example,
    ExamplesChangedError,
    Memory,
    Options,
    StoreBusyError,
    StoreClosedError,
)
from edge_icl.llm.window import Window

LONG = Options(labels="off", select="none", max_tokens=3000)
JUDGED = Options(ask_model="always")
STORY = "Write a very long story"


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED, shots=4) as memory:
        memory.add_many(EXAMPLES)
        yield memory


@pytest.fixture
def evaluating(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the model has begun to work."""
    event = threading.Event()
    decode = Window.decode
    monkeypatch.setattr(Window, "decode", lambda *arguments: (event.set(), decode(*arguments))[1])
    return event


class Working(threading.Thread):
    """A thread that does something with a store, and what came of it."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.work = work
        self.error: EdgeIclError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.work()
        except EdgeIclError as error:
            self.error = error


@pytest.mark.parametrize("how", ["ask", "stream", "labels"])
def test_closing_ends_a_question_of_another_thread(
    memory: Memory, evaluating: threading.Event, earlier_threads: set[threading.Thread], how: str
) -> None:
    if how == "labels":
        thread = Working(lambda: [memory.ask(f"Taxi {n}", JUDGED) for n in range(10_000)])
    elif how == "ask":
        thread = Working(lambda: memory.ask(STORY, LONG))
    else:
        thread = Working(lambda: list(memory.stream(STORY, LONG)))
    evaluating.wait()

    memory.close()

    thread.join()
    assert isinstance(thread.error, StoreClosedError)
    assert {*threading.enumerate()} <= earlier_threads


def test_closing_does_not_wait_until_a_long_prompt_is_read(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    begun, decode = threading.Event(), Window.decode

    def listen(window: Window, tokens: list[int], *others: object) -> None:
        calls.append(len(tokens))
        begun.set()
        decode(window, tokens, *others)

    monkeypatch.setattr(Window, "decode", listen)
    thread = Working(lambda: memory.ask("word " * 2500, LONG))
    begun.wait()

    memory.close()

    thread.join()
    assert isinstance(thread.error, StoreClosedError)
    assert sum(calls) < 1000


def test_closing_does_not_set_the_callers_own_cancel(memory: Memory, evaluating: threading.Event) -> None:
    cancel = Cancel()
    thread = Working(lambda: memory.ask(STORY, LONG, cancel=cancel))
    evaluating.wait()

    memory.close()

    thread.join()
    assert isinstance(thread.error, StoreClosedError)
    assert not cancel.is_set()


def test_a_stream_between_two_pieces_ends_with_its_store(memory: Memory) -> None:
    reply = memory.stream(STORY, LONG)
    next(reply)

    memory.close()

    with pytest.raises(StoreClosedError):
        next(reply)
    assert not reply.answer.complete
    reply.close()


def test_closing_ends_the_adding_of_many_and_adds_none(memory: Memory) -> None:
    before, begun = tree(memory.path), threading.Event()
    many = [Example.create(f"Expense number {n} of a very long list", "other") for n in range(20_000)]
    thread = Working(lambda: memory.add_many(many, progress=lambda *_: begun.set()))
    begun.wait()

    memory.close()

    thread.join()
    assert isinstance(thread.error, StoreClosedError)
    assert tree(memory.path) == before


def test_closing_ends_a_check(memory: Memory) -> None:
    begun = threading.Event()
    thread = Working(lambda: [memory.verify(progress=lambda *_: begun.set()) for _ in range(100_000)])
    begun.wait()

    memory.close()

    thread.join()
    assert isinstance(thread.error, StoreClosedError)


def test_closing_from_a_callback_of_the_store_is_refused(memory: Memory) -> None:
    with pytest.raises(StoreBusyError, match="in this thread"):
        memory.verify(progress=lambda *_: memory.close())

    assert memory.verify().ok


def test_a_question_is_cancelled_from_another_thread(memory: Memory, evaluating: threading.Event) -> None:
    cancel = Cancel()
    thread = Working(lambda: memory.ask(STORY, LONG, cancel=cancel))
    evaluating.wait()

    cancel.set()

    thread.join()
    assert isinstance(thread.error, AskCancelledError)
    assert memory.ask("Taxi downtown").text == "travel"
    with pytest.raises(AskCancelledError):
        memory.ask("Taxi downtown", cancel=cancel)


def test_a_reply_is_closed_from_another_thread_while_it_is_written(
    memory: Memory, evaluating: threading.Event
) -> None:
    reply = memory.stream(STORY, LONG)
    thread = Working(lambda: list(reply))
    evaluating.wait()

    reply.close()

    thread.join()
    assert thread.error is None
    assert not reply.answer.complete


def test_a_question_is_asked_again_when_its_examples_change_and_a_stream_says_so(
    memory: Memory, evaluating: threading.Event
) -> None:
    options = Options(labels="off", select="none", max_tokens=80)
    stream = memory.stream(STORY, options)
    begun = next(stream)
    evaluating.clear()
    thread = Working(lambda: memory.ask(STORY, options))
    evaluating.wait()

    memory.add("Taxi from the fair", "travel")

    thread.join()
    assert begun
    assert thread.error is None
    with pytest.raises(ExamplesChangedError):
        list(stream)


@pytest.mark.usefixtures("fresh_models")
def test_loading_is_told_and_can_be_ended_by_its_callback(models_home: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with Memory.open("work", progress=lambda *report: told.append(report)) as memory:
        assert told == []
        memory.load()
        memory.add(*PAIRS[0])
        stages = dict.fromkeys(stage for stage, _, _ in told if not stage.startswith("check "))
        assert list(stages) == ["load all-minilm-l6-v2", "load smollm2-135m-instruct"]
        for stage in stages:
            reports = [(done, total) for one, done, total in told if one == stage]
            assert reports == sorted(reports)
            assert reports[-1][0] == reports[-1][1] > 1_000_000
        memory.ask("Taxi downtown", Options(labels="off", max_tokens=1))
        assert {one for one, _, _ in told if not one.startswith("check ")} == set(stages)

    class EnoughError(Exception):
        pass

    def enough(stage: str, done: int, total: int) -> None:
        if "smollm2" in stage and done > total // 2:
            raise EnoughError

    with Memory.open("work", progress=enough) as memory:
        with pytest.raises(EnoughError):
            memory.load()
        assert len(memory) == 1


def test_what_a_second_process_forgot_is_gone_at_the_next_call(memory: Memory) -> None:
    gone = memory.ask("Taxi downtown").examples[0]
    program = Path(sys.executable).with_name("edge-icl")
    command = [program, "--store", memory.path, "forget", gone.id, "--yes"]

    subprocess.run(command, check=True, capture_output=True)

    answer = memory.ask("Taxi downtown")
    assert gone.id not in {held.id for held in (*answer.examples, *answer.nearest, *memory.examples())}
    assert len(memory) == len(EXAMPLES) - 1
    assert memory.verify(deep=True).ok
