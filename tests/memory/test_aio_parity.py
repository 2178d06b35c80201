"""AsyncMemory has what Memory has: the same names, parameters, defaults and types, but awaited."""

from __future__ import annotations

import asyncio
import inspect
from types import FunctionType
from typing import TYPE_CHECKING

import pytest
from small_encoders import FIRST, imported_encoders, small_encoders
from stores import QUICK

from edge_icl import Memory, PassphraseError
from edge_icl.aio import AsyncMemory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["imported_encoders", "small_encoders"]

AWAITED = {
    "__contains__": "contains",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
    "__len__": "count",
}
"""What Python does not await, and what there is instead."""

READ_FROM_DISK = {"labels_setting", "languages", "likeness", "root"}
"""Properties that read the disk: methods to be awaited, as the loop must not wait for it."""

RETURNED = {
    "Iterator[Held]": {"list[Held]", "AsyncIterator[Held]"},
    "Iterator[tuple[Held, Vector]]": {"list[tuple[Held, Vector]]"},
    "Iterator[Answer | InputError]": {"AsyncIterator[Answer | InputError]"},
    "Reply": {"AsyncReply"},
}
"""What an iterator is in a loop: a list of what is read at once, or pieces to be awaited one by one."""

LEFT_OUT = {
    "cancel": "cancelling the task does it",
    "__init__": "made by open and create",
    "__bool__": "true without it, as it has no length",
}

NOT_AWAITED = {
    "stream": "it returns at once what is then iterated over",
    "__repr__": "Python does not await it",
}


def names(kind: type) -> set[str]:
    """Return what a class says that it has, without what is private."""
    ways = (FunctionType, property, classmethod)
    found = {name for name, value in vars(kind).items() if isinstance(value, ways)}
    return {name for name in found if not name.startswith("_") or name.startswith("__")}


def plain(kind: type, name: str) -> object:
    """Return a method or a property of a class as a function."""
    found = vars(kind)[name]
    if isinstance(found, property):
        return found.fget
    return found.__func__ if isinstance(found, classmethod) else found


def test_every_name_of_memory_is_there_and_no_other() -> None:
    wanted = {AWAITED.get(name, name) for name in names(Memory)} - LEFT_OUT.keys()

    assert names(AsyncMemory) - LEFT_OUT.keys() == wanted


@pytest.mark.parametrize("name", sorted(names(Memory) - LEFT_OUT.keys()))
def test_parameters_and_what_is_returned_are_the_same_and_it_is_awaited(name: str) -> None:
    other = AWAITED.get(name, name)
    one, two = plain(Memory, name), plain(AsyncMemory, other)
    want, found = inspect.signature(one), inspect.signature(two)

    assert [*found.parameters.values()] == [
        parameter for parameter in want.parameters.values() if parameter.name not in LEFT_OUT
    ]
    returned = want.return_annotation
    assert found.return_annotation in RETURNED.get(returned, {returned})
    is_property = isinstance(vars(AsyncMemory)[other], property)
    assert is_property == (isinstance(vars(Memory)[name], property) and name not in READ_FROM_DISK)
    awaited = inspect.iscoroutinefunction(two) or inspect.isasyncgenfunction(two)
    assert awaited != (is_property or name in NOT_AWAITED)
    assert isinstance(vars(AsyncMemory)[other], classmethod) == isinstance(vars(Memory)[name], classmethod)
    assert inspect.getdoc(two) or other.startswith("__")


def test_what_is_new_in_a_loop_does_what_memory_does(small_encoders: Path) -> None:
    async def main() -> None:
        made = await AsyncMemory.create("sealed", encoder=FIRST, shots=3, passphrase="old", stretch=QUICK)
        async with made as memory:
            assert (memory.encrypted, memory.wiped, memory.commits, memory.settings.shots) == (True, 0, 1, 3)
            added = await memory.add_many([("taxi to the airport", "travel"), ("lunch", "meals")])
            first, second = [held async for held in memory]
            assert [await memory.short(held) for held in (first, second)] == [first.id[:8], second.id[:8]]
            assert await memory.ids() == sorted(added.ids)
            assert await memory.contains(("lunch", "meals"))
            exported = await memory.export()
            root = await memory.root()
            await memory.forget(added, root=root)
            copied = await memory.add_many(
                [held for held, _ in exported], vectors=[vector for _, vector in exported]
            )
            assert (copied.carried, await memory.root()) == (2, root)
            await memory.replace(first, output="other")
            assert not await memory.contains(first)
            assert await memory.unfinished() is None
            assert memory.commits == 5
            await memory.change_passphrase("new")
            assert repr(memory) == f"<AsyncMemory {memory.path}, encrypted>"
        assert repr(memory) == f"<AsyncMemory {memory.path}, closed, encrypted>"
        with pytest.raises(PassphraseError):
            await AsyncMemory.open("sealed", passphrase="old")
        async with await AsyncMemory.open("sealed", passphrase="new") as memory:
            assert await memory.count() == 2

    asyncio.run(main())
