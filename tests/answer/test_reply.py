"""An answer in the making is an iterator, and leaving its `with` statement stops the model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from expenses import EXAMPLES, SEED

from edge_icl import Memory
from edge_icl.aio import AsyncMemory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=SEED, shots=4) as memory:
        memory.add_many(EXAMPLES)
        yield memory


def test_a_reply_is_an_iterator_over_its_pieces(memory: Memory) -> None:
    whole = memory.ask("Taxi downtown", labels="off", max_tokens=4)

    with memory.stream("Taxi downtown", labels="off", max_tokens=4) as reply:
        first = next(reply)
        rest = [*reply]

    assert first + "".join(rest) == whole.text == reply.answer.text
    assert reply.answer.question == "Taxi downtown"
    assert next(reply, None) is None


def test_leaving_the_with_stops_the_model_and_keeps_what_came(memory: Memory) -> None:
    def stopped() -> None:
        with memory.stream("Write a story", labels="off", select="none", max_tokens=3000) as reply:
            replies.append(reply)
            pieces.append(next(reply))
            raise ZeroDivisionError

    replies, pieces = [], []
    with pytest.raises(ZeroDivisionError):
        stopped()

    (reply,) = replies
    assert [*reply] == []
    assert (reply.answer.complete, reply.answer.text) == (False, "".join(pieces))


@pytest.mark.usefixtures("memory")
def test_leaving_the_async_with_stops_the_model_and_keeps_what_came() -> None:
    async def main() -> None:
        async with await AsyncMemory.open("work") as memory:
            story = memory.stream("Write a story", labels="off", select="none", max_tokens=3000)
            async with story as reply:
                async for piece in reply:
                    assert piece
                    break
            assert not reply.answer.complete
            async with memory.stream("Taxi downtown", ask_model="never") as short:
                assert [piece async for piece in short] == ["travel"]
            assert short.answer.complete

    asyncio.run(main())
