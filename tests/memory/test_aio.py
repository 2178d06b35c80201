"""The asyncio face: the loop never waits, cancelling a task stops the model, closing leaves no thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from expenses import EXAMPLES, PAIRS

from edge_icl import Example, InputError, Options, PassphraseError, StoreClosedError
from edge_icl.aio import AsyncMemory
from edge_icl.llm.window import Window

LONG = Options(labels="off", select="none", max_tokens=3000)
STORY = "Write a very long story"

Main = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture
def running(models_home: object, earlier_threads: set[threading.Thread]) -> Callable[[Main], None]:
    """Return what runs a program in a loop; no thread is left then."""

    def run(main: Main) -> None:
        asyncio.run(asyncio.wait_for(main(), 300))
        assert {*threading.enumerate()} <= earlier_threads

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads in which the model has worked, one a call."""
    found: list[str] = []
    decode = Window.decode

    def listen(*arguments: object) -> None:
        found.append(threading.current_thread().name)
        decode(*arguments)

    monkeypatch.setattr(Window, "decode", listen)
    return found


async def begun(calls: list[str]) -> None:
    """Wait until the model works."""
    while not calls:  # noqa: ASYNC110 - it is other threads that work
        await asyncio.sleep(0.001)


def test_many_questions_are_answered_as_one_after_the_other(running: Callable[[Main], None]) -> None:
    async def main() -> None:
        told: list[int] = []
        options = Options(ask_model="never")
        async with await AsyncMemory.open("work") as memory:
            await memory.add_many(EXAMPLES)
            questions = ["Taxi downtown", "", PAIRS[0][0]]
            asked = memory.ask_many(questions, options, progress=lambda _stage, done, _total: told.append(done))
            first, bad, last = [answer async for answer in asked]
            assert isinstance(bad, InputError)
            for found, question in ((first, questions[0]), (last, questions[2])):
                assert not isinstance(found, InputError)
                alone = await memory.ask(question, options)
                assert replace(found, timings={}) == replace(alone, timings={})
            async for _ in memory.ask_many(questions, options):
                break
        assert told == [0, 1, 2, 3]

    running(main)


@pytest.mark.usefixtures("fresh_models")
def test_a_session_is_that_of_memory(running: Callable[[Main], None]) -> None:
    async def main() -> None:
        told: list[str] = []
        async with await AsyncMemory.open("work", progress=lambda stage, *_: told.append(stage)) as memory:
            await memory.load()
            added = await memory.add_many(EXAMPLES, progress=lambda stage, *_: told.append(stage))
            assert (added.added, await memory.count()) == (len(PAIRS), len(PAIRS))
            assert (await memory.add(*PAIRS[0])).duplicates == 1
            assert (await memory.search("train to Paris", limit=1))[0].input == "Train ticket to Lyon"
            answer = await memory.ask("Taxi downtown")
            assert answer.text == "travel"
            receipt = await memory.forget(answer.examples[0].id, similar=0.9)
            assert receipt.root_after == await memory.root()
            found = (await memory.find(match="e"))[0]
            assert await memory.get(found.id[:8]) == found
            assert found in await memory.examples()
            assert (await memory.verify(deep=True, receipt=receipt.as_json())).ok
            assert await memory.set_labels("yes")
            assert (await memory.labels_setting(), (await memory.outputs())["office"]) == ("yes", 4)
            with pytest.raises(InputError):
                await memory.ask("")
            assert memory.settings.shots
        assert {one for one in told if not one.startswith("check ")} == {
            "load all-minilm-l6-v2",
            "load smollm2-135m-instruct",
            "embed",
        }
        with pytest.raises(StoreClosedError):
            await memory.ask("Taxi downtown")
        await memory.close()
        assert memory.path.exists()

    running(main)


def test_an_encrypted_store_is_made_and_opened_with_its_passphrase(running: Callable[[Main], None]) -> None:
    async def main() -> None:
        async with await AsyncMemory.open("sealed", passphrase="secret") as memory:
            await memory.add("Uber to the airport", "travel")
        with pytest.raises(PassphraseError):
            await AsyncMemory.open("sealed", passphrase="wrong")
        async with await AsyncMemory.open("sealed", passphrase=lambda: "secret") as memory:
            assert await memory.count() == 1

    running(main)


def test_the_loop_goes_on_while_a_question_is_answered(
    running: Callable[[Main], None], calls: list[str]
) -> None:
    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            await memory.add(*PAIRS[0])
            await memory.load()
            asked = asyncio.create_task(memory.ask("word " * 600, Options(labels="off", max_tokens=2)))
            await begun(calls)
            ticks = 0
            while not asked.done():
                ticks += 1
                await asyncio.sleep(0.001)  # without it, the loop takes the model's processor
            # Some 600 tokens are read in a handful of calls: a loop that waited for each would tick as often.
            assert ticks > 10 * len(calls)
        assert threading.current_thread().name not in calls

    running(main)


@pytest.mark.parametrize("stream", [False, True])
def test_cancelling_a_task_stops_the_model(
    running: Callable[[Main], None], calls: list[str], stream: bool
) -> None:
    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            await memory.add(*PAIRS[0])

            async def read() -> None:
                async for _ in memory.stream(STORY, LONG):
                    pass

            task = asyncio.create_task(read() if stream else memory.ask(STORY, LONG))
            await begun(calls)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            made = len(calls)
            await memory.examples()
            assert len(calls) == made
            assert (await memory.ask("Taxi", Options(labels="off", max_tokens=2))).model

    running(main)


def test_a_stream_gives_the_answer_in_pieces_and_ends_when_it_is_left(
    running: Callable[[Main], None], calls: list[str]
) -> None:
    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            await memory.add(*PAIRS[0])
            whole = await memory.ask(STORY, Options(labels="off", select="none", max_tokens=20))
            reply = memory.stream(STORY, Options(labels="off", select="none", max_tokens=20))
            with pytest.raises(InputError):
                _ = reply.answer
            assert "".join([piece async for piece in reply]) == reply.answer.text == whole.text
            async for piece in (left := memory.stream(STORY, LONG)):
                assert piece
                break
            await left.close()
            cancelled = memory.stream(STORY, LONG)
            pieces = []
            async for piece in cancelled:
                pieces.append(piece)
                cancelled.cancel()
            assert (len(pieces), cancelled.answer.complete) == (1, False)

    running(main)


def test_cancelling_an_add_of_many_adds_nothing(running: Callable[[Main], None]) -> None:
    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            begun = asyncio.Event()
            many = [Example.create(f"Expense number {n}", "other") for n in range(20_000)]
            task = asyncio.create_task(memory.add_many(many, progress=lambda *_: begun.set()))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await memory.count() == 0

    running(main)


def test_closing_ends_what_other_tasks_do(running: Callable[[Main], None], calls: list[str]) -> None:
    async def main() -> None:
        memory = await AsyncMemory.open("work")
        await memory.add(*PAIRS[0])
        tasks = [asyncio.create_task(memory.ask(STORY, LONG)) for _ in range(40)]
        await begun(calls)
        await memory.close()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {StoreClosedError}

    running(main)
